"""Days and months as the programme's people live them.

The ledger keeps instants in UTC; a day, a month or a year belongs to the programme's zone. These are
the only functions that go from one to the other. They remember their answers: an import asks for the same
few days a million times.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=8_192)
def month_end(day: date) -> date:
    """The last day of the month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def quarter_end(day: date) -> date:
    """The last day of the quarter of the calendar year."""
    return month_end(date(day.year, (day.month - 1) // 3 * 3 + 3, 1))


def year_end(day: date) -> date:
    """The last day of the calendar year."""
    return date(day.year, 12, 31)


@lru_cache(maxsize=8_192)
def add_months(day: date, months: int) -> date:
    """The same day of another month, or the month's last where it has no such day.

    >>> add_months(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=8_192)
def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The day it is in ``zone`` at that instant."""
    return instant.astimezone(zone).date()


@lru_cache(maxsize=8_192)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which ``day`` begins in ``zone``.

    Where the clocks jump over midnight the day begins with the jump.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def month_start(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def next_day(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)
