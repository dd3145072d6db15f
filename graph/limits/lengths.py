"""How long a list will be, and whether a selection counts at all, as far as the arguments say it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.utilities import value_from_ast_untyped

from graph.limits.prices import LIST_LENGTH, ListSize
from graph.limits.sums import Factor, Variables, Waiting


class SlicingInvalid(Exception):
    """Of the arguments that say how long a list is to be, none is given, or several are. The message is for clients."""


def length(size: ListSize, field: GraphQLField, node: FieldNode) -> Factor:
    """The length of a field's list, or what says it when the variables are known. Raises SlicingInvalid."""
    assumed = size.assumed_size if isinstance(size.assumed_size, int) else LIST_LENGTH
    paths = size.slicing_arguments or ()
    if not paths:
        return assumed
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    sources = [_source(field, given, path) for path in paths]

    def evaluate(variables: Variables) -> int:
        lengths = [found for source in sources if (found := _count(source(variables))) is not None]
        if size.require_one_slicing_argument and len(lengths) != 1:
            raise SlicingInvalid(f"{node.name.value} needs exactly one of {', '.join(paths)}")
        return max(lengths, default=assumed)

    says = {path.partition(".")[0] for path in paths}
    reads = frozenset(name for argument in says & given.keys() for name in _variables(given[argument]))
    return Waiting(reads, evaluate) if reads else evaluate({})


def _source(field: GraphQLField, given: Mapping[str, ValueNode], path: str) -> Callable[[Variables], Any]:
    """What finds the value of an argument, or of a field in it, when the variables are known."""
    name, *inner = path.split(".")
    node, declared = given.get(name), field.args[name]
    default = declared.default.value if declared.default is not None else declared.default_value

    variable = node.name.value if isinstance(node, VariableNode) else None

    def value(variables: Variables) -> Any:
        if variable is not None:
            found = variables.get(variable, Undefined)
        else:
            found = Undefined if node is None else value_from_ast_untyped(node, variables)
        found = default if found is Undefined else found
        for key in inner:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    return value


def _count(value: Any) -> int | None:
    """How many that asks for; None when it says nothing."""
    match value:
        case None | bool():
            return None
        case int() | float():
            # What is no number of items is refused when the arguments are coerced.
            return max(int(value), 0) if abs(value) < float("inf") else None
        case list() | tuple():
            return len(value)
        case _:
            return None if value is Undefined else 1  # one value stands for a list of it


def _variables(value: ValueNode) -> Iterator[str]:
    """The variables in a value."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case VariableNode(name=name):
                yield name.value
            case ListValueNode(values=values):
                waiting.extend(values or ())
            case ObjectValueNode(fields=fields):
                waiting.extend(field.value for field in fields or ())


def conditions(directives: Sequence[DirectiveNode]) -> list[Factor]:
    """What ``@skip`` and ``@include`` make of a selection: factors of 0 and 1."""
    found: list[Factor] = []
    for directive in directives:
        if directive.name.value in _CONDITIONS:
            wanted = _CONDITIONS[directive.name.value]
            found += [_condition(argument.value, wanted) for argument in directive.arguments or ()]
    return found


_CONDITIONS: Final = {"skip": False, "include": True}


def _condition(value: ValueNode, wanted: bool) -> Factor:
    if isinstance(value, BooleanValueNode):
        return int(value.value is wanted)
    assert isinstance(value, VariableNode), "the document fits the schema"
    name = value.name.value
    return Waiting(frozenset([name]), lambda variables: int(bool(variables.get(name)) is wanted))
