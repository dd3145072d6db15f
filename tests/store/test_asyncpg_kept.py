"""On PostgreSQL connections stay with those who read, as long as they can be trusted, and transactions have theirs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError

from core.store import Store
from core.store.asyncpg_kept import KEPT_MAX, KEPT_SECONDS, LEFT_MIN, _is_open
from core.store.databases import connect
from tests.databases import Apps

pytestmark = pytest.mark.parametrize("database_server", ["postgres"], indirect=True)
SESSION = "SELECT pg_backend_pid()"


@pytest.fixture
async def client(fresh_database: str, apps: Apps) -> AsyncIterator[Any]:
    async with connect(fresh_database, apps):
        yield get_connection("default")


async def session() -> int:
    [(number,)] = await Store().reader().query(SESSION)
    return int(number)


async def test_who_reads_has_the_connection_of_who_read_before(client: Any) -> None:
    first = await session()
    assert [await session() for _ in range(3)] == [first] * 3
    assert len(client.kept) == 1


async def test_many_who_read_at_once_leave_connections_to_transactions(client: Any) -> None:
    slow = "SELECT pg_backend_pid() FROM pg_sleep(0.1)"
    numbers = await asyncio.gather(*(Store().reader().query(slow) for _ in range(20)))
    assert len({number for [(number,)] in numbers}) == client.pool_maxsize
    assert len(client.kept) == KEPT_MAX

    async def transaction() -> int:
        async with Store().transaction() as writer:
            [(number,)] = await writer.query(slow)
            return int(number)

    async with asyncio.timeout(30):
        others = await asyncio.gather(*(transaction() for _ in range(LEFT_MIN)))
    assert not {one.connection.get_server_pid() for one in client.kept} & set(others)


async def test_who_waits_in_the_pool_is_not_passed_over(client: Any) -> None:
    go, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def transaction() -> None:
        async with Store().transaction() as writer:
            await writer.query(SESSION)
            begun.release()
            await go.wait()

    held = [asyncio.create_task(transaction()) for _ in range(LEFT_MIN)]
    for _ in held:
        await begun.acquire()
    async with asyncio.timeout(30):
        # One more than there are connections: it has that of who is done first.
        await asyncio.gather(*(Store().reader().query("SELECT 1 FROM pg_sleep(0.1)") for _ in range(KEPT_MAX + 1)))
    go.set()
    await asyncio.gather(*held)


async def test_a_connection_goes_back_to_the_pool_now_and_then(client: Any) -> None:
    await session()
    [one] = client.kept
    client.kept[:] = [one._replace(taken_at=one.taken_at - KEPT_SECONDS)]

    await session()

    assert client.kept == []
    await session()
    assert len(client.kept) == 1


async def test_where_there_are_few_none_is_kept(fresh_database: str, apps: Apps) -> None:
    async with asyncio.timeout(60), connect(f"{fresh_database}?maxsize=1", apps):
        assert await session() == await session()
        client: Any = get_connection("default")
        assert client.kept == []
        async with Store().transaction() as writer:
            await writer.query(SESSION)


async def test_one_that_the_server_has_closed_is_not_lent_again(client: Any) -> None:
    first = await session()
    async with Store().transaction() as writer:
        await writer.query("SELECT pg_terminate_backend($1)", [first])
    kept = client.kept[0].connection
    for _ in range(3_000):
        if not _is_open(kept):
            break
        await asyncio.sleep(0.01)

    assert await session() != first
    assert len(client.kept) == 1


async def test_one_that_nobody_has_used_for_long_is_not_lent_again(client: Any) -> None:
    first = await session()
    [one] = client.kept
    kept = one.connection
    client.kept[:] = [one._replace(used_at=one.used_at - KEPT_SECONDS)]

    assert await session() != first
    assert not _is_open(kept)
    assert len(client.kept) == 1


async def test_one_that_ran_into_an_error_goes_back_to_the_pool(client: Any) -> None:
    with pytest.raises(OperationalError, match="division by zero"):
        await Store().reader().query("SELECT 1 / 0")
    assert client.kept == []
    assert await session()


async def test_who_is_given_up_leaves_no_connection_that_is_busy(client: Any) -> None:
    await session()
    reading = asyncio.create_task(Store().reader().query("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)
    reading.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([reading])
        assert await session()
    assert reading.cancelled()


async def test_the_database_is_left_without_waiting_for_what_is_kept(fresh_database: str, apps: Apps) -> None:
    async with asyncio.timeout(8):  # the pool waits ten seconds for a connection that is lent
        async with connect(fresh_database, apps):
            await session()
