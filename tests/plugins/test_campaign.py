"""Campaigns through the schema: the bonus, its budget, and what refunds leave of both."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import only, reverse
from tests.plugins.orders import balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "campaign")
JUNE: Final = datetime(2026, 6, 1, 4, tzinfo=UTC)
SALE: Final = '{from: "2026-06-01T00:00:00+08:00", to: "2026-06-21T00:00:00+08:00"}'
TENTH: Final = "{groups: [{id: tenth, add: sum, rules: [{id: of, points: earned * 0.1}]}]}"


def fixed(points: int, when: str = "true") -> str:
    return f'{{groups: [{{id: fix, add: sum, rules: [{{id: all, when: "{when}", points: {points}}}]}}]}}'


def campaigns(*sections: str, top: str = "") -> str:
    return document(f"  campaign: {{campaigns: [{', '.join(sections)}]}}", top=top)


def campaign(name: str = "sale618", bonus: str = TENTH, **more: Any) -> str:
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f"{{id: {name}, title: Sale, bonus: {bonus}{rest}}}"


BONUSES: Final = "campaignBonuses { nodes { campaign order worth given left cut { cap points } } }"


async def bonuses(shop: Shop, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await of_member(shop, member, BONUSES))["campaignBonuses"]["nodes"]
    return found


async def budget(shop: Shop) -> dict[str, Any]:
    (found,) = (await shop.ask("{ campaigns { budget { total used left } } }"))["campaigns"]
    left: dict[str, Any] = found["budget"]
    return left


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """A shop with a tenth more during 618, at most 100 points for everybody together, on every database."""
    async with shop_at(fresh_database, campaigns(campaign(valid=SALE, budget=100)), PLUGINS, JUNE) as shop:
        yield shop


async def test_618_adds_a_tenth_of_what_the_order_earned(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    await buy(shop, ann, "A1", "299.90")

    assert await balance(shop, ann) == 299 + 29
    assert await bonuses(shop, ann) == [
        {"campaign": "sale618", "order": "A1", "worth": 29, "given": 29, "left": 29, "cut": []}
    ]
    assert await budget(shop) == {"total": 100, "used": 29, "left": 71}


async def test_when_the_budget_is_used_up_the_rest_is_cut_off_and_said_so(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await buy(shop, ann, "A1", "700.00")

    await buy(shop, bob, "B1", "500.00")
    await buy(shop, bob, "B2", "500.00")

    assert await balance(shop, bob) == 1000 + 30
    cuts = [(each["order"], each["given"], each["cut"]) for each in await bonuses(shop, bob)]
    assert cuts == [("B2", 0, [{"cap": "budget", "points": 50}]), ("B1", 30, [{"cap": "budget", "points": 20}])]
    assert await budget(shop) == {"total": 100, "used": 100, "left": 0}
    assert await verify(shop.laurel.store.reader()) == []


async def test_orders_at_once_never_overspend_the_budget(shop: Shop) -> None:
    members = [await shop.enrol(f"member {number}") for number in range(20)]

    await asyncio.gather(*(buy(shop, member, f"of {member}", "70.00") for member in members))

    given = [each["given"] for member in members for each in await bonuses(shop, member)]
    assert sorted(given) == [0] * 5 + [2] + [7] * 14
    assert await budget(shop) == {"total": 100, "used": 100, "left": 0}


async def test_a_refund_takes_the_bonus_back_in_proportion_and_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "300.00")

    await send_back(shop, ann, "A1", "100.00")
    assert (await bonuses(shop, ann))[0]["left"] == 20
    assert await balance(shop, ann) == 220
    assert await budget(shop) == {"total": 100, "used": 20, "left": 80}

    await send_back(shop, ann, "A1", "50.00")
    await send_back(shop, ann, "A1")
    assert await balance(shop, ann) == 0
    assert await budget(shop) == {"total": 100, "used": 0, "left": 100}
    assert await verify(shop.laurel.store.reader()) == []


async def test_a_reversal_of_the_order_takes_the_bonus_with_it_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    transaction = await buy(shop, ann, "A1", "300.00")

    await reverse(shop, transaction)

    assert await balance(shop, ann) == 0
    assert (await bonuses(shop, ann))[0]["left"] == 0
    assert await budget(shop) == {"total": 100, "used": 0, "left": 100}


async def test_parts_of_a_bonus_that_the_budget_cut_come_back_only_when_the_rest_is_worth_less(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "2000.00")  # worth 200, of which 100 were there

    await send_back(shop, ann, "A1", "900.00")
    assert (await bonuses(shop, ann))[0]["left"] == 100

    await send_back(shop, ann, "A1", "600.00")
    assert (await bonuses(shop, ann))[0]["left"] == 50


@pytest.mark.parametrize(
    ("at", "bonus"),
    [
        ("2026-05-31T23:59:59+08:00", 0),
        ("2026-06-01T00:00:00+08:00", 10),
        ("2026-06-20T23:59:59+08:00", 10),
        ("2026-06-21T00:00:00+08:00", 0),
    ],
)
async def test_the_window_is_in_the_offset_it_was_written_in(quick_url: str, at: str, bonus: int) -> None:
    async with shop_at(quick_url, campaigns(campaign(valid=SALE)), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        shop.clock.set(datetime.fromisoformat(at))
        await buy(shop, ann, "A1", "100.00")

        assert await balance(shop, ann) == 100 + bonus


async def test_an_order_of_the_sale_that_is_recorded_later_is_of_the_sale(quick_url: str) -> None:
    async with shop_at(quick_url, campaigns(campaign(valid=SALE)), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        shop.clock.set(JUNE + timedelta(days=60))
        await buy(shop, ann, "A1", "100.00", occurredAt="2026-06-05T12:00:00+08:00")

        assert await balance(shop, ann) == 110


async def test_a_bonus_whose_condition_is_not_met_any_more_is_taken_back_whole(quick_url: str) -> None:
    at_500 = fixed(100, "order.amount >= 500")
    async with shop_at(quick_url, campaigns(campaign(bonus=at_500)), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "600.00")
        assert await balance(shop, ann) == 700

        await send_back(shop, ann, "A1", "100.00")
        assert await balance(shop, ann) == 600
        await send_back(shop, ann, "A1", "0.01")
        assert await balance(shop, ann) == 499


async def test_a_fixed_bonus_can_be_taken_back_in_proportion(quick_url: str) -> None:
    document = campaigns(campaign(bonus=fixed(100), refunds="proportion", budget=1000))
    async with shop_at(quick_url, document, PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "300.00")

        left = []
        for number in range(3):
            await send_back(shop, ann, "A1", "100.00", reference=f"R{number}")
            left.append((await bonuses(shop, ann))[0]["left"])

        assert left == [66, 33, 0]
        assert await balance(shop, ann) == 0


async def test_conditions_see_category_tier_and_tags(quick_url: str) -> None:
    by_line = (
        "{groups: [{id: tea, per: line, add: sum, rules: ["
        "{id: fresh, when: \"line.category == 'tea' and 'new' in line.tags\", points: line.amount}]},"
        " {id: tier, multiply: best, rules: [{id: gold, when: \"member.tier == 'gold'\", factor: 2}]}]}"
    )
    tiers = "tiers: {window: lifetime, ladder: [{id: regular}, {id: gold, all: [{fact: orders, at_least: 1}]}]}"
    lines = [
        {"sku": "T1", "category": "tea", "amount": "30.00", "tags": ["new"]},
        {"sku": "T2", "category": "tea", "amount": "50.00"},
        {"sku": "C1", "category": "cup", "amount": "20.00", "tags": ["new"]},
    ]
    async with shop_at(quick_url, campaigns(campaign(bonus=by_line), top=tiers), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "100.00", lines=lines)
        await buy(shop, ann, "A2", "100.00", lines=lines)

        assert [each["given"] for each in await bonuses(shop, ann)] == [60, 30]
        await send_back(shop, ann, "A2", lines=[{"line": 3}])
        assert (await bonuses(shop, ann))[0]["left"] == 60, "the cup brought nothing"


async def test_caps_of_a_member_come_before_the_budget(quick_url: str) -> None:
    capped = TENTH.replace("{groups", "{caps: {order: 20, day: 30}, groups", 1)
    async with shop_at(quick_url, campaigns(campaign(bonus=capped, budget=25)), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "300.00")
        await buy(shop, ann, "A2", "300.00")

        assert [(each["given"], each["cut"]) for each in await bonuses(shop, ann)] == [
            (5, [{"cap": "order", "points": 10}, {"cap": "day", "points": 10}, {"cap": "budget", "points": 5}]),
            (20, [{"cap": "order", "points": 10}]),
        ]


async def test_two_campaigns_at_once_add_up(quick_url: str) -> None:
    document = campaigns(campaign("sale", budget=15), campaign("anniversary", fixed(8), budget=10))
    async with shop_at(quick_url, document, PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await asyncio.gather(*(buy(shop, ann, f"A{number}", "100.00") for number in range(3)))

        assert await balance(shop, ann) == 300 + 15 + 10


async def test_campaigns_are_listed_with_where_they_stand(quick_url: str) -> None:
    document = campaigns(campaign(valid=SALE), campaign("always", fixed(1), budget=5))
    async with shop_at(quick_url, document, PLUGINS) as shop:
        query = "{ campaigns { name title status opensAt closesAt budget { left } } }"
        always = {
            "name": "always", "title": "Sale", "status": "OPEN", "opensAt": None, "closesAt": None,
            "budget": {"left": 5},
        }  # fmt: skip
        for days, status in ((0, "AHEAD"), (150, "OPEN"), (200, "OVER")):
            shop.clock.set(datetime(2026, 1, 5, 4, tzinfo=UTC) + timedelta(days=days))
            assert (await shop.ask(query))["campaigns"] == [
                {
                    "name": "sale618", "title": "Sale", "status": status, "opensAt": "2026-05-31T16:00:00Z",
                    "closesAt": "2026-06-20T16:00:00Z", "budget": None,
                },
                always,
            ]  # fmt: skip


async def test_without_the_section_nothing_is_added(quick_url: str) -> None:
    async with shop_at(quick_url, document(""), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "100.00")

        assert await balance(shop, ann) == 100
        assert await bonuses(shop, ann) == []
        assert (await shop.ask("{ campaigns { name } }"))["campaigns"] == []


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ([campaign(), campaign()], "id 'sale618' is used twice"),
        ([campaign(budget=-1)], "greater than or equal to 0"),
        ([campaign(budget='"100"')], "valid integer"),
        ([campaign(refunds="never")], "'never' is not 'rework' or 'proportion'"),
        ([campaign(bonus=TENTH.replace("earned", "earnt"))], "did you mean"),
        ([campaign(valid='{from: "2026-06-01T00:00:00"}')], "not an instant with its offset"),
        ([], "at least 1 item"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(sections: list[str], said: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(campaigns(*sections), PLUGINS.settings)

    assert said in str(refused.value)
