"""What joining brings."""

from datetime import timedelta
from typing import Final

from core.engine.work import Work
from core.telling.events import MEMBER_ENROLLED, Event

from .rules import CHANNEL, WelcomeSettings

LATE: Final = timedelta(days=1)
"""Who joined longer ago than this is brought over from another system, and no newcomer."""


async def welcome(event: Event, work: Work) -> None:
    """Give a newcomer the pack. Nobody joins twice, so nobody is welcomed twice."""
    settings = work.programme.channels.get(CHANNEL)
    if event.name != MEMBER_ENROLLED or settings is None or work.now - work.member.enrolled_at > LATE:
        return
    assert isinstance(settings, WelcomeSettings)
    given = await settings.give(work, CHANNEL, CHANNEL)
    work.tell("welcome.given", pack=given.pack, coupons=list(settings.coupons))
