import httpx

from graph.app import create_app
from graph.schema import build_schema
from graph.settings import Settings
from graph.testing import SECRET
from plugins.manager import Plugins


async def test_who_watches_over_the_process_is_told_that_it_lives_and_is_not_ready() -> None:
    app = create_app(Settings(secret=SECRET), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example") as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503


async def test_introspection_can_be_switched_off() -> None:
    query = "{ __schema { queryType { name } } }"

    opened = await build_schema(Plugins()).execute(query)
    closed = await build_schema(Plugins(), introspection=False).execute(query)

    assert opened.data == {"__schema": {"queryType": {"name": "Query"}}}
    assert (closed.data, len(closed.errors or ())) == (None, 2)
