"""Purchases in the schema: what can be asked about orders, and what can be done about them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast
from uuid import uuid4

import strawberry

from core.engine.operations import Outcome
from core.errors import InvalidValue
from graph.vocabulary import (
    ID,
    Connection,
    Info,
    ListSize,
    Member,
    MemberByInput,
    Money,
    MoneyInput,
    Node,
    Page,
    Payload,
    Points,
    Role,
    TraceStep,
    Transaction,
    UserError,
    actor,
    global_id,
    hold_named,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
    perform_many,
    priced,
    query,
    selects,
    trace_of,
    user_error,
)

from .models import PurchaseOrder
from .operations import HoldNamed, Line, PaidWithPoints, RecordPurchase, RefundPurchase
from .orders import Item, Return, items_of

ORDERS_MAX: Final = 500

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before. Best derived from the order: order:<reference>."
)
_MEMBER = "The member it is about."
_REFERENCE = "Your number of the order, 1 to 128 characters; unique for the member."
_OCCURRED_AT = "When it was; now if left out. The version of the programme that was in force then judges."

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class PurchaseLineInput:
    """A line of an order."""

    sku: str = strawberry.field(description="Your number of the goods, 1 to 128 characters.")
    category: str | None = strawberry.field(default=None, description="What kind of goods, as the programme names it.")
    quantity: Decimal = strawberry.field(
        default_factory=lambda: Decimal(1), description="How many; at most six decimals, for goods sold by weight."
    )
    amount: Decimal | None = strawberry.field(
        default=None,
        description="What all of the line cost, in the order's currency, discounts taken off. "
        "Either all lines have an amount, and add up to the order's, or none has.",
    )
    tags: list[str] = strawberry.field(default_factory=list, description="Marks that rules may ask for: new.")
    gift: bool = strawberry.field(default=False, description="Handed out for nothing: costs nothing, earns nothing.")
    void: bool = strawberry.field(default=False, description="Taken off the order before it was paid.")


@strawberry.input
class PaidWithPointsInput:
    """Points that are spent on the order in the same stroke."""

    points: Points = strawberry.field(description="How many.")
    amount: Decimal = strawberry.field(description="What they paid for, in the order's currency.")
    hold: ID | None = strawberry.field(
        default=None,
        description="The hold that has set them aside, such as a checkout's: it is captured, and what is not needed "
        "goes back. If left out, they are spent of what is available.",
    )


@strawberry.input
class PreviewPurchaseInput:
    """An order that might be paid."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    amount: MoneyInput = strawberry.field(description="What the order costs, what is paid with points included.")
    occurred_at: datetime | None = strawberry.field(default=None, description=_OCCURRED_AT)
    lines: list[PurchaseLineInput] = strawberry.field(default_factory=list, description="The lines, at most 1000.")
    quantity: Decimal | None = strawberry.field(default=None, description="How many pieces, where there are no lines.")
    kind: str | None = strawberry.field(default=None, description="The kind of order, as the programme names it.")
    category: str | None = strawberry.field(default=None, description="The category of the whole order.")
    paid_with_points: PaidWithPointsInput | None = strawberry.field(
        default=None, description="The part that is paid with points; it does not earn unless the programme says so."
    )
    promised: Points = strawberry.field(default=Points(0), description="Points that the till has promised already.")
    enrol_if_unknown: bool = strawberry.field(
        default=False, description="Enrol the member, named by external id, if there is none."
    )


@strawberry.input
class RecordPurchaseInput(PreviewPurchaseInput):
    """An order that was paid."""

    reference: str = strawberry.field(description=_REFERENCE)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class RecordPurchasesInput:
    """Orders that were paid."""

    purchases: list[RecordPurchaseInput] = strawberry.field(description=f"The orders, at most {ORDERS_MAX}.")


@strawberry.input
class ReturnedLineInput:
    """What comes back of a line, which is named by its number or its sku."""

    line: int | None = strawberry.field(default=None, description="The line's number in the order, from 1.")
    sku: str | None = strawberry.field(default=None, description="Your number of the goods.")
    quantity: Decimal | None = strawberry.field(default=None, description="How many; all that are left if left out.")
    amount: Decimal | None = strawberry.field(
        default=None,
        description="What is refunded, in the order's currency; the quantity's share of the line if left out.",
    )


@strawberry.input
class RefundPurchaseInput:
    """What comes back of an order: lines, an amount, or all that is left of it when neither is given."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    order: str = strawberry.field(description="The order's reference.")
    reference: str = strawberry.field(description="Your number of the refund, 1 to 128 characters.")
    amount: MoneyInput | None = strawberry.field(default=None, description="Money that belongs to no line.")
    lines: list[ReturnedLineInput] = strawberry.field(default_factory=list, description="The lines, at most 1000.")
    occurred_at: datetime | None = strawberry.field(default=None, description="When it was; now if left out.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, as of a purchase: refund:<reference>."
    )


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class PurchaseOrderStatus(Enum):
    """Where an order stands."""

    RECORDED = strawberry.enum_value("recorded", description="Paid; part of it may have come back.")
    REFUNDED = strawberry.enum_value("refunded", description="All of it has come back.")
    REVERSED = strawberry.enum_value("reversed", description="An operator has taken it back.")


@strawberry.type
class PurchaseAward:
    """What an order brings of one unit."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    given: Points = strawberry.field(description="What it brought when it was recorded.")
    left: Points = strawberry.field(description="What is left of that after refunds.")


@strawberry.type
class PurchaseLine:
    """A line of an order."""

    number: int = strawberry.field(description="Its number in the order, from 1.")
    sku: str = strawberry.field(description="Your number of the goods.")
    category: str | None = strawberry.field(description="What kind of goods.")
    quantity: Decimal = strawberry.field(description="How many were bought.")
    quantity_left: Decimal = strawberry.field(description="How many have not come back.")
    amount: Money = strawberry.field(description="What the line cost.")
    amount_left: Money = strawberry.field(description="What has not been refunded of it.")
    tags: list[str] = strawberry.field(description="Marks that rules may ask for.")
    is_gift: bool = strawberry.field(description="Whether it was handed out for nothing.")
    is_void: bool = strawberry.field(description="Whether it was taken off before it was paid.")

    @classmethod
    def of(cls, number: int, item: Item, currency: str) -> "PurchaseLine":
        return cls(
            number=number,
            sku=item.sku,
            category=item.category,
            quantity=item.quantity,
            quantity_left=item.quantity_left,
            amount=Money.of(item.amount, currency),
            amount_left=Money.of(item.amount_left, currency),
            tags=item.tags,
            is_gift=item.status == "gift",
            is_void=item.status == "void",
        )


@strawberry.type
class PurchaseRefund:
    """A refund of an order."""

    reference: str = strawberry.field(description="Your number of the refund.")
    amount: Money = strawberry.field(description="By how much the order became smaller.")
    transaction: Transaction | None = strawberry.field(description="The transaction that recorded it.")


@strawberry.type(name="PurchaseOrder")
class PurchaseOrderNode(Node):
    """An order, and what is left of it."""

    reference: str = strawberry.field(description="Your number of the order.")
    occurred_at: datetime = strawberry.field(description="When it was paid.")
    kind: str | None = strawberry.field(description="The kind of order.")
    category: str | None = strawberry.field(description="The category of the whole order.")
    status: PurchaseOrderStatus = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="What it cost, what was paid with points included.")
    amount_left: Money = strawberry.field(description="What has not been refunded of it.")
    points_spent: Points = strawberry.field(description="Points that were spent on it.")
    points_returned: Points = strawberry.field(description="How many of them refunds have made due again.")
    paid_with_points: Money = strawberry.field(description="What they paid for.")
    awards: list[PurchaseAward] = strawberry.field(description="What it brought, by unit.")
    lines: list[PurchaseLine] = strawberry.field(description="The lines.")
    _value: strawberry.Private[Any]
    _member_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "PurchaseOrderNode":
        currency = row.currency
        return cls(
            id=global_id("PurchaseOrder", member_id, row.transaction_id),
            reference=row.reference,
            occurred_at=row.occurred_at,
            kind=row.kind,
            category=row.category,
            status=PurchaseOrderStatus(row.status),
            amount=Money.of(row.amount, currency),
            amount_left=Money.of(row.amount_left, currency),
            points_spent=Points(row.points),
            points_returned=Points(row.points_back),
            paid_with_points=Money.of(row.points_amount, currency),
            awards=[
                PurchaseAward(unit=unit, given=Points(kept["points"]), left=Points(kept["left"]))
                for unit, kept in row.awards.items()
            ],
            lines=[PurchaseLine.of(number, item, currency) for number, item in enumerate(items_of(row.items), 1)],
            _value=row,
            _member_id=member_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, **by: str) -> "PurchaseOrderNode | None":
        """A member's order by its reference, or by the transaction that recorded it."""
        found = await info.context.loaders.rows(PurchaseOrder, member_id, **by)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "PurchaseOrderNode | None":
        match parts:
            case (member_id, transaction) if may_see(info, member_id):
                return await cls.find(info, member_id, transaction_id=transaction)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that recorded it, with the trace of what it brought."""
        return await Transaction.find(info, self._member_id, self._value.transaction_id)

    @strawberry.field
    async def refunds(self, info: Info) -> list[PurchaseRefund]:
        """The refunds, the oldest first."""
        refunds = self._value.refunds
        # Together, so that the transactions of all of them are one question.
        found = await asyncio.gather(
            *(Transaction.find(info, self._member_id, refund["transaction"]) for refund in refunds)
        )
        return [
            PurchaseRefund(
                reference=refund["reference"],
                amount=Money.of(refund["amount"], self._value.currency),
                transaction=transaction,
            )
            for refund, transaction in zip(refunds, found, strict=True)
        ]


@strawberry.type
class PurchasePreview:
    """What an order would bring. Nothing was recorded."""

    awards: list[PurchaseAward] = strawberry.field(description="What it would bring, by unit; empty if refused.")
    trace: list[TraceStep] = strawberry.field(description="How that comes about.")
    errors: list[UserError] = strawberry.field(description="Why it would be refused; empty if it would be recorded.")


@strawberry.type
class RecordPurchasePayload(Payload):
    """What became of a purchase."""

    order: PurchaseOrderNode | None = strawberry.field(
        default=None, description="The order as it is now; null when it was refused."
    )
    awards: list[PurchaseAward] = strawberry.field(default_factory=list, description="What it brought, by unit.")


@strawberry.type
class RecordPurchasesPayload:
    """What became of purchases."""

    results: list[RecordPurchasePayload] = strawberry.field(
        default_factory=list, description="An answer for each purchase, in their order."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why none of them was looked at; empty when each has its answer."
    )


@strawberry.type
class RefundPurchasePayload(Payload):
    """What became of a refund."""

    order: PurchaseOrderNode | None = strawberry.field(
        default=None, description="The order as it is now; null when it was refused."
    )
    points_returned: Points = strawberry.field(
        default=Points(0), description="Points spent on the order that came back to their lots."
    )
    clawed_back: list["PurchaseClawBack"] = strawberry.field(
        default_factory=list, description="What was taken back of what the order had brought, by unit."
    )


@strawberry.type
class PurchaseClawBack:
    """What a refund took back of one unit."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    points: Points = strawberry.field(description="How much.")


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class PurchaseQueries:
    """What can be asked about purchases."""

    @query(allow={Role.MEMBER, Role.SERVICE, Role.OPERATOR})
    async def preview_purchase(self, info: Info, input: PreviewPurchaseInput) -> PurchasePreview:
        """What an order would bring now: all rules, caps and refusals of `recordPurchase`, and nothing recorded."""
        # No order and no request has this name, and none ever will.
        name = f"preview:{uuid4()}"
        outcome = await info.context.laurel.committer.rehearse(_recorded(info, input, name, name))
        if outcome.refusal is not None:
            return PurchasePreview(awards=[], trace=[], errors=[user_error(info, outcome.refusal)])
        return PurchasePreview(awards=_awards(outcome), trace=trace_of(outcome.result["trace"]), errors=[])


@strawberry.type
class PurchaseMutations:
    """What can be done about purchases."""

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def record_purchase(self, info: Info, input: RecordPurchaseInput) -> RecordPurchasePayload:
        """Record an order that was paid: it earns by the programme's rules, and points paid with are spent."""
        operation = _recorded(info, input, input.reference, input.idempotency_key)
        wanted = selects(info, "order")
        return await perform(info, operation, RecordPurchasePayload, lambda outcome: _order(info, outcome, wanted))

    @priced(ListSize(assumed_size=ORDERS_MAX, slicing_arguments=["input.purchases"], sized_fields=["results"]))
    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def record_purchases(self, info: Info, input: RecordPurchasesInput) -> RecordPurchasesPayload:
        """Record up to 500 orders, each for itself: one that is refused keeps no other from being recorded."""
        if not 0 < len(input.purchases) <= ORDERS_MAX:
            raise InvalidValue(field="purchases", reason=f"there must be 1 to {ORDERS_MAX}")
        operations = [_recorded(info, each, each.reference, each.idempotency_key) for each in input.purchases]
        results = await perform_many(info, operations, RecordPurchasePayload, lambda outcome: _order(info, outcome))
        return RecordPurchasesPayload(results=results)

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def refund_purchase(self, info: Info, input: RefundPurchaseInput) -> RefundPurchasePayload:
        """Record what came back of an order. Points spent on it return first; then what it earned too much is taken."""
        amount = input.amount
        operation = RefundPurchase(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            order=input.order,
            reference=input.reference,
            amount=amount.amount if amount else None,
            currency=amount.currency if amount else None,
            lines=tuple(Return(line.line, line.sku, line.quantity, line.amount) for line in input.lines),
            occurred_at=input.occurred_at,
        )
        return await perform(info, operation, RefundPurchasePayload, lambda outcome: _refunded(info, outcome))


@strawberry.type
class PurchaseMemberFields:
    """What a member has of purchases."""

    @strawberry.field
    @paged
    async def orders(self, info: Info, page: Page) -> Connection[PurchaseOrderNode]:
        """The member's orders, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> PurchaseOrderNode:
            return PurchaseOrderNode.of(member_id, row)

        return await page_of_member(info, PurchaseOrder, member_id, node, page, newest("occurred_at", "transaction_id"))


def _recorded(info: Info, input: PreviewPurchaseInput, reference: str, key: str) -> RecordPurchase:
    paid = input.paid_with_points
    return RecordPurchase(
        member=input.member.to_ref(info),
        idempotency_key=key,
        actor=actor(info),
        reference=reference,
        amount=input.amount.amount,
        currency=input.amount.currency,
        occurred_at=input.occurred_at,
        lines=tuple(
            Line(
                sku=line.sku,
                quantity=line.quantity,
                amount=line.amount,
                category=line.category,
                tags=tuple(line.tags),
                gift=line.gift,
                void=line.void,
            )
            for line in input.lines
        ),
        quantity=input.quantity,
        order_kind=input.kind,
        category=input.category,
        paid_with_points=_paid(info, paid) if paid else None,
        promised=input.promised,
        enrol_if_unknown=input.enrol_if_unknown,
    )


def _paid(info: Info, paid: PaidWithPointsInput) -> PaidWithPoints:
    if paid.hold is None:
        return PaidWithPoints(paid.points, paid.amount)
    member, unit, number = hold_named(info, paid.hold)
    return PaidWithPoints(paid.points, paid.amount, HoldNamed(member.id, unit, number))


def _awards(outcome: Outcome) -> list[PurchaseAward]:
    awards = outcome.result["awards"].items()
    return [PurchaseAward(unit=unit, given=Points(points), left=Points(points)) for unit, points in awards]


async def _order(info: Info, outcome: Outcome, wanted: bool = True) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    find, reference = PurchaseOrderNode.find, outcome.result["reference"]
    order = await find(info, outcome.member_id, reference=reference) if wanted else None
    return {"order": order, "awards": _awards(outcome)}


async def _refunded(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    result = outcome.result
    return {
        "order": await PurchaseOrderNode.find(info, outcome.member_id, reference=result["order"]),
        "points_returned": Points(result["given_back"]),
        "clawed_back": [
            PurchaseClawBack(unit=unit, points=Points(points)) for unit, points in result["clawed_back"].items()
        ],
    }
