"""Ways to send a bomb, for tests and for ``benchmarks/``."""

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from graph.testing import Shop
from graph.tokens import Role
from tests.graph.limits.bombs import Bomb
from tests.graph.transport.sockets import connected

Send = Callable[[Bomb], Coroutine[Any, Any, list[str]]]
"""Sends a bomb; the codes of its refusal."""


def service(shop: Shop) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.token(Role.SERVICE)}"}


def body(bomb: Bomb) -> bytes:
    return json.dumps({"query": bomb.query, "variables": bomb.variables}).encode()


@asynccontextmanager
async def over_http(shop: Shop) -> AsyncIterator[Send]:
    async def send(bomb: Bomb) -> list[str]:
        headers = {"Content-Type": "application/json", **service(shop)}
        response = await shop.client.post("/graphql", content=body(bomb), headers=headers)
        assert list(response.json()) == ["errors"]
        return codes(response.json()["errors"])

    yield send


@asynccontextmanager
async def over_a_websocket(shop: Shop) -> AsyncIterator[Send]:
    async with connected(shop.app, service(shop)) as client:
        await client.begin()

        async def send(bomb: Bomb) -> list[str]:
            client.subscribe("1", bomb.query, variables=bomb.variables)
            message = await client.read()
            assert (message["type"], message["id"]) == ("error", "1")
            return codes(message["payload"])

        yield send


@asynccontextmanager
async def in_a_stream(shop: Shop) -> AsyncIterator[Send]:
    async def send(bomb: Bomb) -> list[str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", **service(shop)}
        response = await shop.client.post("/graphql", content=body(bomb), headers=headers)
        (told,) = [line for line in response.text.splitlines() if line.startswith("data: ")]
        return codes(json.loads(told.removeprefix("data: "))["errors"])

    yield send


def codes(errors: list[dict[str, Any]]) -> list[str]:
    return sorted({error["extensions"]["code"] for error in errors})


TRANSPORTS: Final = {"http": over_http, "websocket": over_a_websocket, "stream": in_a_stream}
