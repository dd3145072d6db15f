"""What three reads would cost without GraphQL: Starlette, the driver, and one statement for each answer.

The rules of ``examples/programmes/first-shop.yaml`` stand in it as constants. It does nothing else that Laurel does:
nobody is asked for a token, nothing is limited or counted, and no other question can be asked.

``application`` is Laurel with these endpoints beside it, for a server whose settings come from the environment.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tortoise.connection import get_connection

from benchmarks import sampling
from core.books.members import bucket_of
from core.books.tallies import day_number
from core.ladder.tiers import FACTS
from core.time.clock import instant, microseconds
from core.time.windows import Window
from graph.app import create_app
from graph.ids import global_id
from graph.settings import Settings

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_YEAR: Final = Window(months=12)
_MONTH: Final = Window(days=30)
# Each tier and, for the one above it, what is asked for: fact, its place in the row, its description, the threshold.
_POINTS, _ORDERS_MONTH, _GROWTH, _ORDERS, _SPEND = range(5)
_LADDER: Final[dict[str, tuple[str, str | None, Callable[..., Decimal], list[tuple[int, Decimal]]]]] = {
    "regular": ("Regular", "silver", max, [(_POINTS, Decimal(500)), (_ORDERS_MONTH, Decimal(3))]),
    "silver": ("Silver", "gold", min, [(_GROWTH, Decimal(5000)), (_ORDERS, Decimal(10))]),
    "gold": ("Gold", "platinum", min, [(_SPEND, Decimal("20000.00")), (_ORDERS, Decimal(30))]),
    "platinum": ("Platinum", None, min, []),
}
_TIERS: Final = {code: {"id": global_id("Tier", code), "name": name} for code, (name, *_) in _LADDER.items()}
_FACTS: Final = ("points_earned", "orders", "growth_earned", "orders", "spend")
_PLACES: Final = Decimal("0.0001")

_LOTS: Final = "FROM lot WHERE bucket = m.bucket AND member_id = m.id AND unit = 'points' AND remaining > 0"
_FREE: Final = "available_from <= ? AND (expires_at IS NULL OR expires_at > ?)"
_SOONEST: Final = f"SELECT MIN(expires_at) {_LOTS} AND remaining > held AND {_FREE}"
_TALLY: Final = (
    "COALESCE("
    "(SELECT SUM(amount) FROM tally WHERE bucket = m.bucket AND member_id = m.id AND name = ? AND day >= ?), 0)"
)
_AVAILABLE: Final = f"COALESCE((SELECT SUM(remaining - held) {_LOTS} AND {_FREE}), 0)"

BAR: Final = (
    f"SELECT m.tier, {_AVAILABLE}, COALESCE((SELECT SUM(remaining - held) {_LOTS} AND available_from > ?), 0),"
    f" ({_SOONEST}), (SELECT SUM(remaining - held) {_LOTS} AND {_FREE} AND expires_at = ({_SOONEST})),"
    f" {', '.join([_TALLY] * 5)} FROM member m WHERE m.bucket = ? AND m.id = ?"
)
PAGE: Final = (
    f"SELECT m.id, m.external_id, m.tier, {_AVAILABLE}, {', '.join([_TALLY] * 5)}"
    " FROM member m WHERE m.id > ? ORDER BY m.id LIMIT ?"
)
HISTORY: Final = (
    "SELECT o.member_id, o.id, o.channel, o.kind, o.result, o.effective_at, e.unit, e.amount, e.balance"
    " FROM (SELECT q.* FROM operation q, member m"
    " WHERE m.external_id = ? AND q.bucket = m.bucket AND q.member_id = m.id AND q.accepted"
    " ORDER BY q.id DESC LIMIT ?) o LEFT JOIN entry e"
    " ON e.bucket = o.bucket AND e.member_id = o.member_id AND e.operation_id = o.id ORDER BY o.id DESC, e.unit DESC"
)

Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]


def _fetch() -> Fetch:
    """Asks the driver itself, on Laurel's connections."""
    client: Any = get_connection("default")
    if client.capabilities.dialect == "sqlite":

        async def of_sqlite(sql: str, values: Sequence[Any]) -> Sequence[Any]:
            return await client._connection.execute_fetchall(sql, values)  # type: ignore[no-any-return]

        return of_sqlite

    async def of_postgres(sql: str, values: Sequence[Any]) -> Sequence[Any]:
        return await client._pool.fetch(_numbered(sql), *values)  # type: ignore[no-any-return]

    return of_postgres


_numbers: dict[str, str] = {}


def _numbered(sql: str) -> str:
    if sql not in _numbers:
        first, *rest = sql.split("?")
        _numbers[sql] = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    return _numbers[sql]


def _tallies(now: datetime) -> list[Any]:
    today = now.astimezone(_ZONE).date()
    year, month = (day_number(start) for window in (_YEAR, _MONTH) if (start := window.start(today)))
    return [value for pair in zip(_FACTS, (year, month, year, year, year), strict=True) for value in pair]


def _progress(tier: str, sums: Sequence[int], *, whole: bool) -> dict[str, Any]:
    _, following, judge, criteria = _LADDER[tier]
    ratios = []
    shown = []
    for at, required in criteria:
        current = Decimal(int(sums[at])).scaleb(-2) if at == _SPEND else Decimal(int(sums[at]))
        ratio = (
            Decimal(1) if current >= required else (max(current, Decimal(0)) / required).quantize(_PLACES, ROUND_DOWN)
        )
        remaining = max(required - current, Decimal(0))
        ratios.append(ratio)
        if whole:
            shown.append(
                {
                    "description": FACTS[_FACTS[at]].description,
                    "current": str(current),
                    "required": str(required),
                    "remaining": str(remaining or 0),
                    "ratio": float(ratio),
                }
            )
    progress: dict[str, Any] = {"ratio": float(judge(ratios)) if ratios else 1.0}
    if whole:
        progress |= {"nextTier": _TIERS[following] if following else None, "criteria": shown}
    return progress


def _at(stored: int) -> str:
    return instant(stored).replace(tzinfo=None).isoformat() + "Z"


async def bar(request: Request) -> Response:
    """The progress bar of the member with that id."""
    member_id = request.path_params["member_id"]
    now = datetime.now(UTC)
    at = microseconds(now)
    fetch = request.app.state.fetch
    values = [at, at, at, at, at, at, at, at, at, *_tallies(now), bucket_of(member_id), member_id]
    [(tier, available, pending, soonest, expiring, *sums)] = await fetch(BAR, values)
    member = {
        "tier": _TIERS[tier],
        "points": {
            "available": int(available),
            "pending": int(pending),
            "expiring": None if soonest is None else {"points": int(expiring), "at": _at(soonest)},
        },
        "progress": _progress(tier, sums, whole=True),
    }
    return _answer({"viewer": {"member": member}})


async def page(request: Request) -> Response:
    """A page of members, after the one with that id."""
    first = int(request.query_params["first"])
    after = request.query_params.get("after", "")
    now = datetime.now(UTC)
    at = microseconds(now)
    rows = await request.app.state.fetch(PAGE, [at, at, *_tallies(now), after, first + 1])
    nodes = [
        {
            "id": global_id("Member", member_id),
            "externalId": external_id,
            "tier": {"name": _TIERS[tier]["name"]},
            "points": {"available": int(available)},
            "progress": _progress(tier, sums, whole=False),
        }
        for member_id, external_id, tier, available, *sums in rows[:first]
    ]
    return _answer({"members": {"nodes": nodes, "pageInfo": {"hasNextPage": len(rows) > first}}})


async def history(request: Request) -> Response:
    """A page of the newest transactions of the member whom the brand calls so."""
    first = int(request.query_params["first"])
    rows = await request.app.state.fetch(HISTORY, [request.path_params["external_id"], first])
    nodes = []
    for (member_id, operation_id), lines in groupby(rows, key=lambda row: (row[0], row[1])):
        [_, _, channel, kind, result, effective_at, *entry], *more = lines
        nodes.append(
            {
                "id": global_id("Transaction", member_id, operation_id),
                "channel": channel,
                "kind": kind,
                "reference": orjson.loads(result).get("reference") or None,
                "effectiveAt": _at(effective_at),
                "entries": [
                    {"unit": unit, "amount": amount, "balanceAfter": balance}
                    for unit, amount, balance in (entry, *(row[6:] for row in more))
                    if unit is not None
                ],
            }
        )
    return _answer({"member": {"transactions": {"nodes": nodes}}})


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def application() -> Starlette:
    """Laurel, and what it is compared with, in one process."""
    app = create_app(Settings.from_environment(os.environ))

    async def opened(request: Request) -> Response:
        request.app.state.fetch = _fetch()
        return Response()

    async def samples(request: Request) -> Response:
        return Response(orjson.dumps(sampling.take()), media_type="application/json")

    if os.environ.get("BENCHMARKS_SAMPLED"):
        sampling.begin()
    app.router.routes += [
        Route("/opened", opened),
        Route("/samples", samples),
        Route("/bar/{member_id}", bar),
        Route("/page", page),
        Route("/history/{external_id}", history),
    ]
    return app
