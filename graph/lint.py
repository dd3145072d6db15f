"""What every schema of ours keeps, checked whenever one is built, so that a channel's author hears of it at start-up.

A ``Finding`` says where in the schema what is wrong; ``laurel plugin check`` reports the same ones, rule by rule.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from core.errors import LaurelError

SHOWN_MAX: Final = 20

_CAMEL: Final = re.compile(r"[a-z][a-zA-Z0-9]*")
_PASCAL: Final = re.compile(r"[A-Z][a-zA-Z0-9]*")
_UPPER: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_MOMENT: Final = re.compile(r"at|since|until|from|before|former|value|[a-z]\w*(At|From|Since|Until)")
_DEPRECATED: Final = re.compile(r"Use .+\. Removal: [0-9]{4}-[0-9]{2}-[0-9]{2}\.?")
_CONNECTION: Final = {"edges", "nodes", "pageInfo", "totalCount"}
_PAGING: Final = {"first", "after", "last", "before"}
# What Federation prescribes is called as it is called there.
_PRESCRIBED: Final = "_"

Holder = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


class Rule(StrEnum):
    """What is kept."""

    DESCRIBED = "everything is described"
    NAMED = "names are spelled as all others"
    SCALARS = "every scalar says what is in it"
    MUTATIONS = "one input with a key, one payload with errors"
    CONNECTIONS = "lists that grow are connections"
    DEPRECATIONS = "what will go says what to use, and until when"


class Finding(NamedTuple):
    """Something that breaks a rule: ``where`` is the type, or ``Type.field``, or ``Type.field(argument:)``."""

    rule: Rule
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class SchemaInvalid(LaurelError):
    """A schema breaks rules that all of ours keep."""

    def __init__(self, findings: list[tuple[Finding, str]]) -> None:
        self.findings = [finding for finding, _ in findings]
        shown = [f"{finding} ({whose})" for finding, whose in findings[:SHOWN_MAX]]
        if len(findings) > SHOWN_MAX:
            shown.append(f"and {len(findings) - SHOWN_MAX} more")
        super().__init__("the schema cannot be served:\n  " + "\n  ".join(shown))


def require_clean(schema: GraphQLSchema, whose: Callable[[str], str]) -> None:
    """Raise SchemaInvalid if there is anything to find; ``whose`` tells by a coordinate who offers it."""
    if found := [(finding, whose(finding.where)) for finding in lint(schema)]:
        raise SchemaInvalid(found)


def lint(schema: GraphQLSchema) -> Iterator[Finding]:
    """What breaks a rule, type by type."""
    for named in schema.type_map.values():
        if is_introspection_type(named) or is_specified_scalar_type(named) or named.name.startswith(_PRESCRIBED):
            continue
        yield from _described(Rule.DESCRIBED, named.name, named.description)
        yield from _spelled(_PASCAL, named.name, named.name)
        match named:
            case GraphQLEnumType():
                yield from _values(named)
            case GraphQLScalarType():
                yield from _scalar(named)
            case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
                yield from _fields(named)
    if schema.mutation_type is not None:
        for name, field in schema.mutation_type.fields.items():
            yield from _mutation(name, field)


def _described(rule: Rule, where: str, said: str | None) -> Iterator[Finding]:
    if not (said or "").strip():
        yield Finding(rule, where, "it has no description")


def _spelled(pattern: re.Pattern[str], where: str, name: str) -> Iterator[Finding]:
    if not pattern.fullmatch(name):
        words = {_CAMEL: "camelCase", _PASCAL: "PascalCase", _UPPER: "UPPER_CASE"}[pattern]
        yield Finding(Rule.NAMED, where, f"{name} is not {words}")


def _values(named: GraphQLEnumType) -> Iterator[Finding]:
    for name, value in named.values.items():
        where = f"{named.name}.{name}"
        yield from _described(Rule.DESCRIBED, where, value.description)
        yield from _spelled(_UPPER, where, name)
        yield from _deprecated(where, value.deprecation_reason)


def _scalar(named: GraphQLScalarType) -> Iterator[Finding]:
    if "json" in named.name.lower():
        yield Finding(Rule.SCALARS, named.name, "a scalar that says nothing of what is in it; give it a type")
    if not named.specified_by_url:
        yield Finding(Rule.SCALARS, named.name, "it has no specified_by_url")


def _fields(named: Holder) -> Iterator[Finding]:
    if isinstance(named, GraphQLInputObjectType) and not named.name.endswith(("Input", "Filter")):
        yield Finding(Rule.NAMED, named.name, "an input is called …Input or …Filter")
    for name, field in named.fields.items():
        if not name.startswith(_PRESCRIBED):
            yield from _field(f"{named.name}.{name}", name, field)
    if named.name.endswith("Connection") and isinstance(named, GraphQLObjectType) and set(named.fields) != _CONNECTION:
        yield Finding(Rule.CONNECTIONS, named.name, "a connection is a Connection[…] of graph.vocabulary")


def _field(where: str, name: str, field: GraphQLField | GraphQLInputField) -> Iterator[Finding]:
    yield from _described(Rule.DESCRIBED, where, field.description)
    yield from _spelled(_CAMEL, where, name)
    yield from _deprecated(where, field.deprecation_reason)
    kind = get_named_type(field.type)
    if kind.name == "Instant" and not _MOMENT.fullmatch(name):
        yield Finding(Rule.NAMED, where, "an Instant is called …At, …From, …Since or …Until")
    if not isinstance(field, GraphQLField):
        return
    for argument, said in field.args.items():
        yield from _described(Rule.DESCRIBED, f"{where}({argument}:)", said.description)
        yield from _spelled(_CAMEL, f"{where}({argument}:)", argument)
        yield from _deprecated(f"{where}({argument}:)", said.deprecation_reason)
    if kind.name.endswith("Connection") and not field.args.keys() >= _PAGING:
        yield Finding(Rule.CONNECTIONS, where, "its resolver is not paged, so it has not first, after, last and before")


def _deprecated(where: str, reason: str | None) -> Iterator[Finding]:
    if reason is not None and not _DEPRECATED.fullmatch(reason):
        yield Finding(Rule.DEPRECATIONS, where, f"{reason!r} is not of the form 'Use X. Removal: 2027-01-31'")


def _mutation(name: str, field: GraphQLField) -> Iterator[Finding]:
    where, pascal = f"Mutation.{name}", name[0].upper() + name[1:]
    taken = {argument: str(of.type) for argument, of in field.args.items()}
    if taken != {"input": f"{pascal}Input!"}:
        yield Finding(Rule.MUTATIONS, where, f"it takes ({', '.join(taken)}) and not one input: {pascal}Input!")
        return
    given, payload = get_named_type(field.args["input"].type), get_named_type(field.type)
    # Nullable: a failure of one mutation must not hide what the others did.
    if str(field.type) != f"{pascal}Payload" or not isinstance(payload, GraphQLObjectType):
        yield Finding(Rule.MUTATIONS, where, f"it answers with {field.type} and not with {pascal}Payload, nullable")
        return
    if _type_of(payload, "errors") != "[UserError!]!":
        yield Finding(Rule.MUTATIONS, payload.name, "it has no errors: [UserError!]!")
    # What has a transaction moves points, if not for one member then for each of a list.
    if _type_of(payload, "transaction", listed=True) and _type_of(given, "idempotencyKey", listed=True) != "String!":
        yield Finding(Rule.MUTATIONS, given.name, "it has no idempotencyKey: String!")


def _type_of(kind: GraphQLNamedType, name: str, *, listed: bool = False) -> str:
    """The type of a field, or of that of the things that a field lists; empty when there is none."""
    fields: dict[str, Any] = getattr(kind, "fields", {})
    if name in fields:
        return str(fields[name].type)
    if listed:
        for field in fields.values():
            if isinstance(get_nullable_type(field.type), GraphQLList):
                inner: dict[str, Any] = getattr(get_named_type(field.type), "fields", {})
                if name in inner:
                    return str(inner[name].type)
    return ""
