"""Two processes of one brand: whoever follows a member on either sees what was done on the other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from graph.laurel import tables
from graph.testing import SECRET, open_shop
from graph.tokens import Role, issue_token
from plugins.manager import load_plugins
from tests.databases import Server
from tests.graph.transport.sockets import PROTOCOL
from tests.npm import installed, run_tests
from tests.serving import ready_process

BAR: Final = """subscription ($by: MemberByInput!) { memberProgress(by: $by) {
  externalId progress { criteria { fact current } } } }"""
BUY: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code } } }"""
SHOP: Final = """
id: corner-shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}}}
tiers:
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: points_earned, at_least: 1000}]}
"""


def token(role: Role) -> str:
    return issue_token(SECRET, role=role, subject="a test", now=datetime.now(UTC), lifetime=timedelta(hours=1))


@asynccontextmanager
async def two_processes(server: Server) -> AsyncIterator[list[str]]:
    """The addresses, without their scheme, of two processes of a shop that Anna and Bert have joined."""
    every = load_plugins()
    url = server.migrated(tables(every))
    if not url.startswith(("postgres", "asyncpg")):
        pytest.skip("changes are carried by PostgreSQL here")
    async with open_shop(url, SHOP, plugins=every) as shop:
        await shop.enrol("anna")
        await shop.enrol("bert")
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(ready_process(url, SECRET, LAUREL_CARRY_CHANGES="yes")) for _ in range(2)
        ]
    server.done(url)


async def follow(client: ClientConnection, member: str) -> None:
    await client.send(json.dumps({"type": "connection_init"}))
    assert json.loads(await client.recv()) == {"type": "connection_ack"}
    followed = {"query": BAR, "variables": {"by": {"externalId": member}}}
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": followed}))


async def earned(client: ClientConnection) -> int:
    """What the next frame says was earned."""
    message: dict[str, Any] = json.loads(await client.recv())
    criteria = message["payload"]["data"]["memberProgress"]["progress"]["criteria"]
    return int(criteria[0]["current"])


@pytest.mark.timeout(300)
async def test_the_bar_moves_whichever_process_the_purchase_lands_on_and_nobody_elses(database_server: Server) -> None:
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(two_processes(database_server))
        client = await stack.enter_async_context(httpx.AsyncClient())
        headers = {"Authorization": f"Bearer {token(Role.SERVICE)}"}

        async def followers(member: str) -> list[ClientConnection]:
            found = []
            for address in addresses:
                opened = connect(
                    f"ws://{address}/graphql", subprotocols=[Subprotocol(PROTOCOL)], additional_headers=headers
                )
                found.append(await stack.enter_async_context(opened))
                await follow(found[-1], member)
            return found

        async def buy(address: str, member: str, reference: str) -> None:
            order = {
                "member": {"externalId": member},
                "reference": reference,
                "idempotencyKey": reference,
                "amount": {"amount": "100.00", "currency": "CNY"},
            }
            body = {"query": BUY, "variables": {"input": order}}
            answer = await client.post(f"http://{address}/graphql", json=body, headers=headers)
            assert answer.json()["data"] == {"recordPurchase": {"errors": []}}

        of_anna, of_bert = await followers("anna"), await followers("bert")
        assert [await earned(follower) for follower in (*of_anna, *of_bert)] == [0] * 4

        for number, address in enumerate(addresses * 3, 1):
            await buy(address, "anna", f"A{number}")
            assert [await earned(follower) for follower in of_anna] == [100 * number] * 2

        # Who follows Bert was told nothing in all that time: the next that they hear is what Bert has bought.
        await buy(addresses[0], "bert", "B1")
        assert [await earned(follower) for follower in of_bert] == [100] * 2


@pytest.mark.timeout(300)
async def test_graphql_ws_sees_the_bar_move_on_either_process(database_server: Server) -> None:
    project = await asyncio.to_thread(installed, "tests/clients")
    async with two_processes(database_server) as addresses:
        shop = {"urls": [f"http://{address}/graphql" for address in addresses], "token": token(Role.SERVICE)}
        await run_tests(project, "processes.test.mjs", shop)
