"""The channel in the schema."""

import strawberry

from graph.vocabulary import Info, MemberByInput, Payload, Role, actor, mutation, perform

from .operations import RecordStoreVisit

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)


@strawberry.input
class RecordStoreVisitInput:
    """A store visit of today."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class RecordStoreVisitPayload(Payload):
    """What became of a store visit. The transaction's entries say what it brought."""


@strawberry.type
class StoreVisitMutations:
    """What can be done about it."""

    @mutation(allow={Role.SERVICE, Role.PARTNER, Role.OPERATOR})
    async def record_store_visit(self, info: Info, input: RecordStoreVisitInput) -> RecordStoreVisitPayload:
        """Record a store visit of today. It earns once a day."""
        operation = RecordStoreVisit(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, RecordStoreVisitPayload)
