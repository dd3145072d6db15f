"""Reads of a large shop over HTTP, by Laurel and by others who answer the same: ``python -m benchmarks --parts reads``.

Each contender is a process of its own over the same database (``benchmarks/shop.py``), asked by sixteen connections of
this one. Before anything is measured, the answers are compared. The contenders take turns.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import orjson
import psutil

from benchmarks import shop
from benchmarks.handwritten import DATABASE
from benchmarks.reads import SECRET, UNBOUND, Client, asking, clients, getting, posting, token, turn_of
from benchmarks.rounds import Sample, ratio, take_turns
from core.engine.operations import Recorded
from core.store import Store
from core.store.databases import connect
from graph.ids import cursor, read_id
from graph.laurel import tables
from graph.pages import PAGE_MAX, Where, _place
from graph.tokens import Role
from graph.transaction import TransactionOrder
from plugins.manager import load_plugins
from tests.npm import NpmMissing, install

LAUREL, BY_HAND, MERCURIUS, STOCK = "Laurel", "by hand", "mercurius with graphql-jit", "stock Strawberry"
_PROJECT: Final = Path(__file__).parent / "mercurius"

BAR, PAGE, HISTORY, DEEP = "progress bar", "page of 50", "history of 20", "history of 20, deep"
READS: Final = (BAR, PAGE, HISTORY, DEEP)
_HISTORY: Final = """query History($member: String!, $first: Int!, $after: String) {
  member(by: { externalId: $member }) {
    transactions(first: $first, after: $after) {
      nodes { id channel kind reference effectiveAt entries { unit amount balanceAfter } }
      pageInfo { hasNextPage }
    }
  }
}"""
DOCUMENTS: Final = {
    BAR: """query ProgressBar {
  viewer {
    member {
      tier { id name }
      points { available pending expiring { points at } }
      progress { ratio nextTier { id name } criteria { description current required remaining ratio } }
    }
  }
}""",
    PAGE: """query MembersPage($first: Int!, $after: String) {
  members(first: $first, after: $after) {
    nodes {
      id externalId tier { name }
      points { available expiring { points at } }
      progress { ratio nextTier { name } }
    }
    pageInfo { hasNextPage }
  }
}""",
    HISTORY: _HISTORY,
    DEEP: _HISTORY,
}
_WALK: Final = (
    "query Walk($after: String) { members(first: 50, after: $after) { nodes { id } pageInfo { endCursor } } }"
)
_ASKED: Final = 1_000
"""Members whose progress bars are asked for."""
_PAGES: Final = 40


class Question(NamedTuple):
    """What is asked: of whom, how much, and after what, by the cursor and by the id that it stands for."""

    read: str
    first: int = 0
    member: str = ""
    name: str = ""
    after: str | None = None
    after_id: str = ""


class Contender(NamedTuple):
    """How one is started, on a port and over a database, and how it is asked."""

    name: str
    command: Callable[[int], Sequence[str]]
    environment: Callable[[str], Mapping[str, str]]
    request: Callable[[Question], bytes]


# -- who takes part -----------------------------------------------------------------------------------


def _laurel() -> Contender:
    service = token(Role.SERVICE)

    def request(asked: Question) -> bytes:
        if asked.read == BAR:
            return asking(DOCUMENTS[BAR], {}, token(Role.MEMBER, asked.member))
        variables = {"first": asked.first, "after": asked.after}
        if asked.name:
            variables["member"] = asked.name
        return asking(DOCUMENTS[asked.read], variables, service)

    return Contender(
        LAUREL,
        lambda port: [sys.executable, "-m", "graph", "serve", "--port", str(port)],
        lambda url: {
            "LAUREL_DATABASE_URL": url,
            "LAUREL_SECRET": SECRET,
            "LAUREL_JOBS": "no",
            **{f"LAUREL_{name.upper()}": value for name, value in UNBOUND.items()},
        },
        request,
    )


def _uvicorn(application: str) -> Callable[[int], Sequence[str]]:
    """Uvicorn as ``laurel serve`` has it: httptools and uvloop, and no log."""
    options = ["--http", "httptools", "--loop", "uvloop", "--log-level", "warning", "--no-access-log"]
    return lambda port: [
        sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port), *options,
        "--timeout-keep-alive", "75",
    ]  # fmt: skip


def _by_hand(kind: str) -> Contender:
    def request(asked: Question) -> bytes:
        after = f"&after={asked.after_id}" if asked.after_id else ""
        match asked.read:
            case "progress bar":
                return getting(f"/bar/{asked.member}")
            case "page of 50":
                return getting(f"/page?first={asked.first}{after}")
            case _:
                return getting(f"/history/{asked.name}?first={asked.first}{after}")

    application = f"benchmarks.handwritten:of_{kind}"
    return Contender(BY_HAND, _uvicorn(application), lambda url: {DATABASE: url}, request)


def _by_header(asked: Question) -> bytes:
    """The request to a graph that is told by a header whose progress is asked for."""
    if asked.read == BAR:
        return posting(DOCUMENTS[BAR], {}, {"Member": asked.name})
    variables = {"first": asked.first, "after": asked.after_id or None}
    if asked.name:
        variables["member"] = asked.name
    return posting(DOCUMENTS[asked.read], variables, {})


def _stock() -> Contender:
    return Contender(STOCK, _uvicorn("benchmarks.stock:application"), lambda url: {DATABASE: url}, _by_header)


def _mercurius() -> Contender:
    """Raises NpmMissing where there is no Node."""
    program = install(_PROJECT) / "server.mjs"
    return Contender(
        MERCURIUS,
        lambda port: ["node", str(program), str(port)],
        lambda url: {DATABASE: url, "NODE_ENV": "production"},
        _by_header,
    )


def contenders(kind: str) -> list[Contender]:
    """All who can take part on a database of that kind, Laurel first; mercurius on PostgreSQL, where Node is there."""
    found = [_laurel(), _by_hand(kind), _stock()]
    if kind == "postgres":
        try:
            found.append(_mercurius())
        except NpmMissing as missing:
            print(f"without {MERCURIUS}: {missing}", file=sys.stderr)
    return found


@contextmanager
def started(contender: Contender, url: str) -> Iterator[tuple[int, psutil.Process]]:
    """The contender's port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    server = subprocess.Popen(
        contender.command(port),
        env={**inherited, **contender.environment(url)},
        cwd=shop.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


# -- what is asked ------------------------------------------------------------------------------------


async def _questions(url: str, size: shop.Size, port: int) -> dict[str, list[Question]]:
    """What is asked of everybody, by read; cursors are Laurel's."""
    step = max(size.members // _ASKED, 1)
    bars = [Question(BAR, member=shop.member_id(number), name=f"m{number}") for number in range(3, size.members, step)]
    pages, service = [Question(PAGE, 50)], token(Role.SERVICE)
    client = await Client.connect(port)
    for _ in range(min(_PAGES, size.members // 50 - 1)):
        page = json.loads(await client.ask(asking(_WALK, {"after": pages[-1].after}, service)))["data"]["members"]
        _, last = read_id(page["nodes"][-1]["id"])
        pages.append(Question(PAGE, 50, after=page["pageInfo"]["endCursor"], after_id=last))
    client.close()
    deep = [
        Question(DEEP, 20, name="m0", after=_cursor(shop.member_id(0), operation), after_id=operation)
        for operation in await _half_way(url)
    ]
    return {BAR: bars, PAGE: pages, HISTORY: [Question(HISTORY, 20, name="m0")], DEEP: deep}


async def _half_way(url: str) -> list[str]:
    """Operations of the first member half of whose entries are newer."""
    async with connect(url, tables(load_plugins())):
        rows = (
            await Store()
            .reader()
            .query(
                "SELECT o.id FROM operation o, member m WHERE m.external_id = 'm0' AND o.bucket = m.bucket"
                " AND o.member_id = m.id AND o.accepted ORDER BY o.id DESC LIMIT 200"
                " OFFSET (SELECT COUNT(*) / 2 FROM operation o, member m WHERE m.external_id = 'm0'"
                " AND o.bucket = m.bucket AND o.member_id = m.id AND o.accepted)"
            )
        )
    return [operation for (operation,) in rows[::20]]


def _cursor(member_id: str, operation: str) -> str:
    """The cursor behind an operation, without the walk that leads there."""
    order = TransactionOrder.RECORDED_AT_DESC.order
    place = _place(Recorded, order, (Where("accepted"),), member_id)
    return cursor(place, orjson.dumps([operation]).decode())


# -- measuring ----------------------------------------------------------------------------------------


class _Opened(NamedTuple):
    contender: Contender
    port: int
    process: psutil.Process


@contextmanager
def _all_started(kind: str, url: str) -> Iterator[dict[str, _Opened]]:
    with ExitStack() as stack:
        yield {each.name: _Opened(each, *stack.enter_context(started(each, url))) for each in contenders(kind)}


async def _compare(opened: Mapping[str, _Opened], questions: Sequence[Question]) -> None:
    """Raise unless all answer the same: answers that differ are not worth measuring."""
    connected = {name: await Client.connect(each.port) for name, each in opened.items()}
    for question in questions:
        answers = {
            name: json.loads(await connected[name].ask(each.contender.request(question)))["data"]
            for name, each in opened.items()
        }
        for name, answer in answers.items():
            if answer != answers[LAUREL]:
                shown = [json.dumps(one)[:3_000] for one in (answers[LAUREL], answer)]
                raise RuntimeError("\n".join([f"{LAUREL} and {name} differ about {question}:", *shown]))
    for client in connected.values():
        client.close()


async def _measure(
    opened: Mapping[str, _Opened], questions: Sequence[Question], rounds: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """What each contender does with these questions."""
    spent: dict[str, list[float]] = {name: [] for name in opened}
    turns: dict[str, Callable[[], Awaitable[Sample]]] = {}
    async with AsyncExitStack() as stack:
        for name, each in opened.items():
            requests = [each.contender.request(question) for question in questions]
            # Opened now, as Laurel closes one on which nothing is asked.
            connected = await stack.enter_async_context(clients(each.port))
            turns[name] = turn_of(connected, requests, seconds, each.process, spent[name])
        await take_turns(turns, 1)  # a round that does not count
        for of_name in spent.values():
            of_name.clear()
        samples = await take_turns(turns, rounds)
    return {
        name: {
            "rate": round(median(sample.rate for sample in of_name)),
            "p50_ms": round(median(sample.percentile(50) for sample in of_name) * 1_000, 1),
            "p99_ms": round(median(sample.percentile(99) for sample in of_name) * 1_000, 1),
            "cpu_us": round(median(spent[name])),
            "of_it": round(ratio(samples, LAUREL, name), 3),
            "of_it_by_cpu": round(median(one / us for one, us in zip(spent[name], spent[LAUREL], strict=True)), 3),
        }
        for name, of_name in samples.items()
    }


async def measure_reads(
    kind: str, address: str, *, rounds: int, seconds: float, size: shop.Size = shop.FULL
) -> list[dict[str, Any]]:
    """Rates, waits, processor time and statements of each read by each contender."""
    url = await shop.opened(kind, address, size)
    with _all_started(kind, url) as opened:
        questions = await _questions(url, size, opened[LAUREL].port)
        for read in READS:
            await _compare(opened, questions[read][:40])
        return [{"read": read, "by": await _measure(opened, questions[read], rounds, seconds)} for read in READS]


# -- growth -------------------------------------------------------------------------------------------

LENGTHS: Final = (10, 50, PAGE_MAX)
_OWNERS: Final = {"m2": 2, "m1": 1, "m0": 0}
"""Members with twenty entries, a thousand, and a million."""


async def measure_growth(
    kind: str, address: str, *, rounds: int, seconds: float, size: shop.Size = shop.FULL
) -> list[dict[str, Any]]:
    """Pages of more and more members, and what is asked of members with more and more entries."""
    url = await shop.opened(kind, address, size)
    entries = {"m2": "20 entries", "m1": "1,000 entries", "m0": f"{2 * size.orders:,} entries and more"}
    grown: dict[str, dict[str, Question]] = {
        "page of members": {f"{length} members": Question(PAGE, length) for length in LENGTHS},
        "progress bar": {
            entries[name]: Question(BAR, member=shop.member_id(number), name=name) for name, number in _OWNERS.items()
        },
        "history of 10": {entries[name]: Question(HISTORY, 10, name=name) for name in _OWNERS},
    }
    measured = []
    for contender in (_laurel(), _by_hand(kind)):
        with started(contender, url) as (port, process):
            for read, questions in grown.items():
                spent: dict[str, list[float]] = {name: [] for name in questions}
                async with AsyncExitStack() as stack:
                    turns: dict[str, Callable[[], Awaitable[Sample]]] = {}
                    for name, question in questions.items():
                        connected = await stack.enter_async_context(clients(port))
                        turns[name] = turn_of(connected, [contender.request(question)], seconds, process, spent[name])
                    await take_turns(turns, 1)  # a round that does not count
                    for of_name in spent.values():
                        of_name.clear()
                    samples = await take_turns(turns, rounds)
                first, *_ = questions
                measured += [
                    {
                        "read": read,
                        "of": name,
                        "contender": contender.name,
                        "p50_ms": round(median(sample.percentile(50) for sample in of_name) * 1_000, 1),
                        "cpu_us": round(median(spent[name])),
                        "times": round(ratio(samples, first, name), 2),
                        "cpu_times": round(
                            median(one / other for one, other in zip(spent[name], spent[first], strict=True)), 2
                        ),
                    }
                    for name, of_name in samples.items()
                ]
    return measured


# -- workers ------------------------------------------------------------------------------------------

ONE_WORKER, TWO_WORKERS = "one worker", "two workers"


async def measure_workers(
    kind: str, address: str, *, rounds: int, seconds: float, size: shop.Size = shop.FULL
) -> list[dict[str, Any]]:
    """Reads a second by one worker and by two, over one database."""
    url, laurel = await shop.opened(kind, address, size), _laurel()
    two = laurel._replace(command=lambda port: [*laurel.command(port), "--workers", "2"])
    measured = []
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(started(contender, url))
            for name, contender in ((ONE_WORKER, laurel), (TWO_WORKERS, two))
        }
        for port, process in servers.values():
            (await Client.connect(port)).close()
            await _rested(process)
        port, _ = servers[ONE_WORKER]
        questions = await _questions(url, size, port)
        for read in READS:
            requests = [laurel.request(question) for question in questions[read]]
            turns = {name: _connecting(server, requests, seconds) for name, server in servers.items()}
            await take_turns(turns, 1)  # a round that does not count
            samples = await take_turns(turns, rounds)
            measured.append(
                {
                    "read": read,
                    "rates": {name: round(median(one.rate for one in of_name)) for name, of_name in samples.items()},
                    "times": round(ratio(samples, TWO_WORKERS, ONE_WORKER), 2),
                }
            )
    return measured


def _connecting(
    server: tuple[int, psutil.Process], requests: Sequence[bytes], seconds: float
) -> Callable[[], Awaitable[Sample]]:
    """A turn with connections of its own, which the workers share out among themselves."""
    port, process = server

    async def turn() -> Sample:
        async with clients(port) as connected:
            sample: Sample = await turn_of(connected, [*requests], seconds, process, [])()
            return sample

    return turn


async def _rested(process: psutil.Process) -> None:
    """Return when nothing of a server has work to do, as all of its workers have started."""
    idle = 0
    while idle < 5:
        before = _seconds_of(process)
        await asyncio.sleep(0.4)
        idle = idle + 1 if _seconds_of(process) - before < 0.04 else 0


def _seconds_of(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
