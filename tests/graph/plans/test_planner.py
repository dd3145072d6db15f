"""Which plan answers, and what is kept with it."""

import gc
import weakref
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_variable_values

from graph.plans import Planner, Plans, Surprise, planner
from graph.plans.plan import Plan
from tests.graph.plans.test_plan import SCHEMA, Context


def operation_of(text: str) -> tuple[OperationDefinitionNode, Plans]:
    """The one operation of a document, and its plans, for which it has been asked once."""
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    plans = Plans([operation], {})
    assert plans.find(SCHEMA, operation, values_of(operation)) is None
    return operation, plans


def values_of(operation: OperationDefinitionNode, **given: Any) -> VariableValues:
    values = get_variable_values(SCHEMA, operation.variable_definitions or (), given)
    assert isinstance(values, VariableValues)
    return values


async def test_null_is_no_condition(caplog: pytest.LogCaptureFixture) -> None:
    operation, plans = operation_of("query ($yes: Boolean = true) { a: echo b: echo @include(if: $yes) }")

    async def answer(**given: Any) -> dict[str, Any] | None:
        values = values_of(operation, **given)
        return await Planner(SCHEMA).answer(plans, operation, values, Context())  # type: ignore[arg-type]

    assert set(await answer(yes=False) or ()) == {"a"}
    assert set(await answer() or ()) == {"a", "b"}
    assert await answer(yes=None) is None  # graphql-core tells what is wrong with it
    assert caplog.records == []


def test_of_variables_only_conditions_are_kept() -> None:
    class Long(str):
        """Text that can be referred to weakly."""

    operation, plans = operation_of(
        "query ($text: String, $yes: Boolean = true) { echo(text: $text) @include(if: $yes) }"
    )
    values = values_of(operation)
    values.coerced["text"] = Long("a" * 1_000_000)
    left = weakref.ref(values.coerced["text"])
    kept = plans.find(SCHEMA, operation, values)
    assert kept is not None
    assert isinstance(kept.plan, Plan)
    del values
    gc.collect()
    assert left() is None


async def test_plans_used_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "FIELDS_KEPT_MAX", 5)
    one = Planner(SCHEMA)
    asked = [operation_of(f"{{ a{number}: echo b: echo }}") for number in range(3)]
    kept = []
    for at in (0, 1, 0, 2):
        operation, plans = asked[at]
        values = values_of(operation)
        assert await one.answer(plans, operation, values, Context()) is not None  # type: ignore[arg-type]
        kept.append(plans.find(SCHEMA, operation, values))
    first, second, again, third = (found.plan if found else None for found in kept)
    assert first is again is not None
    assert third is not None
    assert second is None
    operation, plans = asked[1]
    assert await one.answer(plans, operation, values_of(operation), Context()) is not None  # type: ignore[arg-type]


async def test_a_document_that_is_forgotten_takes_its_plans_along() -> None:
    one = Planner(SCHEMA)
    operation, plans = operation_of("{ echo a: echo }")
    assert await one.answer(plans, operation, values_of(operation), Context()) is not None  # type: ignore[arg-type]
    assert (one._fields, len(one._kept)) == (2, 1)
    del plans
    gc.collect()
    assert (one._fields, len(one._kept)) == (0, 0)


async def test_a_plan_that_one_client_surprises_answers_the_others_again() -> None:
    one = Planner(SCHEMA)
    operation, plans = operation_of("{ thing { text } }")

    async def answered(value: Any) -> bool | None:
        context = Context()
        context.value = value  # type: ignore[attr-defined]
        try:
            return await one.answer(plans, operation, values_of(operation), context) is not None  # type: ignore[arg-type]
        except Surprise:
            return None

    assert [await answered(None) for _ in range(planner.SURPRISES_MAX)] == [None] * planner.SURPRISES_MAX
    assert [await answered("good") for _ in range(planner.RESTS)] == [False] * planner.RESTS
    # One more in vain, and it rests again.
    assert [await answered(None), await answered("good")] == [None, False]
    assert [await answered("good") for _ in range(planner.RESTS)][-1:] == [True]
    assert await answered("good")
    assert [await answered(None), await answered("good")] == [None, True]
