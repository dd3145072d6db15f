"""A mutation is performed once, whoever answers what is selected of it; arguments become what Strawberry makes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    default_field_resolver,
    default_type_resolver,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from strawberry import Maybe
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments

from graph.plans import Resolved, Surprise
from graph.plans.arguments import Conversions
from graph.plans.plan import Unplanned
from graph.resolving import declared_of, resolve_directly
from graph.scalars import SCALARS
from graph.schema import build_schema
from plugins.manager import load_plugins
from tests.graph.plans.both_ways import Asked, executed


class Done:
    """What was done so far."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.selected: dict[Any, bool] = {}


@strawberry.input
class Part:
    """A part of something, which has parts."""

    name: str
    parts: list["Part"] = strawberry.field(default_factory=list)
    note: Maybe[str | None]
    colour: Maybe[str]
    weight: int | None = None


@strawberry.type
class Payload:
    """What became of an order."""

    number: int

    @strawberry.field
    async def spoilt(self) -> str:
        raise GraphQLError("spoilt", extensions={"code": "SPOILT"})

    @strawberry.field
    def path(self, info: strawberry.Info[Done, None]) -> str:
        return ".".join(map(str, info.path.as_list()))


@strawberry.type
class Query:
    hello: str = "hello"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def order(self, info: strawberry.Info[Done, None], part: Part) -> Payload | None:
        info.context.orders.append(f"{'.'.join(map(str, info.path.as_list()))} {part}")
        if part.name == "none":
            return None
        if part.name == "refused":
            raise GraphQLError("refused", extensions={"code": "REFUSED"})
        return Payload(number=len(info.context.orders))


_MADE = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))
SCHEMA = _MADE._schema
resolve_directly(SCHEMA.type_map)


def asked(selected: str, part: dict[str, Any]) -> Asked:
    document = parse("mutation M($part: Part!) { " + selected + " }")
    assert validate(SCHEMA, document) == []
    return Asked.of(SCHEMA, document, {"part": part})


async def answered(request: Asked, done: Done) -> tuple[dict[str, Any] | None, ExecutionResult | None]:
    """What a plan answers, or, where it is surprised, graphql-core with what was done by then."""
    try:
        return await request.plan().run(done, request.variables), None  # type: ignore[arg-type]
    except Surprise as surprise:
        resolved: Any = surprise.resolved
        assert isinstance(resolved, Resolved)
    result: Any = StrawberryGraphQLCoreExecutionContext(
        request.schema, {}, {}, None, done, request.operation, request.variables, default_field_resolver,
        default_type_resolver, default_field_resolver, middleware_manager=resolved, is_awaitable=optimized_is_awaitable,
    ).execute_operation()  # fmt: skip
    return None, await result if optimized_is_awaitable(result) else result


@pytest.mark.parametrize(
    ("selected", "name", "by_plan"),
    [
        ("order(part: $part) { number __typename }", "a", True),
        ("mine: order(part: $part) { n: number }", "a", True),
        ("order(part: $part) { number }", "none", True),
        ("order(part: $part) { number }", "refused", False),
        ("order(part: $part) { number spoilt }", "a", False),
        ("mine: order(part: $part) { number path }", "a", False),
    ],
)
async def test_a_mutation_is_performed_once_and_answered_as_by_graphql_core(
    selected: str, name: str, by_plan: bool
) -> None:
    request, done, as_ever = asked(selected, {"name": name, "parts": [{"name": "b", "note": None}]}), Done(), Done()

    data, result = await answered(request, done)

    expected = await executed(request, as_ever)
    assert done.orders == as_ever.orders
    assert len(done.orders) == 1
    assert (data is not None) is by_plan
    if result is None:
        assert (data, None) == (expected.data, expected.errors)
    else:
        assert result.data == expected.data
        assert [error.formatted for error in result.errors or ()] == [one.formatted for one in expected.errors or ()]


async def test_what_cannot_be_converted_has_done_nothing() -> None:
    request, done = asked("order(part: $part) { number }", {"name": "a"}), Done()
    # The executor's coercion lets nobody send this; the plan must not rely on it.
    request.variables.coerced["part"]["colour"] = None

    with pytest.raises(Surprise) as surprised:
        await request.plan().run(done, request.variables)  # type: ignore[arg-type]

    assert surprised.value.resolved is None
    assert done.orders == []


def test_a_mutation_of_several_fields_has_no_plan() -> None:
    with pytest.raises(Unplanned):
        asked("a: order(part: $part) { number } b: order(part: $part) { number }", {"name": "a"}).plan()


# -- arguments ----------------------------------------------------------------------------------------


def values(kind: Any, depth: int = 0) -> Iterator[Any]:
    """Coerced values of a type: with everything that can be left out, and with nothing of it."""
    if is_non_null_type(kind):
        yield from (value for value in values(kind.of_type, depth) if value is not None)
        return
    yield None
    if is_list_type(kind):
        yield []
        yield list(values(kind.of_type, depth + 1))[:3]
    elif isinstance(kind, GraphQLEnumType):
        yield next(iter(kind.values.values())).value
    elif isinstance(kind, GraphQLInputObjectType):
        wanted = {name: field for name, field in kind.fields.items() if is_non_null_type(field.type)}
        yield {name: [*values(field.type, depth)][-1] for name, field in wanted.items()}
        for at in range(3) if depth < 3 else ():
            given = {name: [*values(field.type, depth + 1)] for name, field in kind.fields.items()}
            yield {name: of[min(at, len(of) - 1)] for name, of in given.items()}
    else:
        yield {"Int": 7, "Boolean": True, "Date": date(2026, 1, 2), "DateTime": datetime(2026, 1, 2, tzinfo=UTC)}.get(
            kind.name, Decimal("1.50") if kind.name == "Decimal" else "text"
        )


def test_arguments_of_all_fields_become_what_strawberry_makes_of_them() -> None:
    schema = build_schema(load_plugins()).core
    converter = schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]
    conversions, compared = Conversions(converter), 0
    for kind in schema.type_map.values():
        for field in kind.fields.values() if isinstance(kind, GraphQLObjectType) else ():
            declared = declared_of(field)
            if declared is None or not declared.arguments:
                continue
            convert = conversions.of(declared.arguments)
            for name, argument in field.args.items():
                for value in values(argument.type):
                    given, of = {name: value}, (converter.scalar_registry, converter.config)
                    try:
                        expected = convert_arguments(given, declared.arguments, *of)
                    except StrawberryInputCoercionError:
                        with pytest.raises(Surprise):
                            convert(given)
                    else:
                        assert convert(given) == expected
                        compared += 1
    assert compared > 1_000
