"""What each field costs, as the schema says it: ``@cost`` and ``@listSize`` of the GraphQL cost specification.

A field costs its weight and what is selected below it, times the length of its list. Where nothing is said an object
weighs 1 and a value nothing, a mutation weighs 10, a connection has the length that it is asked for, and any other list
that of the lists which people write by hand.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from strawberry import UNSET
from strawberry.schema_directive import Location

from graph.limits import introspection

LIST_LENGTH: Final = 3
"""How long a list is taken to be of which the schema says nothing: entries of a transaction, rules of a trace."""
MUTATION_WEIGHT: Final = 10
PAGE_LENGTH: Final = 20
"""What a connection has of which no number was asked for."""

_DEFINITION: Final = "strawberry-definition"

T = TypeVar("T", bound=Any)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    name="cost",
    description="What the field costs each time it is resolved, or every field of that type. Where nothing is said an "
    "object costs 1 and a value nothing.",
)
class Cost:
    """How dear a field is: ``strawberry.field(directives=[Cost(weight="5")])``. The weight is a whole number."""

    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How long the list is taken to be: as the greatest of the slicing arguments says (one that is a list by"
    " its own length), otherwise as assumed. The sized fields are the lists below the field that are so long.",
)
class ListSize:
    """How long a list is. A slicing argument may lie in an input: ``input.purchases``."""

    assumed_size: int | None = UNSET
    slicing_arguments: list[str] | None = UNSET
    sized_fields: list[str] | None = UNSET
    require_one_slicing_argument: bool = True


def priced(*directives: Cost | ListSize) -> Callable[[T], T]:
    """Say what a field costs, or how long its list is; it stands above ``query`` or ``mutation``."""

    def declare(declared: T) -> T:
        declared.directives = [*declared.directives, *directives]
        return declared

    return declare


class Price(NamedTuple):
    """What one field costs. ``type`` is the name of the type below it, None for a value."""

    weight: int
    type: str | None
    is_list: bool
    size: ListSize | None
    field: GraphQLField


class Prices:
    """The prices of a schema. Raises TypeError for a directive that cannot be meant."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._by_type: dict[str, dict[str, Price]] = {}
        for name, kind in schema.type_map.items():
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                self._by_type[name] = {field: _price(f"{name}.{field}", said) for field, said in kind.fields.items()}
        if schema.query_type is not None:
            roots = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
            self._by_type[schema.query_type.name] |= {name: _price(name, field) for name, field in roots.items()}
        for path, times in introspection.lengths(schema).items():
            name, _, field = path.partition(".")
            price = self._by_type[name][field]
            self._by_type[name][field] = price._replace(is_list=True, size=ListSize(assumed_size=times))
        for path in introspection.WEIGHTLESS:
            name, _, field = path.partition(".")
            self._by_type[name][field] = self._by_type[name][field]._replace(weight=0)

    def of(self, type_name: str, field: str) -> Price | None:
        """What a field costs; None for one that every type has, and costs nothing."""
        prices = self._by_type.get(type_name)
        return None if prices is None else prices.get(field)

    def root(self, operation: OperationType) -> str:
        """The name of the type that an operation begins at."""
        kind = self._schema.get_root_type(operation)
        assert kind is not None, "the document fits the schema"
        return kind.name


def declare(schema: GraphQLSchema) -> None:
    """Write into a schema that was just made what holds without a word: mutations weigh, connections have a length.

    It is printed, so that routers and readers see it.
    """
    for field in schema.mutation_type.fields.values() if schema.mutation_type else ():
        _say(field, Cost(weight=str(MUTATION_WEIGHT)))
    for named in schema.type_map.values():
        if not isinstance(named, GraphQLObjectType):
            continue
        for field in named.fields.values():
            if _is_connection(get_nullable_type(field.type)) and "first" in field.args:
                slicing = [name for name in ("first", "last") if name in field.args]
                _say(
                    field,
                    ListSize(
                        assumed_size=PAGE_LENGTH,
                        slicing_arguments=slicing,
                        sized_fields=["edges", "nodes"],
                        require_one_slicing_argument=False,
                    ),
                )


def _say(field: GraphQLField, directive: Cost | ListSize) -> None:
    """Give a field a directive, unless it has one of that kind."""
    declared = field.extensions[_DEFINITION]
    if not any(isinstance(said, type(directive)) for said in declared.directives):
        # A list of its own: the field of another schema has the same one.
        declared.directives = [*declared.directives, directive]


def _is_connection(kind: Any) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection") and "pageInfo" in kind.fields


def _price(where: str, field: GraphQLField) -> Price:
    named = get_named_type(field.type)
    composite = is_composite_type(named)
    said = _said(field.extensions, Cost) or _said(named.extensions, Cost)
    weight = int(composite)
    if said is not None:
        if not (said.weight.isascii() and said.weight.isdigit()):
            raise TypeError(f"{where}: the weight {said.weight!r} of its @cost is not a whole number")
        weight = int(said.weight)
    size = _said(field.extensions, ListSize)
    for path in (size and size.slicing_arguments) or ():
        if path.partition(".")[0] not in field.args:
            raise TypeError(f"{where}: it has no argument {path}, which its @listSize names")
    return Price(weight, named.name if composite else None, is_list_type(get_nullable_type(field.type)), size, field)


def _said(extensions: Mapping[str, Any], kind: type[Any]) -> Any:
    directives = getattr(extensions.get(_DEFINITION), "directives", None) or ()
    return next((said for said in directives if isinstance(said, kind)), None)
