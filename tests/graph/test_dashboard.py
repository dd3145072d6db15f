"""The dashboard at ``/dashboard``: its files, its policy, and whether they are those that the sources give."""

import gzip
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from graph.built_page import STATIC
from graph.dashboard_page import BUILT
from graph.testing import Shop
from tests.npm import ROOT, installed

BYTES_MAX: Final = 600_000
"""Of all that the page loads, compressed."""


async def test_the_page_and_its_files_are_ours(shop: Shop) -> None:
    page = await shop.client.get("/dashboard")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    build = (await shop.client.get("/dashboard/build")).text
    assert files == ["data:,", f"dashboard/style.css?{build}", f"dashboard/page.js?{build}"]
    for file in files[1:]:
        answer = await shop.client.get(f"/{file}")
        assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")


async def test_no_other_host_nor_any_script_or_style_but_ours_is_allowed(shop: Shop) -> None:
    policy = (await shop.client.get("/dashboard")).headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "://" not in policy


async def test_an_open_page_finds_out_that_the_server_has_another(shop: Shop) -> None:
    page = (await shop.client.get("/dashboard")).text
    build = await shop.client.get("/dashboard/build")

    assert re.fullmatch(r"[0-9a-f]{16}", build.text)
    assert f'<meta name="laurel-build" content="{build.text}" />' in page
    assert build.headers["cache-control"] == "no-store"


def test_all_of_it_is_less_than_600_kilobytes() -> None:
    files = [STATIC / "dashboard.html", *BUILT.iterdir()]

    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < BYTES_MAX


def test_each_definition_of_the_documentation_is_a_click_away() -> None:
    """The page defines the figures that docs/figures.md defines, and it names them as the graph does."""
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \|", page, flags=re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    source = (ROOT / "graph" / "dashboard" / "src" / "figures.ts").read_text(encoding="utf-8")
    defined = set(re.findall(r"^  (\w+): \{\n    group:", source, flags=re.MULTILINE))

    cards_of_their_own = {"tiers", "channels", "rules", "retention", "pointsEarned"}
    assert defined == documented - cards_of_their_own
    assert len(defined) == 23


@pytest.mark.timeout(300)
def test_what_is_served_is_what_the_sources_give(tmp_path: Path) -> None:
    subprocess.run(["node", "build.mjs", tmp_path], cwd=installed("graph/dashboard"), check=True)

    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    served = {file.name: file.read_bytes() for file in BUILT.iterdir()}
    assert sorted(built) == sorted(served), "make dashboard builds it anew"
    assert [name for name in built if built[name] != served[name]] == []
