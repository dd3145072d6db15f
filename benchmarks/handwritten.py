"""What the reads would cost without GraphQL: Starlette, the driver, and one prepared statement for each answer.

The rules of ``examples/programmes/first-shop.yaml`` stand in it as constants. It does nothing else that Laurel does:
nobody is asked for a token, nothing is limited or counted, and no other question can be asked.

``of_postgres`` and ``of_sqlite`` are the applications, over the database that BENCHMARKS_DATABASE names. SQLite is
asked in the loop's own thread: there is no faster way to ask for so little.
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.books.members import bucket_of
from core.books.tallies import day_number
from core.ladder.tiers import FACTS
from core.time.clock import instant, microseconds
from core.time.windows import Window
from graph.collecting import collect_rarely
from graph.ids import global_id

DATABASE: Final = "BENCHMARKS_DATABASE"

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_YEAR: Final = Window(months=12)
_MONTH: Final = Window(days=30)
# Each tier and, for the one above it, what is asked for: the place of the fact in the row, and the threshold.
_POINTS, _ORDERS_MONTH, _GROWTH, _ORDERS, _SPEND = range(5)
LADDER: Final[dict[str, tuple[str, str | None, Callable[..., int], list[tuple[int, int]]]]] = {
    "regular": ("Regular", "silver", max, [(_POINTS, 500), (_ORDERS_MONTH, 3)]),
    "silver": ("Silver", "gold", min, [(_GROWTH, 5_000), (_ORDERS, 10)]),
    "gold": ("Gold", "platinum", min, [(_SPEND, 20_000_00), (_ORDERS, 30)]),
    "platinum": ("Platinum", None, min, []),
}
_TIERS: Final = {code: {"id": global_id("Tier", code), "name": name} for code, (name, *_) in LADDER.items()}
_NAMES: Final = {code: {"name": name} for code, (name, *_) in LADDER.items()}
_SAID: Final = tuple(
    FACTS[fact].description for fact in ("points_earned", "orders", "growth_earned", "orders", "spend")
)

# What both dialects say alike, of a member, or of each member of a page. Of whom something has changed by itself, or is
# held, the account does not say what is available.
_BALANCE: Final = (
    "CASE WHEN a.held = 0 AND (a.next_due IS NULL OR a.next_due > {now})"
    " THEN a.credited - a.debited + a.debt - a.pending END AS available, a.pending, a.expires_at AS soonest, a.expiring"
)
_ACCOUNT: Final = "account a ON a.bucket = m.bucket AND a.member_id = m.id AND a.unit = 'points'"
_ADDED_UP: Final = (
    "SELECT COALESCE(SUM(free), 0) AS available, COALESCE(SUM(later), 0) AS pending, MIN(soonest) AS soonest,"
    " COALESCE(SUM(CASE WHEN expires_at = soonest THEN free END), 0) AS expiring"
    " FROM (SELECT expires_at, CASE WHEN available_from <= {now} THEN remaining - held ELSE 0 END AS free,"
    " CASE WHEN available_from > {now} THEN remaining - held ELSE 0 END AS later,"
    " MIN(CASE WHEN available_from <= {now} AND remaining > held THEN expires_at END) OVER () AS soonest"
    " FROM lot WHERE bucket = {bucket} AND member_id = {id} AND unit = 'points' AND remaining > 0"
    " AND (expires_at IS NULL OR expires_at > {now})) l"
)
_FACTS: Final = (
    "SELECT {each}COALESCE(SUM(CASE WHEN name = 'points_earned' THEN amount END), 0) AS points_earned,"
    " COALESCE(SUM(CASE WHEN name = 'orders' AND day >= {month} THEN amount END), 0) AS orders_month,"
    " COALESCE(SUM(CASE WHEN name = 'growth_earned' THEN amount END), 0) AS growth_earned,"
    " COALESCE(SUM(CASE WHEN name = 'orders' THEN amount END), 0) AS orders,"
    " COALESCE(SUM(CASE WHEN name = 'spend' THEN amount END), 0) AS spend"
    " FROM {tallies} AND name IN ('growth_earned', 'orders', 'points_earned', 'spend') AND day >= {year}{group}"
)
_HISTORY: Final = (
    "SELECT o.member_id, o.id, o.channel, o.kind, o.result, o.effective_at, e.unit, e.amount, e.balance"
    " FROM (SELECT q.bucket, q.member_id, q.id, q.channel, q.kind, q.result, q.effective_at FROM operation q"
    " WHERE q.bucket = (SELECT bucket FROM member WHERE external_id = {member})"
    " AND q.member_id = (SELECT id FROM member WHERE external_id = {member})"
    " AND q.accepted AND q.id < {after} ORDER BY q.id DESC LIMIT {size})"
    " o LEFT JOIN entry e{by} ON e.bucket = o.bucket AND e.member_id = o.member_id AND e.operation_id = o.id"
    " ORDER BY o.id DESC, e.unit DESC"
)
_PAGE: Final = "SELECT bucket, id, external_id, tier FROM member WHERE id > {after} ORDER BY id LIMIT {size}"
_OF_ONE: Final = {"each": "", "group": "", "tallies": "tally WHERE bucket = {bucket} AND member_id = {id}"}
_OF_EACH: Final = {
    "each": "id, ",
    "group": " GROUP BY id",
    "tallies": "page m JOIN tally t ON t.bucket = m.bucket AND t.member_id = m.id WHERE 1 = 1",
}


def _statements(mark: str, *, lateral: bool) -> dict[str, str]:
    """The statements, with the values by number: what marks a value is $ or ?."""
    now, year, month, fourth, fifth = (f"{mark}{number}" for number in range(1, 6))
    balance = _BALANCE.format(now=now)

    def facts_of(how: Mapping[str, str], bucket: str = "", id: str = "") -> str:
        place = {name: part.format(bucket=bucket, id=id) for name, part in how.items()}
        return _FACTS.format(year=year, month=month, **place)

    page = _PAGE.format(after=fourth, size=fifth)
    if lateral:
        pages = (
            f"SELECT m.id, m.external_id, m.tier, {balance}, f.* FROM ({page}) m JOIN {_ACCOUNT}"
            f" CROSS JOIN LATERAL ({facts_of(_OF_ONE, 'm.bucket', 'm.id')}) f ORDER BY m.id"
        )
    else:
        pages = (
            f"WITH page AS MATERIALIZED ({page}), f AS MATERIALIZED ({facts_of(_OF_EACH)})"
            f" SELECT m.id, m.external_id, m.tier, {balance}, COALESCE(f.points_earned, 0),"
            " COALESCE(f.orders_month, 0), COALESCE(f.growth_earned, 0), COALESCE(f.orders, 0), COALESCE(f.spend, 0)"
            f" FROM page m JOIN {_ACCOUNT} LEFT JOIN f ON f.id = m.id ORDER BY m.id"
        )
    return {
        "bar": f"SELECT m.tier, {balance}, f.* FROM member m JOIN {_ACCOUNT}"
        f" CROSS JOIN ({facts_of(_OF_ONE, fourth, fifth)}) f WHERE m.bucket = {fourth} AND m.id = {fifth}",
        "page": pages,
        "balance": _ADDED_UP.format(now=f"{mark}1", bucket=f"{mark}2", id=f"{mark}3"),
        "history": _HISTORY.format(
            member=f"{mark}1",
            after=f"{mark}2",
            size=f"{mark}3",
            # SQLite would look through all entries of the member for each operation.
            by="" if lateral else " INDEXED BY idx_entry_bucket_331efa",
        ),
    }


Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]

_LAST: Final = "~"
"""Comes after every id."""


# -- the answers --------------------------------------------------------------------------------------


def first_days(now: datetime) -> tuple[int, int]:
    """The first days of the year and of the month until now."""
    return _first_days_of(now.astimezone(_ZONE).date())


@lru_cache(maxsize=2)
def _first_days_of(today: date) -> tuple[int, int]:
    year, month = (day_number(start) for window in (_YEAR, _MONTH) if (start := window.start(today)))
    return year, month


def _text(fact: int, amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}" if fact == _SPEND else str(amount)


def _ratio(current: int, required: int) -> int:
    """In ten thousandths, rounded down."""
    return 10_000 if current >= required else max(current, 0) * 10_000 // required


def progress_of(tier: str, sums: Sequence[int]) -> dict[str, Any]:
    _, following, judge, criteria = LADDER[tier]
    ratios = [_ratio(sums[fact], required) for fact, required in criteria]
    return {
        "ratio": judge(ratios) / 10_000 if ratios else 1.0,
        "nextTier": _TIERS[following] if following else None,
        "criteria": [
            {
                "description": _SAID[fact],
                "current": _text(fact, sums[fact]),
                "required": _text(fact, required),
                "remaining": _text(fact, left) if (left := required - sums[fact]) > 0 else "0",
                "ratio": ratio / 10_000,
            }
            for (fact, required), ratio in zip(criteria, ratios, strict=True)
        ],
    }


def _expiring(soonest: int | None, expiring: int) -> dict[str, Any] | None:
    return None if soonest is None else {"points": int(expiring), "at": at_said(soonest)}


def at_said(stored: int) -> str:
    return orjson.dumps(instant(stored), None, orjson.OPT_UTC_Z)[1:-1].decode()


async def _added_up(state: State, now: datetime, member_id: str) -> Sequence[Any]:
    """A balance that the account does not say."""
    fetch: Fetch = state.fetch
    [balance] = await fetch(state.statements["balance"], [microseconds(now), bucket_of(member_id), member_id])
    return tuple(balance)


async def bar(request: Request) -> Response:
    """The progress bar of the member with that id."""
    member_id = request.path_params["member_id"]
    now, state = datetime.now(UTC), request.app.state
    values = [microseconds(now), *first_days(now), bucket_of(member_id), member_id]
    [(tier, available, pending, soonest, expiring, *sums)] = await state.fetch(state.statements["bar"], values)
    if available is None:
        available, pending, soonest, expiring = await _added_up(state, now, member_id)
    member = {
        "tier": _TIERS[tier],
        "points": {
            "available": int(available),
            "pending": int(pending),
            "expiring": _expiring(soonest, expiring),
        },
        "progress": progress_of(tier, [*map(int, sums)]),
    }
    return _answer({"viewer": {"member": member}})


async def page(request: Request) -> Response:
    """A page of members, after the one with that id."""
    first = int(request.query_params["first"])
    after = request.query_params.get("after", "")
    now, state = datetime.now(UTC), request.app.state
    values = [microseconds(now), *first_days(now), after, first + 1]
    rows = await state.fetch(state.statements["page"], values)
    nodes = []
    for member_id, external_id, tier, available, _, soonest, expiring, *sums in rows[:first]:
        if available is None:
            available, _, soonest, expiring = await _added_up(state, now, member_id)
        _, following, judge, criteria = LADDER[tier]
        ratios = [_ratio(int(sums[fact]), required) for fact, required in criteria]
        nodes.append(
            {
                "id": global_id("Member", member_id),
                "externalId": external_id,
                "tier": _NAMES[tier],
                "points": {"available": int(available), "expiring": _expiring(soonest, expiring)},
                "progress": {
                    "ratio": judge(ratios) / 10_000 if ratios else 1.0,
                    "nextTier": _NAMES[following] if following else None,
                },
            }
        )
    return _answer({"members": {"nodes": nodes, "pageInfo": {"hasNextPage": len(rows) > first}}})


async def history(request: Request) -> Response:
    """A page of the newest transactions of the member whom the brand calls so, after the one with that id."""
    first = int(request.query_params["first"])
    after = request.query_params.get("after", _LAST)
    state = request.app.state
    values = [request.path_params["external_id"], after, first + 1]
    rows = await state.fetch(state.statements["history"], values)
    nodes: list[dict[str, Any]] = []
    last = None
    for member_id, operation_id, channel, kind, result, effective_at, unit, amount, balance in rows:
        if operation_id != last:
            if len(nodes) == first:
                last = None
                break
            last = operation_id
            entries: list[dict[str, Any]] = []
            nodes.append(
                {
                    "id": global_id("Transaction", member_id, operation_id),
                    "channel": channel,
                    "kind": kind,
                    "reference": orjson.loads(result).get("reference") or None,
                    "effectiveAt": at_said(effective_at),
                    "entries": entries,
                }
            )
        if unit is not None:
            entries.append({"unit": unit, "amount": amount, "balanceAfter": balance})
    more = bool(rows) and last is None
    return _answer({"member": {"transactions": {"nodes": nodes, "pageInfo": {"hasNextPage": more}}}})


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


# -- the applications ---------------------------------------------------------------------------------


def _application(lifespan: Callable[[Starlette], Any]) -> Starlette:
    collect_rarely()  # as ``laurel serve`` does
    routes = [
        Route("/bar/{member_id}", bar),
        Route("/page", page),
        Route("/history/{external_id}", history),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def of_postgres() -> Starlette:
    """Over PostgreSQL, on as many connections as Laurel has."""

    async def nothing(_: object) -> None:
        """Resetting the session of a connection takes as long as a read."""

    @asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        pool = await asyncpg.create_pool(
            os.environ[DATABASE], min_size=10, max_size=10, reset=nothing, server_settings={"jit": "off"}
        )
        app.state.statements = _statements("$", lateral=True)
        app.state.fetch = lambda sql, values: pool.fetch(sql, *values)
        async with pool:
            yield

    return _application(opened)


def of_sqlite() -> Starlette:
    """Over SQLite, on one connection."""

    @asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        connection = sqlite3.connect(os.environ[DATABASE].removeprefix("sqlite://"), isolation_level=None)

        async def fetch(sql: str, values: Sequence[Any]) -> Sequence[Any]:
            return connection.execute(sql, values).fetchall()

        app.state.statements = _statements("?", lateral=False)
        app.state.fetch = fetch
        yield
        connection.close()

    return _application(opened)
