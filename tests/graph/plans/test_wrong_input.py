"""Documents and clients that mean no good: the answer is graphql-core's own, and the worker stays well."""

import gc
from typing import Any

import pytest

from graph.plans import planner
from graph.schema import build_schema
from graph.settings import Settings
from graph.testing import SECRET, Shop
from graph.tokens import Caller, Role
from graph.transport import documents
from graph.transport.execution import Engine, Prepared
from graph.transport.requests import Asked
from plugins.manager import Plugins
from tests.graph.plans.growing import KINDS
from tests.graph.plans.watched import Watched

ADMIN = Caller(Role.ADMIN, "an admin")
POPULAR = """query ($first: Int!) { members(first: $first) { nodes { externalId tier { name }
  points { available } balances { available } } } }"""
BEYOND = {f"LAUREL_{name}_MAX": "1000000" for name in ("ALIASES", "TOKENS", "SOURCE", "COMPARISONS")}


class Server:
    """Two engines of one shop: with plans and without."""

    def __init__(self, shop: Shop, **variables: str) -> None:
        settings = Settings.from_environment({"LAUREL_SECRET": SECRET, "LAUREL_LIVE": "no", **variables})
        schema = build_schema(Plugins())
        self.planned, self.plain = Engine(schema, settings), Engine(schema, settings)
        self.planned.planner = self.planner = Watched(schema.core)
        self.plain.planner = None
        self.planned.laurel = self.plain.laurel = shop.laurel

    def prepare(self, engine: Engine, text: str, variables: dict[str, Any]) -> Prepared:
        return engine.prepare(Asked(text, variables, None, {}), ADMIN)

    async def ask(self, text: str, /, **variables: Any) -> bytes:
        """What both answer."""
        answers = []
        for engine in (self.plain, self.planned):
            prepared = self.prepare(engine, text, variables)
            answers.append((await engine.execute(prepared, engine.context(ADMIN, "it"))).encoded())
        assert answers[0] == answers[1], text
        return answers[0]

    async def ways(self, text: str, /, **variables: Any) -> str:
        """Which way it is answered."""
        self.planner.ways.clear()
        await self.ask(text, **variables)
        (way,) = self.planner.ways
        return way


@pytest.fixture
async def server(shop: Shop) -> Server:
    for name in ("ann", "bob", "cid"):
        await shop.enrol(name)
    server = Server(shop, **BEYOND)
    for _ in range(2):
        await server.ask(POPULAR, first=3)
    assert await server.ways(POPULAR, first=3) == "plan"
    return server


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_that_one_client_sends_takes_a_plan_from_the_others(
    server: Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(documents, "KEPT_MAX", 8)
    monkeypatch.setattr(planner, "FIELDS_KEPT_MAX", 400)
    for number in range(64):
        text, variables = KINDS[kind](number)
        for _ in range(2):
            await server.ask(text, **variables)
        if number % 4 == 0:
            assert await server.ways(POPULAR, first=2) == "plan", number
    gc.collect()
    assert server.planner._fields <= 400
    assert len(server.planner._kept) <= 2 * 8 * planner.PLANS_MAX


async def test_a_document_has_a_plan_for_some_of_its_conditions_and_graphql_core_for_the_rest(server: Server) -> None:
    for number in range(64):
        text, variables = KINDS["flags"](number)
        await server.ask(text, **variables)
    answered = []
    for number in range(64):
        text, variables = KINDS["flags"](number)
        answered.append(await server.ways(text, **variables))
    assert answered.count("plan") == planner.PLANS_MAX
    assert answered.count("executor") == 64 - planner.PLANS_MAX
