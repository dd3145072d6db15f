"""What an answer did cost: the weights of what it holds, by the prices that its request was judged with.

What has no weight is not looked at, so that a page of fifty members takes as long as its two hundred objects.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import is_not, methodcaller
from typing import Any, Final, NamedTuple

from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode

from graph.limits.prices import Prices
from graph.limits.shape import INTROSPECTION_ROOTS, Fragments
from graph.limits.sums import COST_MAX

COMPILED_MAX: Final = 100
"""Of more selections nothing is compiled: that would keep others waiting."""

_is_there: Final = partial(is_not, None)

_Weigh = Callable[[Mapping[str, Any]], int]
_Selections = Sequence[tuple[SelectionSetNode, str]]
"""Selections that are one in the answer, each with the type that it is of."""


class _Weighed(NamedTuple):
    """A field of the answer that weighs something, and what weighs something below it."""

    name: str
    weight: int
    below: "Sequence[_Weighed]"
    is_list: bool


class Weigher:
    """Weighs the answers to one operation; keeps what it has learnt of it for the next."""

    def __init__(self, prices: Prices, fragments: Fragments, operation: OperationDefinitionNode) -> None:
        self._prices = prices
        self._fragments = fragments
        self._selections = [(operation.selection_set, prices.root(operation.operation))]
        self._known: dict[tuple[int, ...], Sequence[_Weighed]] = {}
        self._answered = False
        self._weigh: _Weigh | None = None
        """Compiled for the second answer, as most documents that are sent once are never sent again."""

    def weigh(self, data: Mapping[str, Any] | None) -> int:
        """What the data of an answer did cost."""
        if data is None:
            return 0
        if self._weigh is not None:
            return min(self._weigh(data), COST_MAX)
        fields = self._weighed(self._selections)
        if self._answered and len(self._known) <= COMPILED_MAX:
            self._weigh = _compiled(fields, {})
        self._answered = True
        return min(_weigh_all([data], fields), COST_MAX)

    def _weighed(self, selections: _Selections) -> Sequence[_Weighed]:
        # Once for all places where a fragment stands.
        key = tuple([id(selection) for selection, _ in selections])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._fields(selections)
        return found

    def _fields(self, selections: _Selections) -> Sequence[_Weighed]:
        weights: dict[str, int] = {}
        lists: set[str] = set()
        below: dict[str, list[tuple[SelectionSetNode, str]]] = {}
        seen: set[str] = set()
        waiting = list(reversed(selections))
        while waiting:
            selection_set, kind = waiting.pop()
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    price = self._prices.of(kind, node.name.value)
                    if price is None or node.name.value in INTROSPECTION_ROOTS:
                        continue
                    name = (node.alias or node.name).value
                    weights[name] = max(weights.get(name, 0), price.weight)
                    if price.is_list:
                        lists.add(name)
                    if price.type is not None and node.selection_set is not None:
                        below.setdefault(name, []).append((node.selection_set, price.type))
                elif isinstance(node, FragmentSpreadNode):
                    if node.name.value not in seen:
                        seen.add(node.name.value)
                        fragment = self._fragments[node.name.value]
                        waiting.append((fragment.selection_set, fragment.type_condition.name.value))
                else:
                    condition = node.type_condition  # type: ignore[attr-defined]  # the third kind: inline
                    inner = kind if condition is None else condition.name.value
                    waiting.append((node.selection_set, inner))  # type: ignore[attr-defined]
        within = {name: self._weighed(each) for name, each in below.items()}
        # Nothing is looked into in which nothing weighs.
        return [
            _Weighed(name, weight, inner, name in lists)
            for name, weight in weights.items()
            if (inner := within.get(name, ())) or weight
        ]


def _compiled(fields: Sequence[_Weighed], known: dict[int, _Weigh]) -> _Weigh:
    """What weighs an object, a line of Python for each of its fields that weigh something.

    ``known`` is what is compiled by now, by its fields: once for all places where a fragment stands.
    """
    lines, names = ["def weigh(value):", "    total = 0"], dict[str, Any](weigh_all=_weigh_all)
    for at, (name, weight, below, is_list) in enumerate(fields):
        costs = str(weight)
        if is_list:
            names[f"field_{at}"] = fields[at : at + 1]
            costs = f"weigh_all((value,), field_{at})"
        elif below:
            if id(below) not in known:
                known[id(below)] = _compiled(below, known)
            names[f"weigh_{at}"] = known[id(below)]
            costs = f"{weight} + weigh_{at}(found)"
        lines += (f"    found = value.get({name!r})", f"    if found is not None: total += {costs}")
    exec("\n".join([*lines, "    return total"]), names)
    made: _Weigh = names["weigh"]
    return made


def _weigh_all(found: Sequence[Any], fields: Sequence[_Weighed]) -> int:
    """What objects cost, field by field of all of them, as a page has many of few fields."""
    total = 0
    for name, weight, below, is_list in fields:
        values = filter(_is_there, map(methodcaller("get", name), found))
        told = _items(values) if is_list else [*values]
        total += weight * len(told)
        if below and told:
            total += _weigh_all(told, below)
    return total


def _items(lists: Iterable[Sequence[Any]]) -> list[Any]:
    """The items of lists, and of the lists in them."""
    items = [*filter(_is_there, chain.from_iterable(lists))]
    return _items(items) if items and type(items[0]) is list else items
