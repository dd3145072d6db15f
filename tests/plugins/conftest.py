"""Databases with the plugins' tables; ``shop`` is open on each of them, ``quick_shop`` on SQLite only."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from tortoise.context import TortoiseContext

from core.store.databases import Tables, connect
from tests.databases import Apps, SqliteFolder
from tests.plugins.shopping import PLUGINS, Shop, open_shop

Shops = Callable[[str], AbstractAsyncContextManager[Shop]]


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The core's tables and those of the plugins."""
    return {"core": Tables(("core.models",), "core.migrations"), **PLUGINS.tables}


@pytest.fixture
async def shop(connected: TortoiseContext) -> AsyncIterator[Shop]:
    """A shop with the plain programme, on every database."""
    async with open_shop() as shop:
        yield shop


@pytest.fixture
def shops(sqlite_folder: SqliteFolder, apps: Apps) -> Shops:
    """Opens a shop with a programme, on a fresh SQLite database."""

    @asynccontextmanager
    async def shop_with(document: str) -> AsyncIterator[Shop]:
        url = sqlite_folder.migrated(apps)
        async with connect(url, apps), open_shop(document) as shop:
            yield shop
        sqlite_folder.done(url)

    return shop_with
