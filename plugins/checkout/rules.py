"""How much of a basket can be paid with points, and for how many. All of it is pure, and counts in minor units."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, ClassVar, Final, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from core.channels.redemption import HOLD_SECONDS_DEFAULT, HOLD_SECONDS_MAX
from core.money import minor_digits
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "checkout"
DEFAULT: Final = "default"
RATE_MAX: Final = 1_000_000

BY_RATIO: Final = "ratio"
BY_AMOUNT: Final = "amount"
BY_POINTS: Final = "points"
BY_BASKET: Final = "basket"


def _ratio(value: Decimal) -> Decimal:
    if not 0 < value <= 1:
        raise PydanticCustomError("ratio", 'a ratio of the basket is more than 0 and at most 1, such as "0.20"')
    return value


def _positive(value: Decimal) -> Decimal:
    if not value:
        raise PydanticCustomError("amount", "a cap of nothing allows nothing; leave the section out")
    return value


def _rates(rates: dict[str, int]) -> dict[str, int]:
    if DEFAULT not in rates:
        raise PydanticCustomError("rates", "default is missing: the points for tiers that are not named")
    return rates


Rate = Annotated[int, Field(strict=True, ge=1, le=RATE_MAX)]
"""Points for one unit of money."""


class Caps(Section):
    """The most of one basket that points may pay for; the least counts."""

    ratio: Annotated[QuotedDecimal, AfterValidator(_ratio)] = Decimal(1)
    amount: Annotated[QuotedDecimal, AfterValidator(_positive)] | None = None


class Quote(NamedTuple):
    """What points may pay for of a basket. ``capped`` is what the caps leave, ``most`` what the member has points for.

    Money in minor units. ``points`` pay for ``most`` at ``rate``; ``limited_by`` is what made it no more.
    """

    rate: int
    capped: int
    most: int
    points: int
    limited_by: str


class CheckoutSettings(ChannelSettings):
    """The programme's section ``channels: checkout:``.

    ``points_per_unit`` are the points for one unit of money, by tier; ``default`` is for all tiers that it does not
    name. ``hold_seconds`` is how long a checkout sets them aside.
    """

    called = ("Paid with points", "积分抵扣")

    core_rules: ClassVar[frozenset[str]] = frozenset({"points_per_unit", "caps"})

    points_per_unit: Annotated[dict[Identifier, Rate], AfterValidator(_rates)]
    caps: Caps = Caps()
    hold_seconds: Annotated[int, Field(strict=True, ge=1, le=HOLD_SECONDS_MAX)] = HOLD_SECONDS_DEFAULT

    def check(self, programme: Programme) -> Iterable[Misfit]:
        tiers = (tier for tier in self.points_per_unit if tier != DEFAULT)
        return unknown_tiers(programme, [(("points_per_unit", tier), tier) for tier in tiers])

    def quote(self, basket: int, currency: str, tier: str, available: int) -> Quote:
        """The most of a basket that a member of that tier can pay with so many points."""
        rate = self.points_per_unit.get(tier, self.points_per_unit[DEFAULT])
        caps = {BY_RATIO: share_of(basket, self.caps.ratio)}
        if self.caps.ratio == 1:
            caps = {BY_BASKET: basket}
        if self.caps.amount is not None:
            caps[BY_AMOUNT] = int(self.caps.amount.scaleb(minor_digits(currency)))
        capped = min(caps.values())
        limits = {**caps, BY_POINTS: money_for(available, rate, currency)}
        # Of equal ones the programme's own counts, as it comes first.
        limited_by = min(limits, key=limits.__getitem__)
        most = limits[limited_by]
        return Quote(rate, capped, most, points_for(most, rate, currency), limited_by)

    def says(self, words: Words) -> Iterable[Said]:
        for tier, rate in self.points_per_unit.items():
            text = words.say(
                "{points} pay for {unit} of an order.", "{points}可抵扣{unit}。",
                points=words.points(rate), unit=words.money(1),
            )  # fmt: skip
            if tier != DEFAULT:
                text = words.say("For {who}, {text}", "{who}：{text}", who=words.members([tier]), text=text)
            yield Said(Topic.SPENDING, text, ("points_per_unit", tier))
        parts = []
        if self.caps.ratio < 1:
            parts.append(words.say("{share} of an order", "订单金额的{share}", share=words.percent(self.caps.ratio)))
        if self.caps.amount is not None:
            texts = ("{amount}", "每单{amount}") if parts else ("{amount} of an order", "每单{amount}")
            parts.append(words.say(*texts, amount=words.money(self.caps.amount)))
        most = words.say(" and ", "，且").join(parts)
        text = (
            words.say("At most {most} can be paid with points.", "积分最多可抵扣{most}。", most=most)
            if most
            else words.say("A whole order can be paid with points.", "积分可抵扣整笔订单。")
        )
        yield Said(Topic.SPENDING, text, ("caps",))
        text = words.say(
            "Points that you paid an order with come back to you when it is refunded, in part for a part.",
            "订单退款时，按比例退回所用积分。",
        )
        yield Said(Topic.REFUNDS, text)


def share_of(basket: int, ratio: Decimal) -> int:
    """That share of the basket, rounded down.

    >>> share_of(19_990, Decimal("0.20"))
    3998
    """
    return int(basket * ratio)


def points_for(money: int, rate: int, currency: str) -> int:
    """The points that pay for so much, rounded up.

    >>> points_for(5_000, 90, "CNY")
    4500
    >>> points_for(1, 90, "CNY")
    1
    """
    return -(-money * rate // _units(currency))


def money_for(points: int, rate: int, currency: str) -> int:
    """What so many points pay for, rounded down.

    >>> money_for(91, 90, "CNY")
    101
    """
    return points * _units(currency) // rate


def _units(currency: str) -> int:
    """How many minor units one unit of money has."""
    units: int = 10 ** minor_digits(currency)
    return units
