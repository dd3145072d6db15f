"""The reads by Strawberry as it comes: a schema, loaders, and Tortoise over Laurel's tables and connections.

It is written as a good engineer would: batched by DataLoaders, with no statement more than it needs, and columns rather
than whole models. Each request is parsed, validated and executed by graphql-core. As in ``benchmarks/handwritten.py``
the rules of the programme stand in it as constants, and nobody is asked for a token: the header ``member`` says whose
progress is asked for.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from tortoise.expressions import Q

from benchmarks.handwritten import DATABASE, LADDER, at_said, first_days, progress_of
from core.models import EntryRow, LotRow, MemberRow, OperationRow, TallyRow
from core.store.databases import connect
from core.time.clock import microseconds
from graph.collecting import collect_rarely
from graph.ids import global_id
from graph.laurel import tables
from plugins.manager import load_plugins

Key = tuple[int, str]
"""A member's bucket and id, with which the keys of all tables begin."""


def _of(keys: Sequence[Key]) -> Q:
    return reduce(or_, (Q(bucket=bucket, member_id=member_id) for bucket, member_id in set(keys)))


@strawberry.type
class Tier:
    id: strawberry.ID
    name: str


@strawberry.type
class Expiring:
    points: int
    at: str


@strawberry.type
class Balance:
    available: int
    pending: int
    expiring: Expiring | None


@strawberry.type
class Criterion:
    description: str
    current: str
    required: str
    remaining: str
    ratio: float


@strawberry.type
class Progress:
    ratio: float
    next_tier: Tier | None
    criteria: list[Criterion]


@strawberry.type
class Entry:
    unit: str
    amount: int
    balance_after: int


@strawberry.type
class Transaction:
    id: strawberry.ID
    channel: str
    kind: str
    reference: str | None
    effective_at: str
    key: strawberry.Private[tuple[int, str, str]]

    @strawberry.field
    async def entries(self, info: "strawberry.Info[Loaders]") -> list[Entry]:
        return await info.context.entries.load(self.key)


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class Transactions:
    nodes: list[Transaction]
    page_info: PageInfo


@strawberry.type
class Member:
    id: strawberry.ID
    external_id: str
    tier: Tier
    key: strawberry.Private[Key]
    code: strawberry.Private[str]

    @strawberry.field
    async def points(self, info: "strawberry.Info[Loaders]") -> Balance:
        return await info.context.balances.load(self.key)

    @strawberry.field
    async def progress(self, info: "strawberry.Info[Loaders]") -> Progress:
        sums = await info.context.sums.load(self.key)
        said = progress_of(self.code, sums)
        return Progress(
            ratio=said["ratio"],
            next_tier=said["nextTier"] and Tier(**said["nextTier"]),
            criteria=[Criterion(**criterion) for criterion in said["criteria"]],
        )

    @strawberry.field
    async def transactions(self, first: int, after: str | None = None) -> Transactions:
        bucket, member_id = self.key
        found = OperationRow.filter(bucket=bucket, member_id=member_id, accepted=True)
        if after is not None:
            found = found.filter(id__lt=after)
        rows = (
            await found.order_by("-id").limit(first + 1).values_list("id", "channel", "kind", "result", "effective_at")
        )
        nodes = [
            Transaction(
                id=global_id("Transaction", member_id, operation),
                channel=channel,
                kind=kind,
                reference=result.get("reference") or None,
                effective_at=effective_at.replace(tzinfo=None).isoformat() + "Z",
                key=(bucket, member_id, operation),
            )
            for operation, channel, kind, result, effective_at in rows[:first]
        ]
        return Transactions(nodes=nodes, page_info=PageInfo(has_next_page=len(rows) > first))


@strawberry.type
class Members:
    nodes: list[Member]
    page_info: PageInfo


@strawberry.type
class Viewer:
    member: Member | None


@strawberry.input
class MemberByInput:
    external_id: str


async def _member(external_id: str) -> Member | None:
    rows = await MemberRow.filter(external_id=external_id).values_list(*_COLUMNS)
    return _made(rows[0]) if rows else None


_COLUMNS = ("bucket", "id", "external_id", "tier")


def _made(row: tuple[Any, ...]) -> Member:
    bucket, member_id, external_id, tier = row
    return Member(
        id=global_id("Member", member_id),
        external_id=external_id,
        tier=Tier(id=global_id("Tier", tier), name=LADDER[tier][0]),
        key=(bucket, member_id),
        code=tier,
    )


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: "strawberry.Info[Loaders]") -> Viewer:
        return Viewer(member=await _member(info.context.asker))

    @strawberry.field
    async def member(self, by: MemberByInput) -> Member | None:
        return await _member(by.external_id)

    @strawberry.field
    async def members(self, first: int, after: str | None = None) -> Members:
        found = MemberRow.all() if after is None else MemberRow.filter(id__gt=after)
        rows = await found.order_by("id").limit(first + 1).values_list(*_COLUMNS)
        return Members(nodes=[_made(row) for row in rows[:first]], page_info=PageInfo(has_next_page=len(rows) > first))


# -- loaders ------------------------------------------------------------------------------------------


async def _balances(keys: list[Key]) -> list[Balance]:
    now = microseconds(datetime.now(UTC))
    lots: defaultdict[Key, list[tuple[int | None, int, int]]] = defaultdict(list)
    rows = (
        await LotRow.filter(_of(keys), unit="points", remaining__gt=0)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=datetime.now(UTC)))
        .values_list("bucket", "member_id", "expires_at", "available_from", "remaining", "held")
    )
    for bucket, member_id, expires_at, available_from, remaining, held in rows:
        free = remaining - held
        begun = microseconds(available_from) <= now
        at = None if expires_at is None else microseconds(expires_at)
        lots[bucket, member_id].append((at, free if begun else 0, 0 if begun else free))
    return [_balance(lots[key]) for key in keys]


def _balance(lots: list[tuple[int | None, int, int]]) -> Balance:
    soonest = min((at for at, free, _ in lots if at is not None and free), default=None)
    return Balance(
        available=sum(free for _, free, _ in lots),
        pending=sum(later for *_, later in lots),
        expiring=None
        if soonest is None
        else Expiring(points=sum(free for at, free, _ in lots if at == soonest), at=at_said(soonest)),
    )


async def _sums(keys: list[Key]) -> list[list[int]]:
    year, month = first_days(datetime.now(UTC))
    found: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * 5)
    rows = await TallyRow.filter(
        _of(keys), name__in=("points_earned", "growth_earned", "orders", "spend"), day__gte=year
    ).values_list("bucket", "member_id", "name", "day", "amount")
    for bucket, member_id, name, day, amount in rows:
        sums = found[bucket, member_id]
        match name:
            case "points_earned":
                sums[0] += amount
            case "growth_earned":
                sums[2] += amount
            case "spend":
                sums[4] += amount
            case _:
                sums[3] += amount
                if day >= month:
                    sums[1] += amount
    return [found[key] for key in keys]


async def _entries(keys: list[tuple[int, str, str]]) -> list[list[Entry]]:
    found: defaultdict[tuple[int, str, str], list[Entry]] = defaultdict(list)
    # One member's at nearly all times.
    operations: defaultdict[Key, list[str]] = defaultdict(list)
    for bucket, member_id, operation in keys:
        operations[bucket, member_id].append(operation)
    for (bucket, member_id), ids in operations.items():
        rows = (
            await EntryRow.filter(bucket=bucket, member_id=member_id, operation_id__in=ids)
            .order_by("-unit")
            .values_list("operation_id", "unit", "amount", "balance")
        )
        for operation, unit, amount, balance in rows:
            found[bucket, member_id, operation].append(Entry(unit=unit, amount=amount, balance_after=balance))
    return [found[key] for key in keys]


class Loaders:
    """What is loaded once a request, and who asks."""

    def __init__(self, asker: str) -> None:
        self.asker = asker
        self.balances = DataLoader(load_fn=_balances)
        self.sums = DataLoader(load_fn=_sums)
        self.entries = DataLoader(load_fn=_entries)


class _GraphQL(GraphQL[Loaders, None]):
    async def get_context(self, request: Any, response: Any) -> Loaders:
        return Loaders(request.headers.get("member", ""))

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


# -- the application ----------------------------------------------------------------------------------


def application() -> Starlette:
    """Over the database that BENCHMARKS_DATABASE names, on as many connections as Laurel has."""
    collect_rarely()  # as ``laurel serve`` does

    @asynccontextmanager
    async def opened(_: Starlette) -> AsyncIterator[None]:
        async with connect(os.environ[DATABASE], tables(load_plugins()), every_task=True):
            yield

    return Starlette(routes=[Route("/graphql", _GraphQL(strawberry.Schema(Query)))], lifespan=opened)
