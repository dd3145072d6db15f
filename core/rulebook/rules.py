"""Activity in, award out: how rules are chosen, combined, rounded and capped.

A rule set belongs to one channel and one unit. Its groups run from the top: ``add`` groups bring
points, ``multiply`` groups change what is there. Groups ``per: line`` come first and see one line at a
time; then the lines are summed. There is one rounding, after the last group, and caps come after it.

``RuleSet.award`` is pure. Previews, simulations, the real award and the rework of a refund all call it
with the same values, and so can never disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    localcontext,
)
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.errors import InvalidAmount
from core.rulebook.document import Count, Identifier, Instant, QuotedDecimal, Section
from core.rulebook.expressions import Expression, ExpressionInvalid, Scope
from core.rulebook.language import NUMBERS
from core.rulebook.outside import NOTHING_OUTSIDE, Outside
from core.suggest import did_you_mean
from core.units import AMOUNT_MAX, GROWTH, POINTS

Rounding = Literal["floor", "ceil", "half_up", "half_even"]
ROUNDINGS: Final[Mapping[Rounding, str]] = {
    "floor": ROUND_FLOOR,
    "ceil": ROUND_CEILING,
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
}

Step = tuple[str, tuple[tuple[str, str], ...], str]
"""A group, the rules that were hit with the value of each, and the total after it."""

Share = tuple[str, str, int]
"""A group, a rule of it that was hit, and by how much that changed the rounded total."""

LINE: Final = "line"
"""The fact that only ``per: line`` groups see: the line they are looking at."""

SHARE_MAX: Final = 10**12
"""Of larger shares no sum could be kept or told."""

_ZERO = Decimal(0)
_RESERVED = frozenset({"rounding", "caps"})  # steps of the trace that are no group


@dataclass(frozen=True, slots=True)
class Activity:
    """What a member did, as the rules see it. ``bindings`` holds every fact but the line."""

    kind: str
    at: datetime
    bindings: Mapping[str, Any]
    lines: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Award:
    """What rules give for an activity.

    ``uncapped`` is the rounded total, ``points`` what the caps left of it, ``cut`` each cap that took
    something and how much. ``trace`` is made of tuples, strings and integers and goes into JSON as it is.
    ``shares`` say what each rule brought, in the order of the groups: they add up to ``uncapped``. There are none where
    one would be larger than ``SHARE_MAX``, as on the way from billions to a few points.
    """

    points: int
    uncapped: int
    trace: tuple[Step, ...]
    cut: tuple[tuple[str, int], ...]
    shares: tuple[Share, ...]


class CapRoom(NamedTuple):
    """What is left of each cap that counts over time; None where there is no such cap.

    Kept with the award, so that a refund prices what is left of the order in the same room.
    """

    day: int | None = None
    month: int | None = None
    lifetime: int | None = None
    programme: int | None = None


NO_CAPS: Final = CapRoom()


class Less(StrEnum):
    """Why less is given than rules have come to: a cap, a budget of its own, or as it was given before."""

    ORDER = "order"
    DAY = "day"
    MONTH = "month"
    LIFETIME = "lifetime"
    PROGRAMME = "programme"
    BUDGET = "budget"
    BEFORE = "before"


class Compilation:
    """What the rule sets of one channel are compiled against: pydantic's context while they are validated."""

    def __init__(
        self,
        facts: Mapping[str, Any],
        *,
        lists: Mapping[str, Sequence[str]] | None = None,
        zone: tzinfo = UTC,
        rounding: Rounding = "floor",
        units: Iterable[str] = (POINTS, GROWTH),
        countables: Iterable[str] = (),
        outside: Outside = NOTHING_OUTSIDE,
    ) -> None:
        shared = {name: kind for name, kind in facts.items() if name != LINE}
        self.order = Scope(shared, lists=lists, zone=zone)
        # A loop over the lines for each of the lines would cost the square of the order's length.
        self.line = Scope(facts, lists=lists, zone=zone, comprehensions_max=0) if LINE in facts else None
        self.rounding: Rounding = rounding
        self.units = frozenset(units)
        self.countables = frozenset(countables)
        self.outside = outside
        self.scope = self.order  # of the group that is being validated


def compilation_of(info: ValidationInfo) -> Compilation:
    """What a section is being validated against."""
    if not isinstance(info.context, Compilation):
        raise TypeError("rule sets are validated with a Compilation as context")
    return info.context


T = TypeVar("T")


def _expression(value: Any, info: ValidationInfo, wants: type[T]) -> Expression[T]:
    if not isinstance(value, str):
        raise PydanticCustomError("expression", "an expression is quoted text")
    try:
        return compilation_of(info).scope.compile(value, wants)
    except ExpressionInvalid as error:
        # Reasons may hold braces, which a template would read.
        raise PydanticCustomError(
            "expression", "{reason}", {"reason": str(error), "position": error.position}
        ) from None


def _condition(value: Any, info: ValidationInfo) -> Expression[bool]:
    return _expression("true" if value is True else "false" if value is False else value, info, bool)


def _amount(value: Any, info: ValidationInfo) -> Expression[Decimal]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return _expression(str(value) if whole else value, info, Decimal)


def _known_unit(name: str, info: ValidationInfo) -> str:
    units = compilation_of(info).units
    if name not in units:
        raise PydanticCustomError("unit", "{reason}", {"reason": f"unknown unit {name!r}{did_you_mean(name, units)}"})
    return name


Condition = Annotated[Expression[bool], PlainValidator(_condition)]
"""An expression over what the channel sees that holds or does not, for settings such as ``when: Condition``."""

UnitName = Annotated[str, AfterValidator(_known_unit)]
"""A unit that the programme has, for settings such as ``earn: dict[UnitName, RuleSet]``."""


def _known_countable(name: str, info: ValidationInfo) -> str:
    return check_countable(name, info)


def check_countable(name: str, info: ValidationInfo, own: Iterable[str] = ()) -> str:
    """The name of a tally that can be counted, or of one of the section's ``own``."""
    known = {*compilation_of(info).countables, *own}
    if name not in known:
        reason = f"nobody counts {name!r}{did_you_mean(name, known)}"
        raise PydanticCustomError("countable", "{reason}", {"reason": reason})
    return name


Countable = Annotated[str, AfterValidator(_known_countable)]
"""A tally that somebody counts, for settings such as ``activities: list[Countable]``."""


class Validity(Section):
    """From an instant on, until just before another."""

    since: Instant | None = Field(default=None, alias="from")
    until: Instant | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PydanticCustomError("validity", "ends before it begins")
        return self

    def holds(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class Rule(Section):
    """When it applies, and the points it brings or the factor it multiplies with."""

    id: Identifier
    when: Condition | None = None
    points: Annotated[Expression[Decimal], PlainValidator(_amount)] | None = None
    factor: QuotedDecimal | None = None
    valid: Validity | None = None


class Group(Section):
    """Rules that are combined in one way."""

    id: Identifier
    per: Literal["order", "line"] = "order"
    add: Literal["sum", "best", "first"] | None = None
    multiply: Literal["best", "first", "product"] | None = None
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="wrap")
    @classmethod
    def _with_the_facts_it_sees(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        compilation = compilation_of(info)
        if isinstance(value, Mapping) and value.get("per") == "line":
            if compilation.line is None:
                raise PydanticCustomError("group", "this channel has no lines")
            compilation.scope = compilation.line
        try:
            return handler(value)
        finally:
            compilation.scope = compilation.order

    @model_validator(mode="after")
    def _adds_or_multiplies(self) -> Self:
        if (self.add is None) == (self.multiply is None):
            raise PydanticCustomError("group", "needs either add or multiply")
        if self.id in _RESERVED:
            raise PydanticCustomError("group", "{reason}", {"reason": f"{self.id!r} is a name of the trace"})
        _refuse_repeated(self.rules)
        wanted, other = ("points", "factor") if self.add else ("factor", "points")
        for rule in self.rules:
            if getattr(rule, wanted) is None or getattr(rule, other) is not None:
                verb = "adds" if self.add else "multiplies"
                reason = f"rule {rule.id!r}: a group that {verb} has rules with {wanted}, and no {other}"
                raise PydanticCustomError("group", "{reason}", {"reason": reason})
        return self


AlarmPercent = Annotated[int, Field(strict=True, ge=1, le=100)]
"""From which percentage of a budget on somebody is told."""


class Budget(Section):
    """The most that all members together can be given in a day, a month or ever.

    At ``alarm_at`` percent somebody is told that it is low. One that does not stop is counted and told of, and no more.
    """

    day: Count | None = None
    month: Count | None = None
    lifetime: Count | None = None
    alarm_at: AlarmPercent = 80
    stops: Annotated[bool, Field(strict=True)] = True

    @cached_property
    def is_limited(self) -> bool:
        """Whether there is anything to count."""
        return (self.day, self.month, self.lifetime) != (None, None, None)


class Caps(Section):
    """The most that one order, day, month or life can bring a member; days and months are the programme's.

    ``programme`` is the most for all members together.
    """

    order: Count | None = None
    day: Count | None = None
    month: Count | None = None
    lifetime: Count | None = None
    programme: Budget = Budget()

    @cached_property
    def over_time(self) -> bool:
        """Whether what a member has earned before makes less room."""
        return (self.day, self.month, self.lifetime) != (None, None, None)

    @cached_property
    def counts(self) -> bool:
        """Whether anything that was given before makes less room."""
        return self.over_time or self.programme.is_limited

    def room(self, *, day: int = 0, month: int = 0, lifetime: int = 0, programme: int | None = None) -> CapRoom:
        """What is left when so much was earned in the day, the month and the life already.

        ``programme`` is what is left for all members together.
        """
        return CapRoom(
            day=None if self.day is None else max(self.day - day, 0),
            month=None if self.month is None else max(self.month - month, 0),
            lifetime=None if self.lifetime is None else max(self.lifetime - lifetime, 0),
            programme=programme,
        )


class Pending(Section):
    """What is earned becomes available only when the goods can no longer come back."""

    days: Annotated[int, Field(strict=True, ge=1, le=366)]


class RuleSet(Section):
    """The rules by which one channel brings one unit."""

    caps: Caps = Caps()
    pending: Pending | None = None
    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=50)]

    _compiled: "CompiledRuleSet" = PrivateAttr()

    @model_validator(mode="after")
    def _runs_from_the_top(self, info: ValidationInfo) -> Self:
        _refuse_repeated(self.groups)
        if self.groups[0].add is None:
            raise PydanticCustomError("groups", "the first group has nothing to multiply; it must add")
        orders = [group.per for group in self.groups]
        if orders != sorted(orders):  # "line" sorts before "order"
            raise PydanticCustomError("groups", "a group per line cannot follow one per order")
        self._compiled = CompiledRuleSet(self, compilation_of(info).rounding)
        return self

    def award(self, activity: Activity, room: CapRoom = NO_CAPS) -> Award:
        """What the activity is worth when the caps leave this much room.

        Raises InvalidAmount when the award is larger than any balance can be.
        """
        # Pydantic looks for a private attribute in many other places first.
        private = self.__pydantic_private__
        assert private is not None, "it is compiled when it is validated"
        compiled: CompiledRuleSet = private["_compiled"]
        return compiled.award(activity, room)


def _refuse_repeated(parts: Iterable[Rule] | Iterable[Group]) -> None:
    seen = set[str]()
    for part in parts:
        if part.id in seen:
            raise PydanticCustomError("id", "{reason}", {"reason": f"id {part.id!r} is used twice"})
        seen.add(part.id)


Hit = tuple[str, Decimal]


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    id: str
    when: Callable[[Mapping[str, Any]], bool] | None
    value: Callable[[Mapping[str, Any]], Decimal]
    valid: Validity | None


class _CompiledGroup:
    """A group's rules as plain functions, and the two ways in which it is asked."""

    __slots__ = ("_combine", "_rules", "_timed", "adds", "id")

    def __init__(self, group: Group) -> None:
        self.id = group.id
        self.adds = group.add is not None
        self._combine = group.add or group.multiply
        self._rules = tuple(
            _CompiledRule(rule.id, None if rule.when is None else rule.when.run, _value(rule), rule.valid)
            for rule in group.rules
        )
        self._timed = any(rule.valid is not None for rule in self._rules)

    def rules_at(self, at: datetime) -> tuple[_CompiledRule, ...]:
        if not self._timed:
            return self._rules
        return tuple(rule for rule in self._rules if rule.valid is None or rule.valid.holds(at))

    def hits(self, rules: tuple[_CompiledRule, ...], bindings: Mapping[str, Any]) -> list[Hit]:
        """The rules that count, with their values; of several equally good ones the first."""
        hits = []
        for rule in rules:
            if rule.when is None or rule.when(bindings):
                hits.append((rule.id, rule.value(bindings)))
                if self._combine == "first":
                    break
        if self._combine == "best" and len(hits) > 1:
            return [max(hits, key=_hit_value)]
        return hits


def _hit_value(hit: Hit) -> Decimal:
    return hit[1]


def _value(rule: Rule) -> Callable[[Mapping[str, Any]], Decimal]:
    if rule.points is not None:
        return rule.points.run
    factor = rule.factor
    assert factor is not None
    return lambda _: factor


class CompiledRuleSet:
    """A rule set as plain functions; the hot path of an import."""

    __slots__ = ("_cap", "_line_groups", "_mode", "_order_groups", "_rounding")

    def __init__(self, rules: RuleSet, rounding: Rounding) -> None:
        self._line_groups = tuple(_CompiledGroup(group) for group in rules.groups if group.per == "line")
        self._order_groups = tuple(_CompiledGroup(group) for group in rules.groups if group.per == "order")
        self._cap = rules.caps.order
        self._rounding = rounding
        self._mode = ROUNDINGS[rounding]

    def award(self, activity: Activity, room: CapRoom) -> Award:
        steps: list[Step] = []
        shares: list[Share] = []
        try:
            with localcontext(NUMBERS):
                total, uncapped = self._lines_total(activity, steps, shares) if self._line_groups else (_ZERO, 0)
                for group in self._order_groups:
                    hits = group.hits(group.rules_at(activity.at), activity.bindings)
                    for rule, value in hits:
                        total = total + value if group.adds else total * value
                        before, uncapped = uncapped, self._whole(total)
                        shares.append((group.id, rule, uncapped - before))
                    steps.append((group.id, tuple([(rule, str(value)) for rule, value in hits]), str(total)))
        except ArithmeticError:
            raise InvalidAmount(value=activity.kind, reason="worth more than can be counted") from None
        if uncapped > AMOUNT_MAX:
            raise InvalidAmount(value=activity.kind, reason="worth more than can be counted")
        steps.append(("rounding", ((self._rounding, str(total)),), str(uncapped)))
        points, cut = self._cap_off(uncapped, room)
        if cut:
            steps.append(("caps", tuple((cap, str(taken)) for cap, taken in cut), str(points)))
        if any(abs(share) > SHARE_MAX for _, _, share in shares):
            shares = []
        return Award(points, uncapped, tuple(steps), cut, tuple(shares))

    def _whole(self, total: Decimal) -> int:
        return max(int(total.to_integral_value(self._mode)), 0)

    def _lines_total(self, activity: Activity, steps: list[Step], shares: list[Share]) -> tuple[Decimal, int]:
        """The total of the lines, and the same rounded."""
        amounts = [_ZERO] * len(activity.lines)
        bindings = [{**activity.bindings, LINE: line} for line in activity.lines]
        total, whole = _ZERO, 0
        for group in self._line_groups:
            rules = group.rules_at(activity.at)
            seen: dict[str, Decimal] = {}
            brought: dict[str, Decimal] = {}
            for index, line_bindings in enumerate(bindings):
                amount = amounts[index]
                for rule, value in group.hits(rules, line_bindings):
                    after = amount + value if group.adds else amount * value
                    seen[rule] = seen.get(rule, _ZERO) + value if group.adds else value
                    brought[rule] = brought.get(rule, _ZERO) + (after - amount)
                    amount = after
                amounts[index] = amount
            running, total = total, sum(amounts, _ZERO)
            left = len(brought)
            for rule, by_rule in brought.items():
                left -= 1
                # What no number of digits holds is the last one's.
                running = running + by_rule if left else total
                before, whole = whole, self._whole(running)
                shares.append((group.id, rule, whole - before))
            steps.append((group.id, tuple((rule, str(value)) for rule, value in seen.items()), str(total)))
        return total, whole

    def _cap_off(self, points: int, room: CapRoom) -> tuple[int, tuple[tuple[str, int], ...]]:
        if self._cap is None and room == NO_CAPS:
            return points, ()
        cut = []
        for cap, limit in (("order", self._cap), *zip(CapRoom._fields, room, strict=True)):
            if limit is not None and points > limit:
                cut.append((cap, points - limit))
                points = limit
        return points, tuple(cut)
