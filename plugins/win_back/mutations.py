"""Win-back gifts in the schema. There is nothing to ask for: a gift is found when a member comes back."""

from datetime import datetime
from typing import cast

import strawberry

from core.books.tallies import Tally, day_number, day_of
from core.time.calendar import local_day
from graph.vocabulary import Info, Member, Points

from .models import WinBackGift
from .rules import CHANNEL, WinBackSettings


@strawberry.type(name="WinBackGift")
class WinBackGiftType:
    """A gift that a member found when they came back."""

    given_at: datetime = strawberry.field(description="When it was given.")
    points: Points = strawberry.field(description="What it brought.")
    is_taken_back: bool = strawberry.field(
        description="Whether it went again, as what the member had come back with came back."
    )


@strawberry.type
class WinBack:
    """How a member stands with coming back."""

    is_waiting: bool = strawberry.field(description="Whether a gift waits for the member, who is dormant.")
    points: Points = strawberry.field(description="What a gift brings.")
    coupons: list[str] = strawberry.field(description="The coupons that come with it, by their ids in the programme.")
    gifts: list[WinBackGiftType] = strawberry.field(description="The gifts so far, the newest first.")


@strawberry.type
class WinBackMemberFields:
    """What a member has of coming back."""

    @strawberry.field
    async def win_back(self, info: Info) -> WinBack | None:
        """How the member stands with coming back; null when the programme has no such gifts."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, WinBackSettings)
        loaders, today = info.context.loaders, local_day(info.context.now, programme.zone)
        gifts = await loaders.rows(WinBackGift, member.member_id)
        gifts.sort(key=lambda gift: gift.day, reverse=True)
        last = next((day_of(gift.day) for gift in gifts if not gift.is_taken_back), None)
        first = day_number(settings.quiet(today)[0])
        done = 0
        for name in settings.activities:
            tallies: list[Tally] = await loaders.rows(Tally, member.member_id, name=name)
            done += sum(max(tally.amount, 0) for tally in tallies if first <= tally.day)
        was_member = settings.was_member(local_day(member.enrolled_at, programme.zone), today)
        return WinBack(
            is_waiting=was_member and not done and settings.is_free(last, today),
            points=Points(settings.points),
            coupons=list(settings.coupons),
            gifts=[
                WinBackGiftType(given_at=gift.given_at, points=Points(gift.points), is_taken_back=gift.is_taken_back)
                for gift in gifts
            ],
        )
