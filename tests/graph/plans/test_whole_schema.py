"""Random queries of the whole schema with every channel, answered twice: by plans, and by a server without them.

``LAUREL_TEST_DEPTH`` says how many queries are made of each field; several callers ask each, as it is and twisted.
"""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import get_introspection_query, parse, print_ast, visit
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route

from graph.laurel import tables
from graph.settings import Settings
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from graph.transport.execution import Engine
from graph.transport.http import HttpView
from tests.databases import SqliteFolder
from tests.graph.plans.twisting import Twist
from tests.graph.test_schemathesis import (
    BEGINNING,
    DEPTH,
    LIFTED,
    PLUGINS,
    SCALARS,
    SCHEMA,
    Known,
    Storm,
    begin,
)

METRICS = "a token for the metrics"
REQUEST = re.compile(r'"requestId":"[^"]+"')


class Compared:
    """Asks two servers of one database the same."""

    def __init__(
        self,
        ids: Any,
        tokens: dict[str, str],
        planned: httpx.AsyncClient,
        plain: httpx.AsyncClient,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self._caplog = caplog
        self._ids = ids
        self._tokens = tokens
        self._planned = planned
        self._plain = plain
        self._random = Random(20261128)
        self.counted: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def send(self, text: str) -> None:
        document = visit(parse(text, no_location=True), Known(self._ids))
        twist = Twist(SCHEMA.core, document, self._random)
        for query, variables in ((print_ast(document), {}), (print_ast(twist.document), twist.variables)):
            for caller, token in self._tokens.items():
                await self._ask({"query": query, "variables": variables}, caller, token)

    async def _ask(self, asked: dict[str, Any], caller: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        # By a plan once it has been asked.
        answers = [
            await client.post("/graphql", json=asked, headers=headers)
            for client in (self._plain, self._planned, self._planned)
        ]
        plain, *others = [(answer.status_code, REQUEST.sub("", answer.text)) for answer in answers]
        if others != [plain, plain]:
            self.wrong.append(f"as {caller}: {json.dumps(asked)}\n{plain}\n{others}")
        answer = answers[0].json()
        self.counted["with errors" if "errors" in answer else "without errors"] += 1
        for record in self._caplog.records if "errors" not in answer else ():
            self.wrong.append(f"{record.getMessage()}: {json.dumps(asked)}")
        self._caplog.clear()


def queries(schema: Any, send: Callable[[str], None]) -> None:
    """Every field of Query, so often. In a thread of its own, as Hypothesis waits for what it does."""
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.label.startswith("Query."):
            continue

        @settings(
            max_examples=2 * DEPTH,
            deadline=None,
            database=None,
            derandomize=DEPTH < 10,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            send(case.body)

        ask()


def ways(page: str) -> dict[str, float]:
    """How often each way of answering was taken."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {sample.labels["way"]: sample.value for sample in samples if sample.name == "laurel_plans_total"}


@pytest.mark.timeout(7200)
async def test_plans_answer_what_graphql_core_does(
    sqlite_folder: SqliteFolder, caplog: pytest.LogCaptureFixture
) -> None:
    url = sqlite_folder.migrated(tables(PLUGINS))
    variables = {**LIFTED, "LAUREL_METRICS_TOKEN": METRICS}
    async with open_shop(url, BEGINNING, plugins=PLUGINS, variables=variables) as shop:
        begun = await begin(shop)
        everybody = {"admin": shop.token(Role.ADMIN), "member": shop.token(Role.MEMBER, begun.raw())}
        known = Storm(shop, {})
        await known.look_around(begun)
        for name, strategy in SCALARS.items():
            schemathesis.graphql.scalar(name, strategy)
        schema = schemathesis.graphql.from_dict(await shop.ask(get_introspection_query(), role=Role.ADMIN))
        # Without plans, on the same Laurel.
        without = {**LIFTED, "LAUREL_SECRET": SECRET, "LAUREL_LIVE": "no", "LAUREL_PLANS": "no"}
        engine = Engine(SCHEMA, Settings.from_environment(without))
        engine.laurel = shop.laurel
        plain = Starlette(routes=[Route("/graphql", HttpView(engine))])
        caplog.set_level(logging.DEBUG, "laurel.graph")  # plans say there what they were surprised by
        async with httpx.AsyncClient(transport=httpx.ASGITransport(plain), base_url="http://plain.example") as client:
            loop, compared = asyncio.get_running_loop(), Compared(known.ids, everybody, shop.client, client, caplog)

            def send(text: str) -> None:
                asyncio.run_coroutine_threadsafe(compared.send(text), loop).result()

            before = ways(await metrics(shop))
            await asyncio.to_thread(queries, schema, send)
            after = ways(await metrics(shop))

        answered = {way: count - before.get(way, 0) for way, count in after.items()}
        print(compared.counted, answered)
        assert compared.wrong == []
        assert answered["plan"] > 2 * compared.counted["without errors"] / 3
        assert compared.counted["without errors"] > compared.counted["with errors"] / 3
    sqlite_folder.done(url)


async def metrics(shop: Shop) -> str:
    return (await shop.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})).text
