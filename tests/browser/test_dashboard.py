"""The dashboard in a real browser, which reaches no host but the shop's: tests/browser/dashboard.test.mjs."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from graph.dashboard_page import BUILT, dashboard_routes
from graph.ids import read_id
from graph.laurel import tables
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.browser.living import living_shop
from tests.browser.test_browser import PICTURES
from tests.databases import SqliteFolder
from tests.npm import ROOT, chromium, installed, run_tests
from tests.serving import served

_ASKED: Final = """{
  figures(since: "2026-01-01", until: "2026-06-30", granularity: MONTH) { since redemptionRate { now { value } } }
}"""


@pytest.mark.timeout(900)
async def test_analysts_find_their_way_from_the_log_in_to_the_members_behind_a_number(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    url = SqliteFolder(tmp_path).migrated(tables(load_plugins()))
    async with living_shop(url) as shop:
        member = await shop.enrol('=1+1,"x"')
        for strange in (" =blank", "\n=line", "\uff1dwide", "\u202e<img src=x onerror=alert(1)>"):
            await shop.enrol(strange)
        tokens = {
            "analyst": shop.token(Role.ANALYST),
            "operator": shop.token(Role.OPERATOR),
            "member": shop.token(Role.MEMBER, read_id(member)[1]),
            "service": shop.token(Role.SERVICE),
        }
        later = _with_a_newer_page(shop.app, tmp_path / "newer")
        async with served(shop.app) as address, served(later) as upgraded:
            place = {
                "url": address,
                "upgraded": upgraded,
                "tokens": tokens,
                "chromium": chromium(),
                "downloads": str(tmp_path),
            }
            await run_tests(project, "dashboard.test.mjs", place, **pictures)
        answer = await shop.ask(_ASKED, role=Role.ANALYST)

    file = (tmp_path / "laurel-redemption-rate-2026-01-01-2026-06-30.parquet").as_posix()
    rows = duckdb.connect().execute(f"SELECT since, value FROM '{file}' ORDER BY since").fetchall()
    told = [(part["since"], float(part["redemptionRate"]["now"]["value"])) for part in answer["figures"]]
    assert [(str(since), value) for since, value in rows] == told


def _with_a_newer_page(app: Starlette, folder: Path) -> Starlette:
    """The same shop as the next version of Laurel would serve it, whose page has other files."""
    shutil.copytree(BUILT, folder)
    for chunk in folder.glob("src-*.js"):
        chunk.rename(folder / f"newer-{chunk.name}")
    return Starlette(routes=[*dashboard_routes(folder=folder), Mount("/", app)])
