"""What it costs that members' progress is followed: memory and processor time of a serving process, and how soon.

Each follower has a WebSocket of their own and follows another member; then one of the members buys something.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any, Final

import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.reads import SECRET, UNBOUND, Member, fill, token
from graph.ids import global_id
from graph.laurel import tables
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Server
from tests.serving import free_port, process_of

FOLLOWERS: Final = 500
PURCHASES: Final = 200
IDLE_SECONDS: Final = 5.0

_BAR: Final = """subscription ($by: MemberByInput!) { memberProgress(by: $by) {
  tier { name } progress { ratio nextTier { name } criteria { current required remaining ratio } } } }"""
_BUY: Final = "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code } } }"


async def measure(server: Server, *, followers: int = FOLLOWERS, purchases: int = PURCHASES) -> list[dict[str, Any]]:
    """A process without followers, and with so many who are idle but for the members who buy."""
    url = server.migrated(tables(load_plugins()))
    members = (await fill(url))[:followers]
    measured = []
    async with _served(url) as (address, process), httpx.AsyncClient(timeout=60) as client:
        shop = _Shop(client, address)
        for member in members:  # what is read for the first time is not counted
            await shop.buy(member)
        before = process.memory_info().rss
        for count in (0, followers):
            async with AsyncExitStack() as opened:
                following = {
                    member.id: await opened.enter_async_context(_follower(address, member))
                    for member in members[:count]
                }
                gathered = process.memory_info().rss
                idle = await _spent(process, asyncio.sleep(IDLE_SECONDS))
                waits: list[float] = []
                spent = await _spent(process, _purchases(shop, members, following, purchases, waits))
                # Nobody else was told of anything: a frame would be here by now.
                strangers = sum([await _has_frame(each) for each in following.values()])
            measured.append(
                {
                    "followers": count,
                    "memory_kb": round((gathered - before) / 1024 / count) if count else None,
                    "idle_ms": round(1000 * idle / IDLE_SECONDS, 2),
                    "purchase_us": round(1e6 * spent / purchases),
                    "p50_ms": round(1000 * median(waits), 1) if waits else None,
                    "p99_ms": round(1000 * sorted(waits)[len(waits) * 99 // 100], 1) if waits else None,
                    "strangers": strangers,
                }
            )
    server.done(url)
    return measured


class _Shop:
    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client = client
        self._url = f"http://{address}/graphql"
        self._headers = {"Authorization": f"Bearer {token(Role.SERVICE)}"}
        self._orders = 0

    async def buy(self, member: Member) -> None:
        self._orders += 1
        order: Mapping[str, Any] = {
            "member": {"id": _global_id(member)},
            "reference": f"followed {self._orders}",
            "idempotencyKey": f"followed {self._orders}",
            "amount": {"amount": "9.90", "currency": "CNY"},
        }
        body = {"query": _BUY, "variables": {"input": order}}
        answer = (await self._client.post(self._url, json=body, headers=self._headers)).json()
        if answer.get("data") != {"recordPurchase": {"errors": []}}:
            raise RuntimeError(f"not bought: {answer}")


async def _purchases(
    shop: _Shop, members: list[Member], following: Mapping[str, ClientConnection], count: int, waits: list[float]
) -> None:
    for number in range(count):
        member = members[number * 7 % len(members)]
        begun = time.perf_counter()
        if (follower := following.get(member.id)) is None:
            await shop.buy(member)
        else:
            _, _ = await asyncio.gather(shop.buy(member), follower.recv())
            waits.append(time.perf_counter() - begun)


async def _spent(process: psutil.Process, doing: Any) -> float:
    """The processor's seconds that the process has spent meanwhile."""
    before = process.cpu_times()
    await doing
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


@asynccontextmanager
async def _follower(address: str, member: Member) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {token(Role.MEMBER, member.id)}"}
    protocol = Subprotocol("graphql-transport-ws")
    # No compression, which few browsers ask for and which has a window of its own for each.
    async with connect(
        f"ws://{address}/graphql", subprotocols=[protocol], additional_headers=headers, compression=None
    ) as client:
        await client.send(json.dumps({"type": "connection_init"}))
        await client.recv()
        followed = {"query": _BAR, "variables": {"by": {"id": _global_id(member)}}}
        await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": followed}))
        first = json.loads(await client.recv())
        if first["type"] != "next" or "errors" in first["payload"]:
            raise RuntimeError(f"not followed: {first}")
        yield client


async def _has_frame(client: ClientConnection) -> bool:
    try:
        async with asyncio.timeout(0):
            await client.recv()
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def _served(url: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    address = f"127.0.0.1:{(port := free_port())}"
    variables = {
        "LAUREL_PORT": str(port), "LAUREL_JOBS": "no",
        **{f"LAUREL_{name.upper()}": value for name, value in UNBOUND.items()},
    }  # fmt: skip
    async with process_of(url, SECRET, **variables) as process, httpx.AsyncClient() as client:
        while True:
            if process.returncode is not None:
                raise RuntimeError("the server did not start")
            try:
                if (await client.get(f"http://{address}/health/ready")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        yield address, psutil.Process(process.pid)


def _global_id(member: Member) -> str:
    return str(global_id("Member", member.id))
