"""Resolvers without what stands between them and the executor: most fields of a page are attributes of a row.

For a field without arguments Strawberry collects none, a wrapper at a time, and a coroutine is wrapped in another. Here
such a field is read, or its function called, at once; it answers and fails as before. What is known of a field is kept
with it, as plans (``graph/plans``) write it down instead of calling it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLResolveInfo
from strawberry import Info
from strawberry.types.field import StrawberryField

Resolve = Callable[[Any, GraphQLResolveInfo[Any]], Any]

Resolver = TypeVar("Resolver", bound=Callable[..., Any])

_DIRECT: Final = "laurel-direct"
_OF_ALL: Final = "__laurel_of_all__"


class Attribute(NamedTuple):
    """A field that is an attribute of its parent."""

    name: str

    def resolve(self, declared: StrawberryField) -> Resolve:
        name = self.name
        return lambda source, info: getattr(source, name)


class Function(NamedTuple):
    """A field that is what a function gives: of its parent if it takes one, and with ``info`` if it takes that.

    ``of_all`` gives the same of many parents at once.
    """

    function: Callable[..., Any]
    takes_parent: bool
    takes_info: bool
    of_all: Callable[..., Awaitable[Sequence[Any]]] | None = None

    def resolve(self, declared: StrawberryField) -> Resolve:
        function = self.function
        if not self.takes_info:
            return (lambda source, info: function(source)) if self.takes_parent else (lambda source, info: function())
        if self.takes_parent:
            return lambda source, info: function(source, info=Info(_raw_info=info, _field=declared))
        return lambda source, info: function(info=Info(_raw_info=info, _field=declared))


Direct = Attribute | Function


def of_all(function: Callable[..., Awaitable[Sequence[Any]]]) -> Callable[[Resolver], Resolver]:
    """Below ``@strawberry.field``: a function that gives what the resolver does, of all objects of a list at once.

    It is given the parents, ``info`` and the field's arguments, and gives as many values, in their order. The resolver
    itself is to ask it about its one parent, so that there is one way to tell.
    """

    def told(resolver: Resolver) -> Resolver:
        setattr(resolver, _OF_ALL, function)
        return resolver

    return told


def resolve_directly(types: Mapping[str, GraphQLNamedType]) -> None:
    """Let the fields of these types be resolved at once, where they have no arguments."""
    for named in types.values():
        if isinstance(named, GraphQLObjectType):
            for field in named.fields.values():
                declared = declared_of(field)
                direct = None if declared is None or field.subscribe is not None else _direct(declared)
                if declared is not None and direct is not None:
                    field.extensions[_DIRECT] = direct
                    if not declared.arguments:
                        field.resolve = direct.resolve(declared)


def declared_of(field: GraphQLField) -> StrawberryField | None:
    """The field as it is declared; None for one that nobody declared, as those of the introspection."""
    declared = field.extensions.get("strawberry-definition")
    return declared if isinstance(declared, StrawberryField) else None


def direct_of(field: GraphQLField) -> Direct | None:
    """What a field is, once its arguments are there; None where Strawberry is needed to tell."""
    return field.extensions.get(_DIRECT)


def _direct(field: StrawberryField) -> Direct | None:
    if field.extensions or field.permission_classes:
        return None
    resolver = field.base_resolver
    if resolver is None:
        return Attribute(field.python_name)
    if resolver.root_parameter or resolver.parent_parameter:
        return None
    info = resolver.info_parameter
    if info is not None and info.name != "info":
        return None
    # A function in a class body takes its parent first, whatever it calls it.
    function: Any = resolver.wrapped_func
    return Function(function, bool(resolver.self_parameter), info is not None, getattr(function, _OF_ALL, None))
