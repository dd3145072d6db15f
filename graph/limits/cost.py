"""The cost of an operation: a sum over its fields, each times the length of the lists around it.

A fragment is summed once, however often it is spread. A list without a length of its own may be one whose length the
field around it says (``sizedFields``), and a fragment cannot know what it will be spread below: such lists are kept
apart by name until the field is reached.
"""

from types import NoneType
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from graphql.utilities import value_from_ast_untyped

from graph.limits.lengths import conditions, length
from graph.limits.prices import LIST_LENGTH, Price, Prices
from graph.limits.shape import INTROSPECTION_ROOTS, Fragments, in_order
from graph.limits.sums import Factor, Sum, Variables

_LEFT_OUT: Final = object()
_KEPT: Final = frozenset({bool, int, NoneType, object})
"""Of which kinds the values are by which a cost is kept."""
_KNOWN_MAX: Final = 64
"""Costs of one operation that are kept, by the lengths that clients ask for."""


class Selected:
    """What a selection costs: ``own`` for certain, ``lists`` for each item of them, ``introspection`` beside it."""

    __slots__ = ("introspection", "lists", "own")

    def __init__(self) -> None:
        self.own = Sum()
        self.lists: dict[str, Sum] = {}
        self.introspection = Sum()

    def add(self, factor: Factor, other: "Selected") -> None:
        self.own.add(factor, other.own)
        self.introspection.add(factor, other.introspection)
        for name, item in other.lists.items():
            self.item(name).add(factor, item)

    def item(self, name: str) -> Sum:
        found = self.lists.get(name)
        if found is None:
            found = self.lists[name] = Sum()
        return found


class OperationCost:
    """What one operation costs, by its variables as the client sent them; ``introspection`` has a bound of its own."""

    __slots__ = ("_always", "_cost", "_defaults", "_introspection", "_known", "_reads")

    def __init__(self, cost: Sum, introspection: Sum, defaults: Variables) -> None:
        self._cost = cost
        self._introspection = introspection
        self._defaults = defaults
        self._reads = sorted(cost.reads() | introspection.reads())
        self._known: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._always: tuple[int, int] | None = None
        """What it costs where that depends on no variable."""

    def of(self, variables: Variables) -> tuple[int, int]:
        """The cost, and that of what the operation asks about the schema. Raises SlicingInvalid."""
        if self._always is not None:
            return self._always
        known = {**self._defaults, **variables} if self._defaults else variables
        values = [known.get(name, _LEFT_OUT) for name in self._reads]
        kinds = tuple(map(type, values))  # true is no 1
        if not _KEPT.issuperset(kinds):
            return self._of(known)
        key = (kinds, *values)
        found = self._known.get(key)
        if found is None:
            found = self._of(known)
            if not self._reads:
                self._always = found
            if len(self._known) < _KNOWN_MAX:
                self._known[key] = found
        return found

    def _of(self, variables: Variables) -> tuple[int, int]:
        return self._cost.value(variables), self._introspection.value(variables)


class Costing:
    """Costs the operations of one document, which fits the schema. Raises SlicingInvalid."""

    def __init__(self, prices: Prices, fragments: Fragments) -> None:
        self._prices = prices
        self._fragments: dict[str, Selected] = {}
        for fragment in in_order(fragments):
            self._fragments[fragment.name.value] = self._of_fragment(fragment)

    def of(self, operation: OperationDefinitionNode) -> OperationCost:
        root = self._prices.root(operation.operation)
        selected = self._selected(operation.selection_set, root)
        defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in operation.variable_definitions or ()
            if definition.default_value is not None
        }
        return OperationCost(_closed(selected), selected.introspection, defaults)

    def _of_fragment(self, fragment: FragmentDefinitionNode) -> Selected:
        return self._selected(fragment.selection_set, fragment.type_condition.name.value)

    def _selected(self, selection_set: SelectionSetNode, type_name: str) -> Selected:
        total = Selected()
        for selection in selection_set.selections:
            part = self._part(selection, type_name)
            for factor in conditions(selection.directives or ()):
                whole, part = part, Selected()
                part.add(factor, whole)
            total.add(1, part)
        return total

    def _part(self, selection: SelectionNode, type_name: str) -> Selected:
        """What one field, or the spread of one fragment, costs."""
        if isinstance(selection, FieldNode):
            return self._field(selection, type_name)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragments[selection.name.value]
        assert isinstance(selection, InlineFragmentNode), "the third kind of selection"
        condition = selection.type_condition
        return self._selected(selection.selection_set, type_name if condition is None else condition.name.value)

    def _field(self, node: FieldNode, type_name: str) -> Selected:
        name, part = node.name.value, Selected()
        price = self._prices.of(type_name, name)
        if price is None:
            return part  # __typename
        item = Sum(price.weight)
        if node.selection_set is not None and price.type is not None:
            item.add(1, _closed(self._selected(node.selection_set, price.type), price, node))
        if name in INTROSPECTION_ROOTS:
            part.introspection.add(1, item)
        elif not price.is_list:
            part.own.add(1, item)
        elif price.size is not None and not price.size.sized_fields:
            part.own.add(length(price.size, price.field, node), item)
        else:
            part.item(name).add(1, item)
        return part


def _closed(selected: Selected, price: Price | None = None, node: FieldNode | None = None) -> Sum:
    """What is selected below a field costs, with the lists whose length the field says."""
    total = Sum()
    total.add(1, selected.own)
    for name, item in selected.lists.items():
        factor: Factor = LIST_LENGTH
        if (
            node is not None
            and price is not None
            and price.size is not None
            and name in (price.size.sized_fields or ())
        ):
            factor = length(price.size, price.field, node)
        total.add(factor, item)
    return total
