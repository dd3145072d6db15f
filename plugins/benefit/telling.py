"""What a use of a benefit is told as, where somebody asks why: in English and Chinese."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.ladder.benefits import BenefitKind
from core.money import money
from core.rulebook.programme import Programme

from .rules import OFF_ORDER

_EN: Final[Mapping[str, str]] = {
    "tier": "{name} is a benefit of the tier {tier}.",
    "all": "{name} is a benefit of all members.",
    "off": "It took {worth} {currency} off the order {reference}.",
    "used": "It was used with {reference}.",
    "coupons": "Its coupons were given for the period {period}.",
    "quota": "It was use {number} of {quota} in the period {period}; what is not used by its end lapses.",
    "undone": "The use was given back later.",
}
_ZH: Final[Mapping[str, str]] = {
    "tier": "“{name}”为等级 {tier} 的权益。",
    "all": "“{name}”为全体会员的权益。",
    "off": "订单 {reference} 因此减免 {worth} {currency}。",
    "used": "已用于 {reference}。",
    "coupons": "已发放 {period} 周期的优惠券。",
    "quota": "{period} 周期内第 {number} 次，共 {quota} 次；到期未用即失效。",
    "undone": "该次使用后来已退还。",
}


def tell(programme: Programme, rows: Sequence[Any], language: str) -> Sequence[str]:
    """Each use in sentences."""
    says = _ZH if language == "zh" else _EN
    text: list[str] = []
    for row in rows:
        off = row.kind in OFF_ORDER
        keys = ["tier" if row.tier else "all", "off" if off else "used"]
        if row.kind == BenefitKind.COUPON:
            keys[1] = "coupons"
        if row.quota is not None:
            keys.append("quota")
        if row.undone_at is not None:
            keys.append("undone")
        # A member's own words may hold braces, but only the sentences are templates.
        parts = {**row._asdict(), "worth": money(row.worth, programme.currency), "currency": programme.currency}
        text += [says[key].format(**parts) for key in keys]
    return text
