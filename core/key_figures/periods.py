"""Periods that figures are asked of: whole local days, cut by the calendar, each with the period before it."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from core.errors import InvalidValue
from core.time.calendar import add_months, month_end, month_start, next_day, quarter_end

DAYS_MAX: Final = 3_653
"""Ten years."""

PARTS_MAX: Final = 400

FIRST: Final = date(1900, 1, 1)
"""No shop has figures of earlier days, and calendars of computers end somewhere."""


class Granularity(StrEnum):
    """Into which units of the calendar a period is cut."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Period(NamedTuple):
    """Whole days, the first and the last included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1


_ENDS: Final[Mapping[Granularity, Callable[[date], date]]] = {
    Granularity.DAY: lambda day: day,
    # A week begins on Monday, as ISO 8601 says.
    Granularity.WEEK: lambda day: day + timedelta(days=6 - day.weekday()),
    Granularity.MONTH: month_end,
    Granularity.QUARTER: quarter_end,
}


def check(period: Period, today: date) -> None:
    """Raises InvalidValue for days that are no period, too many, before ``FIRST``, or all still to come."""
    if period.since > period.until:
        raise InvalidValue(field="since", reason="it comes after until")
    if period.since < FIRST:
        raise InvalidValue(field="since", reason=f"it lies before {FIRST}")
    if period.days > DAYS_MAX:
        raise InvalidValue(field="since", reason=f"a period has at most {DAYS_MAX} days")
    if period.since > today:
        raise InvalidValue(field="since", reason="it lies in the future")


def cut(period: Period, granularity: Granularity | None) -> list[Period]:
    """The units that the period touches, the first and the last only as far as it does; the whole without any.

    >>> [str(part.since) for part in cut(Period(date(2026, 1, 15), date(2026, 3, 2)), Granularity.MONTH)]
    ['2026-01-15', '2026-02-01', '2026-03-01']

    Raises InvalidValue when there are too many.
    """
    if granularity is None:
        return [period]
    parts = []
    since = period.since
    while since <= period.until:
        until = min(_ENDS[granularity](since), period.until)
        parts.append(Period(since, until))
        if len(parts) > PARTS_MAX:
            raise InvalidValue(field="granularity", reason=f"it cuts the period into more than {PARTS_MAX} parts")
        since = next_day(until)
    return parts


def before(period: Period) -> Period:
    """The period before: of whole months as many months, of anything else as many days.

    >>> before(Period(date(2026, 3, 1), date(2026, 3, 31))).since
    datetime.date(2026, 2, 1)
    >>> before(Period(date(2026, 3, 1), date(2026, 3, 7))).since
    datetime.date(2026, 2, 22)
    """
    until = period.since - timedelta(days=1)
    if period.since == month_start(period.since) and period.until == month_end(period.until):
        months = (period.until.year - period.since.year) * 12 + period.until.month - period.since.month + 1
        return Period(add_months(period.since, -months), until)
    return Period(period.since - timedelta(days=period.days), until)
