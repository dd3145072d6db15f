"""A shop whose programme has tiers and a second unit, and no channel."""

from collections.abc import AsyncIterator

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder

PROGRAMME = """
id: corner-shop
name: Corner Shop
currency: CNY
timezone: Asia/Shanghai
starts_on: 2020-01-01
expiry: {mode: per_lot, months: 12}
units:
  stamps: {spendable: true}
tiers:
  window: {months: 12}
  ladder:
    - {id: regular, name: Regular}
    - id: silver
      name: Silver
      all:
        - {fact: points_earned, at_least: 1000}
        - {fact: growth_earned, at_least: 400, window: lifetime}
    - id: gold
      any:
        - {fact: points_earned, at_least: 5000}
        - {fact: growth_earned, at_least: 9000, window: {days: 30}}
"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(Plugins())


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A shop on SQLite."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=Plugins()) as shop:
        yield shop
    sqlite_folder.done(url)


@pytest.fixture
async def every_shop(fresh_database: str) -> AsyncIterator[Shop]:
    """A shop on each of the databases there are."""
    async with open_shop(fresh_database, PROGRAMME, plugins=Plugins()) as shop:
        yield shop
