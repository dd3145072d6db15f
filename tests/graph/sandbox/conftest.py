"""Sandboxes with two channels, one of which has a job, on SQLite."""

import pytest

from graph.laurel import tables
from tests.databases import Apps
from tests.plugins.channel import only

PLUGINS = only("purchase", "birthday")


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The tables of the core and of these channels."""
    return tables(PLUGINS)
