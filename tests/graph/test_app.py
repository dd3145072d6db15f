import httpx

from graph.app import create_app
from graph.settings import Settings
from graph.testing import SECRET
from plugins.manager import Plugins


async def test_who_watches_over_the_process_is_told_that_it_lives_and_is_not_ready() -> None:
    app = create_app(Settings(secret=SECRET), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example") as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
