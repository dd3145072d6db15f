"""``desk``: a committer on a fresh database of every kind."""

from collections.abc import AsyncIterator

import pytest
from tortoise.context import TortoiseContext

from tests.core.committing import Desk, open_desk


@pytest.fixture
async def desk(connected: TortoiseContext) -> AsyncIterator[Desk]:
    """A committer with a stopped clock and the small programme published."""
    async with open_desk() as desk:
        yield desk
