"""Who may do what: roles are declared on the field, checked before its resolver runs, and printed in its description.

A member reaches what is theirs and nothing else; that another member exists is never told. A partner reaches those
mutations of the plugins named in the token that are for partners, and of everything else what is no secret.
"""

import functools
import inspect
from collections.abc import Callable, Collection
from time import monotonic
from typing import Any, Final, get_type_hints

import strawberry
from graphql import GraphQLError

from core.errors import Refusal
from core.oversight.audit import Note, current_note, noting
from core.oversight.auditing import audited, write_down
from graph.context import Info
from graph.errors import user_error
from graph.texts import NUL
from graph.tokens import Caller, Role

STAFF: Final = frozenset({Role.SERVICE, Role.OPERATOR, Role.ANALYST})
"""Who reads any member's data."""

ACTING: Final = frozenset({Role.MEMBER, Role.SERVICE, Role.OPERATOR})
"""Who spends a member's points: the member, and the brand for any member."""

AUDITED: Final = frozenset({Role.OPERATOR, Role.ADMIN})
"""Whose mutations are in the audit log. All others stand with the operations that they asked for."""

EVERYONE: Final = frozenset(Role)
"""Whoever has a token."""

_REASON_MAX: Final = 1_000


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


def permit(info: Info, roles: Collection[Role]) -> Role:
    """The role of the caller. Raises a GraphQLError unless it is one of these; an admin has all of them."""
    role = caller_of(info).role
    if role not in roles and role is not Role.ADMIN:
        raise forbidden(f"not for the role {role}")
    return role


def _check_channel(info: Info, capability: str | None = None) -> None:
    """Raise a GraphQLError when a partner, who asks, asks for a root field of a plugin that the token does not name.

    The token names the plugin's whole channel, or the ``capability`` that the field needs.
    """
    caller = caller_of(info)
    plugin = info.context.laurel.plugins.offered_by.get(f"{info._raw_info.parent_type.name}.{info.field_name}")
    if plugin is None or plugin in caller.channels:
        return
    if capability is None:
        raise forbidden(f"not for a partner without the channel {plugin}")
    if f"{plugin}.{capability}" not in caller.capabilities:
        raise forbidden(f"not for a partner without the channel {plugin} or the capability {plugin}.{capability}")


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
    return lambda resolver: _field(resolver, allow, None, answers_refusals=False)


def mutation(*, allow: Collection[Role], capability: str | None = None) -> Callable[[Callable[..., Any]], Any]:
    """A field of Mutation for these roles (and admin); the resolver's docstring is its description.

    A refusal that it raises becomes the payload's ``errors``; the payload is what the resolver is annotated to return.
    A partner needs the plugin's channel, or only the ``capability`` if the plugin has registered one of that name.
    What an operator or an admin does by it is in the audit log, with the ``reason`` of its input if that has one.
    """
    if capability is not None and Role.PARTNER not in allow:
        raise TypeError(f"capability {capability!r} is for partners, and the mutation is not")
    return lambda resolver: _field(resolver, allow, capability, answers_refusals=True)


def field(*, allow: Collection[Role]) -> Callable[[Callable[..., Any]], Any]:
    """A field of any other type for these roles (and admin), null and FORBIDDEN for the rest.

    The resolver's docstring is its description; it answers null or takes ``None`` for an answer.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        if "info" not in inspect.signature(resolver).parameters:
            raise TypeError(f"{resolver.__qualname__} must have an argument named info")

        @functools.wraps(resolver)
        def guarded(*args: Any, info: Info, **kwargs: Any) -> Any:
            permit(info, allow)
            return resolver(*args, info=info, **kwargs)

        return strawberry.field(
            resolver=_nullable(guarded, resolver),
            description=_description(resolver, allow),
            metadata=_declared(allow),
        )

    return declare


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
        if permit(info, allow) is Role.PARTNER:
            _check_channel(info)
        return resolver(*args, info=info, **kwargs)

    return strawberry.subscription(
        resolver=guarded, description=_description(resolver, allow), metadata=_declared(allow)
    )


def _field(
    resolver: Callable[..., Any], allow: Collection[Role], capability: str | None, *, answers_refusals: bool
) -> Any:
    if not inspect.iscoroutinefunction(resolver) or "info" not in inspect.signature(resolver).parameters:
        raise TypeError(f"{resolver.__qualname__} must be a coroutine with an argument named info")

    @functools.cache
    def payload() -> Callable[..., Any]:
        kind: Callable[..., Any] = get_type_hints(resolver)["return"]
        return kind

    async def asked(*args: Any, info: Info, **kwargs: Any) -> Any:
        if permit(info, allow) is Role.PARTNER:
            _check_channel(info)
        return await resolver(*args, info=info, **kwargs)

    async def done(*args: Any, info: Info, **kwargs: Any) -> Any:
        if monotonic() > info.context.until:
            # Those before it are not given up, as nobody would know whether they were done.
            raise GraphQLError("not begun: those before it took too long", extensions={"code": "TIMEOUT"})
        role = permit(info, allow)
        if role is Role.PARTNER:
            _check_channel(info, capability)
        # Nothing of those who act for a member every day.
        note = _note(info, kwargs.get("input")) if role in AUDITED else None
        try:
            if note is None and current_note() is None:
                answer = await resolver(*args, info=info, **kwargs)
            else:
                with noting(note):
                    answer = await resolver(*args, info=info, **kwargs)
        except Refusal as refused:
            return payload()(errors=[user_error(info, refused)])
        if note is not None and not note.written and not (answer.errors or getattr(answer, "replayed", False)):
            # It has gone around both the committer and the audit log.
            with noting(note):
                await audited(lambda: write_down(info.context.now, before={}, after={}))
        return answer

    guarded = functools.wraps(resolver)(done if answers_refusals else asked)
    return strawberry.field(
        resolver=_nullable(guarded, resolver),
        description=_description(resolver, allow, capability),
        metadata=_declared(allow, capability),
    )


def _note(info: Info, given: Any) -> Note:
    """What the audit log is to keep of a mutation."""
    reason = getattr(given, "reason", None)
    return Note(
        actor=actor(info),
        mutation=info.field_name,
        request_id=info.context.request_id,
        reason=reason.replace(NUL, "")[:_REASON_MAX] if isinstance(reason, str) else None,
    )


def _nullable(guarded: Callable[..., Any], resolver: Callable[..., Any]) -> Any:
    """The resolver with an answer that may be null, so that a failure spoils no other field of the request."""
    signature = inspect.signature(resolver)
    nullable: Any = guarded
    nullable.__signature__ = signature.replace(return_annotation=signature.return_annotation | None)
    return nullable


def _declared(allow: Collection[Role], capability: str | None = None) -> dict[str, Any]:
    return {"allow": frozenset(allow) | {Role.ADMIN}, "capability": capability}


def _description(resolver: Callable[..., Any], allow: Collection[Role], capability: str | None = None) -> str:
    said = inspect.getdoc(resolver)
    if not said:
        raise TypeError(f"{resolver.__qualname__} needs a docstring: it is the field's description")
    roles = ", ".join(role.value for role in Role if role in allow or role is Role.ADMIN)
    needed = f" A partner needs the channel, or its capability `{capability}`." if capability else ""
    return f"{said}\n\nRoles: {roles}.{needed}"
