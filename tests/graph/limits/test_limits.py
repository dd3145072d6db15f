"""What one request may ask for, as callers of each role meet it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
import strawberry
from graphql import get_introspection_query

from graph.testing import Shop, open_shop
from graph.tokens import Role
from graph.vocabulary import EVERYONE, Cost, Info, ListSize, Payload, mutation, priced, query
from plugins.manager import Plugins
from tests.graph.conftest import PROGRAMME

SCHEMA = "{ __schema { queryType { name } } }"
MISSPELT = "{ viewr { role } }"


@strawberry.type
class Slow:
    """A query that takes its time."""

    @query(allow=EVERYONE)
    async def nap(self, info: Info, seconds: Annotated[int, strawberry.argument(description="How long.")]) -> int:
        """Sleeps."""
        await asyncio.sleep(seconds)
        return seconds

    @priced(Cost(weight="7"), ListSize(slicing_arguments=["count"]))
    @query(allow=EVERYONE)
    async def naps(self, info: Info, count: Annotated[int, strawberry.argument(description="How many.")]) -> list[int]:
        """Counts naps."""
        return list(range(count))


@strawberry.type
class TakeNapPayload(Payload):
    """What became of a nap."""


@strawberry.input
class TakeNapInput:
    """A nap."""

    seconds: int = strawberry.field(description="How long.")
    idempotency_key: str = strawberry.field(description="Any text.")


@strawberry.type
class SlowMutations:
    """A mutation that takes its time."""

    @mutation(allow=EVERYONE)
    async def take_nap(self, info: Info, input: TakeNapInput) -> TakeNapPayload:
        """Sleeps."""
        await asyncio.sleep(input.seconds)
        return TakeNapPayload(replayed=True)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose programme is live and whose requests have a second."""
    variables = {"LAUREL_LIVE": "yes", "LAUREL_SECONDS_MAX": "1", "LAUREL_COSTS": "member=20", "LAUREL_DEPTH_MAX": "4"}
    plugins = Plugins(queries=(Slow,), mutations=(SlowMutations,))
    async with open_shop(tmp_path, PROGRAMME, plugins=plugins, variables=variables) as shop:
        yield shop


def code(answer: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    (error,) = answer["errors"]
    return error["extensions"]["code"]


async def test_the_schema_of_a_live_programme_is_for_staff(live: Shop) -> None:
    anna = await live.enrol("anna")

    for role in (Role.SERVICE, Role.OPERATOR, Role.ANALYST, Role.ADMIN):
        assert await live.ask(SCHEMA, role=role) == {"__schema": {"queryType": {"name": "Query"}}}
        assert "Did you mean 'viewer'?" in (await live.post(MISSPELT, role=role))["errors"][0]["message"]
    assert code(await live.post(SCHEMA, member=anna)) == "FORBIDDEN"
    assert code(await live.post(SCHEMA, role=Role.PARTNER)) == "FORBIDDEN"
    assert code(await live.post(SCHEMA, role=None)) == "UNAUTHENTICATED"
    assert "Did you mean" not in (await live.post(MISSPELT, member=anna))["errors"][0]["message"]


async def test_what_tools_ask_of_the_schema_is_answered(shop: Shop) -> None:
    whole = get_introspection_query(specified_by_url=True, input_value_deprecation=True, type_depth=12)

    answer = await shop.post(whole)

    assert "errors" not in answer
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


async def test_an_answer_says_what_it_cost(shop: Shop) -> None:
    for name in ("anna", "ben"):
        await shop.enrol(name)
    asked = "query ($first: Int) { members(first: $first) { nodes { id points { available } } edges { cursor } } }"

    answer = await shop.post(asked, {"first": 10})

    # The connection, and ten times a member, a balance and an edge; there are two.
    assert answer["extensions"] == {"cost": {"requested": 31, "maximum": 5000, "actual": 7}}


async def test_a_plugin_says_what_its_fields_cost(live: Shop) -> None:
    answer = await live.post("{ naps(count: 3) }")
    several = await live.post("{ naps }")

    assert answer["extensions"]["cost"] == {"requested": 21, "maximum": 5000, "actual": 21}
    assert code(several) == "GRAPHQL_VALIDATION_FAILED"


async def test_what_a_role_may_cost_is_a_setting(live: Shop) -> None:
    anna = await live.enrol("anna")

    answer = await live.post("{ naps(count: 3) }", member=anna)

    extensions = answer["errors"][0]["extensions"]
    assert (extensions["code"], extensions["requested"], extensions["maximum"]) == ("COST_LIMIT_EXCEEDED", 21, 20)
    assert list(answer) == ["errors"]


async def test_a_query_that_takes_too_long_is_given_up(live: Shop) -> None:
    assert code(await live.post("{ nap(seconds: 5) }")) == "TIMEOUT"


async def test_a_mutation_is_not_given_up_and_none_is_begun_when_time_is_over(live: Shop) -> None:
    nap = 'takeNap(input: {seconds: 2, idempotencyKey: "n"}) { replayed }'
    asked = f"mutation {{ a: {nap} b: {nap} }}"

    answer = await live.post(asked)

    assert answer["data"] == {"a": {"replayed": True}, "b": None}
    assert code(answer) == "TIMEOUT"
    assert answer["errors"][0]["path"] == ["b"]
