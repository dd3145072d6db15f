"""Warnings about a programme that can be published: rules that never count, tiers out of reach, points without end.

No warning stops anything. Each is sure of what it says; what only might be wrong is not told.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, NamedTuple

from core.advice.conditions import never_holds
from core.ladder.tiers import Criterion
from core.rulebook.expressions import Expression
from core.rulebook.language import NUMBERS
from core.rulebook.programme import Path, Place, Programme, parts
from core.rulebook.rules import Group, RuleSet
from core.units import POINTS
from core.wording.expressions import NoWords, linear
from core.wording.facts import Both
from core.wording.language import Language
from core.wording.words import Words

_MONEY_OF_ORDERS: Final = frozenset({"order.amount", "order.total"})

COST_MOST: Final = Decimal("0.03")
"""What redemption should cost at most, of what members pay, where the programme does not say it."""


class WarningCode(StrEnum):
    """What is wrong."""

    RULE_NEVER_MATCHES = "rule_never_matches"
    RULE_IS_OVER = "rule_is_over"
    RULE_IS_SHADOWED = "rule_is_shadowed"
    TIER_OUT_OF_REACH = "tier_out_of_reach"
    MINTS_WITHOUT_LIMIT = "mints_without_limit"
    COSTS_TOO_MUCH = "costs_too_much"
    NOTHING_WITHOUT_LINES = "nothing_without_lines"


_SAYS: Final[Mapping[WarningCode, Both]] = {
    WarningCode.RULE_NEVER_MATCHES: (
        "This rule can never count: “{when}” holds for nobody.", "该规则永不生效：“{when}”不可能成立。",
    ),
    WarningCode.RULE_IS_OVER: ("This rule is over since {until}.", "该规则已于{until}结束。"),
    WarningCode.RULE_IS_SHADOWED: (
        "This rule can never count: only the first of its group does, and “{earlier}” before it always comes first.",
        "该规则永不生效：同组仅计首个满足条件的规则，而其前的“{earlier}”总是先满足。",
    ),
    WarningCode.TIER_OUT_OF_REACH: (
        "Nobody can reach {tier}: it asks for {facts}, which no channel of the programme gives.",
        "无人能达到{tier}：其条件{facts}没有任何渠道提供。",
    ),
    WarningCode.MINTS_WITHOUT_LIMIT: (
        "This can be done as often as somebody likes, however little it costs, and brings points without any limit.",
        "此项可无限次进行，花费再少也能获得积分，且没有任何上限。",
    ),
    WarningCode.COSTS_TOO_MUCH: (
        "At {rate} points for each {unit}, worth {worth} each, redemption costs {cost} of revenue; {most} is the most.",
        "每{unit}发放 {rate} 积分，每积分价值{worth}，兑换成本占营业额的{cost}，超过上限{most}。",
    ),
    WarningCode.NOTHING_WITHOUT_LINES: (
        "An order without lines brings nothing here; a group with “order.lines.length == 0” can give for it.",
        "未提供明细行的订单在此不计任何积分；可另设一组规则，条件为“order.lines.length == 0”。",
    ),
}  # fmt: skip


class Warning(NamedTuple):  # noqa: A001  it is what everybody calls it
    """A warning, where in the document it belongs, and the facts of it."""

    code: WarningCode
    path: Path
    place: Place | None
    parts: Mapping[str, Any]
    programme: Programme

    @property
    def path_text(self) -> str:
        """``channels.purchase.earn.points.groups[tier].rules[gold]``."""
        return self.programme.path_text(self.path)

    def text(self, language: Language) -> str:
        """It in a sentence."""
        words = Words(self.programme, language)
        return words.say(*_SAYS[self.code], **{name: _said(words, name, part) for name, part in self.parts.items()})


def _said(words: Words, name: str, part: Any) -> str:
    match name:
        case "until":
            return words.moment(part)
        case "tier":
            return words.tier(part)
        case "facts":
            return words.listed([words.measure(fact) for fact in part])
        case "unit" | "worth":
            return words.money(part)
        case "cost" | "most":
            return words.percent(part)
        case "rate":
            return words.number(part)
        case _:
            return str(part)


def lint(programme: Programme, now: datetime) -> list[Warning]:
    """What there is to warn of, in the order of the document."""
    found = [
        Warning(code, path, programme.place(path), parts, programme)
        for code, path, parts in (*_channels(programme, now), *_tiers(programme))
    ]
    return sorted(found, key=lambda each: (each.place or Place(0, 0), each.path_text))


Found = tuple[WarningCode, Path, Mapping[str, Any]]


def _channels(programme: Programme, now: datetime) -> Iterator[Found]:
    for channel, settings in programme.channels.items():
        at: Path = ("channels", channel)
        for path, rules in parts(RuleSet, settings, at):
            yield from _rules(programme, rules, path, now)
            yield from _lines(rules, path)
        # What is earned faster than a pace allows waits until somebody has looked.
        if not any(pace.then == "hold" for pace in programme.paces.get(channel, ())):
            for path in settings.mints():
                yield WarningCode.MINTS_WITHOUT_LIMIT, (*at, *path), {}
        earn = getattr(settings, "earn", None)
        if isinstance(earn, Mapping) and isinstance(earn.get(POINTS), RuleSet):
            yield from _cost(programme, earn[POINTS], (*at, "earn", POINTS))


def _rules(programme: Programme, rules: RuleSet, path: Path, now: datetime) -> Iterator[Found]:
    ladder = programme.tiers.ladder if programme.tiers else ()
    # Where there are no tiers the tier of every member is empty.
    domains = {"member.tier": frozenset(tier.id for tier in ladder) or frozenset({""})}
    for number, group in enumerate(rules.groups):
        for place, rule in enumerate(group.rules):
            at = (*path, "groups", number, "rules", place)
            if rule.when is not None and never_holds(rule.when, domains, programme.lists):
                yield WarningCode.RULE_NEVER_MATCHES, (*at, "when"), {"when": rule.when.text}
            elif rule.valid is not None and rule.valid.until is not None and rule.valid.until <= now:
                yield WarningCode.RULE_IS_OVER, (*at, "valid"), {"until": rule.valid.until}
            elif (earlier := _shadow(group, place)) is not None:
                yield WarningCode.RULE_IS_SHADOWED, at, {"earlier": earlier}


def _shadow(group: Group, place: int) -> str | None:
    """The rule before that always counts when this one would, in a group of which only the first does."""
    if (group.add or group.multiply) != "first":
        return None
    rule = group.rules[place]
    for earlier in group.rules[:place]:
        if earlier.valid is not None:
            continue
        if earlier.when is None or (rule.when is not None and earlier.when.text == rule.when.text):
            return earlier.id
    return None


def _lines(rules: RuleSet, path: Path) -> Iterator[Found]:
    """The group that gives by the money of every line, where none gives by the money of an order."""
    given = [
        (number, group.per, rule.when, rule.points.facts)
        for number, group in enumerate(rules.groups)
        for rule in group.rules
        if rule.points is not None
    ]
    if any(per == "order" and not _MONEY_OF_ORDERS.isdisjoint(facts) for _, per, _, facts in given):
        return
    for number, per, when, facts in given:
        if per == "line" and when is None and "line.amount" in facts:
            yield WarningCode.NOTHING_WITHOUT_LINES, (*path, "groups", number), {}
            return


def _cost(programme: Programme, rules: RuleSet, path: Path) -> Iterator[Found]:
    rate, worth = base_rate(rules), programme.point_value
    if rate is None or not worth:
        return
    most = COST_MOST if programme.redemption_cost is None else programme.redemption_cost.at_most
    cost = NUMBERS.multiply(rate, worth)
    if cost > most:
        parts = {"rate": rate.normalize(), "unit": Decimal(1), "worth": worth, "cost": cost, "most": most}
        yield WarningCode.COSTS_TOO_MUCH, path, parts


def base_rate(rules: RuleSet) -> Decimal | None:
    """The points for a unit of money that everybody has at any time: what rules without a condition give.

    None where that is not to be seen, as the points are not by the money.
    """
    rate = Decimal(0)
    for group in rules.groups:
        always = [rule for rule in group.rules if rule.when is None and rule.valid is None]
        if len(always) < len(group.rules) and (group.add or group.multiply) in {"best", "first"} and group.add:
            return None
        if group.add is not None:
            if len(always) > 1 and group.add != "sum":
                return None
            for rule in always:
                assert rule.points is not None
                found = _per_money(rule.points)
                if found is None:
                    return None
                rate += found
        else:
            factors = [rule.factor for rule in always if rule.factor is not None]
            if len(factors) > 1 and group.multiply != "product":
                return None
            for factor in factors:
                rate *= factor
    return rate or None


def _per_money(points: Expression[Decimal]) -> Decimal | None:
    try:
        value = linear(points.tree)
    except NoWords:
        return None
    if value.most is not None or value.least is not None:
        return None
    if any(term.fact not in {"order.amount", "line.amount"} or term.step is not None for term in value.terms):
        return None
    rate = sum((term.factor for term in value.terms), Fraction(0))
    return NUMBERS.divide(Decimal(rate.numerator), Decimal(rate.denominator))


# -- tiers ------------------------------------------------------------------------------------------------

_MONEY: Final = frozenset({"spend", "orders"})


def _tiers(programme: Programme) -> Iterator[Found]:
    ladder = programme.tiers
    if ladder is None:
        return
    for number, tier in enumerate(ladder.ladder):
        criteria = tier.all_of or tier.any_of or ()
        lacking = [one.fact for one in criteria if not _is_given(programme, one)]
        if lacking and (tier.mode == "all" or len(lacking) == len(criteria)):
            yield WarningCode.TIER_OUT_OF_REACH, ("tiers", "ladder", number), {"tier": tier.id, "facts": lacking}


def _is_given(programme: Programme, criterion: Criterion) -> bool:
    """Whether some channel may count what the criterion asks for; of facts of plugins nobody can say it here."""
    needed = {"spend", "orders"} if criterion.fact == "average_order" else {criterion.fact}
    if needed <= _MONEY:
        counted = {fact for settings in programme.channels.values() for fact in settings.adds_to()}
        return needed <= counted
    unit = criterion.fact.removesuffix("_earned")
    if criterion.fact == unit or unit not in programme.all_units:
        return True
    if unit == POINTS:
        # Most channels can give some, and say so in many ways.
        return bool(programme.channels)
    return any(_names(section, unit) for section in programme.document.get("channels", {}).values())


def _names(part: Any, unit: str) -> bool:
    """Whether a unit is a key anywhere in a part of the document: of what is earned, or of a gift."""
    if isinstance(part, Mapping):
        return unit in part or any(_names(inner, unit) for inner in part.values())
    return isinstance(part, list) and any(_names(inner, unit) for inner in part)
