"""What an answer did cost: the weights of what it holds, by the prices that its request was judged with.

What has no weight is not looked at, so that a page of fifty members takes as long as its two hundred objects.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode

from graph.limits.prices import Prices
from graph.limits.shape import INTROSPECTION_ROOTS, Fragments
from graph.limits.sums import COST_MAX


class _Part(NamedTuple):
    """Selections that are one in the answer, each with the type that it is of."""

    selections: tuple[tuple[SelectionSetNode, str], ...]


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
        self._root = _Part(((operation.selection_set, prices.root(operation.operation)),))
        self._known: dict[tuple[int, ...], Sequence[_Weighed]] = {}

    def weigh(self, data: Mapping[str, Any] | None) -> int:
        """What the data of an answer did cost."""
        return 0 if data is None else min(self._weigh(self._root, data), COST_MAX)

    def _weigh(self, part: _Part, value: Mapping[str, Any]) -> int:
        key = tuple(id(selection) for selection, _ in part.selections)
        fields = self._known.get(key)
        if fields is None:
            fields = self._known[key] = self._fields(part)
        total = 0
        for name, weight, below in fields:
            found = value.get(name)
            if found is not None:
                total += self._of(found, weight, below)
        return total

    def _of(self, value: Any, weight: int, below: _Part | None) -> int:
        if isinstance(value, list):
            return sum(self._of(item, weight, below) for item in value if item is not None)
        return weight if below is None else weight + self._weigh(below, value)

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
        return [
            _Weighed(name, weight, _Part(tuple(below[name])) if name in below else None)
            for name, weight in weights.items()
            if weight or name in below
        ]
