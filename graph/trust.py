"""Trust in the schema: members frozen, let go on and closed; gains taken back; what is to be looked at."""

from datetime import datetime

import strawberry

from core.books.members import Frozen
from core.trust.freezing import CloseMembership, FreezeMember, UnfreezeMember
from core.units import POINTS
from graph.context import Info
from graph.member import FreezeScope, MemberByInput
from graph.payload import Payload, perform
from graph.permissions import actor, mutation
from graph.scalars import Points
from graph.tokens import Role

KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
MEMBER = "The member it is about."
REASON = "Why, 3 to 1000 characters. It is kept with the transaction."


@strawberry.input
class FreezeMemberInput:
    """A member to stop."""

    member: MemberByInput = strawberry.field(description=MEMBER)
    scope: FreezeScope = strawberry.field(default=FreezeScope.BOTH, description="What to stop.")
    until: datetime | None = strawberry.field(
        default=None, description="From when it is over by itself; never if left out. Not in the past."
    )
    reason: str = strawberry.field(description=REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class UnfreezeMemberInput:
    """A member to let go on."""

    member: MemberByInput = strawberry.field(description=MEMBER)
    reason: str = strawberry.field(description=REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class CloseMembershipInput:
    """A membership to end."""

    member: MemberByInput = strawberry.field(description=MEMBER)
    reason: str = strawberry.field(description=REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type
class FreezeMemberPayload(Payload):
    """What became of a freeze."""


@strawberry.type
class UnfreezeMemberPayload(Payload):
    """What became of letting a member go on."""


@strawberry.type
class CloseMembershipPayload(Payload):
    """What became of ending a membership."""

    forfeited: Points | None = strawberry.field(
        default=None, description="How many points were lost with it; null when it was refused."
    )


@strawberry.type
class TrustMutations:
    """What operators do about members who cannot be trusted, and about those who leave."""

    @mutation(allow={Role.OPERATOR})
    async def freeze_member(self, info: Info, input: FreezeMemberInput) -> FreezeMemberPayload:
        """Stop a member from earning, spending or both, for a while or until somebody lets them go on.

        MEMBER_FROZEN when the member is frozen already: unfreeze first to freeze otherwise. MEMBER_NOT_ACTIVE when the
        membership is closed.
        """
        operation = FreezeMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            frozen=Frozen(str(input.scope.value)),
            until=input.until,
            reason=input.reason,
        )
        return await perform(info, operation, FreezeMemberPayload)

    @mutation(allow={Role.OPERATOR})
    async def unfreeze_member(self, info: Info, input: UnfreezeMemberInput) -> UnfreezeMemberPayload:
        """Let a member earn and spend again. MEMBER_NOT_FROZEN."""
        operation = UnfreezeMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(info, operation, UnfreezeMemberPayload)

    @mutation(allow={Role.OPERATOR})
    async def close_membership(self, info: Info, input: CloseMembershipInput) -> CloseMembershipPayload:
        """End a membership for good. What is set aside is released, and what is left is lost.

        Where the programme says `trust: {on_closing: keep}`, it stays in the books and can be spent by nobody.
        MEMBER_NOT_ACTIVE when it is closed already.
        """
        operation = CloseMembership(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(
            info,
            operation,
            CloseMembershipPayload,
            lambda outcome: {"forfeited": Points(outcome.result["forfeited"].get(POINTS, 0))},
        )
