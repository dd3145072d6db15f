"""The values of variables as graphql-core coerces them, with what it asks of their types asked once for a document.

Whatever is not as it should be is left to graphql-core, which has the words for it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce = Callable[[Any], Any]

_REQUIRED: Final = object()


class Doubtful(Exception):
    """A value, or a type, of which graphql-core is to say what becomes of it."""


class _Variable(NamedTuple):
    """A variable; one with a default value has nothing that coerces it."""

    name: str
    signature: GraphQLVariableSignature
    required: bool
    coerce: Coerce | None


class Variables:
    """The variables of an operation. Nothing is looked up for one that is asked for the first time."""

    __slots__ = ("_asked", "_known")

    def __init__(self) -> None:
        self._asked = False
        self._known: list[_Variable] | None = None

    def coerced(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> VariableValues | None:
        """The values of what was given; None where graphql-core is to be asked."""
        if not self._asked:
            self._asked = True
            return None
        if self._known is None:
            self._known = [_variable(schema, node) for node in operation.variable_definitions or ()]
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, required, coerce in self._known:
            if name in given:
                if coerce is None:
                    return None
                value = given[name]
                if value is None and required:
                    return None
                try:
                    coerced[name] = None if value is None else coerce(value)
                except Doubtful:
                    return None
                sources[name] = VariableValueSource(signature, value)
            elif coerce is None or required:
                return None
            else:
                sources[name] = VariableValueSource(signature)
        return VariableValues(sources, coerced)


def _variable(schema: GraphQLSchema, node: VariableDefinitionNode) -> _Variable:
    signature = get_variable_signature(schema, node)
    assert not isinstance(signature, GraphQLError), "the document is valid"
    required = is_non_null_type(signature.type)
    try:
        return _Variable(
            signature.name, signature, required, None if node.default_value else _coercer(signature.type, ())
        )
    except Doubtful:
        return _Variable(signature.name, signature, required, None)


def _coercer(kind: GraphQLInputType, within: tuple[GraphQLInputObjectType, ...]) -> Coerce:
    """What coerces values of a type but null, which stands somewhere within those input types."""
    if is_non_null_type(kind):
        return _coercer(kind.of_type, within)
    if is_list_type(kind):
        return _list(_coercer(kind.of_type, within), required=is_non_null_type(kind.of_type))
    if is_input_object_type(kind):
        if kind in within:
            raise Doubtful  # how deep its values are is another question
        return _input(kind, within)
    return _leaf(cast("GraphQLLeafType", kind))


def _list(item: Coerce, *, required: bool) -> Coerce:
    def coerce(value: Any) -> Any:
        if value.__class__ is not list or (required and None in value):
            raise Doubtful
        return [None if one is None else item(one) for one in value]

    return coerce


def _input(kind: GraphQLInputObjectType, within: tuple[GraphQLInputObjectType, ...]) -> Coerce:
    names, one_of, out_type = frozenset(kind.fields), kind.is_one_of, kind.out_type
    places = [
        (
            name,
            field.out_name or name,
            is_non_null_type(field.type),
            _coercer(field.type, (*within, kind)),
            _REQUIRED if is_required_input_field(field) else coerce_default_value(field),
        )
        for name, field in kind.fields.items()
    ]

    def coerce(value: Any) -> Any:
        if value.__class__ is not dict or not value.keys() <= names:
            raise Doubtful
        made = {}
        for name, out_name, required, inner, default in places:
            if name in value:
                given = value[name]
                if given is None and required:
                    raise Doubtful
                made[out_name] = None if given is None else inner(given)
            elif default is _REQUIRED:
                raise Doubtful
            elif default is not Undefined:
                made[out_name] = default
        if one_of and (len(value) != 1 or len(made) != 1 or None in made.values()):
            raise Doubtful
        try:
            return out_type(made)
        except GraphQLError:
            raise Doubtful from None

    return coerce


def _leaf(kind: GraphQLLeafType) -> Coerce:
    parse = kind.coerce_input_value

    def coerce(value: Any) -> Any:
        try:
            coerced = parse(value)
        except Exception:
            raise Doubtful from None
        if coerced is Undefined:
            raise Doubtful
        return coerced

    return coerce
