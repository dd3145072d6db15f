"""What orders earn, through the schema: the documents' own numbers (E1 to E4, E12, E16 and E17)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"
RECORD: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  awards { unit given } member { tier { code } points { available pending } } errors { code } } }"""
JULY: Final = datetime(2026, 7, 2, 4, tzinfo=UTC)
JUNE_18: Final = datetime(2026, 6, 18, 4, tzinfo=UTC)

Programme = Callable[[str], AbstractAsyncContextManager[Shop]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("orders"))


@pytest.fixture
def programme(folder: SqliteFolder) -> Programme:
    """Opens a shop in July with a programme, or with the example of that name."""
    every = load_plugins()
    url = folder.migrated(tables(every))

    def opened(document: str) -> AbstractAsyncContextManager[Shop]:
        if "\n" not in document:
            document = (PROGRAMMES / f"{document}.yaml").read_text()
        return open_shop(url, document, plugins=every, now=JULY)

    return opened


def earning(rules: str, *, more: str = "") -> str:
    """A programme in which an order earns by these rules."""
    return (
        "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
        f"channels: {{purchase: {{earn: {{points: {{{more} groups: [{rules}]}}}}}}}}\n"
    )


_references = count()


async def buys(shop: Shop, member: str, amount: str, **more: Any) -> int:
    """The points that an order brings."""
    return int((await bought(shop, member, amount, **more))["awards"][0]["given"])


async def bought(shop: Shop, member: str, amount: str, **more: Any) -> dict[str, Any]:
    reference = f"A{next(_references)}"
    paid = {"amount": {"amount": amount, "currency": "CNY"}, "reference": reference, "idempotencyKey": reference}
    answer = (await shop.ask(RECORD, {"input": {"member": {"id": member}, **paid, **more}}))["recordPurchase"]
    assert answer["errors"] == []
    answer["awards"].sort(key=lambda award: award["unit"] != "points")
    return dict(answer)


def line(amount: str, quantity: str = "1", **more: Any) -> dict[str, Any]:
    return {"sku": "one", "quantity": quantity, "amount": amount, **more}


@pytest.mark.parametrize(
    ("shop", "amount", "order", "points"),
    [
        ("beauty-brand", "100.00", {}, 100),
        ("template-plan", "100.00", {}, 10),
        ("coffee-shop", "60.00", {"lines": [line("40.00", "2", category="coffee"), line("20.00")]}, 20),
        ("mother-baby", "100.00", {"category": "milk_powder"}, 120),
        ("mother-baby", "100.00", {"category": "toys"}, 100),
        ("sme", "100.00", {"lines": [line("100.00")]}, 200),  # bronze members double
        ("sme", "100.00", {"lines": [line("100.00", tags=["new"])]}, 400),  # and new products, too
    ],
)
async def test_an_order_brings_what_the_documents_say(
    programme: Programme, shop: str, amount: str, order: dict[str, Any], points: int
) -> None:
    async with programme(shop) as opened:
        ann = await opened.enrol("ann")

        assert await buys(opened, ann, amount, **order) == points


async def test_an_order_of_100_brings_10_and_one_of_200_brings_25(programme: Programme) -> None:
    steps = """{id: steps, add: sum, rules: [
        {id: hundred, when: "order.amount >= 100 and order.amount < 200", points: 10},
        {id: two, when: "order.amount >= 200", points: 25}]}"""
    async with programme(earning(steps)) as shop:
        ann = await shop.enrol("ann")

        brought = [await buys(shop, ann, amount) for amount in ("99.99", "100.00", "199.99", "200.00")]
        assert brought == [0, 10, 10, 25]


async def test_the_first_order_of_a_new_customer_is_doubled(programme: Programme) -> None:
    first = """{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]},
        {id: first, multiply: best, rules: [{id: double, when: "order.first", factor: 2}]}"""
    async with programme(earning(first)) as shop:
        ann = await shop.enrol("ann")

        assert [await buys(shop, ann, "100.00") for _ in range(2)] == [200, 100]


async def test_gold_brings_five_percent_on_top_of_the_category_and_of_618_rounded_once(programme: Programme) -> None:
    async with programme("mother-baby") as shop:
        shop.clock.set(JUNE_18 - timedelta(days=60))
        ann = await shop.enrol("ann")
        climbed = [await bought(shop, ann, "500.00") for _ in range(10)]
        usual = await buys(shop, ann, "99.90", category="milk_powder")
        shop.clock.set(JUNE_18)
        sale = await buys(shop, ann, "99.90", category="milk_powder")

        assert climbed[-1]["member"]["tier"]["code"] == "gold"
        assert usual == 125  # 99.90 x 1.2 x 1.05 = 125.874
        assert sale == 138  # x 1.1 = 138.4614


async def test_caps_of_an_order_and_of_a_day(programme: Programme) -> None:
    async with programme("mother-baby") as shop:
        ann = await shop.enrol("ann")
        today = [await buys(shop, ann, "6000.00") for _ in range(3)]
        shop.clock.advance(timedelta(days=1))

        assert today == [5000, 3000, 0]
        assert await buys(shop, ann, "100.00") > 0


async def test_an_order_on_the_birthday_is_doubled(programme: Programme) -> None:
    doubled = """{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]},
        {id: birthday, multiply: best, rules: [{id: double, when: "member.birthday_today", factor: 2}]}"""
    async with programme(earning(doubled)) as shop:
        said = {"externalId": "ann", "birthday": date(1990, 7, 2).isoformat(), "idempotencyKey": "enrol"}
        enrolled = await shop.ask(
            "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } } }", {"input": said}
        )
        ann = enrolled["enrolMember"]["member"]["id"]
        on_the_day = await buys(shop, ann, "100.00")
        shop.clock.advance(timedelta(days=1))

        assert (on_the_day, await buys(shop, ann, "100.00")) == (200, 100)


async def test_points_wait_until_the_goods_cannot_come_back(programme: Programme) -> None:
    spend = '{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}'
    async with programme(earning(spend, more="pending: {days: 14},")) as shop:
        ann = await shop.enrol("ann")
        first = await bought(shop, ann, "100.00")
        shop.clock.advance(timedelta(days=14))
        second = await bought(shop, ann, "10.00")

        assert first["member"]["points"] == {"available": 0, "pending": 100}
        assert second["member"]["points"] == {"available": 100, "pending": 10}
