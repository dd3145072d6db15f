"""What a channel is made of: that it loads, its part of the schema, its settings. Nothing is called."""

from collections.abc import Iterator
from typing import Any, cast

import graphql

from core.errors import ProgrammeInvalid
from graph.laurel import load_document
from graph.schema import build_schema
from plugins import CONTRACT
from plugins.manager import load_plugins

from .readme import Fails, NotTried
from .subject import Subject, new_fields


async def loads_alone(subject: Subject) -> str:
    plugins = subject.plugins
    build_schema(plugins)
    return f"contract {CONTRACT}, {len(plugins.mutations)} class(es) of mutations"


async def can_be_left_out(subject: Subject) -> str:
    without = load_plugins(offers=subject.others)
    load_document(without, subject.programme(None))
    build_schema(without)
    build_schema(load_plugins(offers=[subject.offer, *subject.others]))
    return f"{len(subject.others)} other plugins start without it, and with it"


async def is_described(subject: Subject) -> str:
    missing = [label for label, description in _described(subject) if not (description or "").strip()]
    if missing:
        raise Fails(f"without a description: {', '.join(missing[:10])}")
    return f"{len(list(_described(subject)))} descriptions"


def _described(subject: Subject) -> Iterator[tuple[str, str | None]]:
    """All that the channel adds to the schema, with what is said of it."""
    before = subject.bare.type_map
    for name, kind in subject.schema.type_map.items():
        new = name not in before
        if new:
            yield name, kind.description
        if isinstance(kind, graphql.GraphQLEnumType):
            known = set() if new else set(cast(graphql.GraphQLEnumType, before[name]).values)
            yield from ((f"{name}.{v}", kind.values[v].description) for v in kind.values if v not in known)
        if isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType | graphql.GraphQLInputObjectType):
            known = set() if new else set(cast(graphql.GraphQLObjectType, before[name]).fields)
            for label, of in kind.fields.items():
                if label in known:
                    continue
                yield f"{name}.{label}", of.description
                arguments = of.args if isinstance(of, graphql.GraphQLField) else {}
                yield from ((f"{name}.{label}({a}:)", arguments[a].description) for a in arguments)


async def has_no_json(subject: Subject) -> str:
    scalars = {n for n, kind in subject.schema.type_map.items() if isinstance(kind, graphql.GraphQLScalarType)}
    if json := sorted(name for name in scalars - set(subject.bare.type_map) if "json" in name.lower()):
        raise Fails(f"scalars that say nothing of what is in them: {', '.join(json)}")
    return "every value has a type"


async def mutations_have_one_shape(subject: Subject) -> str:
    mutations = new_fields(subject, "Mutation")
    if not mutations:
        raise NotTried("it has no mutations")
    for name, of in mutations.items():
        if set(of.args) != {"input"} or not isinstance(of.args["input"].type, graphql.GraphQLNonNull):
            raise Fails(f"{name} takes ({', '.join(of.args)}) and not one input")
        given, payload = graphql.get_named_type(of.args["input"].type), graphql.get_named_type(of.type)
        if _has(payload, "transaction", "Transaction") and not _has(given, "idempotencyKey", "String!"):
            raise Fails(f"{given.name} has no idempotencyKey: String!")
        if not _has(payload, "errors", "[UserError!]!"):
            raise Fails(f"{payload.name} has no errors: [UserError!]!")
    return ", ".join(mutations)


def _has(kind: Any, name: str, of: str) -> bool:
    """Whether a type has the field, or what it lists has, as for a mutation of many at once."""
    if name in kind.fields:
        return str(kind.fields[name].type) == of
    listed = [
        f.type.of_type
        for f in kind.fields.values()
        if isinstance(graphql.get_nullable_type(f.type), graphql.GraphQLList)
    ]
    return any(hasattr(inner := graphql.get_named_type(found), "fields") and name in inner.fields for found in listed)


async def settings_are_checked(subject: Subject) -> str:
    if subject.name not in subject.plugins.settings:
        raise NotTried("it has no settings")
    load_document(subject.company, subject.programme(subject.section))
    try:
        load_document(subject.company, subject.programme({**subject.section, "no_such_key": 1}))
    except ProgrammeInvalid as invalid:
        return f"an unknown key is refused: {invalid.problems[0].message}"
    raise Fails("a key that it does not know is accepted in its section")
