"""What looking at a leaderboard costs: it should be the same however many stand on it.

Everybody has spent something, and many the same. Members and scores are written by hand; a page, a place with its
neighbours and an order are asked for as front ends do, through the whole of a server in this process.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any, Final

import asyncpg

from core.books.members import bucket_of
from core.store.databases import Database
from core.time.clock import microseconds
from graph.ids import global_id
from graph.laurel import tables
from graph.testing import Shop, open_shop  # noqa: TID251  a server in this process
from plugins.manager import find_offers, load_plugins
from tests.databases import Server

SIZES: Final = (1_000, 1_000_000)
QUICK: Final = (1_000, 5_000)
ROUNDS: Final = 40
NOW: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
PROGRAMME: Final = """
id: bench
currency: EUR
timezone: UTC
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}}
  leaderboard:
    names: {attribute: nickname}
    boards: [{id: spenders, title: Spenders, count: spend, period: month}]
"""
_COLUMNS: Final = {
    "member": "bucket id external_id status tier tier_since tier_changes attributes enrolled_at",
    "account": "bucket member_id unit credited debited held debt seq lot_seq hold_seq digest",
    "tally": "bucket member_id name day amount",
    "leaderboard_score": "bucket member_id measure period score",
}
_PAGE: Final = """query ($after: String) { leaderboard(name: "spenders") { places(first: 50, after: $after) {
  nodes { place score name isOwn } pageInfo { endCursor } } } }"""
_OWN: Final = """{ leaderboard(name: "spenders") {
  place { place score } neighbours(each: 5) { place score name isOwn } } }"""
_ORDER: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { message } } }"""


def _name(number: int) -> str:
    return f"{number:036}"


def _score(number: int) -> int:
    """Cents, in an order of its own: of a million members, ten have each sum."""
    return 100 + number * 7_919 % 100_000


def _rows(table: str, members: int) -> Iterator[tuple[Any, ...]]:
    began = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
    for bucket, member, number in sorted(
        (bucket_of(_name(number)), _name(number), number) for number in range(members)
    ):
        match table:
            case "member":
                known = f'{{"nickname":"member {number}"}}'
                yield bucket, member, f"m{number}", "active", "", began, 1, known, began
            case "account":
                yield bucket, member, "points", 0, 0, 0, 0, 0, 0, 0, ""
            case "tally":
                yield bucket, member, "spend", 20260601, _score(number)
            case _:
                yield bucket, member, "spend/month/0", 20260601, _score(number)


async def _fill(kind: str, url: str, members: int) -> None:
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite://")) as connection:
            for table, columns in _COLUMNS.items():
                names = columns.split()
                marks = ", ".join("?" * len(names))
                sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
                connection.executemany(sql, _rows(table, members))
        return
    connection = await asyncpg.connect(url)
    for table, columns in _COLUMNS.items():
        await connection.copy_records_to_table(
            table, records=_rows(table, members), columns=columns.split(), timeout=3_600
        )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _milliseconds(shop: Shop, document: str, variables: Mapping[str, Any], member: int | None) -> float:
    who: dict[str, Any] = {} if member is None else {"member": global_id("Member", _name(member))}
    taken = []
    for _ in range(ROUNDS):
        begun = perf_counter()
        await shop.ask(document, variables, **who)
        taken.append(1_000 * (perf_counter() - begun))
    return round(median(taken), 1)


async def measure(server: Server, members: int) -> dict[str, Any]:
    """Fill a database, and ask for pages, places, and an order."""
    plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name in {"leaderboard", "purchase"}])
    url = server.migrated(tables(plugins))
    kind = Database.from_url(url).dialect
    await _fill(kind, url, members)
    by_score = sorted(range(members), key=lambda number: (_score(number), _name(number)), reverse=True)
    async with open_shop(url, PROGRAMME, plugins=plugins, now=NOW) as shop:
        page = (await shop.ask(_PAGE, {"after": None}))["leaderboard"]["places"]
        figures = {
            "page": await _milliseconds(shop, _PAGE, {"after": None}, None),
            "next": await _milliseconds(shop, _PAGE, {"after": page["pageInfo"]["endCursor"]}, None),
            "first": await _milliseconds(shop, _OWN, {}, by_score[0]),
            "middle": await _milliseconds(shop, _OWN, {}, by_score[members // 2]),
            "last": await _milliseconds(shop, _OWN, {}, by_score[-1]),
            "order": await _orders(shop, by_score[members // 2]),
        }
    server.done(url)
    return {"database": kind, "members": members, **figures}


async def _orders(shop: Shop, member: int) -> float:
    taken = []
    for number in range(ROUNDS):
        order = {
            "member": {"id": global_id("Member", _name(member))},
            "amount": {"amount": "1.00", "currency": "EUR"},
            "reference": f"A{number}",
            "idempotencyKey": f"A{number}",
        }
        begun = perf_counter()
        answer = await shop.ask(_ORDER, {"input": order})
        taken.append(1_000 * (perf_counter() - begun))
        assert answer["recordPurchase"]["errors"] == []
        await asyncio.sleep(0)
    return round(median(taken), 1)
