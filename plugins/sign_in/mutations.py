"""Signing in, in the schema."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final, cast
from zoneinfo import ZoneInfo

import strawberry

from core.books.tallies import Tally, day_number
from core.errors import InvalidValue
from core.time.calendar import day_start, local_day, month_end, month_start, next_day
from graph.vocabulary import (
    ACTING,
    Info,
    Member,
    MemberByInput,
    Payload,
    Points,
    actor,
    mutation,
    perform,
)

from .models import SignInMonth
from .operations import MAKE_UPS, MakeUpSignIn, RecordSignIn, current_streak
from .rules import CHANNEL, Days, SignInSettings, days_of, missed

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER = "The member it is about."
_AHEAD_MAX: Final = 31
_YEAR_MAX: Final = 9_998


@strawberry.input
class RecordSignInInput:
    """A visit today."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the day: sign-in:2026-06-01.")


@strawberry.input
class MakeUpSignInInput:
    """A missed day to make up."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    day: date = strawberry.field(description="The day that was missed, in the programme's time zone.")
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the day: make-up:2026-06-01.")


@strawberry.type
class RecordSignInPayload(Payload):
    """What became of a visit. The transaction's entries say what it brought."""


@strawberry.type
class MakeUpSignInPayload(Payload):
    """What became of making up a day."""


@strawberry.type
class SignInDay:
    """A day on which the member signed in."""

    day: date = strawberry.field(description="The day, in the programme's time zone.")
    is_made_up: bool = strawberry.field(description="Whether it was missed, and made up for points.")
    streak: int = strawberry.field(description="How many unbroken days end with it.")


@strawberry.type
class SignInPart:
    """So much of a unit."""

    unit: str = strawberry.field(description="points, growth, or a unit of the programme's own.")
    amount: Points = strawberry.field(description="How much of it.")


@strawberry.type
class SignInAhead:
    """A day that is to come, if the member signs in on each until then."""

    day: date = strawberry.field(description="The day, in the programme's time zone.")
    streak: int = strawberry.field(description="How many unbroken days will end with it.")
    brings: list[SignInPart] = strawberry.field(
        description="What signing in brings on that day, by the programme and tier of now; limits over time may leave "
        "less."
    )


@strawberry.type
class SignIn:
    """How a member stands with signing in, at this very moment."""

    streak: int = strawberry.field(
        description="The unbroken days up to today; while today's visit is to come, those that it would continue."
    )
    done_today: bool = strawberry.field(description="Whether the member has signed in today.")
    resets_at: datetime = strawberry.field(description="When the next day begins, in the programme's time zone.")
    make_up_cost: Points | None = strawberry.field(
        description="What it costs to make up a missed day; null when none can be made up."
    )
    make_ups_left: int = strawberry.field(description="How many more days can be made up this month.")
    missed: list[date] = strawberry.field(description="The days within reach that were missed, the earliest first.")
    _days: strawberry.Private[Days]
    _today: strawberry.Private[date]
    _now: strawberry.Private[datetime]
    _tier: strawberry.Private[str]
    _settings: strawberry.Private[SignInSettings]
    _zone: strawberry.Private[ZoneInfo]

    @strawberry.field
    def calendar(
        self,
        month: Annotated[
            date | None, strawberry.argument(description="Any day of the month; this month if left out.")
        ] = None,
    ) -> list[SignInDay]:
        """The days of a month on which the member signed in, with the row of days that each ended."""
        days = self._days.of_month(month or self._today)
        return [SignInDay(day=day, is_made_up=made_up, streak=self._days.streak(day)) for day, made_up in days]

    @strawberry.field
    def longest_streak(
        self,
        year: Annotated[int | None, strawberry.argument(description="Of which year; this one if left out.")] = None,
    ) -> int:
        """The most unbroken days in a year, of the days that lie in it. INVALID_VALUE."""
        if year is not None and not 1 <= year <= _YEAR_MAX:
            raise InvalidValue(field="year", reason=f"it lies between 1 and {_YEAR_MAX}")
        return self._days.longest(year or self._today.year)

    @strawberry.field
    def ahead(
        self, days: Annotated[int, strawberry.argument(description="How many days, 1 to 31.")] = 7
    ) -> list[SignInAhead]:
        """What the next visits bring, the next one first: today's, unless it has been. INVALID_VALUE."""
        if not 1 <= days <= _AHEAD_MAX:
            raise InvalidValue(field="days", reason=f"it lies between 1 and {_AHEAD_MAX}")
        first = next_day(self._today) if self.done_today else self._today
        found = []
        for number in range(days):
            day = first + timedelta(days=number)
            at = self._now if day == self._today else day_start(day, self._zone)
            brings = self._settings.brings_on(self.streak + number, at, self._tier)
            parts = [SignInPart(unit=unit, amount=Points(amount)) for unit, amount in brings.items()]
            found.append(SignInAhead(day=day, streak=self.streak + number + 1, brings=parts))
        return found


@strawberry.type
class SignInMemberFields:
    """What a member has of signing in."""

    @strawberry.field
    async def sign_in(self, info: Info) -> SignIn | None:
        """How the member stands with signing in; null when the programme knows no such thing."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, SignInSettings)
        loaders, zone = info.context.loaders, programme.zone
        today = local_day(info.context.now, zone)
        days = days_of(await loaders.rows(SignInMonth, member.member_id))
        within_reach: list[date] = []
        left, make_up = 0, settings.make_up
        if make_up is not None:
            first, last = day_number(month_start(today)), day_number(month_end(today))
            tallies: list[Tally] = await loaders.rows(Tally, member.member_id, name=MAKE_UPS)
            used = sum(tally.amount for tally in tallies if first <= tally.day <= last)
            left = max(make_up.a_month - used, 0)
            within_reach = missed(days, make_up, today, local_day(member.enrolled_at, zone))
        return SignIn(
            streak=current_streak(days, today),
            done_today=today in days,
            resets_at=day_start(next_day(today), zone),
            make_up_cost=None if make_up is None else Points(make_up.cost),
            make_ups_left=left,
            missed=within_reach,
            _days=days,
            _today=today,
            _now=info.context.now,
            _tier=member.tier_id,
            _settings=settings,
            _zone=zone,
        )


@strawberry.type
class SignInMutations:
    """What can be done about signing in."""

    @mutation(allow=ACTING)
    async def record_sign_in(self, info: Info, input: RecordSignInInput) -> RecordSignInPayload:
        """Record that a member is there today. It earns once a day, by the days before it in an unbroken row."""
        operation = RecordSignIn(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, RecordSignInPayload)

    @mutation(allow=ACTING)
    async def make_up_sign_in(self, info: Info, input: MakeUpSignInInput) -> MakeUpSignInPayload:
        """Make up a missed day for points, so that the row of days is unbroken. The day itself earns nothing."""
        operation = MakeUpSignIn(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info), day=input.day
        )
        return await perform(info, operation, MakeUpSignInPayload)
