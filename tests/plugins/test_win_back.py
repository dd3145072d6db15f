"""Win-back gifts through the schema: who is dormant, how often, and what takes the gift back; on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse
from tests.plugins.orders import BEGIN, balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "sign_in", "win_back")
DAY: Final = timedelta(days=1)
GIFT: Final = "points: 30, dormant_days: 90, expires_days: 14"
SIGN_IN: Final = "  sign_in: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5}]}]}}}\n"


def programme(settings: str = GIFT) -> str:
    return document(f"{SIGN_IN}  win_back: {{{settings}}}")


def opened(url: str, settings: str = GIFT) -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(settings), PLUGINS)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """30 points after 90 days, once a year, on every database."""
    async with opened(fresh_database) as shop:
        yield shop


async def win_back(shop: Shop, member: str) -> Any:
    return (await of_member(shop, member, "winBack { isWaiting points gifts { givenAt points isTakenBack } }"))[
        "winBack"
    ]


async def test_who_comes_back_after_ninety_days_finds_a_gift_to_be_used_soon(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "10.00")
    shop.clock.advance(90 * DAY)
    assert await win_back(shop, ann) == {"isWaiting": True, "points": 30, "gifts": []}

    await buy(shop, ann, "A2", "10.00")
    await buy(shop, ann, "A3", "10.00")

    assert await balance(shop, ann) == 30 + 30
    assert await win_back(shop, ann) == {
        "isWaiting": False,
        "points": 30,
        "gifts": [{"givenAt": "2026-04-05T04:00:00Z", "points": 30, "isTakenBack": False}],
    }
    expiring = (await of_member(shop, ann, "points { expiring { points at } }"))["points"]["expiring"]
    assert expiring == {"points": 30, "at": "2026-04-18T16:00:00Z"}
    assert await verify(shop.laurel.store.reader()) == []


@pytest.mark.parametrize(("days", "gift"), [(89, 0), (90, 30)])
async def test_dormant_is_so_many_days_and_not_one_less(quick_url: str, days: int, gift: int) -> None:
    async with opened(quick_url) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "10.00")
        shop.clock.advance(days * DAY)
        await buy(shop, ann, "A2", "10.00")
        await buy(shop, bob, "B1", "10.00")  # who has never bought, but joined on that day

        assert await balance(shop, ann) == 20 + gift
        assert await balance(shop, bob) == 10 + gift


async def test_there_is_one_gift_in_so_many_months(quick_url: str) -> None:
    async with opened(quick_url, f"{GIFT}, every_months: 6") as shop:
        ann = await shop.enrol("ann")
        gifts = []
        for number in range(5):  # on 5 January, 5 April, 4 July, 2 October, 31 December
            await buy(shop, ann, f"A{number}", "10.00")
            gifts.append(len((await win_back(shop, ann))["gifts"]))
            shop.clock.advance(90 * DAY)

        assert gifts == [0, 1, 1, 1, 2]


async def test_orders_at_once_find_one_gift(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.advance(100 * DAY)

    await asyncio.gather(*(buy(shop, ann, f"A{number}", "10.00") for number in range(5)))

    assert await balance(shop, ann) == 50 + 30


async def test_an_order_that_comes_back_takes_the_gift_with_it_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.advance(100 * DAY)
    await buy(shop, ann, "A1", "10.00")
    await send_back(shop, ann, "A1", "4.00")
    assert await balance(shop, ann) == 6 + 30
    await send_back(shop, ann, "A1")
    assert await balance(shop, ann) == 0
    assert (await win_back(shop, ann))["gifts"][0]["isTakenBack"]

    shop.clock.advance(timedelta(hours=1))
    await buy(shop, ann, "A2", "10.00")
    assert await balance(shop, ann) == 10 + 30
    await reverse(shop, await buy(shop, ann, "A3", "10.00"))
    assert await balance(shop, ann) == 10 + 30, "A2 is still there"
    await send_back(shop, ann, "A2")
    assert await balance(shop, ann) == 0
    assert await verify(shop.laurel.store.reader()) == []


async def test_reversing_the_order_takes_the_gift_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.advance(100 * DAY)

    await reverse(shop, await buy(shop, ann, "A1", "10.00"))

    assert await balance(shop, ann) == 0


async def visit(shop: Shop, member: str) -> None:
    given = {"member": {"id": member}, "idempotencyKey": shop.clock.now().isoformat()}
    answer = await shop.ask(
        "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { code } } }", {"input": given}
    )
    assert answer["recordSignIn"]["errors"] == []


async def test_a_sign_in_can_be_a_return_and_a_sign_of_life(quick_url: str) -> None:
    async with opened(quick_url, f"{GIFT}, activities: [orders, sign_ins]") as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        shop.clock.advance(50 * DAY)
        await visit(shop, ann)
        shop.clock.advance(50 * DAY)
        await visit(shop, bob)
        await buy(shop, ann, "A1", "10.00")

        assert await balance(shop, bob) == 5 + 30
        assert await balance(shop, ann) == 5 + 10, "she was there fifty days ago"


@pytest.mark.parametrize(("late", "gift"), [(7, 30), (8, 0)])
async def test_an_order_may_be_told_up_to_a_week_late(quick_url: str, late: int, gift: int) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        shop.clock.advance(100 * DAY)
        await buy(shop, ann, "A1", "10.00", occurredAt=(BEGIN + (100 - late) * DAY).isoformat())

        assert await balance(shop, ann) == 10 + gift


async def test_a_frozen_member_finds_nothing_and_can_still_send_goods_back(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "10.00")
    shop.clock.advance(100 * DAY)
    await freeze(shop, ann)

    await send_back(shop, ann, "A1")

    assert await balance(shop, ann) == 0


async def test_without_the_section_there_are_no_gifts(quick_url: str) -> None:
    async with shop_at(quick_url, document(SIGN_IN), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        shop.clock.advance(100 * DAY)
        await buy(shop, ann, "A1", "10.00")

        assert await balance(shop, ann) == 10
        assert await win_back(shop, ann) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("points: 30", "dormant_days"),
        ("points: 0, dormant_days: 90", "points, or coupons, or both"),
        ("points: 30, dormant_days: 1", "greater than or equal to 2"),
        (f"{GIFT}, activities: []", "at least 1 item"),
        (f"{GIFT}, activities: [order]", "nobody counts 'order', did you mean 'orders'?"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(settings: str, said: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(programme(settings), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)

    assert said in str(refused.value)
