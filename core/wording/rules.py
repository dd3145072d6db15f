"""Rule sets in sentences: a sentence for each rule, then how a group's rules go together, then limits and waiting."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rule_engine import ast

from core.rulebook.rules import Caps, Group, Rule, RuleSet
from core.wording.expressions import amount, condition, fact_of
from core.wording.facts import Both
from core.wording.words import Path, Said, Topic, factor

if TYPE_CHECKING:
    from core.wording.words import Words


def sentences(words: "Words", rules: RuleSet, unit: str, occasion: Both, path: Path = ()) -> Iterator[Said]:
    """What a rule set gives of a unit for an occasion."""
    for number, group in enumerate(rules.groups):
        at = (*path, "groups", group.id)
        for place, rule in enumerate(group.rules):
            # Of rules that add up the first is the one that all others come to.
            first = number == 0 and (place == 0 or group.add != "sum")
            text = _adds(words, rule, unit, occasion, first=first) if group.add else _multiplies(words, rule, unit)
            yield Said(Topic.EARNING, text, (*at, "rules", rule.id))
        if together := _together(words, group):
            yield Said(Topic.EARNING, together, at)
    if capped := caps(words, rules.caps, unit, occasion):
        yield Said(Topic.EARNING, capped, (*path, "caps"))
    if shared := words.budget(rules.caps.programme, unit):
        yield Said(Topic.EARNING, shared, (*path, "caps", "programme"))
    if rules.pending is not None:
        text = words.say(
            "What {occasion} earns can be spent {days} later.", "{occasion}所得{days}后可用。",
            occasion=words.say(*occasion), days=words.days(rules.pending.days),
        )  # fmt: skip
        yield Said(Topic.EARNING, text, (*path, "pending"))


def caps(words: "Words", limits: Caps, unit: str, occasion: Both) -> str:
    """The most that one member is given."""
    parts = []
    if limits.order is not None:
        most = words.amount(limits.order, unit)
        parts.append(words.say("{most} for {occasion}", "{occasion}{most}", most=most, occasion=words.say(*occasion)))
    if over_time := words.most(limits.day, limits.month, limits.lifetime, unit):
        parts.append(over_time)
    if not parts:
        return ""
    return words.say("At most {most}.", "上限：{most}。", most=words.say(", ", "、").join(parts))


def _adds(words: "Words", rule: Rule, unit: str, occasion: Both, *, first: bool) -> str:
    assert rule.points is not None
    given = amount(words, rule.points, unit)
    subject = words.say(*occasion)
    when = "" if rule.when is None else condition(words, rule.when)
    en = "{subject} earns {given}" if first else "{subject} earns another {given}"
    if words.language == "en" and not first and not given[0].isdigit():
        en = "{subject} also earns {given}"
    said = words.say(
        en + ("{when}" if not when else " when {when}"),
        "{subject}：" + ("{when}时，" if when else "{when}") + ("{given}" if first else "另{given}"),
        subject=_capital(words, subject), given=given, when=when,
    )  # fmt: skip
    return _closed(words, said, rule)


def _multiplies(words: "Words", rule: Rule, unit: str) -> str:
    assert rule.factor is not None
    given = factor(words, rule.factor, unit)
    if rule.when is None:
        return _closed(words, _capital(words, given), rule)
    when = condition(words, rule.when)
    return _closed(
        words, _capital(words, words.say("{given} when {when}", "{when}时，{given}", given=given, when=when)), rule
    )


def _closed(words: "Words", said: str, rule: Rule) -> str:
    if validity := words.validity(rule.valid):
        return words.say("{said}, {validity}.", "{said}（{validity}）。", said=said, validity=validity)
    return words.say("{said}.", "{said}。", said=said)


def _capital(words: "Words", text: str) -> str:
    return text[:1].upper() + text[1:] if words.language == "en" else text


def _together(words: "Words", group: Group) -> str:
    """How the rules of a group go together, where that is to be said: where not all of them count."""
    if len(group.rules) == 1 or (group.add or group.multiply) in {"sum", "product"} or _never_together(group):
        return ""
    if (group.add or group.multiply) == "best":
        return words.say("Of these only the best counts.", "以上取最优的一项。")
    return words.say("Of these only the first that applies counts.", "以上仅计首个满足条件的一项。")


def _never_together(group: Group) -> bool:
    """Whether each rule asks for another value of one fact, so that never two of them apply."""
    asked = set[tuple[str | None, str]]()
    for rule in group.rules:
        tree = None if rule.when is None else rule.when.tree
        if not (isinstance(tree, ast.ComparisonExpression) and tree.type == "eq"):
            return False
        if not isinstance(tree.right, ast.StringExpression):
            return False
        asked.add((fact_of(tree.left), tree.right.value))
    return len({fact for fact, _ in asked}) == 1 and len(asked) == len(group.rules)
