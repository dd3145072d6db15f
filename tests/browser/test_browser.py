"""The page for operators in a real browser, which reaches no host but the shop's: tests/browser/page.test.mjs."""

import asyncio
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.ids import read_id
from graph.testing import open_shop
from graph.tokens import Role
from tests.npm import ROOT, chromium, installed, run_tests
from tests.serving import served

PICTURES = "LAUREL_SCREENSHOTS"
"""Where the pictures of the documentation go, if it is set: docs."""


@pytest.mark.timeout(900)
async def test_operators_find_their_way_from_the_log_in_to_a_mutation(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    programme = (ROOT / "examples" / "programmes" / "first-shop.yaml").read_text(encoding="utf-8")
    live = {"LAUREL_LIVE": "yes", "LAUREL_GRAPHIQL": "yes"}
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    async with open_shop(tmp_path, programme, variables=live) as shop:
        member = await shop.enrol("14057")
        await shop.give(member, 6_620, "to begin")
        tokens = {
            "operator": shop.token(Role.OPERATOR),
            "member": shop.token(Role.MEMBER, read_id(member)[1]),
        }
        async with served(shop.app) as address:
            place = {"url": address, "tokens": tokens, "chromium": chromium()}
            await run_tests(project, "page.test.mjs", place, **pictures)


@pytest.mark.timeout(900)
async def test_members_read_the_rules_on_a_phone_and_on_a_desk(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    programme = (ROOT / "examples" / "programmes" / "sme.yaml").read_text(encoding="utf-8")
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    async with open_shop(tmp_path, programme) as shop, served(shop.app) as address:
        await run_tests(project, "rules.test.mjs", {"url": address, "chromium": chromium()}, **pictures)


@pytest.mark.timeout(900)
async def test_an_operator_follows_the_page_of_three_tasks(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    programme = (ROOT / "examples" / "programmes" / "mini-programme.yaml").read_text(encoding="utf-8")
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    blocks = blocks_of((ROOT / "docs" / "hands-on.md").read_text(encoding="utf-8"))
    now = datetime(2027, 2, 26, 4, tzinfo=UTC)
    async with open_shop(tmp_path, programme, now=now, sandbox=True) as shop:
        for number in (1, 2, 3):
            await shop.enrol(f"member-{number}")
        async with served(shop.app) as address:
            token = shop.token(Role.OPERATOR)
            place = {"url": address, "token": token, "chromium": chromium(), "blocks": blocks}
            await run_tests(project, "hands_on.test.mjs", place, **pictures)
        assert len(shop.laurel.programmes.versions) == 4


@pytest.mark.timeout(900)
async def test_the_pages_work_where_only_trusted_documents_are_executed(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    programme = (ROOT / "examples" / "programmes" / "sample-shop.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, programme) as shop:
        await shop.give(await shop.enrol("ann"), 500, "to begin")
    (tmp_path / "app.json").write_text('{"of-the-app": "query App { viewer { role } }"}')
    trusting = {
        "LAUREL_TRUSTED_DOCUMENTS": str(tmp_path / "app.json"),
        "LAUREL_TRUSTED_MODE": "require",
        "LAUREL_SAMPLE_MEMBERS": "ann",
    }
    async with open_shop(tmp_path, None, variables=trusting) as shop, served(shop.app) as address:
        place = {"url": address, "token": shop.token(Role.ANALYST), "chromium": chromium()}
        await run_tests(project, "trusted.test.mjs", place)


def blocks_of(page: str) -> dict[str, list[str]]:
    """What is pasted into GraphiQL, by the headings of the page."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {
        heading: re.findall(r"^```graphql\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }
