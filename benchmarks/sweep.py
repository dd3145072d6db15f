"""What a sweep costs: it should follow what is due, and not what there is.

Each member has ten lots of ten points, the oldest of which has expired for a few of them. What the sweep reads is
counted as rows that statements gave to it and, on PostgreSQL, as rows that the database itself looked at.

Where all lots of all members have lapsed, it is compared with set-based SQL (``benchmarks/set_sweep.py``).
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import Event, Thread
from time import perf_counter, process_time
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from benchmarks.books import books_of, broken
from benchmarks.operations import CORE, committer
from benchmarks.rounds import Sample, ratio, take_turns
from benchmarks.set_sweep import sweep_by_ranges
from core.books.members import bucket_of
from core.engine.committer import BATCH_MAX
from core.models import ProgrammeVersionRow
from core.scheduling.sweep import sweep
from core.store import Store
from core.store.databases import Database
from core.store.dialect import Reader, Writer
from core.time.clock import microseconds
from tests.databases import Server

# The committer has the machine's clock.
NOW: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
LOTS: Final = 10
DUE: Final = 10_000
SIZES: Final = (100_000, 1_000_000)
QUICK: Final = (2_000,)
EVERYBODY: Final = 100_000
ROUNDS: Final = 3
LAUREL: Final = "laurel"
SET_BASED: Final = "set-based"
PROGRAMME: Final = "{id: bench, currency: EUR, timezone: UTC, expiry: {mode: per_lot, months: 12}}"
_COLUMNS: Final = {
    "member": "bucket id external_id status tier tier_since tier_changes attributes enrolled_at",
    "account": "bucket member_id unit credited debited held debt seq lot_seq hold_seq next_due expiring"
    " expires_at digest",
    "lot": "bucket member_id unit seq operation_id source amount remaining held expired clawed forgiven earned_at"
    " available_from expires_at fixed",
}


def _rows(table: str, members: Sequence[tuple[int, str, int]], due: int, lapsed: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, in the order of its key. The lots of a member end a month after another.

    Those of the members who are due have ``lapsed`` by today, the last of them today; the others end from then on.
    """
    began, month = NOW - timedelta(days=366), timedelta(days=30)
    for bucket, member, number in members:
        first = 1 - lapsed if number < due else 1
        dates = [microseconds(NOW + month * (first + lot)) for lot in range(LOTS)]
        if table == "member":
            start = microseconds(began)
            yield bucket, member, f"m{number}", "active", "", start, 1, "{}", start
        elif table == "account":
            yield bucket, member, "points", 10 * LOTS, 0, 0, 0, LOTS, LOTS, 0, dates[0], 10, dates[0], ""
        else:
            earned = microseconds(began)
            for lot, date in enumerate(dates, 1):
                yield bucket, member, "points", lot, member, "bench", 10, 10, 0, 0, 0, 0, earned, earned, date, False


def fill(kind: str, url: str, members: int, due: int, lapsed: int = 1) -> None:
    """Fill an empty database with so many members, of whom some have something that is due."""
    everyone = sorted((bucket_of(f"{number:036}"), f"{number:036}", number) for number in range(members))
    asyncio.run(_fill(kind, url, everyone, due, lapsed))


async def _fill(kind: str, url: str, members: Sequence[tuple[int, str, int]], due: int, lapsed: int) -> None:
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite://")) as connection:
            for table, columns in _COLUMNS.items():
                marks = ", ".join("?" * len(columns.split()))
                names = ", ".join(columns.split())
                connection.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})", _rows(table, members, due, lapsed)
                )
        return
    connection = await asyncpg.connect(url)
    for table, columns in _COLUMNS.items():
        await connection.copy_records_to_table(
            table, records=_rows(table, members, due, lapsed), columns=columns.split(), timeout=3_600
        )
    await connection.execute("ANALYZE")
    await connection.close()


@contextmanager
def counting() -> Iterator[list[int]]:
    """The rows that statements give while this is open."""
    given = [0]
    plain = Reader.query

    async def query(self: Reader, sql: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        rows = await plain(self, sql, values)
        given[0] += len(rows)
        return rows

    Reader.query = query  # type: ignore[method-assign]  # the one place through which all rows come
    try:
        yield given
    finally:
        Reader.query = plain  # type: ignore[method-assign]


@contextmanager
def highest_memory() -> Iterator[list[float]]:
    """By how many megabytes the process has grown at most while this was open."""
    process, stop = psutil.Process(os.getpid()), Event()
    before = process.memory_info().rss
    grown = [0.0]

    def watch() -> None:
        while not stop.wait(0.01):
            grown[0] = max(grown[0], (process.memory_info().rss - before) / 1e6)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield grown
    finally:
        stop.set()
        watcher.join()


async def _looked_at(kind: str, url: str) -> int | None:
    """The rows of our tables that PostgreSQL has looked at so far."""
    if kind != "postgres":
        return None
    await asyncio.sleep(1.5)  # its processes tell of it once a second
    connection = await asyncpg.connect(url)
    seen = await connection.fetchval(
        "SELECT SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
        " WHERE relname IN ('account', 'lot', 'hold', 'member')"
    )
    await connection.close()
    return int(seen)


async def _publish() -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    await ProgrammeVersionRow.create(
        number=1, document=PROGRAMME, digest="", author="bench", reason="bench", starts_at=past, published_at=past
    )


async def measure(server: Server, members: int, due: int = DUE) -> dict[str, Any]:
    """Fill a database, and sweep it."""
    url = server.migrated(CORE)
    kind = Database.from_url(url).dialect
    # In a process of its own: this one's memory is measured.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        await asyncio.get_running_loop().run_in_executor(other, fill, kind, url, members, due)
    store = Store()
    async with committer(url, store, BATCH_MAX) as opened:
        await _publish()
        before = await _looked_at(kind, url)
        began, worked = perf_counter(), process_time()
        with counting() as given, highest_memory() as grown:
            swept = await sweep(store.reader(), opened, NOW, actor="bench")
        seconds, cpu = perf_counter() - began, process_time() - worked
        after = await _looked_at(kind, url)
        again = perf_counter()
        nothing = await sweep(store.reader(), opened, NOW, actor="bench")
        idle = perf_counter() - again
    server.done(url)
    assert (swept.accounts, swept.points, nothing.accounts) == (due, 10 * due, 0)
    return {
        "database": kind,
        "members": members,
        "lots": members * LOTS,
        "due": due,
        "rows_given": given[0],
        "rows_looked_at": None if before is None or after is None else after - before,
        "seconds": round(seconds, 2),
        "cpu": round(cpu, 2),
        "megabytes": round(grown[0], 1),
        "idle_milliseconds": round(1_000 * idle, 1),
    }


# -- everything is due --------------------------------------------------------------------------------


async def compare(server: Server, members: int, rounds: int) -> dict[str, Any]:
    """Sweep copies of one database on PostgreSQL, where all lots have lapsed, and see that the books are the same."""
    filled = server.migrated(CORE)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        await asyncio.get_running_loop().run_in_executor(other, fill, "postgres", filled, members, members, LOTS)
    async with committer(filled, Store(), BATCH_MAX):
        await _publish()
    books: dict[str, list[Any]] = {LAUREL: [], SET_BASED: []}

    async def kept(url: str) -> Any:
        # What was filled in is no whole ledger, so that something is missing in either; to look takes long.
        return await books_of(url), await broken(url, CORE) if members <= QUICK[0] else []

    async def laurel() -> Sample:
        async with _copied(filled) as url, committer(url, store := Store(), BATCH_MAX) as opened:
            with transactions_timed() as locked:
                began = perf_counter()
                swept = await sweep(store.reader(), opened, NOW, actor="bench")
                seconds = perf_counter() - began
            assert (swept.accounts, swept.points) == (members, 10 * LOTS * members)
            books[LAUREL].append(await kept(url))
        return Sample(LOTS * members / seconds, locked)

    async def set_based() -> Sample:
        async with _copied(filled) as url:
            began = perf_counter()
            locked = await sweep_by_ranges(url, NOW)
            seconds = perf_counter() - began
            books[SET_BASED].append(await kept(url))
        return Sample(LOTS * members / seconds, locked)

    samples = await take_turns({LAUREL: laurel, SET_BASED: set_based}, rounds)
    first = books[LAUREL][0]
    assert all(one == first for each in books.values() for one in each), "the books differ"
    server.done(filled)
    return {
        "members": members,
        "lots": LOTS * members,
        "rates": {name: round(max(sample.rate for sample in samples[name])) for name in books},
        "times": round(ratio(samples, SET_BASED, LAUREL), 2),
        "longest": {name: round(max(max(sample.latencies) for sample in samples[name]), 3) for name in books},
    }


@asynccontextmanager
async def _copied(url: str) -> AsyncIterator[str]:
    """A copy of a database to which nobody is connected."""
    name = urlsplit(url).path.removeprefix("/")
    server = await asyncpg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")))
    try:
        await server.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}", timeout=600)
        await server.execute("CHECKPOINT", timeout=600)
        yield f"{url}_copy"
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name}_copy WITH (FORCE)")
        await server.close()


@contextmanager
def transactions_timed() -> Iterator[list[float]]:
    """How long each transaction lasted, from its beginning to its commit, while this is open."""
    seconds: list[float] = []
    plain = Store.transaction

    @asynccontextmanager
    async def transaction(self: Store) -> AsyncIterator[Writer]:
        began = perf_counter()
        async with plain(self) as writer:
            yield writer
        seconds.append(perf_counter() - began)

    with patch.object(Store, "transaction", transaction):  # the one place where all of them begin
        yield seconds
