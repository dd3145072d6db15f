"""What there is to tell of a member's year: the badges that it brought."""

from collections.abc import Sequence

from core.channels.annual import Highlight
from core.time.calendar import local_day
from graph.vocabulary import Info, Member

from .models import BadgeHeld
from .operations import TAKEN_BACK


async def recall(info: Info, member: Member, year: int) -> Sequence[Highlight]:
    """How many badges, and levels of badges, the member got, if any."""
    zone = (await info.context.version()).programme.zone
    rows = await info.context.loaders.rows(BadgeHeld, member.member_id)
    got = sum(row.state != TAKEN_BACK and local_day(row.given_at, zone).year == year for row in rows)
    return [Highlight("badges", "badges that you got", "获得的勋章数", got)] if got else []
