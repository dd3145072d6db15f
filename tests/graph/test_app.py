import re
from pathlib import Path

import httpx
import pytest

from graph.app import STATIC, create_app
from graph.schema import build_schema
from graph.settings import Settings
from graph.testing import SECRET, Shop
from plugins.manager import Plugins

REGISTRIES = re.compile(r"https?://[^\s\"'`]*(npmjs|yarnpkg|unpkg|jsdelivr|cdnjs|esm\.sh)")


async def test_graphiql_is_served_from_our_own_files(shop: Shop) -> None:
    page = await shop.client.get("/graphiql")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert files == ["data:,", "graphiql/graphiql.css", "graphiql/page.css", "graphiql/graphiql.js"]
    for file in files[1:]:
        assert (await shop.client.get(f"/{file}")).status_code == 200


async def test_no_other_host_is_needed_nor_allowed(shop: Shop) -> None:
    policy = (await shop.client.get("/graphiql")).headers["content-security-policy"]

    assert "://" not in policy
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_what_is_served_names_no_place_that_code_is_fetched_from(file: Path) -> None:
    assert REGISTRIES.search(file.read_text()) is None
    assert file.stat().st_size < 3_000_000


async def test_the_page_knows_whether_the_programme_is_live(shop: Shop) -> None:
    live = create_app(Settings(secret=SECRET, graphiql=True), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(live), base_url="http://shop.example") as client:
        assert '<meta name="laurel-live" content="yes" />' in (await client.get("/graphiql")).text
    assert '<meta name="laurel-live" content="no" />' in (await shop.client.get("/graphiql")).text


async def test_graphiql_can_be_switched_off() -> None:
    app = create_app(Settings(secret=SECRET, graphiql=False), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example") as client:
        assert (await client.get("/graphiql")).status_code == 404
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503


async def test_introspection_can_be_switched_off() -> None:
    query = "{ __schema { queryType { name } } }"

    opened = await build_schema(Plugins()).execute(query)
    closed = await build_schema(Plugins(), introspection=False).execute(query)

    assert opened.data == {"__schema": {"queryType": {"name": "Query"}}}
    assert (closed.data, len(closed.errors or ())) == (None, 2)
