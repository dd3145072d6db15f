"""Every guide of ``docs/guides`` leads where it says: what it asks for is done, and answers what it shows."""

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.browser.test_browser import PICTURES
from tests.environments import ROOT, needs_uv
from tests.guides.page import blocks_of
from tests.guides.walk import walking
from tests.npm import chromium, installed, run_tests

GUIDES: Final = ROOT / "docs" / "guides"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")


def walk_through(guide: str, folder: Path, said: Mapping[str, str] | None = None) -> None:
    with walking(folder, said) as walk:
        for block in blocks_of(GUIDES / f"{guide}.md"):
            walk.do(block)


pytestmark = [needs_uv, needs("make", "curl"), pytest.mark.timeout(900)]  # half a minute, where nothing else is done


@pytest.mark.parametrize("guide", ["operator", "owner", "partner"])
def test_a_reader_of_the_guide_arrives(guide: str, tmp_path: Path) -> None:
    walk_through(guide, tmp_path)


@pytest.fixture
def postgres() -> Iterator[Mapping[str, str]]:
    """What the guide calls the server, and the two databases that it makes, which are dropped in the end."""
    address = os.environ.get("LAUREL_TEST_POSTGRES")
    redis = os.environ.get("LAUREL_TEST_REDIS")
    if address is None or redis is None:
        pytest.skip("LAUREL_TEST_POSTGRES and LAUREL_TEST_REDIS are not both set")
    names = {name: f"laurel_test_{name}_{uuid.uuid4().hex[:8]}" for name in ("laurel_shop", "laurel_restored")}
    server = urlunsplit(urlsplit(address)._replace(path=""))
    yield {"postgres://postgres@127.0.0.1:5432": server, "redis://127.0.0.1:6379/0": redis, **names}
    for name in names.values():
        drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        subprocess.run(["psql", "--quiet", "--command", drop, address], check=True, capture_output=True)


@needs("psql", "pg_dump", "pg_restore")
def test_who_runs_it_arrives_at_a_backup_that_was_verified(postgres: Mapping[str, str], tmp_path: Path) -> None:
    walk_through("running", tmp_path, postgres)


async def test_who_builds_a_front_end_arrives_at_a_bar_that_moves(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    with walking(tmp_path) as walk:
        for block in blocks_of(GUIDES / "front-end.md"):
            await asyncio.to_thread(walk.do, block)
        place = {
            "url": walk.address("3000"),
            "laurel": walk.address("8000"),
            "tokens": walk.tokens,
            "chromium": chromium(),
        }
        await run_tests(project, "guide.test.mjs", place, **pictures)
