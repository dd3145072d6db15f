"""How coroutines end that wait when a plan is surprised: as tasks do that are cancelled."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any

import pytest
import strawberry
from graphql import parse

from graph.resolving import resolve_directly
from tests.graph.plans.both_ways import Asked, planned

HELD: ContextVar[str] = ContextVar("HELD")


class Held:
    """Something that takes a while to let go of, as connections and transactions do."""

    def __init__(self, name: str, ends: list[str]) -> None:
        self._name = name
        self._ends = ends

    async def __aenter__(self) -> None:
        self._token = HELD.set(self._name)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.sleep(0.001)
        HELD.reset(self._token)
        self._ends.append(f"{self._name}: {kind.__name__ if kind else None}")


class Context:
    def __init__(self) -> None:
        self.ends: list[str] = []
        self.shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.elsewhere: asyncio.Future[None] | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def holds(self, info: strawberry.Info[Any, None]) -> str:
        ends = info.context.ends
        async with Held("outer", ends), Held("inner", ends):
            await asyncio.sleep(60)
        return "done"

    @strawberry.field
    async def fails(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError("on purpose")

    @strawberry.field
    async def shares(self, info: strawberry.Info[Any, None], fails: bool) -> str | None:
        try:
            await info.context.shared
        except asyncio.CancelledError:
            info.context.ends.append("cancelled")
            raise
        if fails:
            raise ValueError("on purpose")
        return "done"

    @strawberry.field
    def gives(self, info: strawberry.Info[Any, None]) -> str:
        info.context.shared.set_result(None)
        return "given"

    @strawberry.field
    async def survives(self, info: strawberry.Info[Any, None]) -> str:
        try:
            await info.context.shared
        except asyncio.CancelledError:
            return "cancelled"
        except ValueError as error:
            return str(error)
        return "done"

    @strawberry.field
    async def waits_elsewhere(self, info: strawberry.Info[Any, None]) -> str:
        await info.context.elsewhere
        return "done"

    @strawberry.field
    async def is_stubborn(self) -> str:
        await asyncio.ensure_future(stubborn())
        return "done"


async def stubborn() -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(60)


SCHEMA = strawberry.Schema(Query)._schema
resolve_directly(SCHEMA.type_map)


async def test_what_takes_a_while_to_let_go_is_let_go() -> None:
    context = Context()
    assert await planned(Asked.of(SCHEMA, parse("{ holds fails }"), {}), context) is None
    async with asyncio.timeout(60):
        while len(context.ends) < 2:  # noqa: ASYNC110  # nothing tells that it has been let go
            await asyncio.sleep(0.001)
    assert context.ends == ["inner: CancelledError", "outer: CancelledError"]


async def test_those_are_told_as_well_that_wait_for_what_the_failing_one_waited_for() -> None:
    context = Context()
    asyncio.get_running_loop().call_later(0.001, context.shared.set_result, None)
    operation = Asked.of(SCHEMA, parse("{ a: shares(fails: true) b: shares(fails: false) }"), {})
    assert await planned(operation, context) is None
    assert context.ends == ["cancelled"]


async def test_what_one_waits_for_may_be_there_before_anybody_waits() -> None:
    operation = Asked.of(SCHEMA, parse("{ survives gives }"), {})
    async with asyncio.timeout(60):
        assert await planned(operation, Context()) == {"survives": "done", "gives": "given"}


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("end", ["done", "on purpose", "cancelled"])
async def test_what_is_waited_for_ends_as_it_likes(end: str, both: bool) -> None:
    context = Context()
    ends: dict[str, Callable[[], object]] = {
        "done": partial(context.shared.set_result, None),
        "on purpose": partial(context.shared.set_exception, ValueError(end)),
        "cancelled": context.shared.cancel,
    }
    asyncio.get_running_loop().call_later(0.001, ends[end])
    operation = Asked.of(SCHEMA, parse("{ a: survives b: survives }" if both else "{ a: survives }"), {})
    assert await planned(operation, context) == ({"a": end, "b": end} if both else {"a": end})


@pytest.mark.parametrize("field", ["waitsElsewhere", "isStubborn"])
async def test_who_waits_for_what_does_not_end_may_leave(field: str) -> None:
    """A future of another loop cannot be waited for here, and a task may survive that it is cancelled."""
    context, other = Context(), asyncio.new_event_loop()
    context.elsewhere = other.create_future()
    try:
        asking = asyncio.ensure_future(planned(Asked.of(SCHEMA, parse(f"{{ {field} }}"), {}), context))
        await asyncio.sleep(0.01)
        assert not asking.done()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    finally:
        other.close()
