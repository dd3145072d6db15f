"""Refusals in the schema: ``UserError``, and a type for each refusal with its facts, made from its declaration.

``schema.py`` gives ``UserError.code`` its enum, as which codes there are depends on the plugins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import strawberry
from graphql import GraphQLNamedType, GraphQLObjectType

from core.errors import FormerRefusal, InvalidValue, ProgrammeInvalid, Refusal
from core.units import Points as CorePoints
from graph.phrases import Locale
from graph.scalars import Points

if TYPE_CHECKING:
    from graph.context import Info


@strawberry.interface
class UserError:
    """Something that the programme does not allow. Nothing was changed. Each refusal is a type with its facts."""

    code: str = strawberry.field(description="The refusal's code, which never changes.")
    path: list[str] | None = strawberry.field(
        default=None, description="The input field that is to blame, where one is."
    )
    _refusal: strawberry.Private[Refusal]

    @strawberry.field
    def message(
        self,
        locale: Annotated[Locale, strawberry.argument(description="The language of the sentence.")] = Locale.EN,
    ) -> str:
        """The refusal in a sentence, for developers and operators. A page for members makes its own of the facts."""
        return self._refusal.said_in(locale.language)


@strawberry.type
class ProgrammeProblem:
    """One thing wrong with a programme document, and where."""

    path: str = strawberry.field(description="The place in the document: channels.purchase.points.groups[base].")
    message: str = strawberry.field(description="What is wrong there.")
    line: int | None = strawberry.field(default=None, description="The line in the text, from 1.")
    column: int | None = strawberry.field(default=None, description="The column in the line, from 1.")


def refusals_of(offered: Iterable[type[Refusal]]) -> tuple[type[Refusal], ...]:
    """The refusals of the core and the graph, and those that plugins offer, by code."""
    # What comes in as a message is refused there, so that the schema is the same whether or not that has been loaded.
    ours = (
        kind
        for kind in Refusal.by_code.values()
        if kind.__module__.startswith(("core.", "graph.")) and not kind.__module__.startswith("graph.incoming.")
    )
    return tuple(sorted({*ours, *offered}, key=lambda kind: kind.code))


_types: dict[type[Refusal], type[UserError]] = {}


def error_type(kind: type[Refusal]) -> type[UserError]:
    """The GraphQL type of a refusal, made once."""
    made = _types.get(kind)
    if made is None:
        made = _types[kind] = _make_type(kind)
    return made


def check_facts(refusals: Iterable[type[Refusal]], types: Mapping[str, GraphQLNamedType]) -> None:
    """Raise TypeError when a fact has not the same type in all refusals, null or not included.

    GraphQL refuses a document that asks for one name of several types where it has different types, so a client could
    not ask for the facts of both refusals.
    """
    found: dict[str, tuple[type[Refusal], str]] = {}
    for kind in refusals:
        made = types[kind.__name__]
        assert isinstance(made, GraphQLObjectType), "made by error_type"
        for name, field in made.fields.items():
            said = str(field.type)
            other, said_first = found.setdefault(name, (kind, said))
            if said != said_first:
                raise TypeError(
                    f"fact {name!r} is {said_first} in {other.__module__}.{other.__qualname__} "
                    f"and {said} in {kind.__module__}.{kind.__qualname__}"
                )


def _make_type(kind: type[Refusal]) -> type[UserError]:
    hints = get_type_hints(kind, include_extras=True)
    members: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    for declared in fields(kind):
        if declared.name in (*UserError.__annotations__, "message"):
            raise TypeError(f"{kind.__name__}.{declared.name}: every refusal has one of that name")
        annotations[declared.name] = _graph_type(hints[declared.name])
        members[declared.name] = strawberry.field(description=declared.metadata["description"])
    if kind is ProgrammeInvalid:
        annotations["problems"] = list[ProgrammeProblem]
        members["problems"] = strawberry.field(description="The problems, one by one.")
    made = type(
        kind.__name__,
        (UserError,),
        {"__annotations__": annotations, "__doc__": kind.__doc__, "__module__": __name__, **members},
    )
    return strawberry.type(made)


def error_codes(refusals: Iterable[type[Refusal]]) -> type[Enum]:
    """The enum of the codes of these refusals."""
    values = {
        kind.code: strawberry.enum_value(kind.code, description=(kind.__doc__ or "").split("\n")[0])
        for kind in refusals
    }
    # The functional form would need the values to be plain, and these carry a description.
    made = Enum("UserErrorCode", values)  # type: ignore[misc]  # mypy wants to see the names
    return strawberry.enum(made, description="The codes of all refusals.")


def user_error(info: "Info", refusal: Refusal) -> UserError:
    """A refusal as the payload answers it."""
    if type(refusal) not in refusals_of(info.context.laurel.plugins.refusals):
        # Stored while its channel was installed, and replayed now that it is switched off.
        refusal = FormerRefusal(former_code=refusal.code)
    facts = refusal.facts
    if isinstance(refusal, ProgrammeInvalid):
        facts["problems"] = [
            ProgrammeProblem(path=p.path, message=p.message, line=p.line, column=p.column) for p in refusal.problems
        ]
    path = [refusal.field] if isinstance(refusal, InvalidValue) else None
    return error_type(type(refusal))(code=refusal.code, path=path, _refusal=refusal, **facts)


_KINDS = {int: int, str: str, bool: bool, Decimal: Decimal, datetime: datetime, date: date, CorePoints: Points}


def _graph_type(hint: Any) -> Any:
    if hint in _KINDS:
        return _KINDS[hint]
    options = get_args(hint)
    if get_origin(hint) is Annotated or type(None) not in options:
        raise TypeError(f"{hint} cannot be a fact of a refusal")
    (kind,) = (option for option in options if option is not type(None))
    return _graph_type(kind) | None
