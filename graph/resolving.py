"""Resolvers without what stands between them and the executor: most fields of a page are attributes of a row.

For a field without arguments Strawberry collects none, a wrapper at a time, and a coroutine is wrapped in another. Here
such a field is read, or its function called, at once; it answers and fails as before.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLResolveInfo
from strawberry import Info
from strawberry.types.field import StrawberryField

Resolve = Callable[[Any, GraphQLResolveInfo[Any]], Any]


def resolve_directly(types: Mapping[str, GraphQLNamedType]) -> None:
    """Let the fields of these types be resolved at once, where they have no arguments."""
    for named in types.values():
        if isinstance(named, GraphQLObjectType):
            for field in named.fields.values():
                declared = field.extensions.get("strawberry-definition")
                if isinstance(declared, StrawberryField) and field.subscribe is None:
                    field.resolve = _direct(declared) or field.resolve


def _direct(field: StrawberryField) -> Resolve | None:
    if field.extensions or field.permission_classes or field.arguments:
        return None
    resolver = field.base_resolver
    if resolver is None:
        return _attribute(field.python_name)
    if resolver.root_parameter or resolver.parent_parameter:
        return None
    # A function in a class body takes its parent first, whatever it calls it.
    return _call(field, resolver.wrapped_func, bool(resolver.self_parameter), resolver.info_parameter)


def _attribute(name: str) -> Resolve:
    return lambda source, info: getattr(source, name)


def _call(field: StrawberryField, function: Any, takes_self: bool, info_parameter: Any) -> Resolve | None:
    if info_parameter is None:
        return (lambda source, info: function(source)) if takes_self else (lambda source, info: function())
    if info_parameter.name != "info":
        return None
    if takes_self:
        return lambda source, info: function(source, info=Info(_raw_info=info, _field=field))
    return lambda source, info: function(info=Info(_raw_info=info, _field=field))
