"""The plugin's section of the programme, and by when a question is to be answered."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from core.rulebook.document import Section
from core.rulebook.programme import ChannelSettings
from core.time.calendar import day_start, local_day, next_day
from core.units import AMOUNT_MAX
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "ticket"

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: Final[tuple[Weekday, ...]] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Working(Section):
    """The days on which the time to answer runs: these of the week, without the holidays."""

    days: Annotated[frozenset[Weekday], Field(min_length=1)] = frozenset(_WEEK[:5])
    holidays: Annotated[frozenset[date], Field(max_length=1_000)] = frozenset()

    def includes(self, day: date) -> bool:
        """Whether the time runs on that day."""
        return _WEEK[day.weekday()] in self.days and day not in self.holidays


class TicketSettings(ChannelSettings):
    """The programme's section ``channels: ticket:``.

    A question is to be answered within ``due_hours``, of ``working`` days only where they are named. A closed ticket is
    opened again by a word of its member within ``reopen_days``. A member has ``open`` tickets at a time at most, and is
    compensated with ``compensation_max`` points at most for each.
    """

    called = ("Question", "咨询工单")

    due_hours: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 48
    working: Working | None = None
    reopen_days: Annotated[int, Field(strict=True, ge=0, le=366)] = 14
    open: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 10
    compensation_max: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] = 10_000

    def says(self, words: Words) -> Iterable[Said]:
        hours = words.count(self.due_hours, "{n} hour", "{n} hours", "{n} 小时")
        text = (
            words.say(
                "A question about your points is answered within {hours}.", "积分问题将在{hours}内答复。", hours=hours
            )
            if self.working is None
            else words.say(
                "A question about your points is answered within {hours} of working days.",
                "积分问题将在工作日{hours}内答复。", hours=hours,
            )
        )  # fmt: skip
        yield Said(Topic.SERVICE, text, ("due_hours",))
        if self.reopen_days:
            days = words.days(self.reopen_days)
            text = words.say("You can open it again within {days}.", "{days}内可重新提出。", days=days)
            yield Said(Topic.SERVICE, text, ("reopen_days",))


def due(settings: TicketSettings, zone: ZoneInfo, asked_at: datetime) -> datetime:
    """By when what was asked then is to be answered.

    Hours of days that are no working days don't count, so what is asked on a Saturday is asked on Monday at 00:00.

    >>> settings = TicketSettings(due_hours=48, working=Working())
    >>> friday = datetime.fromisoformat("2026-06-05T18:00:00+00:00")
    >>> due(settings, ZoneInfo("UTC"), friday).isoformat()
    '2026-06-09T18:00:00+00:00'
    """
    left = timedelta(hours=settings.due_hours)
    if settings.working is None:
        return asked_at + left
    at, day = asked_at, local_day(asked_at, zone)
    while True:
        ends = day_start(next_day(day), zone)
        if settings.working.includes(day):
            if at + left <= ends:
                return at + left
            left -= ends - at
        at, day = ends, next_day(day)
