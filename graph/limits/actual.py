"""What an answer did cost: the weights of what it holds, by the prices that its request was judged with.

What has no weight is not looked at, so that a page of fifty members takes as long as its two hundred objects.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode

from graph.limits.prices import Prices
from graph.limits.shape import INTROSPECTION_ROOTS, Fragments
from graph.limits.sums import COST_MAX


class _Part:
    """Selections that are one in the answer, each with the type that it is of, and what of them weighs once asked."""

    __slots__ = ("selections", "weighed")

    def __init__(self, selections: Sequence[tuple[SelectionSetNode, str]]) -> None:
        self.selections = selections
        self.weighed: Sequence[_Weighed] | None = None


class _Weighed(NamedTuple):
    """A field of the answer that weighs something, or below which something may."""

    name: str
    weight: int
    below: _Part | None


class Weigher:
    """Weighs the answers to one operation; keeps what it has learnt of it for the next."""

    def __init__(self, prices: Prices, fragments: Fragments, operation: OperationDefinitionNode) -> None:
        self._prices = prices
        self._fragments = fragments
        self._root = _Part([(operation.selection_set, prices.root(operation.operation))])
        self._parts: dict[tuple[int, ...], _Part] = {}

    def weigh(self, data: Mapping[str, Any] | None) -> int:
        """What the data of an answer did cost."""
        return 0 if data is None else min(self._weigh(self._root, data), COST_MAX)

    def _weigh(self, part: _Part, value: Mapping[str, Any]) -> int:
        total = 0
        for name, weight, below in part.weighed or self._weighed(part):
            found = value.get(name)
            if found is not None:
                if type(found) is list:
                    total += self._weigh_all(found, weight, below)
                else:
                    total += weight if below is None else weight + self._weigh(below, found)
        return total

    def _weigh_all(self, found: Sequence[Any], weight: int, below: _Part | None) -> int:
        """What the items of a list cost, field by field of all of them, as a page has many of few fields."""
        while list in map(type, found):
            lists = [value if type(value) is list else (value,) for value in found]
            found = [item for items in lists for item in items]
        found = [value for value in found if value is not None]
        total = weight * len(found)
        if below is not None and found:
            for name, of_field, within in below.weighed or self._weighed(below):
                values = [value for each in found if (value := each.get(name)) is not None]
                total += self._weigh_all(values, of_field, within)
        return total

    def _weighed(self, part: _Part) -> Sequence[_Weighed]:
        if part.weighed is None:
            part.weighed = self._fields(part)
        return part.weighed

    def _fields(self, part: _Part) -> Sequence[_Weighed]:
        weights: dict[str, int] = {}
        below: dict[str, list[tuple[SelectionSetNode, str]]] = {}
        seen: set[str] = set()
        waiting = list(reversed(part.selections))
        while waiting:
            selection_set, kind = waiting.pop()
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    price = self._prices.of(kind, node.name.value)
                    if price is None or node.name.value in INTROSPECTION_ROOTS:
                        continue
                    name = (node.alias or node.name).value
                    weights[name] = max(weights.get(name, 0), price.weight)
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
        parts = {name: self._part(selections) for name, selections in below.items()}
        # Nothing is looked into in which nothing weighs.
        within = {name: part for name, part in parts.items() if self._weighed(part)}
        return [
            _Weighed(name, weight, within.get(name)) for name, weight in weights.items() if weight or name in within
        ]

    def _part(self, selections: Sequence[tuple[SelectionSetNode, str]]) -> _Part:
        # One for all places where a fragment stands.
        key = tuple(id(selection) for selection, _ in selections)
        return self._parts.setdefault(key, _Part(selections))
