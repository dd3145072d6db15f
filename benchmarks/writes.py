"""Writes a second over HTTP, against the same written by hand (``benchmarks/handwritten_writes.py``).

Each contender is one process on a database of its own with the same members in it; who asks is another process, this
one. They take turns. Before that both are asked the same, and leave the same rows; afterwards ``verify`` looks at both.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from statistics import median
from typing import Any, Final, NamedTuple

import psutil

from benchmarks.importing import LONG_AGO
from benchmarks.operations import accepted
from benchmarks.reads import Client, asking, serving, token
from benchmarks.rounds import Sample, keep_calling, ratio, take_turns
from core.books.members import ByExternalId
from core.oversight.verify import verify
from core.people.membership import EnrolMember
from core.rulebook.publishing import publish
from core.store import Store
from core.store.databases import connect
from core.time.clock import StoppedClock
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from graph.tokens import Role
from plugins.manager import load_plugins
from plugins.purchase.operations import RecordPurchase
from tests.databases import Server

CALLERS: Final = 64
MEMBERS: Final = 1_000
MONTHS: Final = 5
"""So many lots everybody has to begin with, each with an expiry of its own."""

PROGRAMME: Final = """\
id: counter
name: Counter
currency: CNY
timezone: Asia/Shanghai
lang: rex/1
rounding: {mode: floor}
expiry: {mode: per_lot, months: 12}

channels:
  purchase:
    earn:
      points:
        groups:
          - {id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}
"""

GRAPHQL, BY_HAND = "GraphQL", "by hand"
EARN, REDEEM = "earn", "redeem"
DOCUMENTS: Final = {
    EARN: """mutation Earn($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) {
    replayed
    transaction { id }
    awards { unit given }
    member { points { available } }
    errors { code }
  }
}""",
    REDEEM: """mutation Redeem($input: RedeemPointsInput!) {
  redeemPoints(input: $input) {
    replayed
    transaction { id }
    member { points { available } }
    errors { code }
  }
}""",
}
WRITES: Final = {"sqlite": (EARN,), "postgres": (EARN, REDEEM)}
"""What is written by hand for a database."""

_COMPARED: Final = (
    "member", "account", "operation", "entry", "lot", "lot_move", "tally", "purchase_order", "daily_aggregate",
    "outbox",
)  # fmt: skip
"""Tables; of everything else neither writes a row."""
_OWN: Final = frozenset(
    {
        "id", "member_id", "bucket", "operation_id", "transaction_id", "digest", "shard", "facts", "next_due",
        "effective_at", "recorded_at", "earned_at", "available_from", "expires_at", "occurred_at", "enrolled_at",
        "tier_since", "result", "day",
    }
)  # fmt: skip
"""Columns that hold an id, an instant or what follows from one."""


# -- the shop -------------------------------------------------------------------------------------------


async def fill(url: str) -> list[str]:
    """Members with a lot of each of the last months; their external ids."""
    now = datetime.now(UTC)
    plugins, clock = load_plugins(), StoppedClock(now)
    names = [f"member {number}" for number in range(MEMBERS)]
    async with open_laurel(Settings(database_url=url), plugins=plugins, clock=clock) as laurel:
        await publish(
            PROGRAMME,
            author="bench",
            reason="to measure writes",
            load=laurel.load,
            clock=clock,
            starts_at=LONG_AGO,
            in_the_past=True,
        )
        for month in range(MONTHS):
            clock.set(now - timedelta(days=30 * (MONTHS - month)))
            if not month:
                for outcome in await laurel.committer.submit_many(
                    EnrolMember(member=ByExternalId(name), idempotency_key="enrol", actor="bench") for name in names
                ):
                    accepted(outcome)
            for outcome in await laurel.committer.submit_many(
                RecordPurchase(
                    member=ByExternalId(name),
                    idempotency_key=f"order {month}",
                    actor="bench",
                    reference=f"{name}: {month}",
                    amount=Decimal("99999.90"),
                )
                for name in names
            ):
                accepted(outcome)
    return names


# -- the requests ---------------------------------------------------------------------------------------


def _post(path: str, body: Any) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def request(contender: str, write: str, member: str, number: int, service: str) -> bytes:
    """The request of that number, the same to both."""
    key, reference = f"{write}:{number}", f"{write} {number}"
    if write == EARN:
        amount = f"{number % 300 + 10}.50"
        if contender == BY_HAND:
            asked = {"externalId": member, "idempotencyKey": key, "reference": reference, "amount": amount}
            return _post("/earn", asked | {"currency": "CNY"})
        given: dict[str, Any] = {"reference": reference, "amount": {"amount": amount, "currency": "CNY"}}
    else:
        points = number % 20 + 1
        if contender == BY_HAND:
            return _post(
                "/redeem", {"externalId": member, "idempotencyKey": key, "points": points, "reference": reference}
            )
        given = {"reference": reference, "points": points}
    given |= {"member": {"externalId": member}, "idempotencyKey": key}
    return asking(DOCUMENTS[write], {"input": given}, service)


def _check(answer: bytes) -> None:
    """Whether it was done, and for the first time. Measuring refusals would flatter somebody."""
    if b'"replayed":false' not in answer or b'"errors":[]' not in answer:
        raise RuntimeError(f"not done: {answer[:500]!r}")


# -- whether both do the same ---------------------------------------------------------------------------


class _Contender(NamedTuple):
    url: str
    process: psutil.Process
    connected: list[Client]


async def check_same(contenders: dict[str, _Contender], writes: Sequence[str], service: str) -> None:
    """Ask both the same, also again and under a key that is taken. Raises RuntimeError where they differ."""
    names = ("member 0", "member 1", "member 0")
    rows: dict[str, Any] = {}
    answers: dict[str, list[Any]] = {}
    for name, contender in contenders.items():
        asked = [
            request(name, write, member, number, service)
            for write in writes
            for number, member in enumerate(names, 1_000_000)
        ]
        first, *_ = asked
        other = request(name, writes[0], names[0], 1_000_000, service).replace(b"10.50", b"11.50")
        given = [json.loads(await contender.connected[0].ask(each)) for each in (*asked, first, other)]
        answers[name] = [_answer(each["data"]) for each in given]
        rows[name] = await _rows(contender.url)
    if answers[GRAPHQL] != answers[BY_HAND]:
        raise RuntimeError(f"the answers differ:\n{answers[GRAPHQL]}\n{answers[BY_HAND]}")
    if not answers[GRAPHQL][-2]["replayed"] or not answers[GRAPHQL][-1]["errors"]:
        raise RuntimeError(f"neither replayed nor refused: {answers[GRAPHQL][-2:]}")
    for table in _COMPARED:
        if rows[GRAPHQL][table] != rows[BY_HAND][table]:
            graph, hand = (set(map(str, rows[name][table])) for name in (GRAPHQL, BY_HAND))
            raise RuntimeError(f"{table}: the rows differ:\n{sorted(graph - hand)}\n{sorted(hand - graph)}")


def _answer(data: dict[str, Any]) -> Any:
    (payload,) = data.values()
    if payload["errors"]:
        return {"errors": payload["errors"]}
    return {**payload, "transaction": payload["transaction"]["id"] != ""}


async def _rows(url: str) -> dict[str, list[Any]]:
    """What stands in the tables, but for ids and instants."""
    found: dict[str, list[Any]] = {}
    async with connect(url, tables(load_plugins())) as context:
        for table in _COMPARED:
            kept: list[dict[str, Any]] = await context.db("default").execute_query_dict(f"SELECT * FROM {table}")
            if table == "daily_aggregate":
                found[table] = [_sums(kept)]
                continue
            cleared = [{name: value for name, value in row.items() if name not in _OWN} for row in kept]
            found[table] = sorted(cleared, key=str)
    return found


def _sums(kept: Sequence[dict[str, Any]]) -> list[Any]:
    """The aggregates, whoever has added to them."""
    sums: dict[Any, list[int]] = {}
    for row in kept:
        both = sums.setdefault(tuple(row[name] for name in ("name", "unit", "channel", "part")), [0, 0])
        both[0] += row["amount"]
        both[1] += row["times"]
    return sorted((*place, *both) for place, both in sums.items())


async def check_books(url: str) -> None:
    """Raise RuntimeError where ``verify`` finds something."""
    plugins = load_plugins()
    async with connect(url, tables(plugins), migrating=True):
        if findings := await verify(Store().reader(), plugins.invariants):
            raise RuntimeError(f"the books are wrong: {findings}")


# -- writes a second ------------------------------------------------------------------------------------


@asynccontextmanager
async def contenders(server: Server, *, sampled: bool = False) -> AsyncIterator[dict[str, _Contender]]:
    """Both, each with its database and connections to its process."""
    async with AsyncExitStack() as opened:
        found = {}
        for name, application in ((GRAPHQL, "laurel"), (BY_HAND, "by_hand")):
            url = server.migrated(tables(load_plugins()))
            opened.callback(server.done, url)
            await fill(url)
            port, process = opened.enter_context(
                serving(url, sampled=sampled, application=f"benchmarks.handwritten_writes:{application}")
            )
            connected = [await Client.connect(port) for _ in range(CALLERS)]
            for client in connected:
                opened.callback(client.close)
            found[name] = _Contender(url, process, connected)
        yield found


async def measure_writes(server: Server, kind: str, *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Rates, and the processor time of the serving process, of each write by both ways."""
    service, numbers = token(Role.SERVICE), count()
    measured = []
    async with contenders(server) as both:
        await check_same(both, WRITES[kind], service)
        for write in WRITES[kind]:
            spent: dict[str, list[float]] = {GRAPHQL: [], BY_HAND: []}
            turns = {
                name: _turn(name, write, contender, numbers, seconds, spent[name], service)
                for name, contender in both.items()
            }
            await take_turns(turns, 1)  # a round that does not count
            for of_name in spent.values():
                of_name.clear()
            samples = await take_turns(turns, rounds)
            graph, hand = (spent[name] for name in (GRAPHQL, BY_HAND))
            measured.append(
                {
                    "write": write,
                    **{
                        name: {
                            "rate": round(median(sample.rate for sample in of_name)),
                            "cpu_us": round(median(spent[name])),
                            "p50_ms": round(median(sample.percentile(50) for sample in of_name) * 1000, 1),
                            "p99_ms": round(median(sample.percentile(99) for sample in of_name) * 1000, 1),
                        }
                        for name, of_name in samples.items()
                    },
                    "times": round(ratio(samples, GRAPHQL, BY_HAND), 3),
                    "cpu_times": round(median(one / other for one, other in zip(hand, graph, strict=True)), 3),
                    "statements": await _statements(both[GRAPHQL], turns[GRAPHQL]),
                }
            )
        for contender in both.values():
            await check_books(contender.url)
    return measured


async def _statements(laurel: _Contender, turn: Callable[[], Awaitable[Sample]]) -> float:
    """Statements that Laurel sends for a request; BEGIN and COMMIT are not counted."""
    asked = b"GET /statements HTTP/1.1\r\nHost: bench\r\n\r\n"
    await laurel.connected[0].ask(asked)
    sample = await turn()
    sent: int = json.loads(await laurel.connected[0].ask(asked))
    return round(sent / len(sample.latencies), 3)


def _turn(
    name: str,
    write: str,
    contender: _Contender,
    numbers: "count[int]",
    seconds: float,
    spent: list[float],
    service: str,
) -> Callable[[], Awaitable[Sample]]:
    async def call(caller: int) -> None:
        number = next(numbers)
        asked = request(name, write, f"member {number % MEMBERS}", number, service)
        _check(await contender.connected[caller].ask(asked))

    async def turn() -> Sample:
        before = contender.process.cpu_times()
        sample = await keep_calling(call, CALLERS, seconds)
        after = contender.process.cpu_times()
        spent.append((after.user + after.system - before.user - before.system) / len(sample.latencies) * 1e6)
        return sample

    return turn
