"""What is read from SQLite outside of transactions is read at once, unless it takes long."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError

from core.store import Store
from core.store.databases import connect
from tests.databases import Apps

COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT COUNT(*), MAX(i) FROM n"


@pytest.fixture
async def client(tmp_path: Path, apps: Apps) -> AsyncIterator[Any]:
    async with connect(f"sqlite://{tmp_path / 'short.sqlite3'}", apps):
        connection = get_connection("default")
        await connection.execute_script("CREATE TABLE thing (name TEXT NOT NULL)")
        yield connection


async def at_once(work: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    with pytest.raises(StopIteration) as done:
        work.send(None)
    return done.value.value


async def test_a_short_read_waits_for_nothing(client: Any) -> None:
    await client.execute_insert("INSERT INTO thing (name) VALUES (?)", ["tea"])
    assert await at_once(Store().reader().query("SELECT name FROM thing")) == [("tea",)]
    assert await at_once(Store().reader().query("\n  WITH t AS (SELECT name FROM thing) SELECT * FROM t")) == [("tea",)]


async def test_a_long_read_is_made_by_the_thread_while_others_go_on(client: Any) -> None:
    work = asyncio.ensure_future(Store().reader().query(COUNTING, [1_000_000]))
    await asyncio.sleep(0)
    assert not work.done()
    assert await work == [(1_000_000, 1_000_000)]
    # And one after it is short again.
    assert await at_once(Store().reader().query(COUNTING, [10])) == [(10, 10)]


async def test_a_read_sees_what_was_committed_and_nothing_else(client: Any) -> None:
    async with Store().transaction() as writer:
        await writer.client.execute_query("INSERT INTO thing (name) VALUES ('tea')", [])
        assert await writer.query("SELECT COUNT(*) FROM thing") == [(1,)]
        assert [tuple(row) for row in client._read("SELECT COUNT(*) FROM thing", [])] == [(0,)]
    assert await at_once(Store().reader().query("SELECT COUNT(*) FROM thing")) == [(1,)]


async def test_what_writes_or_fails_is_the_thread_s(client: Any) -> None:
    write = "WITH t(name) AS (VALUES ('tea')) INSERT INTO thing SELECT name FROM t RETURNING name"
    assert client._read(write, []) is None
    _, rows = await client.execute_query(write, [])
    assert [tuple(row) for row in rows] == [("tea",)]
    with pytest.raises(OperationalError, match="no such table"):
        await Store().reader().query("SELECT * FROM elsewhere")
