"""Days and instants as they are typed in a command line."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from core.errors import ProgrammeNotFound
from core.time.calendar import day_start
from core.value.report import end_of_day
from graph.laurel import Laurel


class MomentType(click.ParamType[Any]):
    """A day, 2026-01-31, or an instant, 2026-01-31T12:00+08:00; without an offset it is the programme's time."""

    name = "day or instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            moment = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a day (2026-01-31) nor an instant (2026-01-31T12:00+08:00)", param, ctx)
        if not date.min.year < moment.year < date.max.year:
            # The programme's time of it, or the day after, would lie beyond what there is of the calendar.
            self.fail(f"{value!r} is not in the years {date.min.year + 1} to {date.max.year - 1}", param, ctx)
        return moment


MOMENT = MomentType()


def first_instant(moment: date, zone: ZoneInfo) -> datetime:
    """The instant that was typed; for a day its first one."""
    return _instant(moment, zone) if isinstance(moment, datetime) else day_start(moment, zone)


def last_instant(moment: date, zone: ZoneInfo) -> datetime:
    """The instant that was typed; for a day its last one."""
    return _instant(moment, zone) if isinstance(moment, datetime) else end_of_day(moment, zone)


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def zone_of(laurel: Laurel) -> ZoneInfo:
    """The zone of the newest version. Raises ProgrammeNotFound when nothing was published."""
    if not laurel.programmes.versions:
        raise ProgrammeNotFound(at=laurel.clock.now())
    return laurel.programmes.versions[-1].programme.zone
