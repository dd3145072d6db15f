"""The coupons of the programme: what each is worth to an order, and for how long. All of it is pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels import codes
from core.channels.coupons import CouponBook
from core.errors import InvalidAmount
from core.money import parse_money
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import Misfit, Programme
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "coupon"

CODE_LENGTH: Final = 16


def _ratio(value: Decimal) -> Decimal:
    if not 0 < value <= 1:
        raise PydanticCustomError("ratio", 'a ratio of the order is more than 0 and at most 1, such as "0.20"')
    return value


def _positive(value: Decimal) -> Decimal:
    if not value:
        raise PydanticCustomError("amount", "an amount of nothing says nothing; leave it out")
    return value


Amount = Annotated[QuotedDecimal, AfterValidator(_positive)]


class CouponKind(Section):
    """A coupon that members can have: an ``amount`` off an order, a ``ratio`` of it, or what its name says.

    It can be used once, with an order of ``least_order`` or more, on ``days`` days, that of its issue included.
    """

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)]
    amount: Amount | None = None
    ratio: Annotated[QuotedDecimal, AfterValidator(_ratio)] | None = None
    amount_max: Amount | None = None
    least_order: Amount | None = None
    days: Annotated[int, Field(strict=True, ge=1, le=3660)] | None = None

    @model_validator(mode="after")
    def _is_worth_one_thing(self) -> Self:
        if self.amount is not None and self.ratio is not None:
            raise PydanticCustomError("coupon", "has an amount or a ratio, not both")
        if self.amount_max is not None and self.ratio is None:
            raise PydanticCustomError("coupon", "amount_max belongs to a ratio")
        return self

    def terms(self, currency: str) -> "Terms":
        """What is promised when it is issued. Raises InvalidAmount for money finer than the currency's."""
        money = {name: getattr(self, name) for name in ("amount", "amount_max", "least_order")}
        minor = {name: None if value is None else parse_money(value, currency) for name, value in money.items()}
        return Terms(ratio=None if self.ratio is None else str(self.ratio), **minor)


@dataclass(frozen=True)
class Terms:
    """What a coupon does to an order, in minor units: kept with it, so that no later programme changes it."""

    amount: int | None = None
    ratio: str | None = None
    amount_max: int | None = None
    least_order: int | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Terms":
        return cls(**stored)

    def discount(self, order: int) -> int:
        """What it takes off an order of so much, rounded down; never more than the order.

        >>> Terms(ratio="0.20", amount_max=2_000).discount(4_999)
        999
        """
        off = self.amount or 0
        if self.ratio is not None:
            off = int(order * Decimal(self.ratio))
        if self.amount_max is not None:
            off = min(off, self.amount_max)
        return min(off, order)


class CouponSettings(CouponBook):
    """The programme's section ``channels: coupon:``.

    ``refunded`` says whether a coupon comes back when the whole order it was used on does.
    """

    called = ("Coupon", "优惠券")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "coupons_used": TallyWords(
                "a coupon used", "{n} coupons used", "使用优惠券 {n} 张", ("coupons used", "使用优惠券数")
            )
        }
    )

    coupons: Annotated[tuple[CouponKind, ...], Field(min_length=1, max_length=200)]
    refunded: Literal["back", "used"] = "back"

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(self.by_id) < len(self.coupons):
            raise PydanticCustomError("coupons", "an id is used twice")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, CouponKind]:
        return {coupon.id: coupon for coupon in self.coupons}

    def check(self, programme: Programme) -> Iterable[Misfit]:
        for at, coupon in enumerate(self.coupons):
            try:
                coupon.terms(programme.currency)
            except InvalidAmount as error:
                yield Misfit(("coupons", at), str(error))

    def coupon_ids(self) -> Collection[str]:
        return self.by_id.keys()

    def coupon_name(self, coupon: str) -> str:
        return self.by_id[coupon].name if coupon in self.by_id else coupon

    def says(self, words: Words) -> Iterable[Said]:
        for coupon in self.coupons:
            text = words.say(
                "Coupon “{name}”: {terms}.",
                "优惠券“{name}”：{terms}。",
                name=coupon.name,
                terms=_terms_in_words(words, coupon),
            )
            yield Said(Topic.BENEFITS, text, ("coupons", coupon.id))


def _terms_in_words(words: Words, coupon: CouponKind) -> str:
    parts = []
    if coupon.amount is not None:
        parts.append(words.say("{off} off", "立减{off}", off=words.money(coupon.amount)))
    elif coupon.ratio is not None:
        parts.append(words.say("{off} off", "减{off}", off=words.percent(coupon.ratio)))
    if coupon.amount_max is not None:
        parts.append(words.say("{most} at most", "最多减{most}", most=words.money(coupon.amount_max)))
    if coupon.least_order is not None:
        least = words.money(coupon.least_order)
        parts.append(words.say("for an order of {least} or more", "满{least}可用", least=least))
    if coupon.days is not None:
        parts.append(words.say("good for {days}", "{days}内有效", days=words.days(coupon.days)))
    return words.say(", ", "，").join([*parts, words.say("to be used once", "限用一次")])


def code_of(operation_id: str, number: int) -> str:
    """The code of the ``number``-th coupon that an operation issues: as hard to guess as the operation's id."""
    return codes.code_of(f"{CHANNEL}:{operation_id}:{number}", CODE_LENGTH)


def read_code(given: str) -> str | None:
    """The code as it is stored, however it was typed; None if it cannot be one."""
    return codes.read_code(given, CODE_LENGTH)
