"""What caps that count over time leave of a rule set, by the tallies of what it has given.

A cap's tally only grows: what is taken back of an award makes no new room.
"""

from datetime import date, datetime

from core.calendar import month_end, month_start
from core.rules import NO_CAPS, CapRoom, Caps
from core.work import Work


async def room(work: Work, channel: str, unit: str, caps: Caps, day: date) -> CapRoom:
    """What the caps leave the member on that local day; NO_CAPS when none of them counts over time."""
    if caps.day is None and caps.month is None and caps.lifetime is None:
        return NO_CAPS
    name = _tally(channel, unit)
    return caps.room(
        day=0 if caps.day is None else await work.counted(name, since=day, until=day),
        month=0 if caps.month is None else await work.counted(name, since=month_start(day), until=month_end(day)),
        lifetime=0 if caps.lifetime is None else await work.counted(name),
    )


def use(work: Work, channel: str, unit: str, room: CapRoom, points: int, *, at: datetime | None = None) -> None:
    """Count what was given in that room, on the local day of ``at``."""
    if points and room != NO_CAPS:
        work.count(_tally(channel, unit), points, at=at)


def _tally(channel: str, unit: str) -> str:
    return f"cap:{channel}:{unit}"
