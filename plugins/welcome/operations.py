"""What joining brings."""

from datetime import timedelta
from typing import Final

from core.events import MEMBER_ENROLLED, Event
from core.work import Work

from .rules import CHANNEL, WelcomeSettings

LATE: Final = timedelta(days=1)
"""Who joined longer ago than this is brought over from another system, and no newcomer."""


async def welcome(event: Event, work: Work) -> None:
    """Give a newcomer the pack. Nobody joins twice, so nobody is welcomed twice."""
    settings = work.programme.channels.get(CHANNEL)
    if event.name != MEMBER_ENROLLED or settings is None or work.now - work.member.enrolled_at > LATE:
        return
    assert isinstance(settings, WelcomeSettings)
    for unit, amount in settings.pack.items():
        days = settings.expires_days if work.programme.unit(unit).spendable else None
        await work.earn(amount, unit=unit, days=days, pending_days=settings.pending_days or 0)
    work.tell("welcome.given", pack=dict(settings.pack))
