"""What scenarios of the example programmes begin with: a story to tell, of which the page of the programme is made."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import yaml

from graph.laurel import tables
from graph.testing import open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.programmes.pages import compare_or_write
from tests.programmes.story import MORNING, PROGRAMMES, Story, sound

Tell = Callable[..., AbstractAsyncContextManager[Story]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="write the pages of docs/programmes anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Years take their time on a machine that has other things to do."""
    for item in items:
        if "tell" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def story_folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("stories"))


@pytest.fixture
def tell(story_folder: SqliteFolder, request: pytest.FixtureRequest) -> Tell:
    """Opens the story of a programme at ten of a day, with every channel; at its end its page must tell the same."""
    every = load_plugins()

    @asynccontextmanager
    async def telling(
        programme: str, begins: str, *, page: bool = True, variables: Mapping[str, str] | None = None
    ) -> AsyncIterator[Story]:
        document = (PROGRAMMES / f"{programme}.yaml").read_text()
        zone = ZoneInfo(yaml.safe_load(document)["timezone"])
        now = datetime.combine(datetime.fromisoformat(begins), MORNING, zone)
        url = story_folder.migrated(tables(every))
        async with open_shop(url, document, plugins=every, now=now, variables=variables) as shop:
            await shop.laurel.deliverer.refresh()
            story = Story(shop, programme, zone)
            yield story
            await sound(story)
        story_folder.done(url)
        if page:
            compare_or_write(story, renew=request.config.getoption("--renew", default=False))

    return telling
