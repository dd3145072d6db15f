"""For how long one seed is used: a day, a week from Monday, or a month, in the programme's zone."""

from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from core.time.calendar import day_start, local_day, next_day
from core.time.periods import period_of

PeriodKind = Literal["day", "week", "month"]


class Period(NamedTuple):
    """A period of a pool. Its name says from when to when it is, so that another zone's has another name."""

    starts_at: datetime
    ends_at: datetime

    @property
    def name(self) -> str:
        return f"{self.starts_at:%Y%m%dT%H%MZ}-{self.ends_at:%Y%m%dT%H%MZ}"


def period_at(kind: PeriodKind, at: datetime, zone: ZoneInfo) -> Period:
    """The period of that kind in which the instant lies.

    >>> period_at("month", datetime.fromisoformat("2026-06-30T18:00:00+00:00"), ZoneInfo("Asia/Shanghai")).name
    '20260630T1600Z-20260731T1600Z'
    """
    _, first, last = period_of(kind, local_day(at, zone))
    return Period(day_start(first, zone), day_start(next_day(last), zone))
