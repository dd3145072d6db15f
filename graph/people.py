"""People in the schema: two members who are one, and those who want to be forgotten."""

from collections.abc import Mapping
from typing import Any

import strawberry

from core.engine.operations import Outcome
from core.errors import MemberNotFound
from core.people.erasing import EraseMember
from core.people.merging import MergeMember, UndoMerge
from core.units import POINTS
from graph.context import Info
from graph.member import Member, MemberByInput, find_member
from graph.payload import Payload, perform
from graph.permissions import actor, mutation
from graph.scalars import Points
from graph.tokens import Role
from graph.trust import KEY, REASON


@strawberry.input
class MergeMembersInput:
    """Two members who are one."""

    from_: MemberByInput = strawberry.field(name="from", description="The member who is merged, and closed.")
    into: MemberByInput = strawberry.field(description="The member who has everything from then on.")
    reason: str = strawberry.field(description=REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class UndoMergeInput:
    """A merge that was a mistake."""

    member: MemberByInput = strawberry.field(description="The member who was merged into another.")
    reason: str = strawberry.field(description=REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class EraseMemberInput:
    """A member who wants to be forgotten."""

    member: MemberByInput = strawberry.field(description="The member to forget.")
    reason: str = strawberry.field(
        description="Why, 3 to 1000 characters. It is kept with the transaction: it should name nobody."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type
class MergeMembersPayload(Payload):
    """What became of a merge. ``member`` and ``transaction`` are those of the member who was merged."""

    into: Member | None = strawberry.field(
        default=None,
        description="The member who has everything from now on; null when it was refused. What was sent arrives within "
        "moments, in a transaction of its own.",
    )


@strawberry.type
class UndoMergePayload(Payload):
    """What became of undoing a merge. What comes back arrives within moments, in a transaction of its own."""


@strawberry.type
class EraseMemberPayload(Payload):
    """What became of forgetting a member."""

    forfeited: Points | None = strawberry.field(
        default=None, description="How many points were lost with the membership; null when it was refused."
    )


@strawberry.type
class PeopleMutations:
    """What operators do about people who are twice, or would rather not be there at all."""

    @mutation(allow={Role.OPERATOR})
    async def merge_members(self, info: Info, input: MergeMembersInput) -> MergeMembersPayload:
        """Merge a member into another, who gets the lots with their dates, the debt, and all that was counted.

        MERGE_INTO_ONESELF; MERGE_NOT_POSSIBLE when one of them is frozen, closed or erased; MEMBER_MERGED when one of
        them is merged already; HOLDS_OPEN.
        """
        into = await _find(info, input.into)
        operation = MergeMember(
            member=input.from_.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            into=into.member_id,
            reason=input.reason,
        )

        async def other(outcome: Outcome) -> Mapping[str, Any]:
            return {"into": await Member.find(info, outcome.result["into"])}

        return await perform(info, operation, MergeMembersPayload, other)

    @mutation(allow={Role.OPERATOR})
    async def undo_merge(self, info: Info, input: UndoMergeInput) -> UndoMergePayload:
        """Let a merged member be one of their own again, with what is left of what came from them.

        What was spent since is gone, and what a hold sets aside stays. NOT_MERGED; MEMBER_MERGED when the other member
        was merged on: undo that first; MERGE_NOT_POSSIBLE when the member was erased.
        """
        operation = UndoMerge(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(info, operation, UndoMergePayload)

    @mutation(allow={Role.OPERATOR})
    async def erase_member(self, info: Info, input: EraseMemberInput) -> EraseMemberPayload:
        """Forget who a member was, for good, and close the membership with it.

        The external id is replaced by a random token, and somebody who signs up with it later is a new member. What was
        done stays, and tells of nobody; the books balance as before. Those who were merged into the member are
        forgotten as well. MEMBER_ERASED when it was done before.
        """
        operation = EraseMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(
            info,
            operation,
            EraseMemberPayload,
            lambda outcome: {"forfeited": Points(outcome.result["forfeited"].get(POINTS, 0))},
        )


async def _find(info: Info, by: MemberByInput) -> Member:
    found = await find_member(info, by)
    if found is None:
        raise MemberNotFound(member=by.id or by.external_id or "")
    return found
