"""What it takes to refuse the bombs of the tests, and who asks beside them."""

import asyncio
from collections.abc import Iterator
from itertools import cycle
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final, NamedTuple

from benchmarks.reads import DOCUMENT
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import Server
from tests.graph.limits.bombs import BOMBS, Bomb
from tests.graph.limits.sending import TRANSPORTS, Send, body

ATTEMPTS: Final = 5
REQUESTS: Final = 100
EACH: Final = 10
"""Of so many requests one comes with a bomb at the same time."""

BAR: Final = """query ($by: MemberByInput!) { member(by: $by) {
  tier { name } points { available expiring { points at } } progress { ratio criteria { current required } } } }"""


async def measure_bombs(server: Server, *, rounds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The processor's time of each refusal; and how much longer others wait beside them, each by what brings them."""
    refusals: list[dict[str, Any]] = [
        {"bomb": bomb.name, "bytes": len(body(bomb)), "code": bomb.code, "cpu_ms": {}} for bomb in BOMBS
    ]
    beside = []
    url = server.migrated(tables(load_plugins()))
    async with open_shop(url, DOCUMENT.read_text(encoding="utf-8"), plugins=load_plugins()) as shop:
        await shop.enrol("anna")
        for name, transport in TRANSPORTS.items():
            async with transport(shop) as send:
                for bomb, refusal in zip(BOMBS, refusals, strict=True):
                    taken = [await _refused(send, bomb) for _ in range(ATTEMPTS)]
                    refusal["cpu_ms"][name] = round(1_000 * min(taken), 1)
                beside.append({"transport": name, **await _beside(shop, send, rounds)})
    server.done(url)
    return refusals, beside


async def _refused(send: Send, bomb: Bomb) -> float:
    """The seconds of the processor that a refusal takes."""
    begun = process_time()
    refused = await send(bomb)
    taken = process_time() - begun
    assert refused == [bomb.code], bomb.name
    return taken


async def _beside(shop: Shop, send: Send, rounds: int) -> dict[str, Any]:
    """How many times as long a progress bar takes beside bombs as alone, in the median of the rounds."""
    bombs = cycle(BOMBS)
    await _ask(shop, None, bombs)  # its document is read
    turns = [(await _ask(shop, None, bombs), await _ask(shop, send, bombs)) for _ in range(rounds)]
    return {
        "alone_ms": round(1_000 * median(alone.median for alone, _ in turns), 1),
        "beside_ms": round(1_000 * median(beside.median for _, beside in turns), 1),
        "times": round(median(beside.median / alone.median for alone, beside in turns), 2),
        "cpu_times": round(median(beside.cpu / alone.cpu for alone, beside in turns), 2),
    }


class _Asked(NamedTuple):
    """Seconds of a request: by the clock in the median, and of the processor on average, bombs and all."""

    median: float
    cpu: float


async def _ask(shop: Shop, send: Send | None, bombs: Iterator[Bomb]) -> _Asked:
    taken: list[float] = []
    begun = process_time()
    for number in range(REQUESTS):
        dropped = None
        if send is not None and number % EACH == 0:
            dropped = asyncio.create_task(send(bomb := next(bombs)))
        asked_at = perf_counter()
        await shop.ask(BAR, {"by": {"externalId": "anna"}})
        taken.append(perf_counter() - asked_at)
        if dropped is not None:
            assert await dropped == [bomb.code], bomb.name
    return _Asked(median(taken), (process_time() - begun) / REQUESTS)
