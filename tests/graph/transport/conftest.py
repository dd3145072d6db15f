"""A shop whose answers say no more than what was asked: what they cost is tested with the limits."""

from collections.abc import AsyncIterator

import pytest

from graph.testing import Shop, open_shop
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.conftest import PROGRAMME


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A shop on SQLite."""
    url = sqlite_folder.migrated(apps)
    variables = {"LAUREL_COST_REPORTED": "no"}
    async with open_shop(url, PROGRAMME, plugins=Plugins(), variables=variables) as shop:
        yield shop
    sqlite_folder.done(url)
