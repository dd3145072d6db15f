"""The member centre as it is served, who may be whom in it, and its build."""

import gzip
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from graph.app import create_app
from graph.centre_page import BUILT
from graph.settings import Settings, SettingsInvalid
from graph.testing import SECRET, Shop, open_shop
from plugins.manager import Plugins
from tests.npm import installed

PROGRAMME: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
channels: {}
tiers: {ladder: [{id: regular, name: Regular}]}
"""
BYTES_MAX: Final = 250_000
"""Of all files together, compressed."""

HERE: Final = "http://127.0.0.1:8000"


@pytest.fixture
async def samples(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop in which anybody on this machine may be Ann."""
    async with open_shop(tmp_path, PROGRAMME, variables={"LAUREL_SAMPLE_MEMBERS": "ann, nobody"}) as shop:
        await shop.enrol("ann")
        await shop.enrol("ben")
        yield shop


def browser(shop: Shop, address: str = HERE, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(shop.app, client=(peer, 50_000)), base_url=address)


# -- the page -------------------------------------------------------------------------------------------------


async def test_the_page_and_its_files_are_ours_and_no_other_place_is_allowed(shop: Shop) -> None:
    page = await shop.client.get("/demo")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert files == ["data:,", "demo/page.css", "demo/page.js"]
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    for file in files[1:]:
        answer = await shop.client.get(f"/{file}")
        assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")
    assert f'<meta name="laurel-build" content="{page.headers["laurel-build"]}" />' in page.text


def test_all_of_it_is_small() -> None:
    assert sum(len(gzip.compress(file.read_bytes())) for file in BUILT.iterdir()) < BYTES_MAX


@pytest.mark.timeout(300)
def test_what_is_served_is_what_the_sources_give_and_their_types_hold(tmp_path: Path) -> None:
    project = installed("graph/centre")
    subprocess.run(["node", "build.mjs", tmp_path], cwd=project, check=True)
    subprocess.run(["npm", "run", "--silent", "check"], cwd=project, check=True)

    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    served = {file.name: file.read_bytes() for file in BUILT.iterdir()}
    assert sorted(built) == sorted(served), "make centre builds it anew"
    assert [name for name in built if built[name] != served[name]] == []


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (Settings(secret=SECRET), 404),
        (Settings(secret=SECRET, live=False), 200),
        (Settings(secret=SECRET, centre=True), 200),
        (Settings(secret=SECRET, live=False, centre=False), 404),
    ],
)
async def test_it_is_there_where_points_are_worth_nothing_and_where_it_is_asked_for(
    settings: Settings, status: int
) -> None:
    transport = httpx.ASGITransport(create_app(settings, plugins=Plugins()))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        assert (await client.get("/demo")).status_code == status
        assert (await client.get("/demo/page.js")).status_code == status


# -- sample members -------------------------------------------------------------------------------------------


async def test_a_sample_member_is_whom_the_token_stands_for(samples: Shop) -> None:
    async with browser(samples) as client:
        assert '<meta name="laurel-samples" content="yes" />' in (await client.get("/demo")).text
        assert (await client.get("/demo/samples")).json() == [{"externalId": "ann", "tier": "Regular"}]
        answer = await client.post("/demo/samples", json={"externalId": "ann"})
        asked = {"query": "{ viewer { role subject member { externalId } } }"}
        viewer = await client.post(
            "/graphql", json=asked, headers={"Authorization": f"Bearer {answer.json()['token']}"}
        )

    assert answer.headers["cache-control"] == "no-store"
    assert viewer.json()["data"]["viewer"] == {
        "role": "member",
        "subject": "sample",
        "member": {"externalId": "ann"},
    }


async def test_nobody_becomes_a_member_who_is_no_sample(samples: Shop) -> None:
    bodies = ('{"externalId": "ben"}', '{"externalId": "nobody"}', '{"externalId": 7}', "[]", "{", "")
    async with browser(samples) as client:
        headers = {"Content-Type": "application/json"}
        answers = [await client.post("/demo/samples", content=body, headers=headers) for body in bodies]

    assert {(answer.status_code, answer.text) for answer in answers} == {(404, "no such sample member")}


async def test_a_form_of_another_site_gets_no_token(samples: Shop) -> None:
    async with browser(samples) as client:
        answer = await client.post(
            "/demo/samples", content='{"externalId": "ann"}', headers={"Content-Type": "text/plain"}
        )

    assert answer.status_code == 404


async def test_sample_members_are_for_this_machine_only(samples: Shop) -> None:
    elsewhere: list[tuple[str, str, dict[str, str]]] = [
        ("http://rebound.example:8000", "127.0.0.1", {}),  # a name of somebody else's that means this machine
        (HERE, "192.0.2.7", {}),
        (HERE, "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),  # through a proxy on this machine
        (HERE, "127.0.0.1", {"Forwarded": "for=192.0.2.7"}),
        (HERE, "127.0.0.1", {"X-Real-IP": "192.0.2.7"}),
        (HERE, "127.0.0.1", {"Origin": "https://shop.example"}),  # a proxy on this machine that says nothing
        (HERE, "127.0.0.1", {"Origin": "null"}),
        (HERE, "127.0.0.1", {"Origin": "http://[127.0.0.1"}),
    ]
    answers = []
    for address, peer, headers in elsewhere:
        async with browser(samples, address, peer) as client:
            answers.append(await client.get("/demo/samples", headers=headers))
            answers.append(await client.post("/demo/samples", json={"externalId": "ann"}, headers=headers))

    assert {(answer.status_code, answer.text) for answer in answers} == {
        (403, "sample members are for this machine only")
    }


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(secret=SECRET, live=False), id="none are named"),
        pytest.param(Settings(secret=SECRET, centre=True, samples=["ann"]), id="points are worth something"),
        pytest.param(Settings(secret=SECRET, live=False, host="0.0.0.0", samples=["ann"]), id="others can ask"),
    ],
)
async def test_elsewhere_there_is_no_way_to_become_a_member(settings: Settings) -> None:
    assert settings.sample_members == ()
    transport = httpx.ASGITransport(create_app(settings, plugins=Plugins()))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        assert '<meta name="laurel-samples" content="no" />' in (await client.get("/demo")).text
        assert (await client.get("/demo/samples")).status_code == 404
        assert (await client.post("/demo/samples", json={"externalId": "ann"})).status_code in {404, 405}


def test_a_live_server_with_sample_members_does_not_start() -> None:
    with pytest.raises(SettingsInvalid, match="LAUREL_SAMPLE_MEMBERS would let anybody"):
        Settings.from_environment({"LAUREL_LIVE": "yes", "LAUREL_SAMPLE_MEMBERS": "ann"})
    assert Settings.from_environment({"LAUREL_SAMPLE_MEMBERS": "ann"}).sample_members == ()
