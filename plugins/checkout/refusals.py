"""What a checkout is answered "no" with, beside what the core says of points and holds."""

from datetime import datetime
from decimal import Decimal

from core.errors import InvalidInput, Refusal, fact
from core.units import Points


class CheckoutNotOffered(Refusal):
    """The programme in force has no checkout section."""

    code = "CHECKOUT_NOT_OFFERED"
    says = "the programme in force at {at} lets nobody pay with points"
    says_zh = "{at} 生效的规则不支持积分抵扣"
    at: datetime = fact("The time of the request.")


class ExceedsCheckout(Refusal):
    """More was to be paid with points than the programme allows of this basket, or than points are held for."""

    code = "EXCEEDS_CHECKOUT"
    says = "{amount} to pay with points, {amount_max} can be"
    says_zh = "申请用积分支付 {amount}，最多可支付 {amount_max}"
    amount: Decimal = fact("What was to be paid with points; the least there is when nothing was said.")
    amount_max: Decimal = fact("What points can pay for at most.")


class CheckoutPriceChanged(Refusal):
    """It takes another number of points than the caller said."""

    code = "CHECKOUT_PRICE_CHANGED"
    says = "it takes {price} points, not {price_expected}"
    says_zh = "需要 {price} 积分，而非 {price_expected}"
    price_expected: Points = fact("What the caller said.")
    price: Points = fact("What it takes.")


class CheckoutAlreadyHeld(Refusal):
    """Points were set aside or spent for this basket before, with another idempotency key."""

    code = "CHECKOUT_ALREADY_HELD"
    says = "hold {hold} for {reference} is {state}"
    says_zh = "{reference} 的预扣 {hold} 状态为 {state}"
    reference: str = fact("The basket's reference.")
    hold: str = fact("The number of the hold.")
    state: str = fact("open or captured.")


class CheckoutUnderpaid(InvalidInput):
    """An order is to capture fewer points of its checkout than what they pay for takes."""

    code = "CHECKOUT_UNDERPAID"
    says = "it takes {needed} points, the order says {points}"
    says_zh = "需要 {needed} 积分，订单只写了 {points}"
    points: Points = fact("What the order says.")
    needed: Points = fact("What it takes at the checkout's rate.")


REFUSALS: list[type[Refusal]] = [
    CheckoutNotOffered,
    ExceedsCheckout,
    CheckoutPriceChanged,
    CheckoutAlreadyHeld,
    CheckoutUnderpaid,
]
