"""Birthdays in the schema."""

from datetime import date, datetime, timedelta
from typing import cast

import strawberry

from core.time.calendar import local_day
from graph.vocabulary import ACTING, Info, Member, MemberByInput, Payload, Points, Role, actor, mutation, perform

from .models import BirthdayGift, BirthdayKnown
from .operations import ChangeBirthday, GiveBirthdayGift
from .rules import CHANNEL, DAYS_BETWEEN, BirthdaySettings

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER = "The member it is about."


@strawberry.input
class ClaimBirthdayGiftInput:
    """Whose birthday it is."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the year: birthday:2026.")


@strawberry.input
class ChangeBirthdayInput:
    """The birthday that a member really has."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    birthday: date = strawberry.field(description="The day, not before 1900-01-01.")
    reason: str = strawberry.field(description="Why, 3 to 1000 characters; kept for ever.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class ClaimBirthdayGiftPayload(Payload):
    """What became of a gift."""


@strawberry.type
class ChangeBirthdayPayload(Payload):
    """What became of a change."""


@strawberry.type(name="BirthdayGift")
class BirthdayGiftType:
    """How a member stands with birthday gifts."""

    birthday: date = strawberry.field(description="The birthday that gifts go by: the one that was known first.")
    points: Points = strawberry.field(description="What the next gift brings.")
    coupons: list[str] = strawberry.field(description="The coupons that come with it, by their ids in the programme.")
    opens_on: date = strawberry.field(description="The first day on which it can be had.")
    closes_on: date = strawberry.field(description="The last day on which it can be had.")
    is_open: bool = strawberry.field(description="Whether it can be had now.")
    given_at: datetime | None = strawberry.field(description="When the last gift was given; null if there was none.")


@strawberry.type
class BirthdayMemberFields:
    """What a member has of birthdays."""

    @strawberry.field
    async def birthday_gift(self, info: Info) -> BirthdayGiftType | None:
        """The next birthday gift; null when there are none, or the birthday is not known."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, BirthdaySettings)
        known = await info.context.loaders.rows(BirthdayKnown, member.member_id)
        gifts = await info.context.loaders.rows(BirthdayGift, member.member_id)
        birthday = max(known, key=lambda row: row.number).birthday if known else member.birthday
        if birthday is None:
            return None
        today = local_day(info.context.now, programme.zone)
        last = max(gifts, key=lambda row: row.year, default=None)
        free_on = today
        if last is not None:
            after = local_day(last.given_at, programme.zone) + timedelta(days=DAYS_BETWEEN)
            free_on = max(today, after, date(last.year + 1, 1, 1))
        window = settings.next_window(birthday, free_on)
        return BirthdayGiftType(
            birthday=birthday,
            points=Points(settings.gift(member.tier_id)),
            coupons=list(settings.coupons),
            opens_on=window.first,
            closes_on=window.last,
            is_open=window.first <= today <= window.last,
            given_at=None if last is None else last.given_at,
        )


@strawberry.type
class BirthdayMutations:
    """What can be done about birthdays."""

    @mutation(allow=ACTING)
    async def claim_birthday_gift(self, info: Info, input: ClaimBirthdayGiftInput) -> ClaimBirthdayGiftPayload:
        """Give a member the birthday gift of this year."""
        operation = GiveBirthdayGift(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, ClaimBirthdayGiftPayload)

    @mutation(allow={Role.OPERATOR})
    async def change_birthday(self, info: Info, input: ChangeBirthdayInput) -> ChangeBirthdayPayload:
        """Correct a member's birthday, which gifts go by from then on; once a year."""
        operation = ChangeBirthday(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            birthday=input.birthday,
            reason=input.reason,
        )
        return await perform(info, operation, ChangeBirthdayPayload)
