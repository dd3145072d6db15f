"""What is small to send and long to answer is refused before it takes any time, whatever brings it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import pytest

from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.graph.limits.bombs import BOMBS, Bomb
from tests.graph.transport.sockets import connected

CPU_SECONDS: Final = 0.05
"""What a refusal may take; of a few attempts the best one is held against it, as machines of tests are shared."""
YARDSTICK_SECONDS: Final = 0.02
"""What ``yardstick`` takes where that was measured; on a slower machine all may take longer."""
ATTEMPTS: Final = 6
ROUNDS: Final = 5
REQUESTS: Final = 50
EACH: Final = 10
"""Of so many requests one comes with a bomb at the same time."""

PROGRESS: Final = """query ($by: MemberByInput!) { member(by: $by) {
  tier { name } points { available expiring { points at } } progress { ratio criteria { current required } } } }"""

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


def yardstick() -> float:
    """How much slower this machine is than that of the promise; 1 for one that is faster."""
    taken = []
    for _ in range(5):
        begun = process_time()
        sum(range(1_000_000))
        taken.append(process_time() - begun)
    return max(min(taken) / YARDSTICK_SECONDS, 1.0)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_bomb_is_refused_in_no_time(shop: Shop, transport: str) -> None:
    most = CPU_SECONDS * yardstick()
    late = {}
    async with TRANSPORTS[transport](shop) as send:
        for bomb in BOMBS:
            taken: list[float] = []
            while len(taken) < ATTEMPTS and min(taken, default=most) >= most:
                begun = process_time()
                refused = await send(bomb)
                taken.append(process_time() - begun)
                assert refused == [bomb.code], bomb.name
            if min(taken) >= most:
                late[bomb.name] = min(taken)

    assert late == {}


async def test_lists_of_requests_are_refused_in_no_time(shop: Shop) -> None:
    headers = {"Content-Type": "application/json", **service(shop)}
    lists = {"many": [{"query": "{ __typename }"}] * 20_000, "in each other": json.loads("[" * 200 + "]" * 200)}
    for name, given in lists.items():
        content = json.dumps(given).encode()
        begun = process_time()
        response = await shop.client.post("/graphql", content=content, headers=headers)

        assert process_time() - begun < CPU_SECONDS * yardstick(), name
        assert (response.status_code, codes(response.json()["errors"])) == (400, ["INVALID_PARAMETERS"])


async def test_each_bomb_of_a_list_is_refused_where_lists_are_allowed(tmp_path: Path) -> None:
    async with open_shop(tmp_path, None, plugins=Plugins(), variables={"LAUREL_BATCH_MAX": "10"}) as shop:
        headers = {"Content-Type": "application/json", **service(shop)}
        # Those whose variables would make the body longer than one may be.
        small = [bomb for bomb in BOMBS if len(body(bomb)) < 100_000]
        for at in range(0, len(small), 10):
            bombs = small[at : at + 10]
            content = b"[" + b",".join(map(body, bombs)) + b"]"
            answers = (await shop.client.post("/graphql", content=content, headers=headers)).json()

            assert [codes(answer["errors"]) for answer in answers] == [[bomb.code] for bomb in bombs]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_asks_beside_bombs_waits_less_than_twice_as_long(shop: Shop, transport: str) -> None:
    await shop.enrol("anna")
    bombs = cycle(BOMBS)

    async def ask(send: Send | None) -> tuple[float, float]:
        """How long a request takes, by the clock in the median and of the processor on average."""
        taken, dropped = [], []
        begun = process_time()
        for number in range(REQUESTS):
            if send is not None and number % EACH == 0:
                dropped.append(asyncio.create_task(send(bomb := next(bombs))))
            asked_at = perf_counter()
            await shop.ask(PROGRESS, {"by": {"externalId": "anna"}})
            taken.append(perf_counter() - asked_at)
            if number % EACH == 0 and dropped:
                assert await dropped[-1] == [bomb.code]
        return median(taken), (process_time() - begun) / REQUESTS

    ratios = []
    async with TRANSPORTS[transport](shop) as send:
        await ask(None)  # its document is read
        # Alone and beside bombs in turn, so that others on the machine are in the way of both.
        for _ in range(ROUNDS):
            alone, beside = await ask(None), await ask(send)
            ratios.append([with_bombs / without for with_bombs, without in zip(beside, alone, strict=True)])
    by_the_clock, of_the_processor = (median(of) for of in zip(*ratios, strict=True))
    print(by_the_clock, of_the_processor)
    assert by_the_clock < 2
    assert of_the_processor < 2
