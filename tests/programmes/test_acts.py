"""What the example programmes give for acts other than buying: the documents' own numbers (E5 to E8)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import standing

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"

Programme = Callable[[str], AbstractAsyncContextManager[Shop]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("programmes"))


@pytest.fixture
def programme(folder: SqliteFolder) -> Programme:
    """Opens a shop with an example programme and every channel there is."""
    every = load_plugins()
    url = folder.migrated(tables(every))
    return lambda name: open_shop(url, (PROGRAMMES / f"{name}.yaml").read_text(), plugins=every)


async def act(shop: Shop, mutation: str, more: str = "", role: Role = Role.SERVICE, **said: Any) -> dict[str, Any]:
    """The answer to a mutation that must not be refused."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} {more} }} }}"
    said = {"idempotencyKey": f"{mutation} at {shop.clock.now()} {said}"[:200], **said}
    answer: dict[str, Any] = (await shop.ask(query, {"input": said}, role=role))[mutation]
    assert answer["errors"] == []
    return answer


async def signs_in(shop: Shop, member: str, days: int) -> list[int]:
    """What each of so many days in a row brings, from today on."""
    brought = []
    for _ in range(days):
        before, _ = await standing(shop, member)
        await act(shop, "recordSignIn", member={"id": member})
        after, _ = await standing(shop, member)
        brought.append(after - before)
        shop.clock.advance(timedelta(days=1))
    return brought


async def reviews(shop: Shop, member: str, order: str, pictures: int) -> None:
    content = {"rating": 5, "length": 30, "pictures": pictures}
    answer = await act(
        shop, "submitReview", "review { id }", member={"id": member}, reference=order, order=order, content=content
    )
    await act(shop, "approveReview", review=answer["review"]["id"], role=Role.OPERATOR)


async def test_small_business_gives_50_20_and_10_a_share_at_most_three_times(programme: Programme) -> None:
    async with programme("sme") as shop:
        ann = await shop.enrol("ann")
        await act(shop, "completeProfileSection", member={"id": ann}, section="basics")
        for item in ("tea", "rice", "soap"):
            await act(shop, "recordShare", member={"id": ann}, item=item)
        refused = await shop.ask(
            "mutation ($input: RecordShareInput!) { recordShare(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "item": "oil", "idempotencyKey": "fourth"}},
        )

        assert refused["recordShare"]["errors"] == [{"code": "SHARES_USED_UP"}]
        assert (await standing(shop, ann))[0] == 50 + 20 + 3 * 10
        assert await signs_in(shop, ann, 6) == [1, 2, 3, 4, 5, 5]


async def test_mother_and_baby_shop_gives_5_a_day_55_on_every_seventh_and_20_for_a_picture(
    programme: Programme,
) -> None:
    async with programme("mother-baby") as shop:
        ann = await shop.enrol("ann")
        await reviews(shop, ann, "A1", pictures=1)
        await reviews(shop, ann, "A2", pictures=0)

        assert (await standing(shop, ann))[0] == 20
        assert await signs_in(shop, ann, 14) == [5] * 6 + [55] + [5] * 6 + [55]


async def test_beauty_brand_gives_50_30_20_and_10(programme: Programme) -> None:
    async with programme("beauty-brand") as shop:
        ann = await shop.enrol("ann")
        await act(shop, "completeProfileSection", member={"id": ann}, section="skin")
        await reviews(shop, ann, "A1", pictures=0)
        await act(shop, "recordShare", member={"id": ann}, item="serum")

        assert (await standing(shop, ann))[0] == 50 + 30 + 20 + 10
