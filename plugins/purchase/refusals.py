"""What the purchase channel answers "no" to."""

from datetime import datetime
from decimal import Decimal

from core.errors import InvalidInput, NotFound, Refusal, fact


class PurchasesNotOffered(Refusal):
    """The programme in force has no purchase section."""

    code = "PURCHASES_NOT_OFFERED"
    says = "the programme in force at {at} knows no purchases"
    says_zh = "{at} 生效的规则没有消费积分"
    at: datetime = fact("The time of the purchase.")


class OrderNotFound(NotFound):
    """No such order of this member, or of a guest."""

    code = "ORDER_NOT_FOUND"
    says = "no order {reference}"
    says_zh = "没有订单 {reference}"
    reference: str = fact("The order's reference that was asked for.")


class OrderAlreadyRecorded(Refusal):
    """The order was recorded before, with another idempotency key."""

    code = "ORDER_ALREADY_RECORDED"
    says = "order {reference} was recorded before, by transaction {transaction}"
    says_zh = "订单 {reference} 已由交易 {transaction} 记录"
    reference: str = fact("The order's reference.")
    transaction: str = fact("The transaction that recorded it.")


class OrderOfMember(Refusal):
    """The order is a member's purchase, and so no guest's."""

    code = "ORDER_OF_MEMBER"
    says = "order {reference} is a member's purchase"
    says_zh = "订单 {reference} 是会员的订单"
    reference: str = fact("The order's reference.")


class GuestOrderDiffers(Refusal):
    """The guest's order, or its refund, was recorded before with other facts."""

    code = "GUEST_ORDER_DIFFERS"
    says = "{reference} was recorded before with another {field}"
    says_zh = "{reference} 已记录，但 {field} 不同"
    reference: str = fact("The reference of the order or the refund.")
    field: str = fact("What was another.")


class RefundAlreadyRecorded(Refusal):
    """The order's refund was recorded before, with another idempotency key."""

    code = "REFUND_ALREADY_RECORDED"
    says = "refund {reference} was recorded before, by transaction {transaction}"
    says_zh = "退款 {reference} 已由交易 {transaction} 记录"
    reference: str = fact("The refund's reference.")
    transaction: str = fact("The transaction that recorded it.")


class LinesDoNotAddUp(InvalidInput):
    """The amounts of the lines are not the amount of the order."""

    code = "LINES_DO_NOT_ADD_UP"
    says = "the lines come to {lines}, the order to {amount}"
    says_zh = "各行合计 {lines}，订单金额为 {amount}"
    amount: Decimal = fact("The order's amount.")
    lines: Decimal = fact("What the lines come to, gifts and voided lines left out.")


class LineNotFound(NotFound):
    """The order has no such line."""

    code = "LINE_NOT_FOUND"
    says = "order {reference} has no line {line}"
    says_zh = "订单 {reference} 没有第 {line} 行"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku that was asked for.")


class NothingToRefund(Refusal):
    """All of the order was refunded before."""

    code = "NOTHING_TO_REFUND"
    says = "nothing is left of order {reference}"
    says_zh = "订单 {reference} 已无可退"
    reference: str = fact("The order's reference.")


class ExceedsRefundable(Refusal):
    """More money was to be refunded than is left of the order, or of its line."""

    code = "EXCEEDS_REFUNDABLE"
    says = "{amount} to refund, {amount_left} left of order {reference}"
    says_zh = "要退 {amount}，订单 {reference} 仅余 {amount_left}"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku, when one was named.")
    amount: Decimal = fact("What was to be refunded.")
    amount_left: Decimal = fact("What is left to refund.")


class ExceedsReturnable(Refusal):
    """More pieces were to be returned than are left on the line."""

    code = "EXCEEDS_RETURNABLE"
    says = "{quantity} of line {line} to return, {quantity_left} left in order {reference}"
    says_zh = "第 {line} 行要退 {quantity} 件，订单 {reference} 仅余 {quantity_left} 件"
    reference: str = fact("The order's reference.")
    line: str | None = fact("The line's number or sku.")
    quantity: Decimal = fact("How many were to be returned.")
    quantity_left: Decimal = fact("How many are left.")


REFUSALS: list[type[Refusal]] = [
    PurchasesNotOffered,
    OrderNotFound,
    OrderAlreadyRecorded,
    OrderOfMember,
    GuestOrderDiffers,
    RefundAlreadyRecorded,
    LinesDoNotAddUp,
    LineNotFound,
    NothingToRefund,
    ExceedsRefundable,
    ExceedsReturnable,
]
