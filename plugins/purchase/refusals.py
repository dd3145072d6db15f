"""What the purchase channel answers "no" to."""

from datetime import datetime
from decimal import Decimal

from core.errors import InvalidInput, NotFound, Refusal, fact


class PurchasesNotOffered(Refusal):
    """The programme in force has no purchase section."""

    code = "PURCHASES_NOT_OFFERED"
    says = "the programme in force at {at} knows no purchases"
    at: datetime = fact("The time of the purchase.")


class OrderNotFound(NotFound):
    """No such order of this member."""

    code = "ORDER_NOT_FOUND"
    says = "no order {reference}"
    reference: str = fact("The order's reference that was asked for.")


class OrderAlreadyRecorded(Refusal):
    """The order was recorded before, with another idempotency key."""

    code = "ORDER_ALREADY_RECORDED"
    says = "order {reference} was recorded before, by transaction {transaction}"
    reference: str = fact("The order's reference.")
    transaction: str = fact("The transaction that recorded it.")


class RefundAlreadyRecorded(Refusal):
    """The order's refund was recorded before, with another idempotency key."""

    code = "REFUND_ALREADY_RECORDED"
    says = "refund {reference} was recorded before, by transaction {transaction}"
    reference: str = fact("The refund's reference.")
    transaction: str = fact("The transaction that recorded it.")


class LinesDoNotAddUp(InvalidInput):
    """The amounts of the lines are not the amount of the order."""

    code = "LINES_DO_NOT_ADD_UP"
    says = "the lines come to {lines}, the order to {amount}"
    amount: Decimal = fact("The order's amount.")
    lines: Decimal = fact("What the lines come to, gifts and voided lines left out.")


class LineNotFound(NotFound):
    """The order has no such line."""

    code = "LINE_NOT_FOUND"
    says = "order {reference} has no line {line}"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku that was asked for.")


class NothingToRefund(Refusal):
    """All of the order was refunded before."""

    code = "NOTHING_TO_REFUND"
    says = "nothing is left of order {reference}"
    reference: str = fact("The order's reference.")


class ExceedsRefundable(Refusal):
    """More money was to be refunded than is left of the order, or of its line."""

    code = "EXCEEDS_REFUNDABLE"
    says = "{amount} to refund, {amount_left} left of order {reference}"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku, when one was named.")
    amount: Decimal = fact("What was to be refunded.")
    amount_left: Decimal = fact("What is left to refund.")


class ExceedsReturnable(Refusal):
    """More pieces were to be returned than are left on the line."""

    code = "EXCEEDS_RETURNABLE"
    says = "{quantity} of line {line} to return, {quantity_left} left in order {reference}"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku.")
    quantity: Decimal = fact("How many were to be returned.")
    quantity_left: Decimal = fact("How many are left.")


REFUSALS: list[type[Refusal]] = [
    PurchasesNotOffered,
    OrderNotFound,
    OrderAlreadyRecorded,
    RefundAlreadyRecorded,
    LinesDoNotAddUp,
    LineNotFound,
    NothingToRefund,
    ExceedsRefundable,
    ExceedsReturnable,
]
