"""Gifts in the schema: giving points to another member, and what was sent and received."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, cast

import strawberry

from core.engine.operations import Outcome
from graph.vocabulary import (
    ACTING,
    Connection,
    Info,
    Member,
    MemberByInput,
    Node,
    Page,
    Payload,
    Points,
    Transaction,
    actor,
    global_id,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
)

from .models import GiftReceived, GiftSent
from .operations import GivePoints


@strawberry.input
class GiftPointsInput:
    """Points for another member."""

    member: MemberByInput = strawberry.field(description="The member who gives.")
    to: str = strawberry.field(description="The external id of the member who gets them.")
    points: Points = strawberry.field(description="How many.")
    message: str = strawberry.field(default="", description="What the receiver reads, up to 200 characters.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.enum
class GiftState(Enum):
    """Where a gift is."""

    UNDER_WAY = strawberry.enum_value("under_way", description="It is about to reach the receiver.")
    RECEIVED = strawberry.enum_value("received", description="The receiver has it.")
    RETURNED = strawberry.enum_value("returned", description="The receiver could not take it; the giver has it back.")
    TAKEN_BACK = strawberry.enum_value("taken_back", description="An operator has given all of it back to the giver.")


@strawberry.type
class SentGift(Node):
    """Points that a member has given to another."""

    to: str = strawberry.field(description="The external id of who gets them.")
    points: Points = strawberry.field(description="How many, without what an operator has taken back.")
    message: str = strawberry.field(description="What the giver wrote.")
    given_at: datetime = strawberry.field(description="When they were given.")
    _member_id: strawberry.Private[str]
    _row: strawberry.Private[Any]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "SentGift":
        return cls(
            id=global_id("SentGift", member_id, row.gift_id),
            to=row.receiver_name,
            points=Points(row.points),
            message=row.message,
            given_at=row.given_at,
            _member_id=member_id,
            _row=row,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, gift_id: str) -> "SentGift | None":
        """A member's gift by Laurel's id."""
        found = await info.context.loaders.rows(GiftSent, member_id, gift_id=gift_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "SentGift | None":
        match parts:
            case (member_id, gift_id) if may_see(info, member_id):
                return await cls.find(info, member_id, gift_id)
            case _:
                return None

    @strawberry.field
    async def state(self, info: Info) -> GiftState:
        """Where it is."""
        if self._row.is_returned:
            return GiftState.RETURNED
        if not self._row.points:
            return GiftState.TAKEN_BACK
        received = await info.context.loaders.rows(GiftReceived, self._row.receiver, gift_id=self._row.gift_id)
        return GiftState.RECEIVED if received else GiftState.UNDER_WAY

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that took the points from the giver."""
        return await Transaction.find(info, self._member_id, self._row.gift_id)


@strawberry.type
class ReceivedGift(Node):
    """Points that a member has got from another."""

    giver: str = strawberry.field(description="The external id of who gave them.")
    points: Points = strawberry.field(description="How many, without what an operator has taken back.")
    message: str = strawberry.field(description="What the giver wrote.")
    received_at: datetime = strawberry.field(description="When they came.")

    @classmethod
    def of(cls, member_id: str, row: Any) -> "ReceivedGift":
        return cls(
            id=global_id("ReceivedGift", member_id, row.gift_id),
            giver=row.giver_name,
            points=Points(row.points),
            message=row.message,
            received_at=row.received_at,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "ReceivedGift | None":
        match parts:
            case (member_id, gift_id) if may_see(info, member_id):
                found = await info.context.loaders.rows(GiftReceived, member_id, gift_id=gift_id)
                return cls.of(member_id, found[0]) if found else None
            case _:
                return None


@strawberry.type
class MemberGifts:
    """A member's gifts."""

    _member_id: strawberry.Private[str]

    @strawberry.field
    @paged
    async def sent(self, info: Info, page: Page) -> Connection[SentGift]:
        """What the member has given, the newest first."""
        member_id = self._member_id

        def node(row: Any) -> SentGift:
            return SentGift.of(member_id, row)

        return await page_of_member(info, GiftSent, member_id, node, page, newest("gift_id"))

    @strawberry.field
    @paged
    async def received(self, info: Info, page: Page) -> Connection[ReceivedGift]:
        """What the member has got, the one that was given last first."""
        member_id = self._member_id

        def node(row: Any) -> ReceivedGift:
            return ReceivedGift.of(member_id, row)

        return await page_of_member(info, GiftReceived, member_id, node, page, newest("gift_id"))


@strawberry.type
class GiftPointsPayload(Payload):
    """What became of a gift."""

    gift: SentGift | None = strawberry.field(default=None, description="The gift; null when it was refused.")


@strawberry.type
class GiftMutations:
    """What can be done about gifts."""

    @mutation(allow=ACTING)
    async def gift_points(self, info: Info, input: GiftPointsInput) -> GiftPointsPayload:
        """Give points to another member. They leave the giver at once and reach the receiver a moment later."""
        operation = GivePoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            to=input.to,
            points=input.points,
            message=input.message,
        )
        return await perform(info, operation, GiftPointsPayload, lambda outcome: _given(info, outcome))


@strawberry.type
class GiftMemberFields:
    """What a member has of gifts."""

    @strawberry.field
    async def gifts(self) -> MemberGifts:
        """What the member has given to others, and has got from them."""
        # Fields of Member, so they are resolved with a member as self.
        return MemberGifts(_member_id=cast(Member, self).member_id)


async def _given(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"gift": await SentGift.find(info, outcome.member_id, outcome.result["gift"])}
