"""What a year of the dashboard costs over two million orders: every query that the page sends, and the whole page.

The tables that it reads are filled by statements: members who joined over half a year, twenty orders each, what these
counted and gave, redemptions, and the daily aggregates of it all. The queries are those of the page itself, asked
through the whole of a server in this process, which has been asked before.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import asyncpg
from graphql import parse, print_ast
from graphql.utilities import separate_operations

import graph
from core.books.members import bucket_of
from core.books.tallies import day_number
from core.store.databases import Database
from core.time.clock import microseconds
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import find_offers, load_plugins
from tests.databases import Server

MEMBERS: Final = 100_000
QUICK: Final = 500
EACH: Final = 20
ROUNDS: Final = 3
BEGIN: Final = date(2025, 7, 1)
DAYS: Final = 365
NOW: Final = datetime(2026, 6, 30, 12, tzinfo=UTC)
PROGRAMME: Final = """
id: bench
currency: EUR
timezone: UTC
point_value: "0.01"
expiry: {mode: per_lot, months: 12}
channels:
  ticket: {}
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}}
tiers:
  ladder: [{id: regular}, {id: silver, all: [{fact: spend, at_least: "100000"}]}]
"""
QUERIES: Final = Path(graph.__file__).parent / "dashboard" / "operations.graphql"
COHORTS: Final = """
  query Cohorts($since: Day!, $until: Day!) {
    cohorts(since: $since, until: $until) {
      month members months { month after retention { value } orders revenue { amount } pointsEarned pointsRedeemed }
    }
  }
"""

# What each member did, by number: the day of the year on which they joined, and then an order every nine days.
_FILL: Final = (
    (
        "INSERT INTO member (bucket, id, external_id, status, tier, tier_since, tier_changes, attributes, enrolled_at)"
        " SELECT w.bucket, w.id, w.external_id, 'active', 'regular', d.at, 1, '{{}}', d.at"
        " FROM who w JOIN days d ON d.d = w.joined ORDER BY w.bucket, w.id"
    ),
    (
        "INSERT INTO account (bucket, member_id, unit, credited, debited, held, debt, seq, lot_seq, hold_seq, digest)"
        " SELECT bucket, id, 'points', 0, 0, 0, 0, 0, 0, 0, '' FROM who ORDER BY bucket, id"
    ),
    (
        "INSERT INTO tally (bucket, member_id, name, day, amount)"
        " SELECT w.bucket, w.id, n.name, d.day,"
        " CASE n.name WHEN 'orders' THEN 1 WHEN 'spend' THEN {cents} ELSE {points} END"
        " FROM who w CROSS JOIN (SELECT 'orders' AS name UNION ALL SELECT 'points_earned' UNION ALL SELECT 'spend') n"
        " CROSS JOIN times t JOIN days d ON d.d = {on} ORDER BY w.bucket, w.id, n.name, d.day"
    ),
    (
        "INSERT INTO lot (bucket, member_id, unit, seq, operation_id, source, amount, remaining, held, expired, clawed,"
        " forgiven, earned_at, available_from, expires_at, fixed)"
        " SELECT w.bucket, w.id, 'points', t.k + 1, '', 'purchase', {points},"
        " CASE WHEN t.k < 10 THEN 0 ELSE {points} END, 0, 0, 0, 0, d.at, d.at, d.at + {year}, {false}"
        " FROM who w CROSS JOIN times t JOIN days d ON d.d = {on} ORDER BY w.bucket, w.id, t.k"
    ),
    (
        "INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance, effective_at,"
        " recorded_at, digest) SELECT w.bucket, w.id, 'points', t.k + 1, '', -100, 0, 'redemption', 0, d.at, d.at, ''"
        " FROM who w CROSS JOIN times t JOIN days d ON d.d = {on} WHERE t.k IN (7, 14)"
    ),
    (
        "INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)"
        " SELECT 'tally', day, '', '', name, 0, SUM(amount), 0 FROM tally GROUP BY day, name"
    ),
    (
        "INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)"
        " SELECT a.name, t.day, 'points', 'purchase', a.part, 0, SUM(t.amount), COUNT(*) FROM tally t CROSS JOIN"
        " (SELECT 'credited' AS name, 'issuance' AS part UNION ALL SELECT 'rule', '>base>spend') a"
        " WHERE t.name = 'points_earned' GROUP BY a.name, a.part, t.day"
    ),
    (
        "INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)"
        " SELECT a.name, d.day, '', a.channel, a.part, 0, COUNT(*), 0 FROM who w JOIN days d ON d.d = w.joined"
        " CROSS JOIN (SELECT 'joined' AS name, '' AS channel, '' AS part"
        " UNION ALL SELECT 'tier', 'enrolment', '>regular') a"
        " GROUP BY a.name, a.channel, a.part, d.day"
    ),
    (
        "INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)"
        " SELECT 'debited', d.day, 'points', 'rewards', 'redemption', 0, SUM(-e.amount), COUNT(*)"
        " FROM entry e JOIN days d ON d.at = e.effective_at GROUP BY d.day"
    ),
)
_WORDS: Final = {
    "cents": "(500 + (w.number * 31 + t.k * 977) % 20000)",
    "points": "((500 + (w.number * 31 + t.k * 977) % 20000) / 100)",
    "on": "(w.joined + t.k * 9)",
    "year": str(DAYS * 86_400_000_000),
}
_SCRATCH: Final = {
    "who": "number INT, bucket INT, id VARCHAR(36), external_id VARCHAR(36), joined INT",
    "times": "k INT",
    "days": "d INT PRIMARY KEY, day INT, at BIGINT",
}


def _scratch(members: int) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    days = [BEGIN + timedelta(days=number) for number in range(DAYS)]
    return {
        "who": [(n, bucket_of(f"{n:036}"), f"{n:036}", f"m{n}", n * 7_919 % 180) for n in range(members)],
        "times": [(k,) for k in range(EACH)],
        "days": [
            (at, day_number(day), microseconds(datetime(day.year, day.month, day.day, 9, tzinfo=UTC)))
            for at, day in enumerate(days)
        ],
    }


async def _fill(kind: str, url: str, members: int) -> None:
    words = {**_WORDS, "false": "0" if kind == "sqlite" else "FALSE"}
    statements = [sql.format(**words) for sql in _FILL]
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite://")) as file:
            for pragma in ("cache_size = -500000", "synchronous = OFF", "temp_store = MEMORY"):
                file.execute(f"PRAGMA {pragma}")
            for table, rows in _scratch(members).items():
                file.execute(f"CREATE TEMP TABLE {table} ({_SCRATCH[table]})")
                file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
            for sql in statements:
                file.execute(sql)
            file.execute("ANALYZE")
        return
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off", "work_mem": "256MB"})
    for table, rows in _scratch(members).items():
        await connection.execute(f"CREATE TEMP TABLE {table} ({_SCRATCH[table]})")
        await connection.copy_records_to_table(table, records=rows)
    for sql in statements:
        await connection.execute(sql, timeout=3_600)
    await connection.execute("VACUUM ANALYZE", timeout=3_600)
    await connection.close()


def _queries() -> dict[str, str]:
    """The page's queries by name, each with its fragments, but for the lists behind a figure."""
    found = separate_operations(parse(QUERIES.read_text(encoding="utf-8")))
    return {name: print_ast(document) for name, document in found.items() if not name.endswith("Behind")}


_GROUPS: Final = ("members", "points", "orders", "tiers", "service", "guests", "channels")


def _variables(name: str) -> dict[str, Any]:
    until = BEGIN + timedelta(days=DAYS - 1)
    period = {"since": BEGIN.isoformat(), "until": until.isoformat()}
    former = {"formerSince": "2024-07-01", "formerUntil": "2025-06-30", "by": "MONTH", "compare": True}
    groups = dict.fromkeys(_GROUPS, True)
    match name:
        case "Whole":
            return {**period, **groups}
        case "Parts":
            return {**period, **former, **{group: True for group in _GROUPS if group != "channels"}}
        case "Cost" | "Cohorts":
            return period
        case "Predictions":
            return {"order": "LIKELY_GONE", "first": 20}
        case _:
            return {}


class _Page:
    """The dashboard's page as a browser asks it."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._queries = {**_queries(), "Cohorts": COHORTS}
        self.taken: dict[str, list[float]] = {name: [] for name in (*self._queries, "page")}

    async def _ask(self, *names: str) -> None:
        for name in names:
            await self._shop.ask(self._queries[name], _variables(name), role=Role.ANALYST)

    async def alone(self, name: str) -> None:
        begun = perf_counter()
        await self._ask(name)
        self.taken[name].append(perf_counter() - begun)

    async def together(self) -> None:
        """First who asks, then the shop, then each section at once; the parts wait for the whole of the period."""
        begun = perf_counter()
        await self._ask("Who", "Shop")
        first = ("Who", "Shop", "Whole", "Parts", "Cost")
        rest = [name for name in self._queries if name not in first]
        await asyncio.gather(self._figures(), *(self._ask(name) for name in rest))
        self.taken["page"].append(perf_counter() - begun)

    async def _figures(self) -> None:
        await self._ask("Whole")
        await asyncio.gather(self._ask("Parts"), self._ask("Cost"))

    @property
    def names(self) -> list[str]:
        return list(self._queries)


async def measure(server: Server, members: int) -> dict[str, Any]:
    """Fill a database, and ask for the page's queries, each by itself and all together."""
    plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name in {"ticket", "purchase"}])
    url = server.migrated(tables(plugins))
    kind = Database.from_url(url).dialect
    await _fill(kind, url, members)
    # What takes longer than a server waits is measured as well.
    patient = {"LAUREL_SECONDS_MAX": "600"}
    async with open_shop(url, PROGRAMME, plugins=plugins, now=NOW, variables=patient) as shop:
        page = _Page(shop)
        for name in page.names:
            await page.alone(name)
        for taken in page.taken.values():
            taken.clear()
        begun = process_time()
        for _ in range(ROUNDS):
            for name in page.names:
                await page.alone(name)
            await page.together()
        cpu = (process_time() - begun) / ROUNDS
    server.done(url)
    return {
        "database": kind,
        "orders": members * EACH,
        "cpu_ms": round(500 * cpu),
        "ms": {name: round(1_000 * median(taken), 1) for name, taken in page.taken.items()},
    }
