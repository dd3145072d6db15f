"""Two hundred clients buy at two processes while versions are published and rolled back: each order has one's rules."""

import asyncio
import ssl
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, pairwise
from typing import Any, Final

import httpx
import orjson
import pytest

from core.oversight.verify import verify
from core.store import Store
from core.store.databases import connect
from core.time.clock import instant
from graph.laurel import tables
from graph.testing import SECRET, open_shop
from graph.tokens import Role, issue_token
from plugins.manager import load_plugins
from tests.databases import Server
from tests.serving import ready_process

CLIENTS: Final = 200
ROUNDS: Final = 2
BUY: Final = "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code message } } }"
PUBLISH: Final = """mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) {
  programme { version } errors { code message } } }"""
ROLL_BACK: Final = """mutation ($input: RollBackProgrammeInput!) { rollBackProgramme(input: $input) {
  programme { version } errors { code message } } }"""


def document(times: int) -> str:
    """Each order of 10 gives so many times 10 points, and as much growth: by two rules of one version."""
    rules = f"{{groups: [{{id: base, add: sum, rules: [{{id: spend, points: order.amount * {times}}}]}}]}}"
    return (
        "id: corner-shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
        f"channels:\n  purchase: {{earn: {{points: {rules}, growth: {rules}}}}}\n"
    )


@pytest.mark.timeout(300)
async def test_each_order_is_judged_by_the_version_of_its_instant_and_by_no_other(database_server: Server) -> None:
    every = load_plugins()
    apps = tables(every)
    url = database_server.migrated(apps)
    async with open_shop(url, document(1), plugins=every):
        pass
    async with AsyncExitStack() as stack:
        starting = [ready_process(url, SECRET) for _ in range(2)]
        addresses = await asyncio.gather(*(stack.enter_async_context(process) for process in starting))
        bought = await earn_while_it_changes(addresses)

    async with connect(url, apps):
        reader = Store().reader()
        assert await verify(reader) == []
        versions = [
            (number, instant(starts_at), int(text.partition("order.amount * ")[2].partition("}")[0]))
            for number, starts_at, text in await reader.query(
                "SELECT number, starts_at, document FROM programme_version ORDER BY starts_at, number"
            )
        ]
        orders = await reader.query(
            "SELECT o.id, o.recorded_at, o.programme_version, e.unit, e.amount FROM operation o JOIN entry e"
            " ON e.bucket = o.bucket AND e.member_id = o.member_id AND e.operation_id = o.id"
            " WHERE o.channel = 'purchase' AND o.accepted"
        )
    assert len(versions) == 1 + 2 * ROUNDS
    assert all(earlier[1] < later[1] for earlier, later in pairwise(versions))
    judged: Counter[int] = Counter()
    for _, recorded_at, version, unit, amount in orders:
        number, _, times = [each for each in versions if each[1] <= instant(recorded_at)][-1]
        assert (version, unit, amount) == (number, unit, 10 * times)
        judged[number] += 1
    assert sum(judged.values()) == 2 * bought
    assert len(judged) > 2 * ROUNDS - 1
    database_server.done(url)


async def earn_while_it_changes(addresses: list[str]) -> int:
    """How many orders there were while versions were published and rolled back."""
    tokens = {
        role: issue_token(SECRET, role=role, subject="a test", now=datetime.now(UTC), lifetime=timedelta(hours=1))
        for role in (Role.SERVICE, Role.ADMIN)
    }

    # A client each, as in life. One with a connection for each buyer looks through all of them for every request: it
    # would be slower than the servers, and on a busy machine its connections idle for so long that it closes them.
    trusted = ssl.create_default_context()
    client = partial(httpx.AsyncClient, verify=trusted, timeout=60)

    async def ask(by: httpx.AsyncClient, address: str, role: Role, query: str, **given: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {tokens[role]}", "Content-Type": "application/json"}
        body = orjson.dumps({"query": query, "variables": {"input": given}})
        response = await by.post(f"http://{address}/graphql", content=body, headers=headers)
        (answer,) = response.json()["data"].values()
        assert answer["errors"] == []
        found: dict[str, Any] = answer
        return found

    changing = True

    async def buy(number: int) -> int:
        async with client() as buyer:
            for order in count():
                if not changing:
                    return order
                reference = f"{number}/{order}"
                await ask(
                    buyer, addresses[number % 2], Role.SERVICE, BUY, member={"externalId": f"m{number}"},
                    reference=reference, idempotencyKey=reference, amount={"amount": "10.00", "currency": "CNY"},
                    enrolIfUnknown=True,
                )  # fmt: skip
        raise AssertionError("the count has no end")

    # Whatever goes wrong, nobody asks any more when this ends.
    async with asyncio.TaskGroup() as all_at_once, client() as admin:
        buyers = [all_at_once.create_task(buy(number)) for number in range(CLIENTS)]
        for turn in range(ROUNDS):
            await asyncio.sleep(0.3)
            text = document(2 + turn)
            await ask(admin, addresses[turn % 2], Role.ADMIN, PUBLISH, document=text, reason="more for an order")
            await asyncio.sleep(0.3)
            await ask(admin, addresses[turn % 2 - 1], Role.ADMIN, ROLL_BACK, version=1, reason="it was too much")
        await asyncio.sleep(0.3)
        changing = False
    return sum(buyer.result() for buyer in buyers)
