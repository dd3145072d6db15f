"""SQLite: transactions of several processes, and the write-ahead log."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from tortoise.transactions import in_transaction

from core.store.databases import Database, checkpoint, checkpoint_when_due, connect, log_size
from core.store.migrating import migrate
from core.store.sqlite_immediate import CHECKPOINT_BYTES, SqliteImmediateClient
from tests.databases import Apps
from tests.store.shelf.models import Shelf


@pytest.fixture
async def url(tmp_path: Path, apps: Apps) -> str:
    url = f"sqlite://{tmp_path}/laurel.sqlite3"
    await migrate(url, apps)
    return url


@pytest.fixture
async def client(url: str, apps: Apps) -> AsyncIterator[SqliteImmediateClient]:
    async with connect(url, apps) as context:
        client = context.db("default")
        assert isinstance(client, SqliteImmediateClient)
        yield client


@pytest.fixture
def elsewhere(url: str) -> Iterator[sqlite3.Connection]:
    """Another program on the same file."""
    connection = sqlite3.connect(Database.from_url(url).name, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    yield connection
    connection.close()


COUNT = dedent(
    """
    import asyncio, sys
    from tortoise.transactions import in_transaction
    from core.store.databases import Tables, connect
    from tests.store.shelf.models import Shelf

    async def main():
        apps = {"shelf": Tables(("tests.store.shelf.models",), "tests.store.shelf.migrations")}
        async with connect(sys.argv[1], apps):
            for _ in range(50):
                async with in_transaction("default"):
                    shelf = await Shelf.get(room="hall")
                    shelf.name = str(int(shelf.name) + 1)
                    await shelf.save()

    asyncio.run(main())
    """
)


async def test_processes_that_read_and_then_write_lose_nothing(url: str, apps: Apps) -> None:
    async with connect(url, apps):
        await Shelf.create(room="hall", name="0")

    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", COUNT, url) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]

    async with connect(url, apps):
        assert (await Shelf.get(room="hall")).name == "150"


@pytest.mark.usefixtures("client")
async def test_a_task_cancelled_while_it_waits_for_its_turn_holds_up_nobody(
    elsewhere: sqlite3.Connection,
) -> None:
    async def write(name: str) -> None:
        async with in_transaction("default"):
            await Shelf.create(room="hall", name=name)

    elsewhere.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write("cancelled"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    elsewhere.execute("COMMIT")
    await asyncio.wait([waiting])

    async with asyncio.timeout(60):
        await write("next")
    assert [shelf.name for shelf in await Shelf.all()] == ["next"]


async def grow_log(client: SqliteImmediateClient, size: int) -> None:
    """Fill the log with at least this many bytes."""
    await client.execute_query("CREATE TABLE IF NOT EXISTS ballast (stuff BLOB)")
    while log_size(client) < size:
        await client.execute_query("INSERT INTO ballast VALUES (zeroblob(8000000))")


async def test_the_log_is_emptied_when_it_is_due_and_never_before(client: SqliteImmediateClient) -> None:
    # By itself, SQLite would checkpoint at a thousand pages: 4 MiB.
    await grow_log(client, CHECKPOINT_BYTES - 16_000_000)
    assert not await checkpoint_when_due(client)
    assert log_size(client) > CHECKPOINT_BYTES - 16_000_000

    await grow_log(client, CHECKPOINT_BYTES)
    assert await checkpoint_when_due(client)

    assert log_size(client) == 0
    [stored] = await client.execute_query_dict("SELECT count(*) AS rows FROM ballast")
    assert stored["rows"] >= 8


async def test_a_reader_elsewhere_puts_a_checkpoint_off_but_stops_no_writer(
    client: SqliteImmediateClient, elsewhere: sqlite3.Connection
) -> None:
    await grow_log(client, 1)
    elsewhere.execute("BEGIN")
    elsewhere.execute("SELECT count(*) FROM ballast").fetchall()
    await grow_log(client, CHECKPOINT_BYTES)

    assert not await checkpoint_when_due(client, wait_ms=20)
    assert client.checkpoint_due > CHECKPOINT_BYTES + log_size(client) - 1
    assert not await checkpoint_when_due(client)  # not due again yet

    elsewhere.execute("COMMIT")
    await grow_log(client, client.checkpoint_due)
    assert await checkpoint_when_due(client)
    assert client.checkpoint_due == CHECKPOINT_BYTES


async def test_a_checkpoint_leaves_the_patience_of_statements_as_it_was(client: SqliteImmediateClient) -> None:
    assert await checkpoint(client)

    [row] = await client.execute_query_dict("PRAGMA busy_timeout")
    assert row["timeout"] == 30_000


async def test_closing_the_last_connection_leaves_one_whole_file(url: str, apps: Apps) -> None:
    async with connect(url, apps):
        await Shelf.create(room="hall", name="A")

    file = Path(Database.from_url(url).name)
    assert not file.with_name(f"{file.name}-wal").exists()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
