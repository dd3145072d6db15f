"""What one request may ask for: checked in the order of what the checks cost, the cheapest first.

::

    check_words(text)      before the document is parsed        tokens, fields of one name in one place
    check_shape(tree)      before it is validated               depth, aliases, root fields, directives, comparisons
    price(operations, …)   once it is valid                     a sum for each operation, kept with the document
    check(cost, …)         for each request                     values, introspection, cost with these variables
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    Source,
    parse,
)

from graph.limits.actual import Weigher
from graph.limits.bounds import ALL, STAFF_ONLY, Bounds
from graph.limits.cost import Costing, OperationCost
from graph.limits.introspection import INTROSPECTIONS_MAX, WHOLE
from graph.limits.lengths import SlicingInvalid
from graph.limits.merging import Merging
from graph.limits.prices import Prices
from graph.limits.shape import FragmentCycle, Fragments, Shape, Shapes, fragments_of, in_order, operations_of
from graph.limits.words import words_of
from graph.tokens import Caller, Role
from graph.transport.failures import Failure, RequestFailed, document_failed

_STAFF: Final = frozenset({Role.SERVICE, Role.OPERATOR, Role.ANALYST, Role.ADMIN})


class Charge(NamedTuple):
    """What a request costs, by what it asks, and what it may cost at most."""

    requested: int
    maximum: int


class Priced(NamedTuple):
    """What an operation will cost, and what its answers did."""

    cost: OperationCost
    weigher: Weigher


class Limits:
    """The limits of what one request may ask of a schema. ``introspection`` says who may ask for the schema itself."""

    def __init__(self, prices: Prices, bounds: Bounds, *, introspection: str = ALL) -> None:
        self.bounds = bounds
        self.prices = prices
        self._introspection = introspection

    @cached_property
    def _introspection_max(self) -> int:
        """The objects of the schema that a request may ask for."""
        whole = parse(WHOLE)
        (operation,) = operations_of(whole)
        return INTROSPECTIONS_MAX * Costing(self.prices, fragments_of(whole)).of(operation).of({})[1]

    def may_introspect(self, caller: Caller | None) -> bool:
        """Whether the caller may ask for the schema, and is told what a misspelt name was perhaps meant to be."""
        if self._introspection == STAFF_ONLY:
            return caller is not None and caller.role in _STAFF
        return self._introspection == ALL

    def check_words(self, text: str) -> int:
        """Raise RequestFailed for a document that it would take too long to parse; how many words it has."""
        most = self.bounds.tokens_max
        words = words_of(text, most)
        if words.excess is not None:
            told = f"Document contains more than {most} tokens. Parsing aborted."
            raise document_failed([GraphQLSyntaxError(Source(text), words.excess, told)])
        _check_comparisons(words.comparisons, self.bounds.comparisons_max)
        return words.number

    def check_shape(self, tree: DocumentNode) -> None:
        """Raise RequestFailed for a document that it would take too long to validate, or to execute."""
        bounds, fragments, operations = self.bounds, fragments_of(tree), operations_of(tree)
        _check(Failure.OPERATION_LIMIT_EXCEEDED, len(operations), bounds.operations_max, "operations")
        shapes = Shapes()
        try:
            for fragment in in_order(fragments):
                shapes.learn(fragment)
        except FragmentCycle as cycle:
            raise RequestFailed(Failure.GRAPHQL_VALIDATION_FAILED, str(cycle)) from None
        for operation in operations:
            self._check_operation(operation, shapes.of(operation.selection_set, operation.directives))
        self._check_merging(tree, operations, fragments)

    def _check_operation(self, operation: OperationDefinitionNode, shape: Shape) -> None:
        bounds = self.bounds
        mutation = operation.operation is OperationType.MUTATION
        roots = bounds.mutations_max if mutation else bounds.root_fields_max
        _check(Failure.DEPTH_LIMIT_EXCEEDED, shape.depth, bounds.depth_max, "fields below each other")
        _check(Failure.ALIAS_LIMIT_EXCEEDED, shape.aliases, bounds.aliases_max, "aliases")
        _check(Failure.ROOT_FIELD_LIMIT_EXCEEDED, shape.fields, roots, "root fields")
        _check(Failure.DIRECTIVE_LIMIT_EXCEEDED, shape.directives, bounds.directives_max, "directives")
        _check(
            Failure.DEPTH_LIMIT_EXCEEDED,
            shape.introspection,
            bounds.introspection_depth_max,
            "fields of the introspection below each other",
        )

    def _check_merging(
        self, tree: DocumentNode, operations: Iterable[OperationDefinitionNode], fragments: Fragments
    ) -> None:
        most = self.bounds.comparisons_max
        merging = Merging(fragments, most)
        for operation in operations:
            merging.add(operation.selection_set)
            _check_comparisons(merging.count, most)
        # Validation looks at those as well that no operation spreads, and at the second one of a name.
        for node in reversed(tree.definitions):
            if isinstance(node, FragmentDefinitionNode):
                name = node.name.value
                if name not in merging.spread or fragments[name] is not node:
                    merging.add(node.selection_set)
                    _check_comparisons(merging.count, most)

    def price(self, operations: Mapping[str, OperationDefinitionNode], fragments: Fragments) -> Mapping[str, Priced]:
        """The prices of each operation of a valid document, by its name. Raises RequestFailed."""
        try:
            costing = Costing(self.prices, fragments)
            return {
                name: Priced(costing.of(operation), Weigher(self.prices, fragments, operation))
                for name, operation in operations.items()
            }
        except SlicingInvalid as invalid:
            raise RequestFailed(Failure.GRAPHQL_VALIDATION_FAILED, str(invalid)) from None

    def check(self, cost: OperationCost, variables: dict[str, Any], caller: Caller | None) -> Charge:
        """What an operation costs with these variables, as they were sent. Raises RequestFailed when it is too much."""
        if variables:
            most = self.bounds.values_max
            _check(Failure.VARIABLE_LIMIT_EXCEEDED, count_values(variables, most), most, "values in the variables")
        try:
            requested, introspected = cost.of(variables)
        except SlicingInvalid as invalid:
            raise RequestFailed(Failure.BAD_USER_INPUT, str(invalid)) from None
        if introspected:
            self._check_introspection(introspected, caller)
        maximum = self.bounds.cost_max(caller)
        if requested > maximum:
            raise _too_much(Failure.COST_LIMIT_EXCEEDED, requested, maximum, "cost")
        return Charge(requested, maximum)

    def _check_introspection(self, introspected: int, caller: Caller | None) -> None:
        if not self.may_introspect(caller):
            if caller is None and self._introspection == STAFF_ONLY:
                raise RequestFailed(Failure.UNAUTHENTICATED, "a token is needed to ask for the schema")
            raise RequestFailed(Failure.FORBIDDEN, "this caller may not ask for the schema")
        _check(Failure.INTROSPECTION_LIMIT_EXCEEDED, introspected, self._introspection_max, "objects of the schema")


def count_values(variables: Mapping[str, Any], most: int) -> int:
    """How many values there are in variables, as far as that is no more than ``most``."""
    count, waiting = 0, [variables.values()]
    while waiting and count <= most:
        values = waiting.pop()
        count += len(values)
        if count <= most:
            for value in values:
                kind = value.__class__
                if kind is dict:
                    waiting.append(value.values())
                elif kind is list:
                    waiting.append(value)
    return count


def _check_comparisons(count: int, most: int) -> None:
    _check(Failure.MERGE_LIMIT_EXCEEDED, count, most, "fields and fragments to compare with each other")


def _check(failure: Failure, requested: int, maximum: int, counted: str) -> None:
    if requested > maximum:
        raise _too_much(failure, requested, maximum, counted)


def _too_much(failure: Failure, requested: int, maximum: int, counted: str) -> RequestFailed:
    reason = f"{counted}: {requested} asked for, at most {maximum} allowed"
    return RequestFailed(failure, reason, facts={"requested": requested, "maximum": maximum})
