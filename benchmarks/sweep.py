"""What a sweep costs: it should follow what is due, and not what there is.

Each member has ten lots of ten points, the oldest of which has expired for a few of them. What the sweep reads is
counted as rows that statements gave to it and, on PostgreSQL, as rows that the database itself looked at.
"""

import asyncio
import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import Event, Thread
from time import perf_counter, process_time
from typing import Any, Final

import asyncpg
import psutil

from benchmarks.operations import CORE, committer
from core.books.members import bucket_of
from core.engine.committer import BATCH_MAX
from core.models import ProgrammeVersionRow
from core.scheduling.sweep import sweep
from core.store import Store
from core.store.databases import Database
from core.store.dialect import Reader
from core.time.clock import microseconds
from tests.databases import Server

# The committer has the machine's clock.
NOW: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
LOTS: Final = 10
DUE: Final = 10_000
SIZES: Final = (100_000, 1_000_000)
QUICK: Final = (2_000,)
PROGRAMME: Final = "{id: bench, currency: EUR, timezone: UTC, expiry: {mode: per_lot, months: 12}}"
_COLUMNS: Final = {
    "member": "bucket id external_id status tier tier_since tier_changes attributes enrolled_at",
    "account": "bucket member_id unit credited debited held debt seq lot_seq hold_seq next_due digest",
    "lot": "bucket member_id unit seq operation_id source amount remaining held expired clawed forgiven earned_at"
    " available_from expires_at fixed",
}


def _rows(table: str, members: Sequence[tuple[int, str, int]], due: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, in the order of its key. The lots of a member end a month after another, from today on."""
    began, month = NOW - timedelta(days=366), timedelta(days=30)
    for bucket, member, number in members:
        first = 0 if number < due else 1
        dates = [microseconds(NOW + month * (first + lot)) for lot in range(LOTS)]
        if table == "member":
            start = microseconds(began)
            yield bucket, member, f"m{number}", "active", "", start, 1, "{}", start
        elif table == "account":
            yield bucket, member, "points", 10 * LOTS, 0, 0, 0, LOTS, LOTS, 0, dates[0], ""
        else:
            earned = microseconds(began)
            for lot, date in enumerate(dates, 1):
                yield bucket, member, "points", lot, member, "bench", 10, 10, 0, 0, 0, 0, earned, earned, date, False


def fill(kind: str, url: str, members: int, due: int) -> None:
    """Fill an empty database with so many members, of whom some have something that is due."""
    everyone = sorted((bucket_of(f"{number:036}"), f"{number:036}", number) for number in range(members))
    asyncio.run(_fill(kind, url, everyone, due))


async def _fill(kind: str, url: str, members: Sequence[tuple[int, str, int]], due: int) -> None:
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite://")) as connection:
            for table, columns in _COLUMNS.items():
                marks = ", ".join("?" * len(columns.split()))
                names = ", ".join(columns.split())
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", _rows(table, members, due))
        return
    connection = await asyncpg.connect(url)
    for table, columns in _COLUMNS.items():
        await connection.copy_records_to_table(
            table, records=_rows(table, members, due), columns=columns.split(), timeout=3_600
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


async def measure(server: Server, members: int, due: int = DUE) -> dict[str, Any]:
    """Fill a database, and sweep it."""
    url = server.migrated(CORE)
    kind = Database.from_url(url).dialect
    # In a process of its own: this one's memory is measured.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        await asyncio.get_running_loop().run_in_executor(other, fill, kind, url, members, due)
    store = Store()
    async with committer(url, store, BATCH_MAX) as opened:
        past = datetime(2020, 1, 1, tzinfo=UTC)
        await ProgrammeVersionRow.create(
            number=1, document=PROGRAMME, digest="", author="bench", reason="bench", starts_at=past, published_at=past
        )
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
