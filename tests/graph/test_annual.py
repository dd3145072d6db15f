"""A member's year: what was earned, spent, lost and done, by the programme's calendar."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from tests.databases import Apps
from tests.graph.test_statements import statements
from tests.plugins.channel import only
from tests.plugins.orders import buy, of_member, send_back

PLUGINS: Final = only("purchase", "sign_in")
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 2}
point_value: "0.01"
tiers:
  ladder: [{id: regular}, {id: gold, all: [{fact: spend, at_least: 100}]}]
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}}}
  sign_in: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5}]}]}}}
"""
SHOWN: Final = """beginsAt endsAt isOver earned growthEarned spent expired saved { amount currency }
  orders spend { amount }
  months { month pointsEarned orders spend { amount } } bestMonth { month } tierChanges { tier { code } }
  counted { name amount } highlights { channel name amount title zh: title(locale: ZH) }"""
SIGN_IN: Final = "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { code } } }"
REDEEM: Final = "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """It is just before midnight of the last day of 2025 in Shanghai."""
    now = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS, now=now) as shop:
        yield shop


def at(shop: Shop, year: int, month: int, day: int) -> None:
    shop.clock.advance(datetime(year, month, day, 4, tzinfo=UTC) - shop.clock.now())


async def report(shop: Shop, member: str, year: int) -> Any:
    return (await of_member(shop, member, f"annualReport(year: {year}) {{ {SHOWN} }}"))["annualReport"]


async def live(shop: Shop) -> str:
    """A year with orders, refunds, a redemption, points that lapse and three days on which the member signed in."""
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A0", "7.00")
    at(shop, 2026, 1, 1)
    await buy(shop, ann, "A1", "40.00")
    for day in (2, 3, 5):
        at(shop, 2026, 2, day)
        given = {"member": {"id": ann}, "idempotencyKey": f"day {day}"}
        assert (await shop.ask(SIGN_IN, {"input": given}))["recordSignIn"]["errors"] == []
    redeem = {"member": {"id": ann}, "points": 30, "idempotencyKey": "redeem"}
    assert (await shop.ask(REDEEM, {"input": redeem}))["redeemPoints"]["errors"] == []
    at(shop, 2026, 6, 1)
    await shop.laurel.jobs.run("expire")
    await buy(shop, ann, "A2", "80.00")
    await buy(shop, ann, "A3", "9.00")
    await send_back(shop, ann, "A3")
    return ann


async def test_a_year_says_what_was_earned_spent_lost_and_done(shop: Shop) -> None:
    ann = await live(shop)

    assert await report(shop, ann, 2026) == {
        "beginsAt": "2025-12-31T16:00:00Z",
        "endsAt": "2026-12-31T16:00:00Z",
        "isOver": False,
        "earned": 40 + 15 + 80,
        "growthEarned": 0,
        "spent": 30,
        "expired": 7 + 40 + 15 - 30,
        "saved": {"amount": "0.30", "currency": "CNY"},
        "orders": 2,
        "spend": {"amount": "120.00"},
        "months": [
            {"month": 1, "pointsEarned": 40, "orders": 1, "spend": {"amount": "40.00"}},
            {"month": 2, "pointsEarned": 15, "orders": 0, "spend": {"amount": "0.00"}},
            {"month": 6, "pointsEarned": 80, "orders": 1, "spend": {"amount": "80.00"}},
        ],
        "bestMonth": {"month": 6},
        "tierChanges": [{"tier": {"code": "gold"}}],
        "counted": [{"name": "sign_ins", "amount": 3}],
        "highlights": [
            {
                "channel": "sign_in",
                "name": "longest_streak",
                "amount": 2,
                "title": "days in a row on which you signed in",
                "zh": "最长连续签到天数",
            }
        ],
    }
    last = await report(shop, ann, 2025)
    assert (last["isOver"], last["earned"], last["orders"], last["tierChanges"]) == (
        True,
        7,
        1,
        [{"tier": {"code": "regular"}}],
    )


async def test_there_is_no_year_before_the_membership_and_none_in_the_future(shop: Shop) -> None:
    ann = await live(shop)

    assert await report(shop, ann, 2024) is None
    assert await report(shop, ann, -5) is None
    for year in (2027, 2_000_000_000):
        query = f"query ($id: ID!) {{ member(by: {{id: $id}}) {{ annualReport(year: {year}) {{ earned }} }} }}"
        (error,) = (await shop.post(query, {"id": ann}))["errors"]
        assert error["extensions"]["code"] == "INVALID_VALUE"


async def test_a_year_in_which_nothing_happened_is_empty(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    at(shop, 2027, 3, 1)

    found = await report(shop, ann, 2026)

    assert (found["earned"], found["months"], found["bestMonth"], found["highlights"]) == (0, [], None, [])


async def test_a_page_of_members_costs_a_fixed_number_of_statements(shop: Shop) -> None:
    if "sqlite" not in shop.laurel.settings.database_url:
        pytest.skip("statements are counted on SQLite")
    for number in range(10):
        await buy(shop, await shop.enrol(f"m{number}"), f"A{number}", "110.00")
    counted = []
    for first in (1, 10):
        year = f"annualReport(year: 2025) {{ {SHOWN} }}"
        query = f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {year} }} }} }}"
        async with statements() as seen:
            await shop.ask(query, {"first": first})
        counted.append(len(seen))

    assert counted[0] == counted[1] <= 6
