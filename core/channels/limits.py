"""How often a member may do a thing: so many times a day, a month, a life, in the programme's days and months.

The times are counted in a tally of the channel's, always, so that a limit that is published later counts what was
before it.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from core.books.tallies import Tally, day_number
from core.engine.work import Work
from core.rulebook.document import Section
from core.time.calendar import day_start, month_end, month_start, next_day

TIMES_MAX: Final = 1_000_000_000

Times = Annotated[int, Field(strict=True, ge=1, le=TIMES_MAX)]


class Used(NamedTuple):
    """How often it was done: today, this month, ever."""

    day: int = 0
    month: int = 0
    lifetime: int = 0


class Left(NamedTuple):
    """How often it may still be done, by the limit that leaves least, and when that one begins anew."""

    times: int
    period: str
    resets_at: datetime | None


class Limits(Section):
    """The limits of one thing; what is left out is unlimited."""

    day: Times | None = None
    month: Times | None = None
    lifetime: Times | None = None

    def left(self, used: Used, today: date, zone: ZoneInfo) -> Left | None:
        """What the tightest limit leaves; None when there is none. Of equally tight ones the longest counts."""
        found = []
        for period, most, done in zip(Used._fields, (self.day, self.month, self.lifetime), used, strict=True):
            if most is not None:
                found.append(Left(max(most - done, 0), period, _resets_at(period, today, zone)))
        # A longer period that leaves nothing either says more truly when there will be something again.
        return min(reversed(found), key=lambda left: left.times, default=None)


def _resets_at(period: str, today: date, zone: ZoneInfo) -> datetime | None:
    match period:
        case "day":
            return day_start(next_day(today), zone)
        case "month":
            return day_start(month_end(today) + timedelta(days=1), zone)
        case _:
            return None


async def used(work: Work, tally: str, limits: Limits) -> Used:
    """How often the member did it, as far as the limits ask."""
    today = work.today
    return Used(
        day=0 if limits.day is None else await work.counted(tally, since=today, until=today),
        month=0 if limits.month is None else await work.counted(tally, since=month_start(today), until=today),
        lifetime=0 if limits.lifetime is None else await work.counted(tally),
    )


def used_of(tallies: Iterable[Tally], today: date) -> Used:
    """The same, of the tally's stored days."""
    day, month = day_number(today), day_number(month_start(today))
    counts = [(tally.day, tally.amount) for tally in tallies]
    return Used(
        day=sum(amount for on, amount in counts if on == day),
        month=sum(amount for on, amount in counts if month <= on <= day),
        lifetime=sum(amount for _, amount in counts),
    )
