"""Buying and keeping tiers in the schema: what they cost a member, and the purchase."""

from datetime import datetime

import strawberry

from core.books.members import Frozen
from core.errors import Refusal
from graph.vocabulary import (
    ACTING,
    Info,
    Member,
    MemberByInput,
    Payload,
    Points,
    UserError,
    actor,
    mutation,
    perform,
    user_error,
)

from .operations import BuyTier, KeepTier, check_not_kept
from .refusals import TierKeptAlready
from .rules import CHANNEL, TierPurchaseSettings

_TIER = "The tier's id in the programme: gold."
_PRICE = "What it costs, as the member was shown; another price is refused."
_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class BuyTierInput:
    """A tier to buy."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tier: str = strawberry.field(description=_TIER)
    price: Points = strawberry.field(description=_PRICE)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class KeepTierInput:
    """The tier to keep."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tier: str = strawberry.field(description="The member's tier, by its id in the programme: gold.")
    price: Points = strawberry.field(description=_PRICE)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.type
class TierOffer:
    """A tier that the programme sells."""

    tier: str = strawberry.field(description=_TIER)
    name: str = strawberry.field(description="What members call it.")
    price: Points = strawberry.field(description="What it costs.")
    refusal: UserError | None = strawberry.field(
        description="Why this member could not buy it now, their points aside; null when they could."
    )


@strawberry.type
class BuyTierPayload(Payload):
    """What became of buying a tier. The member stands on it from then on."""


@strawberry.type
class TierKeeping:
    """What keeping the member's tier costs, and for how long it is kept."""

    tier: str = strawberry.field(description="The member's tier, by its id in the programme: gold.")
    price: Points | None = strawberry.field(description="What keeping it costs; null when it cannot be kept.")
    months: int | None = strawberry.field(description="For how many months; null when it cannot be kept.")
    kept_until: datetime | None = strawberry.field(
        description="Until when nothing lowers the member below this tier; null when it is not kept."
    )
    refusal: UserError | None = strawberry.field(
        description="Why this member could not keep it now, their points aside; null when they could."
    )


@strawberry.type
class KeepTierPayload(Payload):
    """What became of keeping a tier. Nothing lowers the member below it until it is kept no longer."""


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class TierPurchaseMutations:
    """What can be done about buying tiers."""

    @mutation(allow=ACTING)
    async def buy_tier(self, info: Info, input: BuyTierInput) -> BuyTierPayload:
        """Buy a tier with points."""
        operation = BuyTier(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            tier=input.tier,
            price=input.price,
        )
        return await perform(info, operation, BuyTierPayload)

    @mutation(allow=ACTING)
    async def keep_tier(self, info: Info, input: KeepTierInput) -> KeepTierPayload:
        """Keep a tier for some months with points, whatever a review of tiers finds."""
        operation = KeepTier(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            tier=input.tier,
            price=input.price,
        )
        return await perform(info, operation, KeepTierPayload)


@strawberry.type
class TierPurchaseMemberFields:
    """What a member could buy."""

    @strawberry.field
    async def tier_offers(self, info: Info) -> list[TierOffer]:
        """The tiers that the programme in force sells, from the lowest up; none when it sells none."""
        # Fields of Member, so they are resolved with a member as self.
        assert isinstance(self, Member)
        programme = (await info.context.version()).programme
        settings, ladder = programme.channels.get(CHANNEL), programme.tiers
        if settings is None or ladder is None:
            return []
        assert isinstance(settings, TierPurchaseSettings)
        offers = []
        for tier in settings.for_sale(ladder):
            refusal = None
            try:
                settings.price(ladder, tier, self._value.tier)
                self._value.check_may(Frozen.SPENDING)
            except Refusal as refused:
                refusal = user_error(info, refused)
            name = ladder.tier(tier).name or tier
            offers.append(TierOffer(tier=tier, name=name, price=Points(settings.prices[tier]), refusal=refusal))
        return offers

    @strawberry.field
    async def tier_keeping(self, info: Info) -> TierKeeping | None:
        """What keeping the member's tier costs; null when the programme in force lets nobody keep a tier."""
        assert isinstance(self, Member)
        member, programme = self._value, (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        keep = settings.keep if isinstance(settings, TierPurchaseSettings) else None
        if keep is None:
            return None
        ladder, until = programme.tiers, member.tier_lock_until
        lock = member.tier_lock if until is not None and until > info.context.now else None
        kept, refusal = None, None
        try:
            keep.price(member.tier)
            member.check_may(Frozen.SPENDING)
            check_not_kept(ladder, member.tier, lock, until)
        except TierKeptAlready as refused:
            kept, refusal = refused.kept_until, user_error(info, refused)
        except Refusal as refused:
            refusal = user_error(info, refused)
        price = keep.prices.get(member.tier)
        return TierKeeping(
            tier=member.tier,
            price=None if price is None else Points(price),
            months=None if price is None else keep.months,
            kept_until=kept,
            refusal=refusal,
        )
