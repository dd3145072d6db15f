"""Variables become what graphql-core makes of them, or are left to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    is_list_type,
    is_non_null_type,
    parse,
)
from graphql.execution.values import VariableValues, get_variable_values

from graph.schema import build_schema as build_laurel
from graph.transport.variables import Variables
from plugins.manager import load_plugins

_ANYTHING: Any = [
    None, True, 7, -(2**70), 1.5, "", "text", "12.50", "2026-01-02", "2026-01-02T03:04:05Z", [], [None], ["text", 7],
    {}, {"unknown": 1},
]  # fmt: skip


def sent(kind: Any, depth: int = 0) -> Iterator[Any]:
    """What a client might send for a type: what fits it, and what does not."""
    yield from _ANYTHING
    if is_non_null_type(kind):
        kind = kind.of_type
    if is_list_type(kind):
        fitting = list(sent(kind.of_type, depth + 1))
        yield from ([one] for one in fitting)
    elif isinstance(kind, GraphQLEnumType):
        yield from kind.values
    elif isinstance(kind, GraphQLInputObjectType) and depth < 2:
        of_each = {name: [*sent(field.type, depth + 1)] for name, field in kind.fields.items()}
        needed = {name for name, field in kind.fields.items() if is_non_null_type(field.type)}
        for at in range(max(map(len, of_each.values()))):
            every = {name: of[at % len(of)] for name, of in of_each.items()}
            yield every
            yield {name: value for name, value in every.items() if name in needed}
            yield from ({name: value} for name, value in every.items())


def told(values: VariableValues) -> Any:
    """All that the values say; types that are made of others are equal by their names."""
    sources = {
        name: (source.signature.name, str(source.signature.type), source.signature.default, source.value)
        for name, source in values.sources.items()
    }
    return values.coerced, sources


def compared(schema: Any, text: str, values: Iterator[Any]) -> tuple[int, int]:
    """How many values were coerced, and how many left to graphql-core."""
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables, coerced, left = Variables(), 0, 0
    assert variables.coerced(schema, operation, {}) is None  # asked for the first time
    for given in ({}, *({"v": value} for value in values)):
        expected = get_variable_values(schema, operation.variable_definitions or (), given)
        found = variables.coerced(schema, operation, given)
        if found is None:
            left += 1
            continue
        assert isinstance(expected, VariableValues), f"{given} was coerced to {found}, and is none"
        assert told(found) == told(expected)
        coerced += 1
    return coerced, left


def test_variables_of_all_types_become_what_graphql_core_makes_of_them() -> None:
    schema = build_laurel(load_plugins()).core
    kinds = {
        str(argument.type): argument.type
        for kind in schema.type_map.values()
        for field in (kind.fields.values() if isinstance(kind, GraphQLObjectType) else ())
        for argument in field.args.values()
    }

    counts = [compared(schema, f"query ($v: {name}) {{ __typename }}", sent(kind)) for name, kind in kinds.items()]

    assert len(counts) > 50
    assert sum(coerced for coerced, _ in counts) > 1_000


@pytest.mark.parametrize(
    ("declared", "given", "coerced"),
    [
        ("Int = 3", {}, False),
        ("Int = 3", {"v": 4}, False),
        ("Int", {}, True),
        ("Int!", {}, False),
        ("Deep", {"v": {"deep": None}}, False),  # how deep it may be is graphql-core's to say
        ("[Int]", {"v": 1}, False),
        ("One", {"v": {"a": 1}}, True),
        ("One", {"v": {"a": 1, "b": 2}}, False),
        ("Filled", {"v": {}}, True),
    ],
)
def test_what_is_left_to_graphql_core(declared: str, given: dict[str, Any], coerced: bool) -> None:
    schema = build_schema(
        "type Query { a(d: Deep, o: One, f: Filled): Int } input Deep { deep: Deep }"
        " input One @oneOf { a: Int b: Int } input Filled { n: Int! = 5 list: [Int!] = [1] }"
    )
    (operation,) = parse(f"query ($v: {declared}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables = Variables()
    variables.coerced(schema, operation, {})

    found = variables.coerced(schema, operation, given)

    assert (found is not None) is coerced
    if found is not None:
        expected = get_variable_values(schema, operation.variable_definitions or (), given)
        assert isinstance(expected, VariableValues)
        assert told(found) == told(expected)
