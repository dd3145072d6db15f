"""What a section of the document says its sentences with: texts in two languages, and how each writes what is put in.

A channel's section says its rules in ``ChannelSettings.says``, with ``words.say("English {n}", "中文 {n}", n=…)`` for
each of its sentences. Whoever asks for one language gets the one; nobody translates.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from enum import StrEnum
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from core.channels.coupons import book_of
from core.ladder.benefits import Benefit, BenefitKind, BenefitPeriod, BirthdayWindow
from core.money import minor_digits, money
from core.rulebook.language import NUMBERS
from core.rulebook.rules import Budget, RuleSet, Validity
from core.time.calendar import local_day
from core.time.windows import LIFETIME, Window
from core.units import POINTS
from core.wording import language as languages
from core.wording.facts import FACTS, TALLIES, Both, FactWords, TallyWords, Wording
from core.wording.language import Language

if TYPE_CHECKING:
    from core.rulebook.programme import ChannelSettings, Programme

Path = tuple[str, ...]
"""Where in the document something stands: keys, and the ids of what is on lists."""

_FORMAT: Final = Formatter()
_PLACES: Final = Decimal("0.0001")
_SIGNIFICANT: Final = Context(prec=2)
_IN_TIME: Final[Mapping[BenefitPeriod, Both]] = {
    BenefitPeriod.MONTH: ("a month", "每月"),
    BenefitPeriod.YEAR: ("a year", "每年"),
    BenefitPeriod.MEMBERSHIP: ("in all", "累计"),
}


class Topic(StrEnum):
    """What a sentence is about: the section of the summary that it stands in."""

    EARNING = "earning"
    SPENDING = "spending"
    EXPIRY = "expiry"
    TIERS = "tiers"
    BENEFITS = "benefits"
    REFUNDS = "refunds"
    TOGETHER = "together"
    SERVICE = "service"


class Said(NamedTuple):
    """A sentence, what it is about, and the part of the section that it tells of."""

    topic: Topic
    text: str
    path: Path = ()


class Words:
    """A language, as a programme speaks it; bound to a channel, with that channel's facts as well."""

    def __init__(self, programme: "Programme", language: Language, channel: str = "") -> None:
        self.programme = programme
        self.language: Language = language
        self.channel = channel

    def of(self, channel: str) -> "Words":
        """The same, for a channel of the programme."""
        return Words(self.programme, self.language, channel)

    def say(self, en: str, zh: str, /, **parts: str) -> str:
        """The text in the language, with its parts put in.

        Chinese has a space between its characters and Latin letters or digits; it is put where a part meets them.
        """
        if self.language == "en":
            return en.format(**parts)
        said = ""
        for literal, name, _, _ in _FORMAT.parse(zh):
            said = languages.next_to(said, literal)
            if name is not None:
                said = languages.next_to(said, parts[name])
        return said

    # -- what is put in ---------------------------------------------------------------------------------

    def number(self, value: Decimal | int) -> str:
        return languages.number(self.language, value)

    def money(self, value: Decimal | int) -> str:
        """Money in the currency's unit."""
        return languages.money(self.language, value, self.programme.currency)

    def minor(self, value: int) -> str:
        """Money that is counted in minor units."""
        return self.money(money(value, self.programme.currency))

    def percent(self, share: Decimal) -> str:
        return languages.percent(self.language, share)

    def moment(self, at: datetime) -> str:
        """An instant: the day where it is a midnight of the programme, else with the time."""
        local = at.astimezone(self.programme.zone)
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            return self.day(local.date())
        return f"{self.day(local.date())} {local:%H:%M}"

    def day(self, on: date) -> str:
        return languages.day(self.language, on)

    def unit(self, name: str) -> str:
        return languages.unit_name(self.language, name)

    def amount(self, value: Decimal | int, unit: str = POINTS) -> str:
        """So much of a unit: 1 point, 50 points."""
        name = self.unit(unit)
        if self.language == "en" and value == 1 and name.endswith("s"):
            name = name[:-1]
        return f"{self.number(value)} {name}"

    def points(self, value: int) -> str:
        return self.amount(value)

    def count(self, value: int, one: str, several: str, zh: str) -> str:
        """So many of something: count(3, "{n} day", "{n} days", "{n}天")."""
        return self.say(one if value == 1 else several, zh, n=self.number(value))

    def days(self, value: int) -> str:
        return self.count(value, "{n} day", "{n} days", "{n}天")

    def months(self, value: int) -> str:
        return self.count(value, "{n} month", "{n} months", "{n}个月")

    def times(self, value: int) -> str:
        if self.language == "en" and value in {1, 2}:
            return ("once", "twice")[value - 1]
        return self.count(value, "{n} time", "{n} times", "{n}次")

    def quoted(self, text: str) -> str:
        return f"“{text}”"

    def term(self, text: Any) -> str:
        """A word of the document, as people read it."""
        return languages.spaced(text) if isinstance(text, str) else self.number(text)

    def listed(self, items: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
        return languages.listed(self.language, items, style)

    def joined(self, parts: Iterable[str], en: str, zh: str) -> str:
        """The parts, with this between them."""
        first, *rest = parts
        for part in rest:
            first = self.say("{first}{en}{part}", "{first}{zh}{part}", first=first, en=en, zh=zh, part=part)
        return first

    def tier(self, tier: str) -> str:
        """What members call a tier."""
        ladder = self.programme.tiers.ladder if self.programme.tiers else ()
        name = next((each.name for each in ladder if each.id == tier), None)
        return name or languages.spaced(tier).capitalize()

    def tiers(self, tiers: Iterable[str], style: Literal["standard", "or"] = "standard") -> str:
        return self.listed([self.tier(tier) for tier in tiers], style)

    def members(self, tiers: Iterable[str]) -> str:
        """The members of some tiers: Gold and Platinum members."""
        return self.say("{tiers} members", "{tiers}会员", tiers=self.tiers(tiers))

    def coupon(self, coupon: str) -> str:
        """What members call a coupon."""
        book = book_of(self.programme)
        return self.quoted(book.coupon_name(coupon) if book else coupon)

    def gift(self, pack: Mapping[str, int], coupons: Iterable[str] = ()) -> str:
        """So much of each unit, and coupons."""
        named = [self.coupon(coupon) for coupon in coupons]
        parts = [self.amount(amount, unit) for unit, amount in pack.items() if amount]
        if named:
            texts = (
                ("the coupon {names}", "优惠券{names}") if len(named) == 1 else ("the coupons {names}", "优惠券{names}")
            )
            parts.append(self.say(*texts, names=self.listed(named)))
        return self.listed(parts)

    def validity(self, valid: Validity | None) -> str:
        """From when until when; nothing where it is always."""
        if valid is None or (valid.since is None and valid.until is None):
            return ""
        if valid.until is None:
            assert valid.since is not None
            return self.say("from {since} on", "自{since}起", since=self.moment(valid.since))
        until = self._until(valid.until)
        if valid.since is None:
            return self.say("until {until}", "截至{until}", until=until)
        return self.say("from {since} until {until}", "自{since}至{until}", since=self.moment(valid.since), until=until)

    def _until(self, at: datetime) -> str:
        """An end that is a midnight belongs to the day before, as people say it."""
        local = at.astimezone(self.programme.zone)
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            return self.say(
                "the end of {day}", "{day}止", day=self.day(local_day(at, self.programme.zone) - timedelta(1))
            )
        return self.moment(at)

    def limits(self, day: int | None, month: int | None, lifetime: int | None) -> str:
        """How often: twice a day, 10 times a month; nothing where it is not limited."""
        parts = [
            self.say(en, zh, times=self.times(most))
            for most, en, zh in (
                (day, "{times} a day", "每日{times}"),
                (month, "{times} a month", "每月{times}"),
                (lifetime, "{times} in all", "累计{times}"),
            )
            if most is not None
        ]
        return self.say(", ", "、").join(parts)

    def most(self, day: int | None, month: int | None, lifetime: int | None, unit: str = POINTS) -> str:
        """How much: 500 points a day, 2,000 points a month; nothing where it is not limited."""
        parts = [
            self.say(en, zh, amount=self.amount(most, unit))
            for most, en, zh in (
                (day, "{amount} a day", "每日{amount}"),
                (month, "{amount} a month", "每月{amount}"),
                (lifetime, "{amount} in all", "累计{amount}"),
            )
            if most is not None
        ]
        return self.say(", ", "、").join(parts)

    def budget(self, budget: Budget, unit: str = POINTS) -> str:
        """A sentence about what all members together get; nothing where there is no end to it."""
        if not budget.is_limited or not budget.stops:
            return ""
        return self.say(
            "All members together get {most} at most; whoever comes later gets less, or nothing.",
            "全体会员合计上限为{most}，额度用完即止。",
            most=self.most(budget.day, budget.month, budget.lifetime, unit),
        )

    def window(self, window: Window) -> str:
        """How far back is counted; nothing where it is the whole membership."""
        if window == LIFETIME:
            return ""
        span = self.days(window.days) if window.days is not None else self.months(window.months or 0)
        return self.say("within {span}", "近{span}内", span=span)

    # -- facts, tallies, rules --------------------------------------------------------------------------

    @cached_property
    def wording(self) -> Wording:
        """What the channel calls its things."""
        settings = self.programme.channels.get(self.channel)
        return settings.wording if settings is not None else Wording()

    def fact(self, name: str) -> FactWords | None:
        """A fact of expressions in words; None where there are none."""
        return self.wording.facts.get(name) or FACTS.get(name)

    def measure(self, name: str) -> str:
        """What is counted, without how much of it."""
        words = self._tallies.get(name)
        return self.say(*words.measure) if words is not None and words.measure else self.quoted(self.term(name))

    def chance(self, weight: int, total: int) -> str:
        """A share as a chance, exact where it has few places and else rounded to them; never to nothing."""
        share = NUMBERS.divide(Decimal(weight * 100), Decimal(total))
        rounded = share.quantize(_PLACES) if share >= _PLACES else _SIGNIFICANT.plus(share)
        return f"{self.number(languages.plain(rounded))}%"

    def tally(self, name: str, value: Decimal | int) -> str:
        """So much of what is counted: 3 orders, CN¥500 spent."""
        words = self._tallies.get(name)
        if name == "average_order":
            return self._average(Decimal(value))
        shown = self.money(value) if name == "spend" else self.number(value)
        if words is None:
            return self.say("{n} × {name}", "{name}达{n}次", n=shown, name=self.quoted(self.term(name)))
        return self.say(words.one if value == 1 and name != "spend" else words.several, words.zh, n=shown)

    def activity(self, names: Iterable[str]) -> str:
        """What somebody does: an order or a sign-in."""
        return self.listed([self._activity(name) for name in names], "or")

    def _activity(self, name: str) -> str:
        words = self._tallies.get(name)
        if words is None:
            return self.quoted(self.term(name))
        return self.say(words.one, words.activity_zh or words.zh, n=self.number(1))

    def _average(self, value: Decimal) -> str:
        words = TALLIES["average_order"]
        cents = value.quantize(Decimal(1).scaleb(-minor_digits(self.programme.currency)), ROUND_DOWN)
        if cents != value:
            # Nobody's average has places that money has not: it is how "more than" is written.
            return self.say(
                "an average order of more than {n}", "平均每单超过{n}", n=self.money(languages.plain(cents))
            )
        return self.say(words.several, words.zh, n=self.money(languages.plain(value)))

    @cached_property
    def _tallies(self) -> Mapping[str, TallyWords]:
        found = dict(TALLIES)
        for settings in self.programme.channels.values():
            found.update(settings.wording.tallies)
            found.update(settings.tallies_in_words())
        return found

    def rules(self, rules: RuleSet, unit: str, occasion: Both | None = None, path: Path = ()) -> Iterator[Said]:
        """A rule set, rule by rule. ``occasion`` is what earns, if it is not what the channel says."""
        from core.wording.rules import sentences

        return sentences(self, rules, unit, occasion or self.occasion, path)

    @property
    def occasion(self) -> Both:
        """What earns in the channel: each order."""
        name = languages.spaced(self.channel)
        return self.wording.occasion or (f"each {name}", f"每次{self.quoted(name)}")

    def earnings(self, settings: "ChannelSettings") -> Iterator[Said]:
        """The rule sets that a section has under ``earn``."""
        earn = getattr(settings, "earn", None)
        if isinstance(earn, RuleSet):
            yield from self.rules(earn, POINTS, path=("earn",))
        elif isinstance(earn, Mapping):
            for unit, rules in earn.items():
                if isinstance(rules, RuleSet):
                    yield from self.rules(rules, unit, path=("earn", unit))

    # -- benefits -----------------------------------------------------------------------------------------

    def benefits(self, settings: "ChannelSettings") -> Iterator[Said]:
        """What members of each tier have of a section, as it tells of it (``brings``); once, where all have it."""
        ladder = [tier.id for tier in self.programme.tiers.ladder] if self.programme.tiers else [""]
        holders: dict[Benefit, list[str]] = {}
        for tier in ladder:
            for benefit in settings.brings(self.programme, tier):
                holders.setdefault(benefit, []).append(tier)
        for benefit, tiers in holders.items():
            who = self.say("Every member", "所有会员") if len(tiers) == len(ladder) else self.members(tiers)
            text = self.say("{who}: {what}.", "{who}：{what}。", who=who, what=self.benefit(benefit))
            yield Said(Topic.BENEFITS, text, ("benefits", benefit.id))

    def benefit(self, benefit: Benefit) -> str:
        """A benefit with its terms."""
        name, terms = benefit.name, self.say(", ", "，").join(self._terms(benefit))
        if benefit.partner is not None:
            name = self.say("{name} ({partner})", "{name}（{partner}）", name=name, partner=benefit.partner)
        if not terms or terms.casefold() == name.casefold():
            return name
        return self.say("{name} ({terms})", "{name}（{terms}）", name=name, terms=terms)

    def _terms(self, benefit: Benefit) -> Iterator[str]:
        match benefit.kind:
            case BenefitKind.DISCOUNT | BenefitKind.MEMBER_DAY if benefit.price is not None:
                yield self.say("{off} off", "立减{off}", off=self.percent(1 - benefit.price))
            case BenefitKind.REWARD_PRICE if benefit.price is not None:
                yield self.say("{price} of the price", "所需积分按{price}计", price=self.percent(benefit.price))
            case BenefitKind.POINTS_MULTIPLIER if benefit.factor is not None:
                yield factor(self, benefit.factor, POINTS)
            case BenefitKind.COUPON if [self.coupon(each) for each in benefit.coupons] == [self.quoted(benefit.name)]:
                yield self.say("a coupon", "优惠券")
            case BenefitKind.COUPON | BenefitKind.GIFT if benefit.points or benefit.coupons:
                yield self.gift({POINTS: benefit.points or 0}, benefit.coupons)
            case _:
                pass
        if benefit.quota is not None and benefit.per is not None:
            period = self.say(*_IN_TIME[benefit.per])
            yield self.say("{times} {period}", "{period}{times}", times=self.times(benefit.quota), period=period)
        if benefit.least_order is not None:
            yield self.say("for orders of {least} or more", "订单满{least}可用", least=self.minor(benefit.least_order))
        if benefit.amount_max is not None:
            yield self.say("{most} at most", "最多{most}", most=self.minor(benefit.amount_max))
        if benefit.month_days:
            days = self.listed([self.say("{n}", "{n}日", n=str(day)) for day in benefit.month_days])
            yield self.say("on day {days} of each month", "每月{days}", days=days)
        if benefit.birthday is not None:
            texts = (
                ("on your birthday", "生日当天")
                if benefit.birthday is BirthdayWindow.DAY
                else ("in the month of your birthday", "生日当月")
            )
            yield self.say(*texts)
        if benefit.hours_ahead is not None:
            hours = self.count(benefit.hours_ahead, "{n} hour", "{n} hours", "{n}小时")
            yield self.say("{hours} before others", "提前{hours}", hours=hours)
        if validity := self.validity(_validity(benefit)):
            yield validity


def _validity(benefit: Benefit) -> Validity:
    return Validity.model_construct(since=benefit.since, until=benefit.until)


def factor(words: Words, value: Decimal, unit: str) -> str:
    """What multiplying with it does: double points, 20% more points."""
    name = words.unit(unit)
    value = languages.plain(value)
    if value == 0:
        return words.say("no {unit}", "不得{unit}", unit=name)
    if value == 1:
        return words.say("the usual {unit}", "按常规得{unit}", unit=name)
    if value == 2:
        return words.say("double {unit}", "双倍{unit}", unit=name)
    if value == value.to_integral_value():
        return words.say("{n} times the {unit}", "{n}倍{unit}", n=words.number(value), unit=name)
    if value > 1:
        more = words.percent(NUMBERS.subtract(value, Decimal(1)))
        return words.say("{more} more {unit}", "{unit}多得{more}", more=more, unit=name)
    return words.say("only {part} of the {unit}", "仅得{part}的{unit}", part=words.percent(value), unit=name)
