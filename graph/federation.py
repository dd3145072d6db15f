"""The schema as a subgraph of Apollo Federation 2: entities that other subgraphs refer to, and the SDL for composition.

Every ``Node`` is an entity, by its id. A type has further keys, or is one without being a ``Node``, by ``entity``. The
directives of Federation stand in the printed SDL only, so that both faces are one schema; the router alone may ask for
``_service`` and ``_entities``.
"""

import asyncio
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, NewType, TypeVar, Union, cast

import strawberry
from graphql import (
    ArgumentNode,
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    StringValueNode,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor
from strawberry.types.scalar import ScalarDefinition

from core.errors import InvalidValue
from graph.context import Info
from graph.ids import Node, parts_of, read_id
from graph.limits.prices import ListSize, priced
from graph.permissions import caller_of, forbidden

if TYPE_CHECKING:
    from graph.schema import LaurelSchema

ROUTER_HEADER: Final = "Router-Authorization"
ENTITIES_MAX: Final = 1_000
SHAREABLE: Final = frozenset({"Money", "PageInfo"})
"""Types that mean the same in every subgraph that has them."""

_URL: Final = "https://specs.apollo.dev/federation/v2.9"
_IMPORTS: Final = ("@key", "@shareable", "@cost", "@listSize")
_OWN: Final = frozenset({"_Any", "_Entity", "_Service", "_entities", "_service"})

Representation = NewType("Representation", object)
REPRESENTATION: Final = ScalarDefinition(
    name="_Any",
    description="The `__typename` of an entity with the fields of one of its keys.",
    specified_by_url="https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec",
    # What is wrong with one representation is to spoil that one only, so all are let in and looked at one by one.
    serialize=lambda value: value,
    parse_value=lambda value: value,
    parse_literal=None,
    origin=Representation,
)

T = TypeVar("T", bound=type)


def entity(*keys: str) -> Callable[[T], T]:
    """A type that other subgraphs refer to by any of these fields of text, above ``strawberry.type``.

    Its classmethod ``find_by(info, key, value)`` gives it, or None when there is none or not for this caller.
    """

    def declare(kind: T) -> T:
        kind.__entity_keys__ = keys  # type: ignore[attr-defined]  # as strawberry.type leaves its definition
        return kind

    return declare


def keys_of(kind: type) -> tuple[str, ...]:
    """The keys by which a type is an entity; none when it is not."""
    declared: tuple[str, ...] = getattr(kind, "__entity_keys__", ())
    return ("id", *declared) if issubclass(kind, Node) else declared


def is_router(secret: str, given: str | None) -> bool:
    """Whether a request is the router's, by its header."""
    return bool(secret) and given is not None and hmac.compare_digest(secret.encode(), given.encode())


# -- what the router asks -----------------------------------------------------------------------------


@strawberry.type(name="_Service", description="What the router is told of this subgraph.")
class Service:
    sdl: str = strawberry.field(description="Its schema, with the directives of Federation.")


def router_queries(kinds: Mapping[str, type]) -> type:
    """The fields of Query that a subgraph with these entities has besides its own."""
    members: Any = Union[tuple(kinds[name] for name in sorted(kinds))]  # noqa: UP007  # made of what plugins offer
    union: Any = Annotated[members, strawberry.union("_Entity", description="Whatever other subgraphs may refer to.")]

    async def entities(
        info: Info,
        representations: Annotated[
            list[Representation], strawberry.argument(description=f"Which ones, at most {ENTITIES_MAX}.")
        ],
    ) -> list[Any]:
        """Entities, in the order of their representations; null for one that there is not, or not for this caller."""
        _check_router(info)
        caller_of(info)
        if len(representations) > ENTITIES_MAX:
            raise InvalidValue(field="representations", reason=f"at most {ENTITIES_MAX} at once")
        # Side by side, so that they are asked of the database together; an exception is that one's answer.
        found = await asyncio.gather(*(_entity(info, kinds, one) for one in representations), return_exceptions=True)
        return list(found)

    def service(info: Info) -> Service:
        """What the router composes its schema from."""
        _check_router(info)
        return Service(sdl=cast("LaurelSchema", info.schema).sdl)

    entities.__annotations__["return"] = list[union | None]
    asked = strawberry.field(resolver=entities, name="_entities")
    size = ListSize(assumed_size=20, slicing_arguments=["representations"], require_one_slicing_argument=False)
    body = {"entities": priced(size)(asked), "service": strawberry.field(resolver=service, name="_service")}
    return strawberry.type(type("RouterQueries", (), body))


def _check_router(info: Info) -> None:
    if not info.context.router:
        raise forbidden("for the router only")


async def _entity(info: Info, kinds: Mapping[str, type], given: object) -> Any:
    """What a representation stands for, if the caller may see it. Raises GraphQLError and InvalidId."""
    named = given.get("__typename") if isinstance(given, dict) else None
    kind = kinds.get(named) if isinstance(named, str) else None
    if not isinstance(given, dict) or not isinstance(named, str) or kind is None:
        raise _unknown("a representation has the __typename of an entity")
    for key in keys_of(kind):
        value = given.get(key)
        if not isinstance(value, str):
            continue
        if key == "id" and issubclass(kind, Node):
            parts = parts_of(value, named, max(len(read_id(value)) - 1, 0))
            return await kind.resolve_node(info, *parts)
        return await kind.find_by(info, key, value)  # type: ignore[attr-defined]  # see entity
    raise _unknown(f"a representation of {named} has {' or '.join(keys_of(kind))}")


def _unknown(reason: str) -> GraphQLError:
    return GraphQLError(reason, extensions={"code": "BAD_USER_INPUT"})


# -- what is composed ---------------------------------------------------------------------------------


def subgraph_sdl(schema: Any, kinds: Mapping[str, type]) -> str:
    """The schema with the directives of Federation, as composition wants it."""
    keys = {name: keys_of(kind) for name, kind in kinds.items()}
    printed = visit(parse(schema.as_str(), no_location=True), _Composable(keys))
    imported = ", ".join(f'"{name}"' for name in _IMPORTS)
    return f'extend schema @link(url: "{_URL}", import: [{imported}])\n\n{print_ast(printed)}\n'


class _Composable(Visitor):
    """Makes of the schema what a subgraph prints: keys are added, and what the router defines itself is left out."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._keys = keys

    def enter(self, node: Any, *_: Any) -> Any:
        if isinstance(node, DefinitionNode | FieldDefinitionNode):
            name = getattr(getattr(node, "name", None), "value", "")
            if isinstance(node, DirectiveDefinitionNode) or name in _OWN:
                return self.REMOVE
        return None

    def leave_object_type_definition(self, node: ObjectTypeDefinitionNode, *_: Any) -> Any:
        added = [f'@key(fields: "{key}")' for key in self._keys.get(node.name.value, ())]
        if node.name.value in SHAREABLE:
            added.append("@shareable")
        if not added:
            return None
        (like,) = parse(f"type X {' '.join(added)} {{ x: Int }}", no_location=True).definitions
        assert isinstance(like, ObjectTypeDefinitionNode), "it says type"
        return _with(node, directives=(*(node.directives or ()), *(like.directives or ())))

    def leave_field_definition(self, node: FieldDefinitionNode, *_: Any) -> Any:
        directives = tuple(_composable(directive, node) for directive in node.directives or ())
        return _with(node, directives=directives) if directives else None

    def leave_directive(self, node: ConstDirectiveNode, *_: Any) -> Any:
        # Composition drops it; whatever comes through the router is checked here all the same.
        return self.REMOVE if node.name.value == "oneOf" else None


def _composable(directive: ConstDirectiveNode, field: FieldDefinitionNode) -> ConstDirectiveNode:
    """The directive as Apollo defines it: a weight is a number, and only numbers slice."""
    made: ConstDirectiveNode = _with(directive, arguments=tuple(_arguments(directive, field)))
    return made


def _arguments(directive: ConstDirectiveNode, field: FieldDefinitionNode) -> Iterator[ArgumentNode]:
    numbers = {argument.name.value for argument in field.arguments or () if print_ast(argument.type) == "Int"}
    for argument in directive.arguments or ():
        value: Any = argument.value
        if argument.name.value == "weight" and isinstance(value, StringValueNode):
            yield _with(argument, value=IntValueNode(value=value.value))
        elif argument.name.value != "slicingArguments" or _named(value) <= numbers:
            yield argument


def _named(value: Any) -> set[str]:
    listed: Sequence[Any] = value.values if isinstance(value, ListValueNode) else (value,)
    return {one.value for one in listed}


def _with(node: Any, **changes: Any) -> Any:
    return type(node)(**{**{key: getattr(node, key) for key in node.keys}, **changes})
