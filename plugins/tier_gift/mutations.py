"""Tier gifts in the schema. There is nothing to ask for: a gift is given when a tier is reached."""

from datetime import datetime
from typing import Any, cast

import strawberry

from core.channels.gifts import Gift
from graph.vocabulary import Info, Member, Points

from .models import TierGift
from .rules import CHANNEL, TierGiftSettings


@strawberry.type
class TierGiftPart:
    """So much of a unit."""

    unit: str = strawberry.field(description="points, growth, or a unit of the programme's own.")
    amount: Points = strawberry.field(description="How much of it.")


@strawberry.type(name="TierGift")
class TierGiftType:
    """What reaching a tier brings, or has brought."""

    tier: str = strawberry.field(description="The tier's id in the programme: gold.")
    pack: list[TierGiftPart] = strawberry.field(description="How much it brings, or has brought, of each unit.")
    coupons: list[str] = strawberry.field(description="The coupons that come with it, by their ids in the programme.")
    given_at: datetime | None = strawberry.field(
        description="When the member got it, the last time; null when they have not, or when it was taken back."
    )
    is_ahead: bool = strawberry.field(description="Whether the member gets it for reaching the tier from now on.")


@strawberry.type
class TierGiftMemberFields:
    """What tiers hold for a member."""

    @strawberry.field
    async def tier_gifts(self, info: Info) -> list[TierGiftType]:
        """The gifts of the programme's tiers, from the lowest tier up, and which of them the member has had."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings, ladder = programme.channels.get(CHANNEL), programme.tiers
        if settings is None or ladder is None:
            return []
        assert isinstance(settings, TierGiftSettings)
        rows = await info.context.loaders.rows(TierGift, member.member_id)
        had = {row.tier: row for row in rows if not row.is_taken_back}
        below = ladder.rank(member.tier_id)
        return [
            _gift(tier.id, gift, had.get(tier.id), ahead=rank > below and (settings.again or tier.id not in had))
            for rank, tier in enumerate(ladder.ladder)
            if (gift := settings.gifts.get(tier.id)) is not None
        ]


def _gift(tier: str, gift: Gift, row: Any, *, ahead: bool) -> TierGiftType:
    """The gift that is ahead, or the one that the member has had (``row``)."""
    shown = gift if row is None or ahead else row
    return TierGiftType(
        tier=tier,
        pack=[TierGiftPart(unit=unit, amount=Points(amount)) for unit, amount in shown.pack.items()],
        coupons=list(shown.coupons),
        given_at=None if row is None else row.given_at,
        is_ahead=ahead,
    )
