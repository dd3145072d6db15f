"""Addresses, the promises of a session, and what is told from an error, on every database."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import partial
from typing import Any

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from core.errors import DatabaseUnreachable
from core.store import databases
from core.store.databases import (
    Database,
    DatabaseUrlInvalid,
    SqliteUnsafe,
    connect,
    lost_connection,
    retryable,
    took_too_long,
    unit_of_work,
)
from tests.databases import Apps
from tests.store.shelf.models import Shelf

# -- addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "dialect", "name", "host", "port"),
    [
        ("sqlite://laurel.sqlite3", "sqlite", "laurel.sqlite3", "", 0),
        ("sqlite://var/laurel.sqlite3", "sqlite", "var/laurel.sqlite3", "", 0),
        ("sqlite:///var/laurel%20one.sqlite3", "sqlite", "/var/laurel one.sqlite3", "", 0),
        ("postgres://a:b@db/points", "postgres", "points", "db", 5432),
        ("postgresql://a:b@db:6432/points?maxsize=3&ssl=require", "postgres", "points", "db", 6432),
        ("mysql://a@[::1]/points", "mysql", "points", "::1", 3306),
        ("mariadb://a:b@db:3307/points", "mysql", "points", "db", 3307),
    ],
)
def test_an_address_names_a_database(url: str, dialect: str, name: str, host: str, port: int) -> None:
    database = Database.from_url(url)

    assert (database.dialect, database.name, database.host, database.port) == (dialect, name, host, port)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("laurel.sqlite3", "begins with sqlite://"),
        ("oracle://a:secret@db/points", "begins with sqlite://"),
        ("sqlite://", "needs a file"),
        ("sqlite://:memory:", "needs a file"),
        ("sqlite://laurel.sqlite3?synchronous=OFF", "unknown options for sqlite: synchronous"),
        ("postgres://a:secret@db", "needs a host and a database"),
        ("postgres:///points", "needs a host and a database"),
        ("postgres://a:secret@db:port/points", "must be a number"),
        ("mysql://a:secret@db/points?ssl=1", "unknown options for mysql: ssl"),
    ],
)
def test_an_address_that_means_nothing_is_refused_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match=reason) as refused:
        Database.from_url(url)

    assert "secret" not in str(refused.value)


def test_a_password_may_hold_any_letter() -> None:
    database = Database.from_url("postgres://me%40shop:p%2Fq%3A%40@db/points")

    assert (database.user, database.password) == ("me@shop", "p/q:@")
    assert database.label == "postgres://me@shop@db:5432/points"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///nowhere/at/all/laurel.sqlite3",
        "postgres://nobody:secret@127.0.0.1:1/laurel",
        "mysql://nobody:secret@127.0.0.1:1/laurel",
    ],
)
async def test_a_database_that_is_not_there_is_told_at_once(url: str, apps: Apps) -> None:
    with pytest.raises(DatabaseUnreachable, match=r"laurel.* cannot be reached: ") as refused:
        async with connect(url, apps):
            pass

    assert "secret" not in str(refused.value)


async def test_an_sqlite_that_lacks_what_we_write_is_refused(
    tmp_path: Any, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "SQLITE_OLDEST", (99, 0, 0))

    with pytest.raises(SqliteUnsafe, match=r"too old: 99\.0\.0 or later"):
        async with connect(f"sqlite://{tmp_path}/laurel.sqlite3", apps):
            pass


# -- sessions -----------------------------------------------------------------------------------------

SETTINGS: dict[str, dict[str, object]] = {
    "sqlite": {
        "PRAGMA journal_mode": "wal",
        "PRAGMA synchronous": 2,  # FULL
        "PRAGMA foreign_keys": 1,
        "PRAGMA busy_timeout": 30_000,
        "PRAGMA wal_autocheckpoint": 0,
    },
    "postgres": {
        "SHOW synchronous_commit": "on",
        "SHOW transaction_isolation": "read committed",
        "SHOW lock_timeout": "5s",
        "SHOW statement_timeout": "1min",
        "SHOW idle_in_transaction_session_timeout": "1min",
    },
    "mysql": {
        "SELECT @@tx_isolation": "READ-COMMITTED",
        "SELECT @@innodb_lock_wait_timeout": 5,
        "SELECT @@time_zone": "+00:00",
        "SELECT @@sql_mode": "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
        "SELECT @@autocommit": 1,
    },
}


async def test_every_connection_of_the_pool_is_durable_strict_and_patient_within_bounds(
    connected: TortoiseContext,
) -> None:
    client = connected.db("default")
    expected = SETTINGS[client.capabilities.dialect]

    async def settings() -> dict[str, object]:
        async with in_transaction("default") as transaction:
            await asyncio.sleep(0.01)  # so that the others need connections of their own
            return {
                ask: next(iter(dict(row).values()))
                for ask in expected
                for row in await transaction.execute_query_dict(ask)
            }

    assert await asyncio.gather(*(settings() for _ in range(3))) == [expected] * 3


@pytest.mark.parametrize("every_task", [True, False])
async def test_tasks_that_were_not_started_here_see_the_database_when_asked(
    fresh_database: str, apps: Apps, every_task: bool
) -> None:
    async def count() -> int:
        return await Shelf.all().count()

    async with connect(fresh_database, apps, every_task=every_task):
        counting = asyncio.create_task(count(), context=Context())
        await asyncio.wait([counting])

    if every_task:
        assert counting.result() == 0
    else:
        assert isinstance(counting.exception(), RuntimeError)


# -- errors -------------------------------------------------------------------------------------------


async def conflict(client: BaseDBAsyncClient, url: str, apps: Apps) -> None:
    """Want at once what another transaction holds."""
    lock = "SELECT * FROM shelf FOR UPDATE NOWAIT"
    async with in_transaction("default") as holder:
        if client.capabilities.dialect == "sqlite":
            async with connect(url, apps) as other:
                await other.db("default").execute_query("PRAGMA busy_timeout = 10")
                async with in_transaction("default"):
                    pass
        else:
            await holder.execute_query(lock)
            async with connect(url, apps), in_transaction("default") as other_transaction:
                await other_transaction.execute_query(lock)


async def test_a_transaction_that_was_in_anothers_way_may_be_run_again(
    connected: TortoiseContext, fresh_database: str, apps: Apps
) -> None:
    await Shelf.create(room="hall", name="A")

    with pytest.raises(Exception) as raised:  # noqa: PT011 (each driver has its own)
        await conflict(connected.db("default"), fresh_database, apps)

    assert retryable(raised.value)
    assert not lost_connection(raised.value)


TOO_LONG = {
    "postgres": ("SET LOCAL statement_timeout = 50", "SELECT pg_sleep(5)"),
    "mysql": ("SET STATEMENT max_statement_time = 0.05 FOR SELECT sleep(5) FROM shelf",),
}


@pytest.mark.parametrize("database_server", ["postgres", "mysql"], indirect=True)
async def test_a_statement_that_takes_too_long_is_known_by_its_error(connected: TortoiseContext) -> None:
    await Shelf.create(room="hall", name="A")

    async def work() -> None:
        async with in_transaction("default") as transaction:
            for statement in TOO_LONG[transaction.capabilities.dialect]:
                await transaction.execute_query(statement)

    with pytest.raises(Exception) as raised:  # noqa: PT011 (each driver has its own)
        await work()

    assert took_too_long(raised.value)
    assert not retryable(raised.value)
    assert not lost_connection(raised.value)


@pytest.mark.usefixtures("connected")
async def test_a_row_that_is_there_already_is_no_reason_to_run_again() -> None:
    await Shelf.create(room="hall", name="A")

    with pytest.raises(IntegrityError) as raised:
        await Shelf.create(room="hall", name="A")

    assert not retryable(raised.value)
    assert not lost_connection(raised.value)


@pytest.mark.parametrize(
    "error", [ValueError(1213), KeyError(0), RuntimeError("connection is closed"), asyncpg.InterfaceError("2 given")]
)
def test_errors_of_our_own_are_neither(error: Exception) -> None:
    assert not retryable(error)
    assert not lost_connection(error)


SESSION = {"postgres": "SELECT pg_backend_pid() AS id", "mysql": "SELECT connection_id() AS id"}
KILL = {"postgres": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
SLEEP = {"postgres": "SELECT pg_sleep(5)", "mysql": "SELECT sleep(5)"}


async def killed_between_statements(transaction: BaseDBAsyncClient, kill: Callable[[], Awaitable[None]]) -> None:
    await kill()
    await transaction.execute_query("SELECT 1")


async def killed_during_a_statement(transaction: BaseDBAsyncClient, kill: Callable[[], Awaitable[None]]) -> None:
    async def soon() -> None:
        await asyncio.sleep(0.1)
        await kill()

    killing = asyncio.create_task(soon())
    try:
        await transaction.execute_query(SLEEP[transaction.capabilities.dialect])
    finally:
        await killing


async def killed_before_commit(transaction: BaseDBAsyncClient, kill: Callable[[], Awaitable[None]]) -> None:
    await kill()


@pytest.mark.parametrize("moment", [killed_between_statements, killed_during_a_statement, killed_before_commit])
@pytest.mark.parametrize("database_server", ["postgres", "mysql"], indirect=True)
async def test_a_killed_connection_is_a_lost_one_and_the_next_works(
    connected: TortoiseContext, moment: Callable[..., Awaitable[None]]
) -> None:
    client = connected.db("default")
    dialect = client.capabilities.dialect

    async def work() -> None:
        async with in_transaction("default") as transaction:
            [session] = await transaction.execute_query_dict(SESSION[dialect])

            async def kill() -> None:
                await client.execute_script(KILL[dialect].format(session["id"]))
                await asyncio.sleep(0.1)  # until our end of the connection has noticed

            await Shelf.create(room="hall", name="A", using_db=transaction)
            await moment(transaction, kill)

    with pytest.raises(Exception) as raised:  # noqa: PT011 (each driver has its own)
        await work()

    assert lost_connection(raised.value)
    assert not retryable(raised.value)
    assert await Shelf.all().count() == 0


# -- unit of work -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("connected")
async def test_units_that_lock_each_other_out_both_succeed() -> None:
    a, b = [await Shelf.create(room="hall", name=name) for name in "AB"]
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    async def rename(first: Shelf, second: Shelf, room: str) -> None:
        nonlocal attempts
        attempts += 1
        await Shelf.filter(id=first.id).update(room=room)
        if attempts <= 2:
            try:
                async with asyncio.timeout(0.2):
                    await both_hold_one.wait()
            except (TimeoutError, asyncio.BrokenBarrierError):
                pass  # SQLite: the other has to wait for its turn
        await Shelf.filter(id=second.id).update(room=room)

    await asyncio.gather(unit_of_work(lambda: rename(a, b, "attic")), unit_of_work(lambda: rename(b, a, "cellar")))

    assert {shelf.room for shelf in await Shelf.all()} in ({"attic"}, {"cellar"})


@pytest.mark.usefixtures("connected")
async def test_a_unit_inside_another_shares_its_fate() -> None:
    async def inner() -> Shelf:
        return await Shelf.create(room="hall", name="A")

    async def outer() -> None:
        await unit_of_work(inner)
        raise LookupError("after all, no")

    with pytest.raises(LookupError):
        await unit_of_work(outer)

    assert await Shelf.all().count() == 0
    assert (await unit_of_work(inner)).room == "hall"


@pytest.mark.usefixtures("connected")
async def test_a_cancelled_unit_is_written_whole_or_not_at_all_and_leaves_no_lock() -> None:
    async def pair(number: int) -> None:
        await Shelf.create(room="left", name=str(number))
        await asyncio.sleep(0.001)
        await Shelf.create(room="right", name=str(number))

    moments = random.Random(1)
    tasks = [asyncio.create_task(unit_of_work(partial(pair, number))) for number in range(40)]
    for task in tasks:
        await asyncio.sleep(moments.uniform(0, 0.004))
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    async with asyncio.timeout(60):
        shelves = await Shelf.all()
        left, right = ({shelf.name for shelf in shelves if shelf.room == room} for room in ("left", "right"))
        assert left == right
        await unit_of_work(lambda: pair(100))
