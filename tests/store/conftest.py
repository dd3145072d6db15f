"""Here a fresh database holds the shelf, so that these tests say nothing about the tables of core."""

import pytest

from core.store.databases import Tables
from tests.databases import Apps


@pytest.fixture(scope="session")
def apps() -> Apps:
    return {"shelf": Tables(("tests.store.shelf.models",), "tests.store.shelf.migrations")}
