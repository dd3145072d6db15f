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
from tests.graph.conftest import PROGRAMME
from tests.graph.transport.sockets import PROTOCOL
from tests.serving import free_port, process_of

BAR: Final = 'subscription { memberProgress(by: {externalId: "anna"}) { progress { criteria { fact current } } } }'
GIVE: Final = """mutation ($key: String!) { adjustPoints(input: {member: {externalId: "anna"}, points: 100,
  reason: "the bar moves", idempotencyKey: $key}) { errors { code } } }"""


def token(role: Role) -> str:
    return issue_token(SECRET, role=role, subject="a test", now=datetime.now(UTC), lifetime=timedelta(hours=1))


@asynccontextmanager
async def served(url: str) -> AsyncIterator[str]:
    """The address, without its scheme, of a process that is ready."""
    port = free_port()
    variables = {"LAUREL_PORT": str(port), "LAUREL_CARRY_CHANGES": "yes", "LAUREL_JOBS": "no"}
    async with process_of(url, SECRET, **variables) as process, httpx.AsyncClient() as client, asyncio.timeout(100):
        while True:
            assert process.returncode is None, "the server did not start"
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        yield f"127.0.0.1:{port}"


async def follow(client: ClientConnection) -> None:
    await client.send(json.dumps({"type": "connection_init"}))
    assert json.loads(await client.recv()) == {"type": "connection_ack"}
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": BAR}}))


async def earned(client: ClientConnection) -> int:
    """What the next frame says was earned."""
    message: dict[str, Any] = json.loads(await client.recv())
    criteria = message["payload"]["data"]["memberProgress"]["progress"]["criteria"]
    return int(criteria[0]["current"])


@pytest.mark.timeout(300)
async def test_the_bar_moves_whichever_process_did_it(database_server: Server) -> None:
    every = load_plugins()
    url = database_server.migrated(tables(every))
    if not url.startswith(("postgres", "asyncpg")):
        pytest.skip("changes are carried by PostgreSQL here")
    async with open_shop(url, PROGRAMME, plugins=every) as shop:
        await shop.enrol("anna")
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(served(url)) for _ in range(2)]
        client = await stack.enter_async_context(httpx.AsyncClient())
        headers = {"Authorization": f"Bearer {token(Role.SERVICE)}"}
        followers = [
            await stack.enter_async_context(
                connect(f"ws://{address}/graphql", subprotocols=[Subprotocol(PROTOCOL)], additional_headers=headers)
            )
            for address in addresses
        ]
        for follower in followers:
            await follow(follower)
        assert [await earned(follower) for follower in followers] == [0, 0]

        for number, address in enumerate(addresses * 3, 1):
            answer = await client.post(
                f"http://{address}/graphql",
                json={"query": GIVE, "variables": {"key": f"g{number}"}},
                headers={"Authorization": f"Bearer {token(Role.OPERATOR)}"},
            )
            assert answer.json()["data"] == {"adjustPoints": {"errors": []}}
            assert [await earned(follower) for follower in followers] == [100 * number] * 2
    database_server.done(url)
