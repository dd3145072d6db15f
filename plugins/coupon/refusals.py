"""What coupons are answered "no" with."""

from datetime import datetime
from decimal import Decimal

from core.errors import InvalidInput, NotFound, Refusal, fact


class CouponsNotOffered(Refusal):
    """The programme in force has no coupon section."""

    code = "COUPONS_NOT_OFFERED"
    says = "the programme in force at {at} knows no coupons"
    says_zh = "{at} 生效的规则没有优惠券"
    at: datetime = fact("The time of the request.")


class CouponKindNotFound(NotFound):
    """The programme in force has no such coupon to issue."""

    code = "COUPON_KIND_NOT_FOUND"
    says = "the programme has no coupon {coupon}"
    says_zh = "规则中没有优惠券 {coupon}"
    coupon: str = fact("The coupon that was asked for, by its id in the programme.")


class CouponCodeMalformed(InvalidInput):
    """No coupon's code is written like this: letters are missing, or one of them is wrong."""

    code = "COUPON_CODE_MALFORMED"
    says = "{coupon_code} is no code of a coupon"
    says_zh = "{coupon_code} 不是优惠券码"
    coupon_code: str = fact("What was given.")


class CouponNotFound(NotFound):
    """Nobody has a coupon with this code, or the member who was named has not."""

    code = "COUPON_NOT_FOUND"
    says = "no coupon {coupon_code}"
    says_zh = "没有优惠券 {coupon_code}"
    coupon_code: str = fact("The code.")


class CouponLapsed(Refusal):
    """The coupon could be used until then."""

    code = "COUPON_LAPSED"
    says = "coupon {coupon_code} could be used until {expired_at}"
    says_zh = "优惠券 {coupon_code} 的有效期至 {expired_at}"
    coupon_code: str = fact("The code.")
    expired_at: datetime = fact("From when on it could not be used any more.")


class CouponAlreadyUsed(Refusal):
    """The coupon was used before, with this order or another."""

    code = "COUPON_ALREADY_USED"
    says = "coupon {coupon_code} was used at {used_at} with order {order}"
    says_zh = "优惠券 {coupon_code} 已于 {used_at} 用于订单 {order}"
    coupon_code: str = fact("The code.")
    order: str = fact("The order it was used with.")
    used_at: datetime = fact("When it was used.")


class CouponWithdrawn(Refusal):
    """The coupon was taken back: what it was given for was undone, or an operator did so."""

    code = "COUPON_WITHDRAWN"
    says = "coupon {coupon_code} was withdrawn at {withdrawn_at}"
    says_zh = "优惠券 {coupon_code} 已于 {withdrawn_at} 撤回"
    coupon_code: str = fact("The code.")
    withdrawn_at: datetime = fact("When it was.")


class CouponNotUsed(Refusal):
    """The coupon has not been used, so that there is nothing to undo."""

    code = "COUPON_NOT_USED"
    says = "coupon {coupon_code} has not been used"
    says_zh = "优惠券 {coupon_code} 尚未使用"
    coupon_code: str = fact("The code.")


class CouponOrderTooSmall(Refusal):
    """The order comes to less than the coupon asks for."""

    code = "COUPON_ORDER_TOO_SMALL"
    says = "the order comes to {amount}, the coupon asks for {least_order}"
    says_zh = "订单金额为 {amount}，该券要求至少 {least_order}"
    coupon_code: str = fact("The code.")
    amount: Decimal = fact("What the order comes to.")
    least_order: Decimal = fact("What it has to come to.")


REFUSALS: list[type[Refusal]] = [
    CouponsNotOffered,
    CouponKindNotFound,
    CouponCodeMalformed,
    CouponNotFound,
    CouponLapsed,
    CouponAlreadyUsed,
    CouponWithdrawn,
    CouponNotUsed,
    CouponOrderTooSmall,
]
