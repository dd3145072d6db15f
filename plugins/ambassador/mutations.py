"""Ambassadors in the schema."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import MemberStatus
from core.engine.operations import Outcome
from core.rulebook.programme import Programme
from graph.vocabulary import (
    ACTING,
    STAFF,
    Connection,
    Decimal,
    Info,
    Member,
    MemberByInput,
    Page,
    Payload,
    Points,
    Role,
    Transaction,
    Where,
    actor,
    may_see,
    mutation,
    newest,
    oldest,
    page_of_all,
    page_of_member,
    paged,
    perform,
    query,
)

from . import operations
from .models import Ambassador, AmbassadorCommission
from .operations import (
    ApplyAsAmbassador,
    ApproveAmbassador,
    DeclineAmbassador,
    EndAmbassador,
    WithdrawAsAmbassador,
    settings_of,
)

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER = "The member it is about."
_REASON = "Why, 3 to 1000 characters. The member can read it."
_STANDS = "How the member stands as an ambassador now; null when the request was refused."


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class ApplyAsAmbassadorInput:
    """Who wants to be an ambassador."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    note: str | None = strawberry.field(
        default=None, description="What the member says to an application, 1 to 500 characters."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class WithdrawAsAmbassadorInput:
    """Who does not want to be an ambassador any more."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ApproveAmbassadorInput:
    """An application that is granted."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class DeclineAmbassadorInput:
    """An application that is declined."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class EndAmbassadorInput:
    """An ambassador who is to be none any more."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class AmbassadorStatus(Enum):
    """How a member stands as an ambassador."""

    APPLIED = strawberry.enum_value(operations.APPLIED, description="An operator is to decide.")
    ACTIVE = strawberry.enum_value(operations.ACTIVE, description="The member is one.")
    DECLINED = strawberry.enum_value(operations.DECLINED, description="An operator declined; one may apply again.")
    WITHDRAWN = strawberry.enum_value(operations.WITHDRAWN, description="The member did not want to be one any more.")
    ENDED = strawberry.enum_value(operations.ENDED, description="An operator ended it; one may apply to be one again.")
    LAPSED = strawberry.enum_value(
        operations.LAPSED, description="The tier was lost, or the membership was closed or merged into another."
    )


@strawberry.enum
class CommissionStatus(Enum):
    """What became of a commission."""

    GIVEN = strawberry.enum_value(operations.GIVEN, description="It stands.")
    REDUCED = strawberry.enum_value(operations.REDUCED, description="A part of the order came back, and of it.")
    TAKEN_BACK = strawberry.enum_value(operations.TAKEN_BACK, description="The order came back, and it went.")


@strawberry.type
class Commission:
    """What an order of somebody whom the member has brought has given them. Whose order it was is for staff alone."""

    status: CommissionStatus = strawberry.field(description="What became of it.")
    given: Points = strawberry.field(description="How many points it gave.")
    points: Points = strawberry.field(description="How many of them stand.")
    given_at: datetime = strawberry.field(description="When.")
    _member_id: strawberry.Private[str]
    _friend: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "Commission":
        return cls(
            status=CommissionStatus(row.state),
            given=Points(row.given),
            points=Points(row.points),
            given_at=row.given_at,
            _member_id=member_id,
            _friend=row.friend,
            _transaction_id=row.transaction_id,
        )

    @strawberry.field
    async def friend(self, info: Info) -> Member | None:
        """Whose order it was; null for the member themselves."""
        return await Member.find(info, self._friend) if may_see(info, self._friend) else None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that gave it."""
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type(name="Ambassador")
class AmbassadorType:
    """How a member stands as an ambassador. The code that they give away is their referral code."""

    status: AmbassadorStatus | None = strawberry.field(description="How it stands; null for nothing yet.")
    appointed_at: datetime | None = strawberry.field(description="Since when they are one, or last were.")
    changed_at: datetime | None = strawberry.field(description="When it came to stand so.")
    note: str | None = strawberry.field(description="What the member said to the application.")
    reason: str | None = strawberry.field(description="Why an operator declined, or ended it.")
    orders: int = strawberry.field(description="How many orders have given a commission that stands.")
    points: Points = strawberry.field(description="How many points of it stand.")
    _member_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "AmbassadorType":
        """An ambassador by their row; None where there is none."""
        return cls(
            status=None if row is None else AmbassadorStatus(row.state),
            appointed_at=None if row is None else row.appointed_at,
            changed_at=None if row is None else row.changed_at,
            note=None if row is None else row.note,
            reason=row.reason if row is not None and row.state in (operations.DECLINED, operations.ENDED) else None,
            orders=0 if row is None else row.orders,
            points=Points(0 if row is None else row.points),
            _member_id=member_id,
        )

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Who it is."""
        return await Member.find(info, self._member_id) if may_see(info, self._member_id) else None

    @strawberry.field
    async def may_apply(self, info: Info) -> bool:
        """Whether `applyAsAmbassador` would be accepted now."""
        settings, member = settings_of(await _programme(info)), await Member.find(info, self._member_id)
        if settings is None or member is None or self.status in (AmbassadorStatus.APPLIED, AmbassadorStatus.ACTIVE):
            return False
        return member._value.status == MemberStatus.ACTIVE and settings.takes(member.tier_id)

    @strawberry.field
    async def share(self, info: Info) -> Decimal | None:
        """The part of an order's money that somebody of the member's tier is given; null where points are."""
        settings, member = settings_of(await _programme(info)), await Member.find(info, self._member_id)
        shared = settings is not None and settings.shares is not None and member is not None
        return settings.rate(member.tier_id) if settings is not None and member is not None and shared else None

    @strawberry.field
    async def points_per_unit(self, info: Info) -> Decimal | None:
        """The points for each unit of an order's money; null where a share of it is given."""
        settings, member = settings_of(await _programme(info)), await Member.find(info, self._member_id)
        pays = settings is not None and settings.points is not None and member is not None
        return settings.rate(member.tier_id) if settings is not None and member is not None and pays else None

    @strawberry.field
    @paged
    async def commissions(self, info: Info, page: Page) -> Connection[Commission]:
        """What orders have given, the newest first."""

        def node(row: Any) -> Commission:
            return Commission.of(self._member_id, row)

        return await page_of_member(info, AmbassadorCommission, self._member_id, node, page, newest("transaction_id"))


@strawberry.type
class ApplyAsAmbassadorPayload(Payload):
    """What became of an application."""

    ambassador: AmbassadorType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class WithdrawAsAmbassadorPayload(Payload):
    """What became of withdrawing."""

    ambassador: AmbassadorType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class ApproveAmbassadorPayload(Payload):
    """What became of granting an application."""

    ambassador: AmbassadorType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class DeclineAmbassadorPayload(Payload):
    """What became of declining an application."""

    ambassador: AmbassadorType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class EndAmbassadorPayload(Payload):
    """What became of ending it."""

    ambassador: AmbassadorType | None = strawberry.field(default=None, description=_STANDS)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class AmbassadorQueries:
    """What can be asked about ambassadors."""

    @query(allow=STAFF)
    @paged
    async def ambassadors(
        self,
        info: Info,
        page: Page,
        status: Annotated[
            AmbassadorStatus, strawberry.argument(description="How they stand.")
        ] = AmbassadorStatus.ACTIVE,
    ) -> Connection[AmbassadorType]:
        """The members who stand so as ambassadors, who came to it first; those who have applied are the queue."""
        where = [Where("state = ?", (str(status.value),))]
        order = oldest("transaction_id", "member_id")
        return await page_of_all(info, Ambassador, AmbassadorType.of, page, order, where)


@strawberry.type
class AmbassadorMemberFields:
    """What a member has as an ambassador."""

    @strawberry.field
    async def ambassador(self, info: Info) -> AmbassadorType | None:
        """How the member stands as an ambassador; null where the programme has none and they never were one."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id
        rows = await info.context.loaders.rows(Ambassador, member_id)
        if not rows and settings_of(await _programme(info)) is None:
            return None
        return AmbassadorType.of(member_id, rows[0] if rows else None)


@strawberry.type
class AmbassadorMutations:
    """What can be done about ambassadors."""

    @mutation(allow=ACTING)
    async def apply_as_ambassador(self, info: Info, input: ApplyAsAmbassadorInput) -> ApplyAsAmbassadorPayload:
        """Let a member be an ambassador, or apply for it, as the programme says."""
        operation = ApplyAsAmbassador(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            note=input.note,
        )
        return await perform(info, operation, ApplyAsAmbassadorPayload, lambda outcome: _ambassador(info, outcome))

    @mutation(allow=ACTING)
    async def withdraw_as_ambassador(self, info: Info, input: WithdrawAsAmbassadorInput) -> WithdrawAsAmbassadorPayload:
        """Let a member be no ambassador any more, or take an application back. What was given stays."""
        operation = WithdrawAsAmbassador(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, WithdrawAsAmbassadorPayload, lambda outcome: _ambassador(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def approve_ambassador(self, info: Info, input: ApproveAmbassadorInput) -> ApproveAmbassadorPayload:
        """Let a member be an ambassador who has applied."""
        operation = ApproveAmbassador(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, ApproveAmbassadorPayload, lambda outcome: _ambassador(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def decline_ambassador(self, info: Info, input: DeclineAmbassadorInput) -> DeclineAmbassadorPayload:
        """Decline an application, for a stated reason. The member may apply again."""
        operation = DeclineAmbassador(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(info, operation, DeclineAmbassadorPayload, lambda outcome: _ambassador(info, outcome))

    @mutation(allow={Role.OPERATOR})
    async def end_ambassador(self, info: Info, input: EndAmbassadorInput) -> EndAmbassadorPayload:
        """Let a member be no ambassador any more, for a stated reason. What was given stays."""
        operation = EndAmbassador(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reason=input.reason,
        )
        return await perform(info, operation, EndAmbassadorPayload, lambda outcome: _ambassador(info, outcome))


async def _programme(info: Info) -> Programme:
    return (await info.context.version()).programme


async def _ambassador(info: Info, outcome: Outcome) -> dict[str, Any]:
    assert outcome.member_id is not None
    rows = await info.context.loaders.rows(Ambassador, outcome.member_id)
    return {"ambassador": AmbassadorType.of(outcome.member_id, rows[0] if rows else None)}
