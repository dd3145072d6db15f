"""Why an award came to what it did: every rule's yes or no, what it looked at, the rounding and the caps.

``explain`` follows ``RuleSet.award`` step by step, slowly and in full; a test holds the two against each other. What
rules saw is kept with the operation (``keep``), or in rows of the channel's that an ``Explainer`` reads, so that an
award can be explained for ever by the version that judged it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter

from core.rulebook.expressions import Expression
from core.rulebook.language import NUMBERS
from core.rulebook.programme import Programme
from core.rulebook.rules import LINE, NO_CAPS, Activity, Award, CapRoom, Group, Rule, RuleSet
from core.time.clock import rfc3339

SEEN: Final = "seen"
"""Where the result of an operation keeps what rules saw."""

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


class Verdict(StrEnum):
    """What became of a rule."""

    APPLIED = "applied"
    CONDITION_NOT_MET = "condition_not_met"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    ANOTHER_CAME_FIRST = "another_came_first"
    ANOTHER_WAS_BETTER = "another_was_better"


class Fact(NamedTuple):
    """A fact that a rule looked at, by the name that expressions have for it."""

    name: str
    value: str


class Judged(NamedTuple):
    """A rule, and why it counted or did not. ``line`` is the line's number, from 1, in a group per line."""

    rule: str
    verdict: Verdict
    value: Decimal | None
    when: str | None
    amount: str
    facts: tuple[Fact, ...]
    since: datetime | None
    until: datetime | None
    line: int | None


class Step(NamedTuple):
    """A group of rules, what it was combined to, and the total before and after it."""

    group: str
    adds: bool
    combines: str
    rules: tuple[Judged, ...]
    before: Decimal
    after: Decimal


class Explained(NamedTuple):
    """An award of one unit with all that led to it, and what was given in the end."""

    channel: str
    of: str
    unit: str
    open: bool
    steps: tuple[Step, ...]
    rounding: str
    exact: Decimal
    award: Award
    given: int


class Seen(NamedTuple):
    """What rules saw of an operation, the rules by unit, and the room that caps left, where there are any.

    ``of`` says what of the channel has the rules, a campaign say. ``given`` is what became of the award where that is
    less, as of a budget; a campaign that was not ``open`` gave nothing, whatever its rules say.
    """

    of: str
    activity: Activity
    rules: Mapping[str, RuleSet]
    rooms: Mapping[str, CapRoom] = {}
    given: Mapping[str, int] = {}
    open: bool = True


class Explainer(NamedTuple):
    """How operations of a kind are explained whose rows, and not whose result, keep what rules saw.

    ``operation`` is its channel and kind: another channel's, where a reaction has given the award. ``seen`` is given
    the version that judged, the rows of ``model`` that name the operation in ``transaction_id``, and what the rules of
    the operation's own channel saw. ``says`` tells in sentences what no rule has judged: it is given the version, the
    rows and the language, ``en`` or ``zh``.
    """

    operation: tuple[str, str]
    model: type
    seen: Callable[[Programme, Sequence[Any], Sequence[Seen]], Sequence[Seen]] = lambda *_: ()
    says: Callable[[Programme, Sequence[Any], str], Sequence[str]] = lambda *_: ()


def keep(activity: Activity) -> dict[str, Any]:
    """What rules see of an activity without lines, as plain JSON that ``kept`` reads."""
    facts = {name: _adapter(type(value)).dump_python(value, mode="json") for name, value in activity.bindings.items()}
    return {"at": rfc3339(activity.at), "facts": facts, "rooms": {}}


def kept(programme: Programme, channel: str, result: Mapping[str, Any]) -> Seen | None:
    """What rules saw of an operation by its result; None when that does not say, or not as the channel has it today."""
    stored, settings = result.get(SEEN), programme.channels.get(channel)
    rules = getattr(settings, "earn", None)
    if stored is None or settings is None or not isinstance(rules, Mapping):
        return None
    try:
        facts = {name: _adapter(settings.facts[name]).validate_python(v) for name, v in stored["facts"].items()}
    except (KeyError, ValueError):
        return None
    activity = Activity(channel, datetime.fromisoformat(stored["at"]), facts)
    return Seen("", activity, rules, {unit: CapRoom(*room) for unit, room in stored["rooms"].items()})


def _adapter(kind: Any) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def explain(programme: Programme, seen: Seen) -> list[Explained]:
    """The awards, one of each unit, in the order in which they were given."""
    return [_explain_one(programme, seen, unit, rules) for unit, rules in seen.rules.items()]


def _explain_one(programme: Programme, seen: Seen, unit: str, rules: RuleSet) -> Explained:
    steps, activity = [], seen.activity
    with localcontext(NUMBERS):
        lines = [{**activity.bindings, LINE: line} for line in activity.lines]
        amounts = [Decimal(0)] * len(lines)
        total = Decimal(0)
        for group in rules.groups:
            before = total
            judged: list[Judged] = []
            if group.per == LINE:
                for index, bindings in enumerate(lines):
                    verdicts = _judge(group, activity.at, bindings, index + 1)
                    amounts[index] = _apply(group, amounts[index], verdicts)
                    judged += verdicts
                total = sum(amounts, Decimal(0))
            else:
                judged = _judge(group, activity.at, activity.bindings, None)
                total = _apply(group, total, judged)
            adds = group.add is not None
            steps.append(Step(group.id, adds, str(group.add or group.multiply), tuple(judged), before, total))
    award = rules.award(activity, seen.rooms.get(unit, NO_CAPS))
    return Explained(
        channel=activity.kind,
        of=seen.of,
        unit=unit,
        open=seen.open,
        steps=tuple(steps),
        rounding=programme.rounding.mode,
        exact=total,
        award=award,
        given=seen.given.get(unit, award.points) if seen.open else 0,
    )


def _judge(group: Group, at: datetime, bindings: Mapping[str, Any], line: int | None) -> list[Judged]:
    judged: list[Judged] = []
    first: str | None = None
    for rule in group.rules:
        verdict, value = Verdict.APPLIED, None
        if rule.valid is not None and not rule.valid.holds(at):
            early = rule.valid.since is not None and at < rule.valid.since
            verdict = Verdict.NOT_YET_VALID if early else Verdict.NO_LONGER_VALID
        elif first is not None and (group.add or group.multiply) == "first":
            verdict = Verdict.ANOTHER_CAME_FIRST
        elif rule.when is not None and not rule.when.run(bindings):
            verdict = Verdict.CONDITION_NOT_MET
        else:
            first = first or rule.id
            value = _value(rule, bindings)
        judged.append(
            Judged(
                rule=rule.id,
                verdict=verdict,
                value=value,
                when=rule.when.text if rule.when else None,
                amount=rule.points.text if rule.points else f"× {rule.factor}",
                facts=_facts(rule, bindings),
                since=rule.valid.since if rule.valid else None,
                until=rule.valid.until if rule.valid else None,
                line=line,
            )
        )
    if (group.add or group.multiply) == "best":
        hits = [rule for rule in judged if rule.verdict == Verdict.APPLIED]
        best = max(hits, key=lambda rule: rule.value or Decimal(0), default=None)
        judged = [
            rule._replace(verdict=Verdict.ANOTHER_WAS_BETTER) if rule in hits and rule is not best else rule
            for rule in judged
        ]
    return judged


def _apply(group: Group, total: Decimal, judged: Sequence[Judged]) -> Decimal:
    for rule in judged:
        if rule.verdict == Verdict.APPLIED:
            assert rule.value is not None
            total = total + rule.value if group.add is not None else total * rule.value
    return total


def _value(rule: Rule, bindings: Mapping[str, Any]) -> Decimal:
    value = rule.points.run(bindings) if rule.points is not None else rule.factor
    assert value is not None
    return value


def _facts(rule: Rule, bindings: Mapping[str, Any]) -> tuple[Fact, ...]:
    read: list[Expression[Any]] = [each for each in (rule.when, rule.points) if each is not None]
    names = dict.fromkeys(name for each in read for name in each.facts)
    return tuple(Fact(name, _written(_look_up(name, bindings))) for name in names)


def _look_up(name: str, bindings: Mapping[str, Any]) -> Any:
    owner, _, attribute = name.partition(".")
    return getattr(bindings[owner], attribute) if attribute else bindings[owner]


def _written(value: Any) -> str:
    """As an expression would write it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case Decimal():
            return format(value, "f")
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case list() | tuple() if any(is_dataclass(each) for each in value):
            return f"[{len(value)}]"
        case list() | tuple():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return str(value)
