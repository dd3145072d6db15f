"""Tiers by hand: an operator puts a member into one, for a stated reason."""

from datetime import datetime

import strawberry

from core.ladder.reviews import SetTier
from graph.context import Info
from graph.member import MemberByInput
from graph.payload import Payload, perform
from graph.permissions import actor, mutation
from graph.tokens import Role


@strawberry.input
class SetTierInput:
    """A tier for a member."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tier: str = strawberry.field(description="The tier, by its code: gold.")
    until: datetime | None = strawberry.field(
        default=None,
        description="Until then nothing puts the member below it, and then it is judged; without an end it is judged "
        "as if it had been reached. Not in the past.",
    )
    reason: str = strawberry.field(description="Why, 3 to 1000 characters. It is kept with the transaction.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.type
class SetTierPayload(Payload):
    """What became of setting a tier."""


@strawberry.type
class TierMutations:
    """What operators do about tiers."""

    @mutation(allow={Role.OPERATOR})
    async def set_tier(self, info: Info, input: SetTierInput) -> SetTierPayload:
        """Put a member into a tier, up or down, and lock it for a while.

        A lock that was there before ends. With the tier that the member has, only the lock changes. TIER_NOT_FOUND,
        MEMBER_NOT_ACTIVE when the membership is closed, INVALID_INSTANT, INVALID_VALUE when it is so already.
        """
        operation = SetTier(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            tier=input.tier,
            until=input.until,
            reason=input.reason,
        )
        return await perform(info, operation, SetTierPayload)
