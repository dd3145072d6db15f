"""The member centre in a real browser, which reaches no host but the shop's: tests/browser/centre.test.mjs."""

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from starlette.applications import Starlette
from starlette.routing import Mount

from graph.centre_page import BUILT, centre_routes
from graph.settings import Settings
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from tests.browser.test_browser import PICTURES
from tests.npm import ROOT, chromium, installed, run_tests
from tests.serving import served

SAMPLES = "14057 12509"
MONDAY = datetime(2026, 6, 8, 4, tzinfo=UTC)
BARE = ("purchase",)
"""The channels that are left when the programme has little for members to see."""


@pytest.mark.timeout(900)
async def test_members_find_all_that_the_programme_has_for_them(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/browser")
    programme = (ROOT / "examples" / "programmes" / "sample-shop.yaml").read_text(encoding="utf-8")
    pictures = {PICTURES: str(ROOT / os.environ[PICTURES])} if PICTURES in os.environ else {}
    samples = {"LAUREL_SAMPLE_MEMBERS": SAMPLES}
    async with open_shop(tmp_path, programme, now=MONDAY, variables=samples) as shop:
        await _begin(shop)
        later = _with_a_newer_page(shop, tmp_path / "newer")
        async with served(shop.app) as address, served(later) as upgraded:
            place = {
                "url": address,
                "upgraded": upgraded,
                "chromium": chromium(),
                "bare": _bare(programme),
                "tokens": {role: shop.token(Role(role)) for role in ("service", "operator")},
            }
            await run_tests(project, "centre.test.mjs", place, **pictures)


async def _begin(shop: Shop) -> None:
    """A member with four orders and visits on most of nine days, up to yesterday; and one who has nothing yet."""
    for name in SAMPLES.split():
        await shop.enrol(name)
    orders = {0: "612.40", 1: "588.00", 3: "640.25", 4: "702.00"}
    for day in range(9):
        if day in orders:
            await _do(
                shop,
                "recordPurchase",
                reference=f"order-{day}",
                amount={"amount": orders[day], "currency": "CNY"},
                lines=[{"sku": "oolong", "amount": orders[day]}],
            )
        if day not in {3, 6}:
            await _do(shop, "recordSignIn")
        shop.clock.advance(timedelta(days=1))


async def _do(shop: Shop, mutation: str, **said: object) -> None:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    given = {"member": {"externalId": "14057"}, "idempotencyKey": f"{mutation}:{shop.clock.now()}", **said}
    answer = await shop.ask(
        f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ message }} }} }}", {"input": given}
    )
    assert answer == {mutation: {"errors": []}}


def _with_a_newer_page(shop: Shop, folder: Path) -> Starlette:
    """The same shop as the next version of Laurel would serve it, whose page is another."""
    shutil.copytree(BUILT, folder)
    with (folder / "page.js").open("a", encoding="utf-8") as script:
        script.write("// newer\n")
    settings = Settings(secret=SECRET, live=False, samples=SAMPLES.split())
    return Starlette(routes=[*centre_routes(settings, lambda: shop.laurel, folder=folder), Mount("/", shop.app)])


def _bare(programme: str) -> str:
    document = yaml.safe_load(programme)
    document["channels"] = {name: document["channels"][name] for name in BARE}
    return yaml.safe_dump(document, sort_keys=False)
