"""The calendar's periods in the programme's zone: days, weeks from Monday, months and quarters, each with its name."""

import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Literal, NamedTuple

from core.time.calendar import month_end, month_start, next_day, quarter_end

PeriodKind = Literal["day", "week", "month", "quarter"]

_QUARTER = re.compile(r"([0-9]{4})-Q([1-4])", re.ASCII)


class Period(NamedTuple):
    """The days of a period, both ends included, and its name: 2026-06-01, 2026-W23, 2026-06 or 2026-Q2."""

    name: str
    first: date
    last: date


def period_of(kind: PeriodKind, day: date) -> Period:
    """The period of that kind in which the day lies.

    >>> period_of("week", date(2027, 1, 1))
    Period(name='2026-W53', first=datetime.date(2026, 12, 28), last=datetime.date(2027, 1, 3))
    """
    match kind:
        case "day":
            return Period(day.isoformat(), day, day)
        case "week":
            monday = day - timedelta(days=day.weekday())
            year, week, _ = day.isocalendar()
            return Period(f"{year:04}-W{week:02}", monday, monday + timedelta(days=6))
        case "month":
            return Period(f"{day.year:04}-{day.month:02}", month_start(day), month_end(day))
        case "quarter":
            last = quarter_end(day)
            return Period(f"{day.year:04}-Q{last.month // 3}", date(day.year, last.month - 2, 1), last)


def period_named(kind: PeriodKind, name: str) -> Period | None:
    """The period of that kind and name; None when there is none.

    >>> period_named("quarter", "2026-Q2")
    Period(name='2026-Q2', first=datetime.date(2026, 4, 1), last=datetime.date(2026, 6, 30))
    """
    first = None
    with suppress(ValueError, OverflowError):
        if kind == "quarter":
            found = _QUARTER.fullmatch(name)
            first = date(int(found[1]), int(found[2]) * 3, 1) if found else None
        else:
            first = date.fromisoformat(f"{name}-01" if kind == "month" else name)
    if first is None:
        return None
    with suppress(ValueError, OverflowError):
        period = period_of(kind, first)
        # Python reads more spellings than there are names.
        return period if period.name == name else None
    return None


def period_after(kind: PeriodKind, period: Period) -> Period:
    """The next one."""
    return period_of(kind, next_day(period.last))
