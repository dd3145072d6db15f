"""Reads over HTTP of a small shop: who asks is one process, this one, and who answers another.

Where their time goes, and what watching costs. ``benchmarks/comparing.py`` is about a large shop, and others.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple, Self

import psutil

from benchmarks.importing import LONG_AGO
from benchmarks.operations import accepted
from benchmarks.rounds import Sample, keep_calling, take_turns
from core.books.members import ByExternalId, ById
from core.people.membership import EnrolMember
from core.rulebook.publishing import publish
from core.time.clock import StoppedClock
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from graph.tokens import Role, issue_token
from plugins.manager import load_plugins
from plugins.purchase.operations import Line, RecordPurchase
from tests.databases import Server

MEMBERS: Final = 500
REGULARS: Final = 20
"""So many of the members have a page of transactions."""
CALLERS: Final = 16
PAGE: Final = 50
# One caller asks more a second than a brand in an hour: that is counted as ever, and allowed.
UNBOUND: Final = {"rates": ", ".join(f"{role}=900000000000000 cost/minute" for role in (Role.MEMBER, Role.SERVICE))}
SECRET: Final = "a secret of the benchmarks, and of nothing else"
DOCUMENT: Final = Path(__file__).parent.parent / "examples" / "programmes" / "first-shop.yaml"

DOCUMENTS: Final = {
    "progress bar": """query ProgressBar {
  viewer {
    member {
      tier { id name }
      points { available pending expiring { points at } }
      progress { ratio nextTier { id name } criteria { description current required remaining ratio } }
    }
  }
}""",
    "page of 50": """query MembersPage($first: Int!) {
  members(first: $first) {
    nodes { id externalId tier { name } points { available } progress { ratio } }
    pageInfo { hasNextPage }
  }
}""",
    "history of 50": """query History($member: String!, $first: Int!) {
  member(by: { externalId: $member }) {
    transactions(first: $first) {
      nodes { id channel kind reference effectiveAt entries { unit amount balanceAfter } }
    }
  }
}""",
}
READS: Final = tuple(DOCUMENTS)


class Member(NamedTuple):
    """A member to ask about."""

    id: str
    external_id: str


# -- the shop -------------------------------------------------------------------------------------------


async def fill(url: str, programme: str | None = None) -> list[Member]:
    """A year of purchases, so that there is somebody on every tier; the regulars first."""
    now = datetime.now(UTC)
    plugins, clock = load_plugins(), StoppedClock(now)
    async with open_laurel(Settings(database_url=url), plugins=plugins, clock=clock) as laurel:
        await publish(
            programme or DOCUMENT.read_text(encoding="utf-8"),
            author="bench",
            reason="to measure reads",
            load=laurel.load,
            clock=clock,
            starts_at=LONG_AGO,
            in_the_past=True,
        )
        clock.set(now - timedelta(days=350))
        names = [f"member {number}" for number in range(MEMBERS)]
        enrolled = await laurel.committer.submit_many(
            EnrolMember(member=ByExternalId(name), idempotency_key="enrol", actor="bench") for name in names
        )
        members = [Member(accepted(outcome), name) for outcome, name in zip(enrolled, names, strict=True)]
        for month in range(12):
            for turn in range(6):
                clock.set(now - timedelta(days=30 * (11 - month) + 6 - turn))
                buyers = members[:REGULARS] if turn else members[: MEMBERS - 30 * month]
                for outcome in await laurel.committer.submit_many(
                    RecordPurchase(
                        member=ById(buyer.id),
                        idempotency_key=f"order {month}-{turn}",
                        actor="bench",
                        reference=f"{buyer.external_id}: {month}-{turn}",
                        amount=(amount := Decimal("9.90") * (number % 50 + 1)),
                        currency="CNY",
                        lines=(Line("tea", 2, amount, category="tea"),),
                    )
                    for number, buyer in enumerate(buyers)
                ):
                    accepted(outcome)
    return members


# -- the server -----------------------------------------------------------------------------------------


@contextmanager
def serving(
    url: str,
    variables: Mapping[str, str] | None = None,
    *,
    sampled: bool = False,
    application: str = "benchmarks.sampling:application",
) -> Iterator[tuple[int, psutil.Process]]:
    """A server on a port of its own, and its process. Nothing watches it and no rate is too high, unless said."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", application]
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log", "--timeout-keep-alive", "600"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")},
        "LAUREL_DATABASE_URL": url,
        "LAUREL_SECRET": SECRET,
        "LAUREL_JOBS": "no",
        "LAUREL_SECONDS_MAX": "120",
        "BENCHMARKS_SAMPLED": "yes" if sampled else "",
        **{f"LAUREL_{name.upper()}": value for name, value in {**UNBOUND, **(variables or {})}.items()},
    }
    server = subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


class Client(asyncio.Protocol):
    """A connection that is kept, with one request on it at a time. It does little, as it shares the machine."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._answer: asyncio.Future[bytes] | None = None
        self._came = b""
        self._length = 0

    @classmethod
    async def connect(cls, port: int) -> Self:
        loop, give_up = asyncio.get_running_loop(), time.monotonic() + 300
        while True:
            try:
                _, client = await loop.create_connection(cls, "127.0.0.1", port)
                return client
            except ConnectionRefusedError:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.1)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """The body of the answer, which must be a good one."""
        if self._transport.is_closing():
            raise ConnectionResetError("closed before it was asked")
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed before it was answered"))

    def data_received(self, data: bytes) -> None:
        came = self._came = self._came + data if self._came else data
        if not self._length:
            ends = came.find(b"\r\n\r\n")
            if ends < 0:
                return
            _, _, rest = came[:ends].lower().partition(b"content-length:")
            self._length = ends + 4 + int(rest.partition(b"\r\n")[0])
        if len(came) < self._length or self._answer is None:
            return
        head, _, body = came.partition(b"\r\n\r\n")
        answer, self._came, self._length = self._answer, b"", 0
        if head.startswith(b"HTTP/1.1 200 ") and not body.startswith(b'{"errors"'):
            answer.set_result(body)
        else:
            answer.set_exception(RuntimeError(f"not answered: {head!r} {body[:500]!r}"))

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def clients(port: int) -> AsyncIterator[list[Client]]:
    connected = [await Client.connect(port) for _ in range(CALLERS)]
    try:
        yield connected
    finally:
        for client in connected:
            client.close()


# -- the requests ---------------------------------------------------------------------------------------


def getting(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def asking(document: str, variables: Mapping[str, Any], token: str) -> bytes:
    """A request with that document, and that token."""
    return posting(document, variables, {"Authorization": f"Bearer {token}"})


def posting(document: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """A request with that document, and these headers."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: bench\r\n{said}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def token(role: Role, member_id: str | None = None) -> str:
    now, lifetime = datetime.now(UTC), timedelta(days=1)
    return issue_token(SECRET, role=role, subject="bench", now=now, lifetime=lifetime, member_id=member_id)


def requests(read: str, members: list[Member]) -> list[bytes]:
    """The questions of a read about these members."""
    document, service = DOCUMENTS[read], token(Role.SERVICE)
    match read:
        case "progress bar":
            return [asking(document, {}, token(Role.MEMBER, member.id)) for member in members]
        case "page of 50":
            return [asking(document, {"first": PAGE}, service)]
        case _:
            return [asking(document, {"member": one.external_id, "first": PAGE}, service) for one in members[:REGULARS]]


# -- reads a second -------------------------------------------------------------------------------------

WATCHED: Final[Mapping[str, Mapping[str, str]]] = {
    "nothing": {"slow_ms": "0"},
    "what is slow": {},
    "metrics": {"metrics_token": "a token of the benchmarks"},
    "metrics, and each request logged": {"metrics_token": "a token of the benchmarks", "log_level": "info"},
}
"""What is watched, and by which settings; without any, what is slow is."""


async def measure_watching(server: Server, *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """The progress bar by servers that are watched more and more, each against one that is not."""
    url = server.migrated(tables(load_plugins()))
    members = await fill(url)
    asked = requests("progress bar", members)
    turns, spent = {}, {name: list[float]() for name in WATCHED}
    async with AsyncExitStack() as opened:
        for name, variables in WATCHED.items():
            port, process = opened.enter_context(serving(url, variables))
            connected = await opened.enter_async_context(clients(port))
            turns[name] = turn_of(connected, asked, seconds, process, spent[name])
        await take_turns(turns, 1)  # a round that does not count
        for of_name in spent.values():
            of_name.clear()
        await take_turns(turns, rounds)
    server.done(url)
    unwatched, *_ = WATCHED
    return [
        {
            "watched": name,
            "cpu_us": round(median(used)),
            "more_us": round(median(one - other for one, other in zip(used, spent[unwatched], strict=True))),
        }
        for name, used in spent.items()
    ]


async def measure_where(server: Server, *, seconds: float) -> list[dict[str, Any]]:
    """By whose code the processor's time of each read is spent."""
    url = server.migrated(tables(load_plugins()))
    members = await fill(url)
    measured = []
    with serving(url, sampled=True) as (port, process):
        async with clients(port) as connected:
            for read in READS:
                asked = requests(read, members)
                spent: list[float] = []
                turn = turn_of(connected, asked, seconds, process, spent)
                await turn()  # one that does not count
                await connected[0].ask(getting("/samples"))
                await turn()
                counted = json.loads(await connected[0].ask(getting("/samples")))
                measured.append({"read": read, "cpu_us": round(spent[-1]), "counted": counted})
    server.done(url)
    return measured


def turn_of(
    connected: list[Client], asked: list[bytes], seconds: float, process: psutil.Process, spent: list[float]
) -> Callable[[], Any]:
    numbers, many = count(), len(asked)

    async def turn() -> Sample:
        before = process.cpu_times()
        sample = await keep_calling(lambda caller: connected[caller].ask(asked[next(numbers) % many]), CALLERS, seconds)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        spent.append(used / len(sample.latencies) * 1e6)
        return sample

    return turn
