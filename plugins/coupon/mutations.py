"""Coupons in the schema: what a member has, and what tills and operators do about them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, cast

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from core.store.tables import table_of
from core.time.clock import microseconds
from graph.vocabulary import (
    Connection,
    Info,
    Member,
    MemberByInput,
    Money,
    MoneyInput,
    Node,
    Page,
    Payload,
    Role,
    Transaction,
    Where,
    actor,
    check_text,
    global_id,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
    query,
)

from .models import Coupon
from .operations import IssueCoupon, UndoCouponUse, UseCoupon, WithdrawCoupon
from .refusals import CouponCodeMalformed, CouponNotFound
from .rules import Terms, read_code

_KEY: Final = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_CODE: Final = "The coupon's code, in whatever case and with whatever dashes it was typed."
_REASON: Final = "Why, 3 to 1000 characters. It is kept with the transaction."
_COUPON: Final = "The coupon as it is now; null when it was refused."
_TILLS: Final = {Role.SERVICE, Role.PARTNER}

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class IssueCouponInput:
    """A coupon for a member."""

    member: MemberByInput = strawberry.field(description="Who is to have it.")
    coupon: str = strawberry.field(description="The coupon's id in the programme.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class UseCouponInput:
    """A coupon at the till."""

    code: str = strawberry.field(description=_CODE)
    order: str = strawberry.field(description="The order's reference, 1 to 128 characters.")
    amount: MoneyInput = strawberry.field(description="What the order comes to before the coupon.")
    member: MemberByInput | None = strawberry.field(
        default=None, description="Who is buying, if it is known: a coupon of somebody else is then not found."
    )
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the order: coupon:A1001.")


@strawberry.input
class UndoCouponUseInput:
    """A coupon that was used with an order that came to nothing."""

    code: str = strawberry.field(description=_CODE)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class WithdrawCouponInput:
    """A coupon to take back."""

    code: str = strawberry.field(description=_CODE)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class CouponStatus(Enum):
    """Where a coupon stands."""

    OPEN = strawberry.enum_value("open", description="It can be used.")
    USED = strawberry.enum_value("used", description="It was used with an order.")
    LAPSED = strawberry.enum_value("lapsed", description="It was not used in time.")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="It was taken back.")


@strawberry.type(name="Coupon")
class CouponNode(Node):
    """A coupon that a member has, or had."""

    coupon: str = strawberry.field(description="Its id in the programme that issued it.")
    name: str = strawberry.field(description="What it is called.")
    code: str = strawberry.field(description="What is shown or typed at the till.")
    status: CouponStatus = strawberry.field(description="Where it stands.")
    amount: Money | None = strawberry.field(description="What it takes off an order; null when that is no fixed sum.")
    ratio: Decimal | None = strawberry.field(description="The share of an order that it takes off, 0 to 1.")
    amount_max: Money | None = strawberry.field(description="The most that the share comes to; null for no limit.")
    least_order: Money | None = strawberry.field(description="What an order has to come to; null for any order.")
    occasion: str = strawberry.field(description="What it was given for: tier_gift:gold.")
    issued_at: datetime = strawberry.field(description="When it was given.")
    expires_at: datetime | None = strawberry.field(description="From when on it can be used no more; null for never.")
    used_at: datetime | None = strawberry.field(description="When it was used.")
    order: str | None = strawberry.field(description="The order that it was used with.")
    discount: Money | None = strawberry.field(description="What it took off that order; null while it is not used.")
    withdrawn_at: datetime | None = strawberry.field(
        description="When it was taken back. One that was used by then stays used, and cannot be used again."
    )
    _member_id: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any, currency: str, now: datetime) -> "CouponNode":
        terms = Terms.of(row.terms)

        def amount(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(minor, currency)

        return cls(
            id=global_id("Coupon", member_id, row.coupon_id),
            coupon=row.coupon,
            name=row.name,
            code=row.code,
            status=_status(row, now),
            amount=amount(terms.amount),
            ratio=None if terms.ratio is None else Decimal(terms.ratio),
            amount_max=amount(terms.amount_max),
            least_order=amount(terms.least_order),
            occasion=row.occasion,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            order=row.order_reference,
            discount=None if row.used_at is None else amount(row.discount),
            withdrawn_at=row.withdrawn_at,
            _member_id=member_id,
            _transaction_id=row.transaction_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, coupon_id: str) -> "CouponNode | None":
        """A member's coupon by Laurel's id."""
        found = await info.context.loaders.rows(Coupon, member_id, coupon_id=coupon_id)
        if not found:
            return None
        return cls.of(member_id, found[0], await _currency(info), info.context.now)

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "CouponNode | None":
        match parts:
            case (member_id, coupon_id) if may_see(info, member_id):
                return await cls.find(info, member_id, coupon_id)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that it was given in; null for who may not see it."""
        if not may_see(info, self._member_id):
            return None
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type
class IssueCouponPayload(Payload):
    """What became of a coupon that was to be issued."""

    coupon: CouponNode | None = strawberry.field(default=None, description=_COUPON)


@strawberry.type
class UseCouponPayload(Payload):
    """What became of a coupon at the till."""

    coupon: CouponNode | None = strawberry.field(default=None, description=_COUPON)


@strawberry.type
class UndoCouponUsePayload(Payload):
    """What became of undoing a use."""

    coupon: CouponNode | None = strawberry.field(default=None, description=_COUPON)


@strawberry.type
class WithdrawCouponPayload(Payload):
    """What became of a withdrawal."""

    coupon: CouponNode | None = strawberry.field(default=None, description=_COUPON)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class CouponQueries:
    """What can be asked about coupons."""

    @query(allow={Role.SERVICE, Role.OPERATOR})
    async def coupon(
        self, info: Info, code: Annotated[str, strawberry.argument(description=_CODE)]
    ) -> CouponNode | None:
        """The coupon with that code; null when there is none."""
        found = await _holder(info, code)
        return None if found is None else await CouponNode.find(info, *found)


@strawberry.type
class CouponMutations:
    """What can be done about coupons."""

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def issue_coupon(self, info: Info, input: IssueCouponInput) -> IssueCouponPayload:
        """Give a member a coupon."""
        operation = IssueCoupon(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            coupon=input.coupon,
            reason=input.reason,
        )
        return await perform(info, operation, IssueCouponPayload, lambda outcome: _coupon(info, outcome))

    @mutation(allow=_TILLS)
    async def use_coupon(self, info: Info, input: UseCouponInput) -> UseCouponPayload:
        """Use a coupon with an order, and learn what it takes off."""
        operation = UseCoupon(
            member=await _owner(info, input.code) if input.member is None else input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            code=input.code,
            order=input.order,
            amount=input.amount.amount,
            currency=input.amount.currency,
        )
        return await perform(info, operation, UseCouponPayload, lambda outcome: _coupon(info, outcome))

    @mutation(allow=_TILLS | {Role.OPERATOR})
    async def undo_coupon_use(self, info: Info, input: UndoCouponUseInput) -> UndoCouponUsePayload:
        """Let a coupon be used again whose order came to nothing; it lapses when it would have."""
        operation = UndoCouponUse(**await _about(info, input))
        return await perform(info, operation, UndoCouponUsePayload, lambda outcome: _coupon(info, outcome))

    @mutation(allow={Role.OPERATOR})
    async def withdraw_coupon(self, info: Info, input: WithdrawCouponInput) -> WithdrawCouponPayload:
        """Take back a coupon that was not used."""
        operation = WithdrawCoupon(**await _about(info, input))
        return await perform(info, operation, WithdrawCouponPayload, lambda outcome: _coupon(info, outcome))


@strawberry.type
class CouponMemberFields:
    """What a member has of coupons."""

    @strawberry.field
    @paged
    async def coupons(
        self,
        info: Info,
        page: Page,
        status: Annotated[
            CouponStatus | None, strawberry.argument(description="Only those that stand so at this moment.")
        ] = None,
    ) -> Connection[CouponNode]:
        """The member's coupons, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id, now, currency = cast(Member, self).member_id, info.context.now, await _currency(info)

        def node(row: Any) -> CouponNode:
            return CouponNode.of(member_id, row, currency, now)

        where = () if status is None else (_standing(status, now),)
        return await page_of_member(info, Coupon, member_id, node, page, newest("coupon_id"), where)


# -- how it is found ----------------------------------------------------------------------------------


def _status(row: Any, now: datetime) -> CouponStatus:
    if row.used_at is not None:
        return CouponStatus.USED
    if row.withdrawn_at is not None:
        return CouponStatus.WITHDRAWN
    lapsed = row.expires_at is not None and row.expires_at <= now
    return CouponStatus.LAPSED if lapsed else CouponStatus.OPEN


def _standing(status: CouponStatus, now: datetime) -> Where:
    """The condition of the rows that stand so."""
    match status:
        case CouponStatus.WITHDRAWN:
            return Where("withdrawn_at IS NOT NULL AND used_at IS NULL")
        case CouponStatus.USED:
            return Where("used_at IS NOT NULL")
    unused, instant = "withdrawn_at IS NULL AND used_at IS NULL", (microseconds(now),)
    if status is CouponStatus.LAPSED:
        return Where(f"{unused} AND expires_at <= ?", instant)
    return Where(f"{unused} AND (expires_at IS NULL OR expires_at > ?)", instant)


async def _currency(info: Info) -> str:
    return (await info.context.version()).programme.currency


async def _holder(info: Info, given: str) -> tuple[str, str] | None:
    """The member and the coupon's id of a code, or None."""
    check_text("code", given, len(given), shortest=0)
    code = read_code(given)
    if code is None:
        return None
    table = table_of(Coupon)
    rows = await info.context.reader.select(table, ("code",), [(code,)])
    return (rows[0][1], rows[0][table.columns.index("coupon_id")]) if rows else None


async def _owner(info: Info, given: str) -> ById:
    """Who has the coupon with that code. Raises CouponCodeMalformed, CouponNotFound."""
    found = await _holder(info, given)
    if found is None:
        code = read_code(given)
        raise CouponCodeMalformed(coupon_code=given[:40]) if code is None else CouponNotFound(coupon_code=code)
    return ById(found[0])


async def _about(info: Info, input: UndoCouponUseInput | WithdrawCouponInput) -> dict[str, Any]:
    return {
        "member": await _owner(info, input.code),
        "idempotency_key": input.idempotency_key,
        "actor": actor(info),
        "code": input.code,
        "reason": input.reason,
    }


async def _coupon(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"coupon": await CouponNode.find(info, outcome.member_id, outcome.result["coupon"])}
