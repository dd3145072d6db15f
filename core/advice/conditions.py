"""Which conditions can never hold: a small analysis over intervals and finite sets of values.

It is sound: what is called impossible is impossible, whatever the facts are. What it does not understand it takes for
possible.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from rule_engine import ast

from core.rulebook.expressions import Expression
from core.wording.expressions import NoWords, constant, fact_of

_CASES_MAX: Final = 64
_NEGATED: Final = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}
_MIRRORED: Final = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


class Values(NamedTuple):
    """What a fact may be: one of ``among`` if that is given, none of ``but``, and between the limits.

    A limit says whether it is itself among the values.
    """

    among: frozenset[Any] | None = None
    but: frozenset[Any] = frozenset()
    above: tuple[Any, bool] | None = None
    below: tuple[Any, bool] | None = None

    def and_(self, other: "Values") -> "Values":
        """What both allow."""
        among = self.among if other.among is None else other.among if self.among is None else self.among & other.among
        above = max((each for each in (self.above, other.above) if each), key=_tightest_above, default=None)
        below = min((each for each in (self.below, other.below) if each), key=_tightest_below, default=None)
        return Values(among, self.but | other.but, above, below)

    @property
    def is_empty(self) -> bool:
        if self.among is not None:
            return not any(value not in self.but and self._lies(value) for value in self.among)
        if self.above is not None and self.below is not None:
            (low, with_low), (high, with_high) = self.above, self.below
            return bool(low > high) or (low == high and not (with_low and with_high))
        return False

    def _lies(self, value: Any) -> bool:
        if self.above is not None and not (value > self.above[0] or (value == self.above[0] and self.above[1])):
            return False
        return self.below is None or value < self.below[0] or (value == self.below[0] and self.below[1])


def _tightest_above(limit: tuple[Any, bool]) -> tuple[Any, bool]:
    return limit[0], not limit[1]


def _tightest_below(limit: tuple[Any, bool]) -> tuple[Any, bool]:
    return limit[0], limit[1]


Case = Mapping[str, Values]


class _TooMany(Exception):
    """Cases to look at."""


def never_holds(condition: Expression[bool], domains: Mapping[str, frozenset[Any]], lists: Mapping[str, Any]) -> bool:
    """Whether a condition holds for no facts at all; ``domains`` are all values that some facts can have."""
    try:
        cases = _cases(condition.tree, lists, positive=True)
    except _TooMany:
        return False
    return all(_is_impossible(case, domains) for case in cases)


def _is_impossible(case: Case, domains: Mapping[str, frozenset[Any]]) -> bool:
    try:
        return any(
            (values if fact not in domains else values.and_(Values(domains[fact]))).is_empty
            for fact, values in case.items()
        )
    except TypeError:  # limits that cannot be compared
        return False


def _cases(node: Any, lists: Mapping[str, Any], *, positive: bool) -> list[Case]:
    """The ways in which a node comes true (or false), each with what it asks of the facts."""
    match node:
        case ast.BooleanExpression():
            return [{}] if node.value == positive else []
        case ast.UnaryExpression() if node.type == "not":
            return _cases(node.right, lists, positive=not positive)
        case ast.LogicExpression():
            left, right = (_cases(side, lists, positive=positive) for side in (node.left, node.right))
            if (node.type == "and") != positive:
                return _bounded([*left, *right])
            return _bounded([_both(one, other) for one in left for other in right])
        case ast.SymbolExpression() | ast.GetAttributeExpression() if (fact := fact_of(node)) is not None:
            return [{fact: Values(frozenset({positive}))}]
        case ast.ComparisonExpression() | ast.ArithmeticComparisonExpression():
            return [_compared(node, positive=positive)]
        case ast.ContainsExpression():
            return [_contained(node, lists, positive=positive)]
        case _:
            return [{}]


def _bounded(cases: list[Case]) -> list[Case]:
    if len(cases) > _CASES_MAX:
        raise _TooMany
    return cases


def _both(one: Case, other: Case) -> Case:
    return {
        fact: one[fact].and_(other[fact]) if fact in one and fact in other else (one.get(fact) or other[fact])
        for fact in one.keys() | other.keys()
    }


def _compared(node: Any, *, positive: bool) -> Case:
    left, right = node.left, node.right
    kind = node.type if positive else _NEGATED[node.type]
    if fact_of(left) is None:
        left, right = right, left
        kind = _MIRRORED.get(kind, kind)
    fact = fact_of(left)
    try:
        value = constant(right)
    except NoWords:
        return {}
    if fact is None:
        return {}
    match kind:
        case "eq":
            return {fact: Values(frozenset({value}))}
        case "ne":
            return {fact: Values(but=frozenset({value}))}
        case "gt" | "ge":
            return {fact: Values(above=(value, kind == "ge"))}
        case _:
            return {fact: Values(below=(value, kind == "le"))}


def _contained(node: Any, lists: Mapping[str, Any], *, positive: bool) -> Case:
    fact, container = fact_of(node.member), node.container
    members: Iterable[Any] | None = None
    if isinstance(container, ast.SymbolExpression):
        members = lists.get(container.name)
    elif isinstance(container, ast.ArrayExpression):
        try:
            members = [constant(member) for member in container.value]
        except NoWords:
            return {}
    if fact is None or members is None:
        return {}
    found = frozenset(members)
    return {fact: Values(found) if positive else Values(but=found)}
