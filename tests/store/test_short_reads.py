"""What is read from SQLite outside of transactions is read at once, unless it takes long; few rows are written so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from core.store import Store
from core.store.databases import connect
from core.store.sqlite_immediate import SHORT_ROWS
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
        assert [tuple(row) for row in client.read("SELECT COUNT(*) FROM thing", [])] == [(0,)]
    assert await at_once(Store().reader().query("SELECT COUNT(*) FROM thing")) == [(1,)]


async def test_a_transaction_reads_at_once_what_it_has_written_too(client: Any) -> None:
    count = "SELECT COUNT(*) FROM thing"
    for write in ("many", "each", "query", "insert", "nested"):
        async with Store().transaction() as writer:
            (before,) = (await at_once(writer.query(count)))[0]
            add, writing = "INSERT INTO thing (name) VALUES (?)", writer.client
            match write:
                case "many":
                    await writing.execute_many(add, [["tea"]])
                case "each":
                    await writing.execute_each(f"{add}\n{add}", [[("tea",)], []])  # type: ignore[attr-defined]
                case "query":
                    await writing.execute_query(add, ["tea"])
                case "insert":
                    await writing.execute_insert(add, ["tea"])
                case "nested":
                    async with in_transaction("default") as inner:
                        await inner.execute_query(add, ["tea"])
            assert await at_once(writer.query(count)) == [(before + 1,)]
        assert await Store().reader().query(count) == [(before + 1,)]


async def test_few_rows_are_written_at_once_and_many_by_the_thread_while_others_go_on(client: Any) -> None:
    add = "INSERT INTO thing (name) VALUES (?)"
    async with Store().transaction() as writer:
        each: Any = writer.client.execute_each  # type: ignore[attr-defined]
        await at_once(each(f"{add}\n{add}", [[("tea",)] * (SHORT_ROWS - 1), [("milk",)]]))
        work = asyncio.ensure_future(each(add, [[("tea",)] * (SHORT_ROWS + 1)]))
        await asyncio.sleep(0)
        assert not work.done()
        await work
        # And what follows is at once again.
        await at_once(each(add, [[("tea",)]]))
    assert await Store().reader().query("SELECT COUNT(*) FROM thing") == [(2 * SHORT_ROWS + 2,)]


@pytest.mark.parametrize("many", [1, SHORT_ROWS])
async def test_statements_that_are_handed_over_together_fail_together(client: Any, many: int) -> None:
    await client.execute_script("CREATE TABLE one (name TEXT PRIMARY KEY)")
    with pytest.raises(IntegrityError):
        async with Store().transaction() as writer:
            await writer.client.execute_each(  # type: ignore[attr-defined]
                "INSERT INTO thing VALUES (?)\nINSERT INTO one VALUES (?)", [[("tea",)] * many, [("a",), ("a",)]]
            )
    assert await Store().reader().query("SELECT COUNT(*) FROM thing") == [(0,)]


async def test_a_long_read_of_a_transaction_is_made_by_the_thread_and_leaves_what_was_written(client: Any) -> None:
    async with Store().transaction() as writer:
        await writer.client.execute_insert("INSERT INTO thing (name) VALUES (?)", ["tea"])
        counting = f"SELECT * FROM ({COUNTING})"
        work = asyncio.ensure_future(writer.query(counting, [1_000_000]))
        await asyncio.sleep(0)
        assert not work.done()
        assert await work == [(1_000_000, 1_000_000)]
        assert await at_once(writer.query(counting, [10])) == [(10, 10)]
    assert await Store().reader().query("SELECT name FROM thing") == [("tea",)]


async def test_nothing_is_done_beside_the_thread(client: Any) -> None:
    async with Store().transaction() as writer:
        given_up = asyncio.ensure_future(writer.query(f"SELECT * FROM ({COUNTING})", [3_000_000]))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.wait([given_up])
        # The thread goes on with what nobody waits for any more.
        beside = asyncio.ensure_future(writer.query("SELECT COUNT(*) FROM thing"))
        await asyncio.sleep(0)
        assert not beside.done()
        assert await beside == [(0,)]
        assert await at_once(writer.query("SELECT COUNT(*) FROM thing")) == [(0,)]


async def test_what_writes_or_fails_is_the_thread_s(client: Any) -> None:
    write = "WITH t(name) AS (VALUES ('tea')) INSERT INTO thing SELECT name FROM t RETURNING name"
    assert client.read(write, []) is None
    _, rows = await client.execute_query(write, [])
    assert [tuple(row) for row in rows] == [("tea",)]
    with pytest.raises(OperationalError, match="no such table"):
        await Store().reader().query("SELECT * FROM elsewhere")
