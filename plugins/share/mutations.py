"""Sharing in the schema."""

from datetime import datetime
from enum import Enum
from typing import Any, cast

import strawberry

from core.books.members import ById
from core.books.tallies import Tally
from core.channels.limits import used_of
from core.engine.operations import Outcome
from core.errors import InvalidValue
from core.time.calendar import local_day
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
    Role,
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

from .models import Share, SharersByCode
from .operations import PENDING, REVERSED, REWARDED, ConfirmShare, RecordShare
from .refusals import ShareNotFound
from .rules import CHANNEL, CODE, SHARES, ShareSettings

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_EXPIRED = "expired"


@strawberry.input
class RecordShareInput:
    """Something that a member shares."""

    member: MemberByInput = strawberry.field(description="Who shares it.")
    item: str = strawberry.field(
        description="What is shared, as you name it, 1 to 128 characters: product:tea. "
        "The same thing is shared once a day."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ConfirmShareInput:
    """Somebody who came by what was shared."""

    code: str = strawberry.field(description="The code in the link that was followed.")
    visitor: str = strawberry.field(
        description="Your own id of who followed it, 1 to 128 characters: of a member, the external id."
    )
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the code: share:<code>.")


@strawberry.enum
class ShareStatus(Enum):
    """Where a share stands."""

    PENDING = strawberry.enum_value(PENDING, description="It waits for somebody to come by it.")
    REWARDED = strawberry.enum_value(REWARDED, description="It has brought its points.")
    EXPIRED = strawberry.enum_value(_EXPIRED, description="Nobody came by it in time.")
    REVERSED = strawberry.enum_value(REVERSED, description="An operator has taken its points back.")


@strawberry.type(name="Share")
class ShareNode(Node):
    """Something that a member shared."""

    item: str = strawberry.field(description="What was shared.")
    status: ShareStatus = strawberry.field(description="Where it stands.")
    code: str | None = strawberry.field(
        description="What stands in the link that others follow; null where the programme wants no proof."
    )
    shared_at: datetime = strawberry.field(description="When it was shared.")
    expires_at: datetime | None = strawberry.field(description="From when on nobody can come by it any more.")
    rewarded_at: datetime | None = strawberry.field(description="When it brought its points.")
    _member_id: strawberry.Private[str]
    _rewarded_by: strawberry.Private[str | None]

    @classmethod
    def of(cls, member_id: str, row: Any, now: datetime) -> "ShareNode":
        lapsed = row.status == PENDING and row.expires_at <= now
        return cls(
            id=global_id("Share", member_id, row.transaction_id),
            item=row.item,
            status=ShareStatus(_EXPIRED if lapsed else row.status),
            code=row.code,
            shared_at=row.shared_at,
            expires_at=row.expires_at,
            rewarded_at=row.rewarded_at,
            _member_id=member_id,
            _rewarded_by=row.rewarded_by,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, transaction_id: str) -> "ShareNode | None":
        """A member's share by the transaction that recorded it."""
        found = await info.context.loaders.rows(Share, member_id, transaction_id=transaction_id)
        return cls.of(member_id, found[0], info.context.now) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "ShareNode | None":
        match parts:
            case (member_id, transaction_id) if may_see(info, member_id):
                return await cls.find(info, member_id, transaction_id)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that brought its points; null while there is none."""
        return None if self._rewarded_by is None else await Transaction.find(info, self._member_id, self._rewarded_by)


@strawberry.type
class RecordSharePayload(Payload):
    """What became of a share."""

    share: ShareNode | None = strawberry.field(
        default=None, description="The share as it is now; null when it was refused."
    )


@strawberry.type
class ConfirmSharePayload(Payload):
    """What became of a visit by a share."""

    share: ShareNode | None = strawberry.field(
        default=None, description="The share as it is now; null when the visit was refused."
    )


@strawberry.type
class Sharing:
    """What sharing brings a member, at this very moment."""

    points: Points = strawberry.field(description="What a share brings.")
    needs_proof: bool = strawberry.field(description="Whether somebody has to come by it first.")
    left: int | None = strawberry.field(description="How many more shares are rewarded; null without a limit.")
    resets_at: datetime | None = strawberry.field(description="When the limit that leaves least begins anew.")


@strawberry.type
class ShareMemberFields:
    """What a member has of sharing."""

    @strawberry.field
    async def sharing(self, info: Info) -> Sharing | None:
        """What sharing brings the member; null when the programme rewards no shares."""
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, ShareSettings)
        # Fields of Member, so they are resolved with a member as self.
        tallies: list[Tally] = await info.context.loaders.rows(Tally, cast(Member, self).member_id, name=SHARES)
        today = local_day(info.context.now, programme.zone)
        left = settings.limits.left(used_of(tallies, today), today, programme.zone)
        return Sharing(
            points=Points(settings.points),
            needs_proof=settings.proof is not None,
            left=None if left is None else left.times,
            resets_at=None if left is None else left.resets_at,
        )

    @strawberry.field
    @paged
    async def shares(self, info: Info, page: Page) -> Connection[ShareNode]:
        """What the member shared, the newest first."""
        member_id, now = cast(Member, self).member_id, info.context.now

        def node(row: Any) -> ShareNode:
            return ShareNode.of(member_id, row, now)

        return await page_of_member(info, Share, member_id, node, page, newest("transaction_id"))


@strawberry.type
class ShareMutations:
    """What can be done about sharing."""

    @mutation(allow=ACTING)
    async def record_share(self, info: Info, input: RecordShareInput) -> RecordSharePayload:
        """Record that a member shares something. It earns at once, or when somebody has come by its code."""
        operation = RecordShare(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            item=input.item,
        )

        async def share(outcome: Outcome) -> dict[str, ShareNode | None]:
            assert outcome.member_id is not None
            assert outcome.recorded is not None
            return {"share": await ShareNode.find(info, outcome.member_id, outcome.recorded.id)}

        return await perform(info, operation, RecordSharePayload, share)

    # Not a member's own: that somebody came is the brand's to know, and to vouch for.
    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def confirm_share(self, info: Info, input: ConfirmShareInput) -> ConfirmSharePayload:
        """Record that somebody came by what a member shared. The sharer earns; their own visit is refused."""
        code = input.code.lower()
        if not CODE.fullmatch(code):
            raise InvalidValue(field="code", reason="it must have 16 letters and digits")
        sharer = await info.context.loaders.ask(SharersByCode(), (code,))
        if sharer is None:
            raise ShareNotFound(share_code=code)
        # They may be named by Laurel's id as well.
        own = input.visitor == global_id("Member", sharer)
        operation = ConfirmShare(
            member=ById(sharer),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            code=code,
            visitor=sharer if own else input.visitor,
        )

        async def share(outcome: Outcome) -> dict[str, ShareNode | None]:
            assert outcome.member_id is not None
            return {"share": await ShareNode.find(info, outcome.member_id, outcome.result["transaction"])}

        return await perform(info, operation, ConfirmSharePayload, share)
