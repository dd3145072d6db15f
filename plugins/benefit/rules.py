"""The benefits of the programme: who has which, how often in a period, and what it takes off an order. All is pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.coupons import Coupons, unknown_coupons
from core.channels.limits import Times
from core.channels.orders import MemberFacts
from core.errors import InvalidAmount, Refusal
from core.ladder.benefits import Benefit, BenefitKind, BenefitPeriod, BirthdayWindow
from core.ladder.tiers import Ladder
from core.money import money, parse_money
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme, unknown_tiers
from core.rulebook.rules import Rule, RuleSet, UnitName, Validity
from core.time.calendar import add_months, day_start, local_day, month_end, month_start
from core.units import POINTS
from core.wording.facts import TallyWords, Wording

from .refusals import (
    BenefitBirthdayUnknown,
    BenefitLapsed,
    BenefitNotToday,
    BenefitNotYetOpen,
    BenefitOfOtherTier,
    BenefitOrderTooSmall,
    BenefitUsedUp,
    BenefitWorthNothing,
)

CHANNEL: Final = "benefit"

OFF_PRICE: Final = frozenset({BenefitKind.DISCOUNT, BenefitKind.MEMBER_DAY})
OFF_ORDER: Final = OFF_PRICE | {BenefitKind.FREE_SHIPPING}
"""The kinds that take something off an order."""

AT_CHECKOUT: Final = OFF_ORDER | {BenefitKind.POINTS_MULTIPLIER}
"""The kinds that a checkout is told of."""

EARNED: Final = frozenset({BenefitKind.COUPON, BenefitKind.POINTS_MULTIPLIER})
"""The kinds that give the member something, so that who is frozen for earning does not have them."""

_OWN: Final[Mapping[str, frozenset[BenefitKind]]] = {
    "price": OFF_PRICE,
    "least_order": OFF_ORDER,
    "amount_max": OFF_ORDER,
    "coupons": frozenset({BenefitKind.COUPON}),
    "automatic": frozenset({BenefitKind.COUPON}),
    "rule": frozenset({BenefitKind.POINTS_MULTIPLIER}),
    "hours_ahead": frozenset({BenefitKind.EARLY_ACCESS}),
    "partner": frozenset({BenefitKind.PARTNER}),
}
"""Which kinds have a key."""

_NEEDED: Final[Mapping[BenefitKind, str]] = {
    BenefitKind.COUPON: "coupons",
    BenefitKind.POINTS_MULTIPLIER: "rule",
    BenefitKind.MEMBER_DAY: "month_days",
    BenefitKind.PARTNER: "partner",
}
_OFFERED: Final = frozenset(BenefitKind) - {BenefitKind.REWARD_PRICE}
_LOOKED_AHEAD: Final = 64


def _share(value: Decimal) -> Decimal:
    if not 0 < value < 1:
        raise PydanticCustomError("price", 'a price is the share that is paid, more than 0 and less than 1: "0.95"')
    return value


def _positive(value: Decimal) -> Decimal:
    if not value:
        raise PydanticCustomError("amount", "an amount of nothing says nothing; leave it out")
    return value


def _by_tier(value: Any) -> Any:
    """A list of tiers stands for tiers without terms of their own."""
    if not isinstance(value, list):
        return value
    if len(set(map(str, value))) < len(value):
        raise PydanticCustomError("tiers", "a tier is named twice")
    return {tier: {} for tier in value}


Price = Annotated[QuotedDecimal, AfterValidator(_share)]
Amount = Annotated[QuotedDecimal, AfterValidator(_positive)]
MonthDays = Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=31)], ...], Field(max_length=31)]


class Period(NamedTuple):
    """A time in which a benefit can be had so many times: ``2026-01``, ``2026`` or ``membership``.

    What was not used when it ends has lapsed; a membership has no end.
    """

    name: str
    ends_at: datetime | None


def period_of(per: BenefitPeriod | None, day: date, zone: ZoneInfo) -> Period:
    """The period that a day is in.

    >>> period_of(BenefitPeriod.MONTH, date(2026, 12, 31), ZoneInfo("Asia/Shanghai")).name
    '2026-12'
    """
    match per:
        case BenefitPeriod.MONTH:
            return Period(f"{day:%Y-%m}", day_start(month_end(day) + timedelta(days=1), zone))
        case BenefitPeriod.YEAR:
            return Period(f"{day:%Y}", day_start(date(day.year + 1, 1, 1), zone))
        case _:
            return Period(str(BenefitPeriod.MEMBERSHIP), None)


class Terms(Section):
    """What a benefit is to the members of a tier.

    It can be had ``quota`` times in a period; ``price`` is the share of the price that is paid; it takes at most
    ``amount_max`` off an order of ``least_order`` or more.
    """

    quota: Times | None = None
    price: Price | None = None
    least_order: Amount | None = None
    amount_max: Amount | None = None


class RuleNamed(Section):
    """A rule of a channel that multiplies what it gives: the one that makes this benefit good."""

    channel: Identifier
    unit: UnitName = POINTS
    group: Identifier
    id: Identifier


class Order(NamedTuple):
    """What a benefit is used with. Money in minor units; None for what was not said."""

    amount: int | None = None
    shipping: int | None = None


@dataclass(frozen=True)
class Standing:
    """Where a member stands who would use a benefit: what is looked at beside the order."""

    tier: str
    birthday: date | None
    now: datetime


class Offer(Terms):
    """A benefit: of the members of all tiers, or of those of ``from`` and all above, and of ``tiers``.

    In ``tiers`` a tier can have terms of its own. ``per`` is the period of the quota. ``month_days`` are the days of
    each month, or ``birthday`` the time of the year, when it can be had; ``valid`` from when until when it is there at
    all. ``coupons`` are given once in a period, with ``automatic`` by themselves.
    """

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: BenefitKind
    from_tier: Identifier | None = Field(default=None, alias="from")
    tiers: Annotated[dict[Identifier, Terms], BeforeValidator(_by_tier), Field(max_length=20)] = Field(
        default_factory=dict
    )
    per: BenefitPeriod | None = None
    month_days: MonthDays = ()
    birthday: BirthdayWindow | None = None
    valid: Validity = Validity()
    coupons: Coupons = ()
    automatic: Annotated[bool, Field(strict=True)] = False
    rule: RuleNamed | None = None
    hours_ahead: Annotated[int, Field(strict=True, ge=1, le=8784)] | None = None
    partner: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_has(self) -> Self:
        if self.kind not in _OFFERED:
            self._refuse(f"{self.kind} is no kind that can be offered here")
        for key, kinds in _OWN.items():
            own = bool(getattr(self, key))
            of_tiers = key in Terms.model_fields and any(getattr(terms, key) for terms in self.tiers.values())
            if (own or of_tiers) and self.kind not in kinds:
                self._refuse(f"{key} is nothing that {self.kind} has")
        needed = _NEEDED.get(self.kind)
        if needed is not None and not getattr(self, needed):
            self._refuse(f"{self.kind} needs {needed}")
        if self.month_days and self.birthday:
            self._refuse("has month_days or birthday, not both")
        return self

    @model_validator(mode="after")
    def _has_a_period_for_its_quota(self) -> Self:
        offered: list[Terms] = [self, *self.tiers.values()]
        quotas = [terms.quota for terms in offered if terms.quota is not None]
        if self.kind is BenefitKind.POINTS_MULTIPLIER and (quotas or self.per or self.month_days or self.birthday):
            self._refuse("points are multiplied whenever the rule says so; it has no quota, period or days here")
        if self.kind is BenefitKind.COUPON:
            if quotas:
                self._refuse("coupons are given once in a period; they have no quota")
            if self.per is None:
                self._refuse("coupons need a period: per")
            if self.birthday and self.per is not BenefitPeriod.YEAR:
                self._refuse("a birthday comes once a year: per must be year")
            if self.automatic and (self.birthday or self.month_days):
                self._refuse("what is given on certain days is asked for; it cannot be automatic")
        elif bool(quotas) != (self.per is not None):
            self._refuse("a quota needs a period, and a period a quota")
        return self

    @staticmethod
    def _refuse(reason: str) -> None:
        raise PydanticCustomError("benefit", "{reason}", {"reason": reason})

    # -- who has it, and how ------------------------------------------------------------------------

    def is_for(self, tier: str, ladder: Ladder | None) -> bool:
        """Whether members of the tier have it."""
        if tier in self.tiers or (self.from_tier is None and not self.tiers):
            return True
        if self.from_tier is None or ladder is None:
            return False
        return 0 <= ladder.rank(self.from_tier) <= ladder.rank(tier)

    def holders(self, ladder: Ladder | None) -> list[str]:
        """The tiers whose members have it, from the lowest up; empty where there are no tiers."""
        return [tier.id for tier in ladder.ladder if self.is_for(tier.id, ladder)] if ladder else []

    def terms(self, tier: str) -> Terms:
        """What it is to the members of a tier that has it."""
        own = self.tiers.get(tier, Terms())
        terms = {name: getattr(own, name) for name in Terms.model_fields}
        return Terms.model_construct(
            **{name: getattr(self, name) if value is None else value for name, value in terms.items()}
        )

    def benefit(self, tier: str, programme: Programme) -> Benefit:
        """With the terms that it has for a tier, as everybody is shown it."""
        terms = self.terms(tier)

        def minor(value: Decimal | None) -> int | None:
            return None if value is None else parse_money(value, programme.currency)

        return Benefit(
            channel=CHANNEL,
            id=self.id,
            name=self.name,
            kind=self.kind,
            per=self.per,
            quota=1 if self.kind is BenefitKind.COUPON else terms.quota,
            price=terms.price,
            factor=None if self.rule is None else _factor(self.rule, programme),
            least_order=minor(terms.least_order),
            amount_max=minor(terms.amount_max),
            coupons=self.coupons,
            month_days=self.month_days,
            birthday=self.birthday,
            hours_ahead=self.hours_ahead,
            partner=self.partner,
            since=self.valid.since,
            until=self.valid.until,
        )

    def opens_on(self, today: date, birthday: date | None) -> date | None:
        """The first day from today on that it can be had on; None for one of birthdays where that is not known."""
        if self.birthday is not None:
            return None if birthday is None else _birthday_from(today, birthday, self.birthday)
        if not self.month_days:
            return today
        days = (today + timedelta(days=number) for number in range(_LOOKED_AHEAD))
        return next(day for day in days if day.day in self._days_of(day))

    def _days_of(self, month: date) -> set[int]:
        last = month_end(month).day
        return {min(day, last) for day in self.month_days}


class BenefitSettings(ChannelSettings):
    """The programme's section ``channels: benefit:``.

    ``refunded`` says whether a use is given back when the whole order comes back that it was for.
    """

    called = ("Benefit", "权益")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "benefits_used": TallyWords(
                "a benefit used", "{n} benefits used", "使用权益 {n} 次", ("benefits used", "使用权益次数")
            )
        }
    )

    benefits: Annotated[tuple[Offer, ...], Field(min_length=1, max_length=100)]
    refunded: Literal["back", "used"] = "back"

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(self.by_id) < len(self.benefits):
            raise PydanticCustomError("benefits", "an id is used twice")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Offer]:
        return {offer.id: offer for offer in self.benefits}

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        return (offer.benefit(tier, programme) for offer in self.benefits if offer.is_for(tier, programme.tiers))

    def check(self, programme: Programme) -> Iterable[Misfit]:
        for at, offer in enumerate(self.benefits):
            path = ("benefits", at)
            named: list[tuple[Path, str]] = [((*path, "tiers", tier), tier) for tier in offer.tiers]
            if offer.from_tier is not None:
                named.append(((*path, "from"), offer.from_tier))
            unknown = [
                *unknown_tiers(programme, named),
                *unknown_coupons(programme, [((*path, "coupons", n), name) for n, name in enumerate(offer.coupons)]),
            ]
            yield from unknown or _misfits(offer, programme, path)


def _misfits(offer: Offer, programme: Programme, path: Path) -> Iterator[Misfit]:
    """What is wrong of a benefit whose tiers and coupons are there."""
    for where, terms in ((path, offer), *(((*path, "tiers", tier), terms) for tier, terms in offer.tiers.items())):
        for name in ("least_order", "amount_max"):
            value: Decimal | None = getattr(terms, name)
            try:
                if value is not None:
                    parse_money(value, programme.currency)
            except InvalidAmount as error:
                yield Misfit((*where, name), str(error))
    # Where there are no tiers everybody has the benefit's own terms.
    tiers = offer.holders(programme.tiers) or [""]
    if offer.kind in OFF_PRICE and (lacking := [tier for tier in tiers if offer.terms(tier).price is None]):
        yield Misfit(path, f"{offer.kind} needs price{f', which {lacking[0]!r} has not' if lacking[0] else ''}")
    if offer.rule is not None:
        yield from _misfits_of_rule(offer, offer.rule, programme, (*path, "rule"))


def _misfits_of_rule(offer: Offer, named: RuleNamed, programme: Programme, path: Path) -> Iterator[Misfit]:
    rule = _rule(named, programme)
    if rule is None:
        yield Misfit(path, f"no rule {named.id!r} in {named.channel}.earn.{named.unit}, group {named.group!r}")
    elif rule.factor is None:
        yield Misfit(path, f"rule {named.id!r} adds points, and multiplies nothing")
    elif programme.tiers is not None and (given := _tiers_of_rule(rule, programme.tiers)) is not None:
        holders = offer.holders(programme.tiers)
        if given != holders:
            reason = f"rule {named.id!r} is for {', '.join(given) or 'nobody'}, the benefit for {', '.join(holders)}"
            yield Misfit(path, reason)


def _rule(named: RuleNamed, programme: Programme) -> Rule | None:
    settings = programme.channels.get(named.channel)
    earn = getattr(settings, "earn", None)
    rules = earn.get(named.unit) if isinstance(earn, Mapping) else None
    if not isinstance(rules, RuleSet):
        return None
    groups = (group for group in rules.groups if group.id == named.group)
    return next((rule for group in groups for rule in group.rules if rule.id == named.id), None)


def _factor(named: RuleNamed, programme: Programme) -> Decimal | None:
    rule = _rule(named, programme)
    return None if rule is None else rule.factor


_ASKED_OF_MEMBERS: Final = frozenset({"member.tier", "member.birth_month_now", "member.birthday_today"})


def _tiers_of_rule(rule: Rule, ladder: Ladder) -> list[str] | None:
    """The tiers that a rule is for, where it asks for nothing but the tier, and for the birthday; None otherwise."""
    if rule.when is None:
        return [tier.id for tier in ladder.ladder]
    if not _ASKED_OF_MEMBERS.issuperset(rule.when.facts):
        return None
    whoever = MemberFacts("", None, True, True, [], 0, datetime(1970, 1, 1, tzinfo=UTC))
    return [tier.id for tier in ladder.ladder if rule.when.evaluate({"member": replace(whoever, tier=tier.id)})]


def _birthday_from(today: date, birthday: date, window: BirthdayWindow) -> date:
    """The first day from today on that is in somebody's birthday or its month; 29 February is then the month's last."""
    for year in (today.year, today.year + 1):
        day = add_months(birthday, 12 * (year - birthday.year))
        first, last = (day, day) if window is BirthdayWindow.DAY else (month_start(day), month_end(day))
        if today <= last:
            return max(first, today)
    raise AssertionError("a birthday comes every year")


# -- may it be used, and what is it worth -------------------------------------------------------------


def check_had(offer: Offer, who: Standing, programme: Programme) -> None:
    """Raise what stands in the way of using a benefit at all: the time, the tier or the day."""
    ladder, valid = programme.tiers, offer.valid
    if valid.since is not None and who.now < valid.since:
        raise BenefitNotYetOpen(benefit=offer.id, opens_at=valid.since)
    if valid.until is not None and who.now >= valid.until:
        raise BenefitLapsed(benefit=offer.id, expired_at=valid.until)
    if not offer.is_for(who.tier, ladder):
        raise BenefitOfOtherTier(benefit=offer.id, tier=who.tier, tiers=", ".join(offer.holders(ladder)))
    today = local_day(who.now, programme.zone)
    opens_on = offer.opens_on(today, who.birthday)
    if opens_on is None:
        raise BenefitBirthdayUnknown(benefit=offer.id)
    if opens_on > today:
        raise BenefitNotToday(benefit=offer.id, opens_on=opens_on)


def check_left(benefit: Benefit, used: int, period: Period) -> None:
    """Raise BenefitUsedUp where nothing is left of the quota."""
    if benefit.quota is not None and used >= benefit.quota:
        raise BenefitUsedUp(benefit=benefit.id, quota=benefit.quota, times_used=used, resets_at=period.ends_at)


def worth(benefit: Benefit, order: Order, currency: str) -> int:
    """What it takes off the order, in minor units, rounded down; 0 for what takes nothing off orders.

    Raises BenefitOrderTooSmall, BenefitWorthNothing.
    """
    if benefit.kind not in OFF_ORDER:
        return 0
    if benefit.least_order is not None and (order.amount or 0) < benefit.least_order:
        amount, least = money(order.amount or 0, currency), money(benefit.least_order, currency)
        raise BenefitOrderTooSmall(benefit=benefit.id, amount=amount, least_order=least)
    off = order.shipping or 0
    if benefit.price is not None:
        off = int((order.amount or 0) * (1 - benefit.price))
    if benefit.amount_max is not None:
        off = min(off, benefit.amount_max)
    if not off:
        raise BenefitWorthNothing(benefit=benefit.id)
    return off


def effect(kind: str, benefit: str) -> str:
    """What an order has once of benefits: something off its price, off its shipping, or each other benefit."""
    if kind in OFF_PRICE:
        return "price"
    return "shipping" if kind == BenefitKind.FREE_SHIPPING else f"benefit {benefit}"


class Quoted(NamedTuple):
    """A benefit at a checkout: what it takes off, or why it cannot be used; ``is_best``: the one to use."""

    benefit: Benefit
    worth: int
    refusal: Refusal | None
    is_best: bool = False


def with_best(quoted: Iterable[Quoted]) -> list[Quoted]:
    """Mark the best for the price and the best for shipping; of equal ones the one that uses up no quota."""
    found = list(quoted)
    best: dict[str, int] = {}
    for at, one in enumerate(found):
        if one.refusal is None and one.benefit.kind in OFF_ORDER:
            place = effect(one.benefit.kind, one.benefit.id)
            if place not in best or _goodness(one) > _goodness(found[best[place]]):
                best[place] = at
    return [one._replace(is_best=at in best.values()) for at, one in enumerate(found)]


def _goodness(one: Quoted) -> tuple[int, bool]:
    return one.worth, one.benefit.quota is None
