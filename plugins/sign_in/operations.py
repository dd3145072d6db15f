"""What can be done about signing in: be there today, and make up a day that was missed."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from core.books.members import bucket_of
from core.channels.awards import earn_by_rules
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import day_start, local_day, month_end, month_start, next_day

from .models import SignInMonth
from .refusals import (
    AlreadySignedIn,
    DayNotMissed,
    DayOutOfReach,
    MakeUpNotOffered,
    MakeUpsUsedUp,
    SignInNotOffered,
)
from .rules import CHANNEL, ONE_DAY, SIGN_INS, Days, EventFacts, MemberFacts, SignInSettings, bit, days_of, month_number

MAKE_UPS: Final = "sign_in_make_ups"
"""Counted on the days on which days were bought."""

MADE_UP: Final = "sign_ins_made_up"
"""Counted on the days that were bought."""


@dataclass(frozen=True, kw_only=True)
class RecordSignIn(Operation):
    """The member is there today. Refuses AlreadySignedIn, SignInNotOffered, MemberNotActive, MemberFrozen."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "record"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        work.check_may_earn()
        today = work.today
        months = await work.rows(SignInMonth)
        days = days_of(months)
        if today in days:
            resets_at = day_start(next_day(today), work.programme.zone)
            raise AlreadySignedIn(day=today, streak=days.streak(today), resets_at=resets_at)
        streak = days.streak(today - ONE_DAY)
        facts = {"event": EventFacts(streak, work.now), "member": MemberFacts(work.member.tier)}
        awarded = await earn_by_rules(work, CHANNEL, settings.earn, facts)
        _mark(work, months, today)
        work.count(SIGN_INS, 1)
        work.tell("sign_in.recorded", day=today.isoformat(), streak=streak + 1)
        return {
            "day": today.isoformat(),
            "streak": streak + 1,
            "awards": awarded.points,
            "trace": awarded.trace,
            "seen": awarded.seen,
        }


@dataclass(frozen=True, kw_only=True)
class MakeUpSignIn(Operation):
    """A missed day is bought, so that the row of days is unbroken. It earns nothing itself.

    Refuses MakeUpNotOffered, DayNotMissed, DayOutOfReach, MakeUpsUsedUp, InsufficientPoints, SignInNotOffered.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "make_up"

    day: date

    async def perform(self, work: Work) -> dict[str, Any]:
        make_up = _settings(work).make_up
        if make_up is None:
            raise MakeUpNotOffered(at=work.now)
        work.check_may_spend()
        today, zone = work.today, work.programme.zone
        earliest = max(today - timedelta(days=make_up.days), local_day(work.member.enrolled_at, zone))
        if not earliest <= self.day < today:
            raise DayOutOfReach(day=self.day, earliest=earliest, latest=today - ONE_DAY)
        months = await work.rows(SignInMonth)
        if self.day in days_of(months):
            raise DayNotMissed(day=self.day)
        used = await work.counted(MAKE_UPS, since=month_start(today), until=month_end(today))
        if used >= make_up.a_month:
            resets_at = day_start(next_day(month_end(today)), zone)
            raise MakeUpsUsedUp(limit=make_up.a_month, resets_at=resets_at)
        if make_up.cost:
            await self._pay(work, make_up.cost)
        _mark(work, months, self.day, made_up=True)
        work.count(MAKE_UPS, 1)
        work.count(MADE_UP, 1, at=day_start(self.day, zone))
        return {"day": self.day.isoformat(), "points": make_up.cost}

    async def _pay(self, work: Work, points: int) -> None:
        await work.spend(points)


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes a visit back, or a day that was bought, it is as if it had never been."""
    if event.name != TRANSACTION_REVERSED or event.payload["channel"] != CHANNEL or not event.payload["whole"]:
        return
    (reversed_,) = await work.rows(Recorded, id=event.payload["transaction"])
    day = date.fromisoformat(reversed_.result["day"])
    month = await work.find(SignInMonth, month=month_number(day))
    assert month is not None, "a transaction of this channel marked its day"
    month.days &= ~bit(day)
    month.made_up &= ~bit(day)
    work.save(month)
    tally = MAKE_UPS if reversed_.kind == MakeUpSignIn.kind else SIGN_INS
    work.count(tally, -1, at=reversed_.effective_at)
    if tally == MAKE_UPS:
        work.count(MADE_UP, -1, at=day_start(day, work.programme.zone))


def current_streak(days: Days, today: date) -> int:
    """The unbroken days up to today; before today's visit, those that it would continue."""
    return days.streak(today) or days.streak(today - ONE_DAY)


def _settings(work: Work) -> SignInSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise SignInNotOffered(at=work.now)
    assert isinstance(settings, SignInSettings)
    return settings


def _mark(work: Work, months: list[Any], day: date, *, made_up: bool = False) -> None:
    number = month_number(day)
    for month in months:
        if month.month == number:
            member_id = work.member.id
            row = SignInMonth(bucket=bucket_of(member_id), member_id=member_id, **month._asdict())
            row.days |= bit(day)
            row.made_up |= bit(day) if made_up else 0
            work.save(row)
            return
    work.add(SignInMonth, month=number, days=bit(day), made_up=bit(day) if made_up else 0)
