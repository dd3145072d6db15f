"""Buying tiers in the schema: what they cost a member, and the purchase."""

import strawberry

from core.errors import MemberNotActive, Refusal
from core.members import MemberStatus
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

from .operations import BuyTier
from .rules import CHANNEL, TierPurchaseSettings

_TIER = "The tier's id in the programme: gold."

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class BuyTierInput:
    """A tier to buy."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tier: str = strawberry.field(description=_TIER)
    price: Points = strawberry.field(description="What it costs, as the member was shown; another price is refused.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


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
                if self._value.status != MemberStatus.ACTIVE:
                    raise MemberNotActive(status=self._value.status)
            except Refusal as refused:
                refusal = user_error(info, refused)
            name = ladder.tier(tier).name or tier
            offers.append(TierOffer(tier=tier, name=name, price=Points(settings.prices[tier]), refusal=refusal))
        return offers
