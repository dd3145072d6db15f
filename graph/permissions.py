"""Who may do what: roles are declared on the field, checked before its resolver runs, and printed in its description.

A member reaches what is theirs and nothing else; that another member exists is never told. A partner reaches those
mutations of the plugins named in the token that are for partners, and of everything else what is no secret.
"""

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, Final, get_type_hints

import strawberry
from graphql import GraphQLError

from core.errors import Refusal
from graph.context import Info
from graph.errors import user_error
from graph.tokens import Caller, Role

STAFF: Final = frozenset({Role.SERVICE, Role.OPERATOR, Role.ANALYST})
"""Who reads any member's data."""

ACTING: Final = frozenset({Role.MEMBER, Role.SERVICE, Role.OPERATOR})
"""Who spends a member's points: the member, and the brand for any member."""

EVERYONE: Final = frozenset(Role)
"""Whoever has a token."""


def caller_of(info: Info) -> Caller:
    """Who asks. Raises a GraphQLError with UNAUTHENTICATED when nobody does."""
    caller = info.context.caller
    if caller is None:
        raise GraphQLError("a token is needed", extensions={"code": "UNAUTHENTICATED"})
    return caller


def actor(info: Info) -> str:
    """How the caller is written down with what they did."""
    return caller_of(info).actor


def forbidden(reason: str) -> GraphQLError:
    return GraphQLError(reason, extensions={"code": "FORBIDDEN"})


def permit(info: Info, roles: Collection[Role]) -> None:
    """Raise a GraphQLError unless the caller has one of the roles. An admin has all of them."""
    role = caller_of(info).role
    if role not in roles and role is not Role.ADMIN:
        raise forbidden(f"not for the role {role}")


def _check_channel(info: Info) -> None:
    """Raise a GraphQLError when a partner asks for a root field of a plugin that the token does not name."""
    caller = caller_of(info)
    if caller.role is not Role.PARTNER:
        return
    plugin = info.context.laurel.plugins.offered_by.get(f"{info._raw_info.parent_type.name}.{info.field_name}")
    if plugin is not None and plugin not in caller.channels:
        raise forbidden(f"not for a partner without the channel {plugin}")


def may_see(info: Info, member_id: str) -> bool:
    """Whether the caller may see this member's data: all staff may, a member only their own."""
    caller = caller_of(info)
    if caller.role is Role.MEMBER:
        return caller.member_id == member_id
    return caller.role in STAFF or caller.role is Role.ADMIN


def query(*, allow: Collection[Role]) -> Callable[[Callable[..., Any]], Any]:
    """A field of Query for these roles (and admin); the resolver's docstring is its description.

    A refusal that it raises becomes a top-level error with the refusal's code.
    """
    return lambda resolver: _field(resolver, allow, answers_refusals=False)


def mutation(*, allow: Collection[Role]) -> Callable[[Callable[..., Any]], Any]:
    """A field of Mutation for these roles (and admin); the resolver's docstring is its description.

    A refusal that it raises becomes the payload's ``errors``; the payload is what the resolver is annotated to return.
    """
    return lambda resolver: _field(resolver, allow, answers_refusals=True)


def subscription(*, allow: Collection[Role]) -> Callable[[Callable[..., Any]], Any]:
    """A field of Subscription for these roles (and admin); the resolver's docstring is its description.

    The resolver yields what the field answers, anew for each event. A refusal that it raises ends the subscription.
    """
    return lambda resolver: _stream(resolver, allow)


def _stream(resolver: Callable[..., Any], allow: Collection[Role]) -> Any:
    if not inspect.isasyncgenfunction(resolver) or "info" not in inspect.signature(resolver).parameters:
        raise TypeError(f"{resolver.__qualname__} must be an asynchronous generator with an argument named info")

    @functools.wraps(resolver)
    async def guarded(*args: Any, info: Info, **kwargs: Any) -> Any:
        # Before the first event, so that what is forbidden is refused and does not begin.
        permit(info, allow)
        _check_channel(info)
        return resolver(*args, info=info, **kwargs)

    return strawberry.subscription(resolver=guarded, description=_description(resolver, allow))


def _field(resolver: Callable[..., Any], allow: Collection[Role], *, answers_refusals: bool) -> Any:
    if not inspect.iscoroutinefunction(resolver) or "info" not in inspect.signature(resolver).parameters:
        raise TypeError(f"{resolver.__qualname__} must be a coroutine with an argument named info")

    @functools.cache
    def payload() -> Callable[..., Any]:
        kind: Callable[..., Any] = get_type_hints(resolver)["return"]
        return kind

    @functools.wraps(resolver)
    async def guarded(*args: Any, info: Info, **kwargs: Any) -> Any:
        permit(info, allow)
        _check_channel(info)
        try:
            return await resolver(*args, info=info, **kwargs)
        except Refusal as refused:
            if not answers_refusals:
                raise
            return payload()(errors=[user_error(info, refused)])

    # Nullable, so that a failure spoils no other field of the request.
    signature = inspect.signature(resolver)
    nullable: Any = guarded
    nullable.__signature__ = signature.replace(return_annotation=signature.return_annotation | None)
    return strawberry.field(resolver=nullable, description=_description(resolver, allow))


def _description(resolver: Callable[..., Any], allow: Collection[Role]) -> str:
    said = inspect.getdoc(resolver)
    if not said:
        raise TypeError(f"{resolver.__qualname__} needs a docstring: it is the field's description")
    roles = ", ".join(role.value for role in Role if role in allow or role is Role.ADMIN)
    return f"{said}\n\nRoles: {roles}."
