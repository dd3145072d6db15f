"""What can be done about birthdays: give the year's gift, and let an operator correct the birthday it goes by.

Gifts go by the birthday that was known first. Whatever the member's profile says later changes nothing, so that nobody
has two birthdays a year.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

from core.books.members import ById
from core.channels.caps import draw
from core.channels.coupons import grant
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.scheduling.jobs import Run
from core.store.dialect import Reader
from core.store.tables import table_of
from core.telling.events import MEMBER_ENROLLED, MEMBER_UPDATED, Event
from core.time.calendar import add_months, local_day
from core.units import POINTS

from .models import BirthdayGift, BirthdayKnown
from .refusals import (
    BirthdayChangedLately,
    BirthdayGiftAlreadyGiven,
    BirthdaysNotOffered,
    BirthdayUnknown,
    MemberTooNew,
    NotTheBirthday,
)
from .rules import CHANNEL, DAYS_BETWEEN, BirthdaySettings, born_on, month_day

EARLIEST: Final = date(1900, 1, 1)


@dataclass(frozen=True, kw_only=True)
class GiveBirthdayGift(Operation):
    """The gift of this year.

    Refuses BirthdaysNotOffered, BirthdayUnknown, NotTheBirthday, BirthdayGiftAlreadyGiven, MemberTooNew,
    MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "gift"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        member, today = work.member, work.today
        work.check_may_earn()
        birthday = await self._birthday(work)
        if birthday is None:
            raise BirthdayUnknown
        window = settings.next_window(birthday, today)
        for gift in reversed(await work.rows(BirthdayGift)):
            free_on = local_day(gift.given_at, work.programme.zone) + timedelta(days=DAYS_BETWEEN)
            if today.year == gift.year or today < free_on:
                later = settings.next_window(birthday, max(free_on, date(gift.year + 1, 1, 1)))
                raise BirthdayGiftAlreadyGiven(given_at=gift.given_at, opens_on=later.first)
        if today < window.first:
            raise NotTheBirthday(opens_on=window.first, closes_on=window.last)
        days = settings.member_days
        if days is not None and work.now - member.enrolled_at < timedelta(days=days):
            raise MemberTooNew(days=days, enrolled_at=member.enrolled_at)
        points = await draw(work, f"{CHANNEL}:{POINTS}", settings.budget, settings.gift(member.tier))
        if points:
            await work.earn(points, days=settings.expires_days)
        grant(work, settings.coupons, f"{CHANNEL}:{today.year}")
        work.add(
            BirthdayGift,
            year=today.year,
            birthday=birthday,
            points=points,
            transaction_id=work.operation_id,
            given_at=work.now,
        )
        work.tell("birthday.gift_given", points=points, coupons=list(settings.coupons))
        return {"points": points, "coupons": list(settings.coupons)}

    async def _birthday(self, work: Work) -> date | None:
        return await _birthday(work)


@dataclass(frozen=True, kw_only=True)
class ChangeBirthday(Operation):
    """An operator corrects the member's birthday, once a year. Refuses BirthdayChangedLately, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "change"

    birthday: date
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        if not EARLIEST <= self.birthday <= work.today:
            raise InvalidValue(field="birthday", reason=f"{self.birthday} is not a day between {EARLIEST} and today")
        known = await work.rows(BirthdayKnown)
        if known and known[-1].number > 1:
            changed_at: datetime = known[-1].since
            changed_on = local_day(changed_at, work.programme.zone)
            opens_at = changed_at + (add_months(changed_on, 12) - changed_on)
            if work.now < opens_at:
                raise BirthdayChangedLately(changed_at=changed_at, opens_at=opens_at)
        former = known[-1].birthday if known else work.member.birthday
        if known:
            row = await work.find(BirthdayKnown, number=known[-1].number)
            assert row is not None
            row.month_day = 0
            work.save(row)
        elif former is not None:
            # It was known before anybody asked for gifts; that it was changed has to show.
            _remember(work, 1, former, current=False)
        _remember(work, known[-1].number + 1 if known else 1 + (former is not None), self.birthday)
        work.change_member(birthday=self.birthday)
        return {"former": former.isoformat() if former else None, "birthday": self.birthday.isoformat()}


async def remember_birthday(event: Event, work: Work) -> None:
    """The first birthday that is known of a member is the one that gifts go by."""
    if event.name in {MEMBER_ENROLLED, MEMBER_UPDATED} and CHANNEL in work.programme.channels:
        await _birthday(work)


async def gifts_due(reader: Reader, programme: Programme, now: datetime) -> list[GiveBirthdayGift]:
    """The gifts that can be given today to whoever has a birthday, in the order of members' ids.

    Each can be submitted any number of times: its key is the year's.
    """
    settings = programme.channels.get(CHANNEL)
    if settings is None:
        return []
    assert isinstance(settings, BirthdaySettings)
    today = local_day(now, programme.zone)
    window = settings.window(today, today.year)
    rows = await reader.select(table_of(BirthdayKnown), ("month_day",), [(each,) for each in born_on(window)])
    return [
        GiveBirthdayGift(member=ById(member_id), idempotency_key=f"birthday:{today.year}", actor=f"plugin {CHANNEL}")
        for member_id in sorted(row[1] for row in rows)
    ]


async def give_gifts(run: Run) -> int:
    """The job that gives, where the programme says so, what nobody has claimed yet."""
    settings = run.programme.channels.get(CHANNEL)
    if not isinstance(settings, BirthdaySettings) or not settings.automatic:
        return 0
    return await run.submit(await gifts_due(run.reader, run.programme, run.now))


async def _birthday(work: Work) -> date | None:
    """The birthday that gifts go by; the profile's, which is then remembered, if none is known yet."""
    known = await work.rows(BirthdayKnown)
    if known:
        birthday: date = known[-1].birthday
        return birthday
    if work.member.birthday is not None:
        _remember(work, 1, work.member.birthday)
    return work.member.birthday


def _remember(work: Work, number: int, birthday: date, *, current: bool = True) -> None:
    month = month_day(birthday) if current else 0
    work.add(BirthdayKnown, number=number, birthday=birthday, month_day=month, since=work.now)


def _offered(work: Work) -> BirthdaySettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise BirthdaysNotOffered(at=work.now)
    assert isinstance(settings, BirthdaySettings)
    return settings
