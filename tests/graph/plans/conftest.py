"""A shop filled at random."""

import asyncio

import pytest

from tests.graph.plans.random_shop import Filled, fill

SEED = 20261129


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A shop with all that there is to be asked; each process has its own."""
    return asyncio.run(fill(tmp_path_factory.mktemp("random"), SEED))
