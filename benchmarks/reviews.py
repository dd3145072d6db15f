"""What reviewing tiers costs: it should follow what is due, and not how many members there are.

Each member is gold and has bought on five days of the year that is judged; one in a hundred is due. Half of those have
bought enough. Members, accounts, histories and ten million rows of tallies are written by another process.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from time import perf_counter, process_time
from typing import Any, Final

import asyncpg

from benchmarks.operations import CORE, committer
from benchmarks.sweep import NOW, counting, highest_memory
from core.books.members import bucket_of
from core.books.tallies import day_number
from core.engine.committer import BATCH_MAX, Committer
from core.models import ProgrammeVersionRow
from core.scheduling.reviewing import reviews_due
from core.scheduling.sweep import settle
from core.store import Store
from core.store.databases import Database
from core.store.dialect import Reader
from core.time.clock import microseconds
from tests.databases import Server

DAYS: Final = 5
SIZES: Final = (100_000, 1_000_000)
QUICK: Final = (2_000,)
PROGRAMME: Final = """
id: bench
currency: EUR
timezone: UTC
tiers:
  window: {months: 12}
  keep: {review: yearly, ratio: "0.8"}
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: spend, at_least: 100}, {fact: orders, at_least: 3}]}
  - {id: gold, all: [{fact: spend, at_least: 1000}, {fact: orders, at_least: 5}]}
"""
_COLUMNS: Final = {
    "member": "bucket id external_id status tier tier_since tier_changes attributes enrolled_at tier_from"
    " tier_review_at tier_due_at",
    "account": "bucket member_id unit credited debited held debt seq lot_seq hold_seq digest",
    "tier_change": "bucket member_id number former tier operation_id at cause",
    "tally": "bucket member_id name day amount",
}


def _rows(table: str, members: Sequence[tuple[int, str, int]], due: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, in the order of its key."""
    began = NOW - timedelta(days=365)
    start, later = microseconds(began), microseconds(NOW + timedelta(days=30))
    days = [day_number((NOW - timedelta(days=30 * (DAYS - day))).date()) for day in range(DAYS)]
    for bucket, member, number in members:
        if table == "member":
            at = microseconds(NOW) if number < due else later
            yield bucket, member, f"m{number}", "active", "gold", start, 2, "{}", start, start, at, at
        elif table == "account":
            yield bucket, member, "points", 0, 0, 0, 0, 0, 0, 0, ""
        elif table == "tier_change":
            yield bucket, member, 1, None, "regular", "bench", start, "enrolment"
            yield bucket, member, 2, "regular", "gold", "bench", start, "earned"
        else:
            # What is counted is cents; 800 are needed, and 4 orders.
            for name, amount in (("orders", 1), ("spend", 18_000 if number % 2 else 14_000)):
                for day in days:
                    yield bucket, member, name, day, amount


def fill(kind: str, url: str, members: int, due: int) -> None:
    """Fill an empty database with so many members, of whom some are to be judged."""
    everyone = sorted((bucket_of(f"{number:036}"), f"{number:036}", number) for number in range(members))
    asyncio.run(_fill(kind, url, everyone, due))


async def _fill(kind: str, url: str, members: Sequence[tuple[int, str, int]], due: int) -> None:
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite://")) as connection:
            for table, columns in _COLUMNS.items():
                names = columns.split()
                marks = ", ".join("?" * len(names))
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", _rows(table, members, due)
                )
        return
    connection = await asyncpg.connect(url)
    for table, columns in _COLUMNS.items():
        await connection.copy_records_to_table(
            table, records=_rows(table, members, due), columns=columns.split(), timeout=3_600
        )
    await connection.execute("ANALYZE")
    await connection.close()


async def _review(reader: Reader, opened: Committer) -> dict[str, int]:
    """Do what is due; how many steps of each kind there were."""
    steps: dict[str, int] = {}
    async for _, outcomes in settle(reader, opened, reviews_due("bench", NOW)):
        for outcome in outcomes:
            step = outcome.result["step"]
            steps[step] = steps.get(step, 0) + 1
    return steps


async def measure(server: Server, members: int) -> dict[str, Any]:
    """Fill a database, and judge one in a hundred."""
    due = members // 100
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
        begun, worked = perf_counter(), process_time()
        with counting() as given, highest_memory() as grown:
            steps = await _review(store.reader(), opened)
        seconds, cpu = perf_counter() - begun, process_time() - worked
        again = perf_counter()
        nothing = await _review(store.reader(), opened)
        idle = perf_counter() - again
    server.done(url)
    assert (steps, nothing) == ({"kept": due // 2, "fell": due - due // 2}, {})
    return {
        "database": kind,
        "members": members,
        "tallies": members * DAYS * 2,
        "due": due,
        "rows_given": given[0],
        "seconds": round(seconds, 2),
        "cpu": round(cpu, 2),
        "megabytes": round(grown[0], 1),
        "idle_milliseconds": round(1_000 * idle, 1),
    }
