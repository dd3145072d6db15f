"""Operations a second through the committer, against one transaction each; and statements an operation.

Three contenders do the same on databases of their own: each caller has a member who earns and spends ten points in
turn. All commits are durable.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from logging import DEBUG, Handler, LogRecord, getLogger
from statistics import median
from typing import Any

from tortoise.utils import generate_schema_for_client

from benchmarks import plain
from benchmarks.rounds import Sample, keep_calling, ratio, take_turns
from core.books.members import ByExternalId, ById, new_id
from core.channels.corrections import AdjustPoints
from core.channels.redemption import RedeemPoints
from core.engine.batch import Rules
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation, Outcome
from core.models import ProgrammeVersionRow
from core.people.membership import EnrolMember
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.databases import Tables, connect
from core.store.dialect import Lookup, Writer
from core.store.tables import Row, Table
from core.time.clock import SystemClock
from tests.databases import Server

CORE = {"core": Tables(("core.models",), "core.migrations")}
PLAIN = {"plain": Tables(("benchmarks.plain",), "benchmarks.plain")}
CALLERS = (1, 64, 512)
MEMBERS = max(CALLERS)
POINTS = 10
PROGRAMME = "{id: bench, currency: EUR, timezone: UTC, expiry: {mode: per_lot, months: 12}}"

Call = Callable[[int], Awaitable[object]]
Opened = Callable[[], AbstractAsyncContextManager[Call]]


# -- the contenders -----------------------------------------------------------------------------------


class Pairs:
    """Operations for callers who earn and spend in turn, with keys that never come again."""

    def __init__(self, members: Sequence[str]) -> None:
        self._members = members
        self._turns = [count() for _ in members]

    def next(self, caller: int) -> Operation:
        turn = next(self._turns[caller])
        member, key = ById(self._members[caller]), f"turn:{turn}"
        if turn % 2:
            return RedeemPoints(member=member, idempotency_key=key, actor="bench", points=POINTS)
        return AdjustPoints(member=member, idempotency_key=key, actor="bench", points=POINTS, reason="bench")


@asynccontextmanager
async def committer(url: str, store: Store, batch_max: int) -> AsyncIterator[Committer]:
    """A committer on the database at that address, with a programme that has no channels."""
    programmes = Programmes(lambda document: load_programme(document, {}))
    rules = Rules(programmes=programmes, clock=SystemClock(), new_id=new_id)
    async with connect(url, CORE), Committer(store, rules, batch_max=batch_max) as opened:
        yield opened


async def prepare(server: Server) -> tuple[str, Pairs]:
    """A database with members."""
    url = server.migrated(CORE)
    async with committer(url, Store(), BATCH_MAX) as opened:
        past = datetime(2020, 1, 1, tzinfo=UTC)
        await ProgrammeVersionRow.create(
            number=1, document=PROGRAMME, digest="", author="", reason="", starts_at=past, published_at=past
        )
        enrolled = await opened.submit_many(
            EnrolMember(member=ByExternalId(f"member {number}"), idempotency_key="enrol", actor="bench")
            for number in range(MEMBERS)
        )
    return url, Pairs([accepted(outcome) for outcome in enrolled])


def accepted(outcome: Outcome | BaseException) -> str:
    """The member's id. Measuring refusals would flatter us."""
    if isinstance(outcome, BaseException):
        raise outcome
    if outcome.refusal is not None:
        raise outcome.refusal
    assert outcome.member_id is not None
    return outcome.member_id


async def laurel(server: Server, batch_max: int) -> Opened:
    """Laurel with batches of so many operations at most."""
    url, pairs = await prepare(server)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Call]:
        async with committer(url, Store(), batch_max) as laurel:

            async def call(caller: int) -> None:
                accepted(await laurel.submit(pairs.next(caller)))

            yield call

    return opened


async def plain_tortoise(server: Server) -> Opened:
    """The plain implementation, on as many connections as the pool of one Laurel process has."""
    url = server.empty()
    async with connect(url, PLAIN) as context:
        await generate_schema_for_client(context.db("default"), safe=False)
        await plain.PlainAccount.bulk_create([plain.PlainAccount(id=number) for number in range(MEMBERS)])
    turns = [count() for _ in range(MEMBERS)]

    @asynccontextmanager
    async def opened() -> AsyncIterator[Call]:
        async with connect(url, PLAIN):

            async def call(caller: int) -> None:
                turn = next(turns[caller])
                await (plain.spend if turn % 2 else plain.earn)(caller, f"turn:{turn}", POINTS)

            yield call

    return opened


# -- operations a second ------------------------------------------------------------------------------

COMMITTER, ONE_EACH, PLAIN_TORTOISE = "committer", "one transaction each", "plain Tortoise"


async def measure_rates(server: Server, *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Rates, latencies and ratios for each number of concurrent callers."""
    contenders = {
        COMMITTER: await laurel(server, BATCH_MAX),
        ONE_EACH: await laurel(server, 1),
        PLAIN_TORTOISE: await plain_tortoise(server),
    }
    measured = []
    for callers in CALLERS:
        turns = {name: _turn(opened, callers, seconds) for name, opened in contenders.items()}
        samples = await take_turns(turns, rounds)
        measured.append(
            {
                "callers": callers,
                **{
                    name: {
                        "rate": round(median(sample.rate for sample in of_name)),
                        "p50_ms": round(median(sample.percentile(50) for sample in of_name) * 1000, 1),
                        "p99_ms": round(median(sample.percentile(99) for sample in of_name) * 1000, 1),
                    }
                    for name, of_name in samples.items()
                },
                "times": {other: round(ratio(samples, COMMITTER, other), 1) for other in (ONE_EACH, PLAIN_TORTOISE)},
            }
        )
    return measured


def _turn(opened: Opened, callers: int, seconds: float) -> Callable[[], Awaitable[Sample]]:
    async def turn() -> Sample:
        async with opened() as call:
            # Connections, prepared statements and caches are made before the clock starts.
            await keep_calling(call, callers, seconds / 10)
            return await keep_calling(call, callers, seconds)

    return turn


# -- statements an operation --------------------------------------------------------------------------


@dataclass
class Counts:
    """What a database was asked to do."""

    statements: int = 0
    read: int = 0
    written: int = 0


class CountingWriter(Writer):
    """A writer that counts what passes through it."""

    def __init__(self, inner: Writer, counts: Counts) -> None:
        super().__init__(inner.client)
        self._inner = inner
        self._counts = counts

    async def keep_rules(self, beside: Sequence[Lookup] = ()) -> Sequence[Sequence[Row]]:
        if self._inner.joins:
            return self._were_read(await self._inner.keep_rules(beside))
        self._rules_are_locked()
        await self._inner.keep_rules()
        return await self.find_all(beside)

    async def change_rules(self) -> None:
        self._rules_are_locked()
        await self._inner.change_rules()

    async def query(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        return self._was_read(await self._inner.query(sql, values))

    async def find_all(self, lookups: Sequence[Lookup]) -> Sequence[Sequence[Row]]:
        if self._inner.joins:
            return self._were_read(await self._inner.find_all(lookups))
        return await super().find_all(lookups)

    async def select(
        self,
        table: Table,
        by: tuple[str, ...],
        keys: Sequence[Row],
        where: str = "",
        columns: tuple[str, ...] = (),
    ) -> Sequence[Row]:
        return self._was_read(await self._inner.select(table, by, keys, where, columns))

    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return self._was_read(await self._inner.look_up(sql, table, by, keys))

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return self._was_read(await self._inner.lock(table, by, keys))

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        self._is_written(rows)
        await self._inner.insert(table, rows)

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        self._is_written(rows)
        await self._inner.update(table, rows)

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        self._is_written(rows)
        await self._inner.accumulate(table, rows)

    def _rules_are_locked(self) -> None:
        # SQLite sends nothing: its one writer has a lock of everything.
        self._counts.statements += self.client.capabilities.dialect != "sqlite"

    def _was_read(self, rows: Sequence[Row]) -> Sequence[Row]:
        self._counts.statements += 1
        self._counts.read += len(rows)
        return rows

    def _were_read(self, found: Sequence[Sequence[Row]]) -> Sequence[Sequence[Row]]:
        """What several lookups found in one statement."""
        self._was_read([row for rows in found for row in rows])
        return found

    def _is_written(self, rows: Sequence[Row]) -> None:
        self._counts.statements += 1
        self._counts.written += len(rows)


class CountingStore(Store):
    """A store that counts the statements of its transactions, BEGIN and COMMIT included."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counts()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Writer]:
        self.counts.statements += 2
        async with super().transaction() as writer:
            yield CountingWriter(writer, self.counts)


class _Statements(Handler):
    """Counts what Tortoise says that it sends."""

    def __init__(self) -> None:
        super().__init__(DEBUG)
        self.seen = 0

    def emit(self, record: LogRecord) -> None:
        self.seen += 1


async def count_statements(server: Server) -> list[dict[str, Any]]:
    """Statements and rows an operation, for each size of batch and for the plain implementation.

    The same on every database, except that SQLite runs a statement once for each of its rows, in the process.
    """
    url, pairs = await prepare(server)
    counted = []
    for size in CALLERS:
        store = CountingStore()
        async with committer(url, store, size) as laurel:
            for _ in range(2):
                for outcome in await laurel.submit_many([pairs.next(caller) for caller in range(size)]):
                    accepted(outcome)
        asked = store.counts
        counted.append(
            {
                "batch": size,
                "statements": round(asked.statements / size / 2, 3),
                "rows_read": round(asked.read / size / 2, 2),
                "rows_written": round(asked.written / size / 2, 2),
            }
        )
    return [*counted, {"batch": PLAIN_TORTOISE, "statements": await _plain_statements(server)}]


async def _plain_statements(server: Server) -> float:
    opened = await plain_tortoise(server)
    statements, logger = _Statements(), getLogger("tortoise.db_client")
    before = logger.level
    async with opened() as call:
        logger.addHandler(statements)
        logger.setLevel(DEBUG)
        try:
            for _ in range(2):
                await call(0)
        finally:
            logger.setLevel(before)
            logger.removeHandler(statements)
    return statements.seen / 2 + 2  # BEGIN and COMMIT are not logged
