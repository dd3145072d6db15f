"""Lengths of time as ISO 8601 writes them: PT90M, P1D, P12M, P1Y2M10DT2H30M."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.time.calendar import add_months

_WRITTEN: Final = re.compile(
    r"P(?=[0-9T])(?:(?P<years>[0-9]{1,4})Y)?(?:(?P<months>[0-9]{1,4})M)?(?:(?P<weeks>[0-9]{1,4})W)?"
    r"(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,5})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,8})S)?)?",
    re.ASCII,
)


class Duration(NamedTuple):
    """Months and days of the calendar, and seconds of the clock."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    @classmethod
    def read(cls, written: str) -> "Duration":
        """The duration that is written so. Raises ValueError.

        >>> Duration.read("P1Y2M1W3DT4H")
        Duration(months=14, days=10, seconds=14400)
        """
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError(f"{written!r} is no duration")
        given = {name: int(value or 0) for name, value in found.groupdict().items()}
        return cls(
            12 * given["years"] + given["months"],
            7 * given["weeks"] + given["days"],
            3_600 * given["hours"] + 60 * given["minutes"] + given["seconds"],
        )

    def __str__(self) -> str:
        """As ISO 8601 writes it.

        >>> str(Duration(months=12)), str(Duration(0, 1, 90)), str(Duration())
        ('P12M', 'P1DT90S', 'PT0S')
        """
        calendar = (f"{self.months}M" if self.months else "") + (f"{self.days}D" if self.days else "")
        clock = f"T{self.seconds}S" if self.seconds or not calendar else ""
        return f"P{calendar}{clock}"

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The instant so much later: months and days at the same time of day in ``zone``, then the seconds.

        A month that has no such day ends on its last. Raises OverflowError beyond the calendar.

        >>> Duration(months=1).after(datetime(2026, 1, 31, 12, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
        datetime.datetime(2026, 2, 28, 12, 0, tzinfo=datetime.timezone.utc)
        """
        local = at.astimezone(zone)
        try:
            day = add_months(local.date(), self.months) + timedelta(days=self.days)
        except ValueError as error:
            raise OverflowError(str(error)) from error
        then = datetime.combine(day, local.timetz()) if self.months or self.days else local
        return then.astimezone(UTC) + timedelta(seconds=self.seconds)
