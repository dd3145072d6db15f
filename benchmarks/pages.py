"""A page of members with all that a front end shows of them: milliseconds and statements beside a page's length."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.reads import Client, asking, fill, serving, token
from benchmarks.rounds import Sample, keep_calling, take_turns
from graph.laurel import tables
from graph.pages import PAGE_MAX
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Server

LENGTHS: Final = (10, 50, PAGE_MAX)
_METRICS: Final = "a token of the benchmarks"
_PROGRAMME: Final = Path(__file__).parent.parent / "examples" / "programmes" / "growth-tiers.yaml"
_CHANNELS: Final = """
benefit:
  benefits:
    - {id: discount, name: Members' price, kind: discount, tiers: {silver: {price: "0.95"}, gold: {price: "0.92"}}}
    - {id: shipping, name: Free shipping, kind: free_shipping, per: month, tiers: {silver: {quota: 1}}}
    - {id: adviser, name: Your own adviser, kind: service, from: gold}
badge:
  badges:
    - {id: spender, title: 5 000 spent, count: spend, at_least: 5000}
    - id: buyer
      title: Buyer
      count: orders
      window: {months: 12}
      levels: [{at_least: 3}, {at_least: 10, award: {pack: {points: 100}}}]
"""
DOCUMENT: Final = """query MembersWithAll($first: Int!) {
  members(first: $first) {
    nodes {
      id externalId tier { name } points { available expiring { points at } }
      progress { ratio nextTier { name } criteria { fact current required remaining ratio } }
      keeping { state ratio judgedAt daysLeft projectedTier { name } }
      benefits { benefit { name kind } used left }
      badges { name title level progress { level current required ratio } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


def programme() -> str:
    """Tiers that are kept or lost, with benefits and badges."""
    document = yaml.safe_load(_PROGRAMME.read_text(encoding="utf-8"))
    document["channels"] |= yaml.safe_load(_CHANNELS)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


async def measure_pages(server: Server, *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """For each length of a page what it takes one caller, and how many statements."""
    url = server.migrated(tables(load_plugins()))
    await fill(url, programme())
    service, measured = token(Role.SERVICE), []
    with serving(url, {"metrics_token": _METRICS}) as (port, process):
        client = await Client.connect(port)
        asked = {length: asking(DOCUMENT, {"first": length}, service) for length in LENGTHS}
        statements = {length: await _statements(client, request) for length, request in asked.items()}
        spent: dict[str, list[float]] = defaultdict(list)
        turns = {str(length): _turn(client, asked[length], seconds, process, spent[str(length)]) for length in LENGTHS}
        await take_turns(turns, 1)  # a round that does not count
        for of_length in spent.values():
            of_length.clear()
        samples = await take_turns(turns, rounds)
        client.close()
    server.done(url)
    for length in LENGTHS:
        sampled = samples[str(length)]
        measured.append(
            {
                "members": length,
                "ms": round(median(sample.percentile(50) for sample in sampled) * 1000, 2),
                "p99_ms": round(median(sample.percentile(99) for sample in sampled) * 1000, 2),
                "cpu_ms": round(median(spent[str(length)]) * 1000, 2),
                "statements": statements[length],
            }
        )
    return measured


async def _statements(client: Client, request: bytes) -> int:
    """How many statements a page waits for, once its document is known."""
    await client.ask(request)
    before = await _counted(client)
    await client.ask(request)
    return int(await _counted(client) - before)


async def _counted(client: Client) -> float:
    page = await client.ask(
        f"GET /metrics HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {_METRICS}\r\n\r\n".encode()
    )
    families = text_string_to_metric_families(page.decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "laurel_request_statements_sum" and sample.labels.get("operation") == "MembersWithAll"
    )


def _turn(
    client: Client, request: bytes, seconds: float, process: psutil.Process, spent: list[float]
) -> Callable[[], Any]:
    async def turn() -> Sample:
        before = process.cpu_times()
        sample = await keep_calling(lambda _: client.ask(request), 1, seconds)
        after = process.cpu_times()
        spent.append((after.user + after.system - before.user - before.system) / len(sample.latencies))
        return sample

    return turn
