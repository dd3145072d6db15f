"""Fixtures for tests that write: a test that takes one runs on every database there is.

``fresh_database`` is the address of a migrated database without rows; ``connected`` has opened it, so that
models and ``unit_of_work`` work. A module with tables of its own overrides ``apps``.
"""

import gc
from collections.abc import AsyncIterator, Iterator

import pytest
from tortoise.context import TortoiseContext

from core.store.databases import Tables, connect
from tests.databases import ADDRESSES, KINDS, Apps, Server, SqliteFolder, open_server, server_address
from tests.processes.racing import Racers


def pytest_collection_finish() -> None:
    """What the tests themselves are made of stays: that it is no garbage need not be found out every few tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The apps whose tables a fresh database has."""
    return {"core": Tables(("core.models",), "core.migrations")}


@pytest.fixture(scope="session", params=KINDS)
def database_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    kind = request.param
    address = server_address(kind)
    if address is None:
        pytest.skip(f"{ADDRESSES[kind]} is not set")
    server = open_server(kind, address, tmp_path_factory.mktemp("databases"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    """Where the files are of what is tested on SQLite only."""
    return SqliteFolder(tmp_path_factory.mktemp("shops"))


@pytest.fixture
def empty_database(database_server: Server) -> Iterator[str]:
    """The address of a database without any table."""
    url = database_server.empty()
    yield url
    database_server.done(url)


@pytest.fixture
def fresh_database(database_server: Server, apps: Apps) -> Iterator[str]:
    """The address of a database with all tables and no row."""
    url = database_server.migrated(apps)
    yield url
    database_server.done(url)


@pytest.fixture(scope="session")
def racers() -> Iterator[Racers]:
    """Runs what several processes do at the same moment."""
    racers = Racers()
    yield racers
    racers.close()


@pytest.fixture
async def connected(fresh_database: str, apps: Apps) -> AsyncIterator[TortoiseContext]:
    """A fresh database, open in this test."""
    async with connect(fresh_database, apps) as context:
        yield context
