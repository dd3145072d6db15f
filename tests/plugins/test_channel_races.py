"""Fifty members in four processes want the last piece at the same moment: one gets it, on every database."""

import json
from collections import Counter
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from core.store import Store
from core.time.clock import SystemClock
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps
from tests.plugins.channel import only, told
from tests.processes.racing import Racers

PROCESSES = 4
CALLERS = 50

PROGRAMME = """
id: mall
currency: CNY
timezone: Asia/Shanghai
channels:
  rewards:
    items:
      - {id: speaker, name: Smart speaker, kind: goods, price: 100, stock: true}
      - {id: credit, name: Phone credit, kind: voucher, price: 100, codes: true}
  lottery:
    pools:
      - id: wheel
        name: Lucky wheel
        price: 100
        sold_out: none
        prizes:
          - {id: car, name: Car, kind: goods, weight: 1, stock: 1}
          - {id: none, name: Nothing, kind: nothing, weight: 0}
      - id: three
        name: Three prizes
        price: 20
        sold_out: none
        prizes:
          - {id: cup, name: Cup, kind: goods, weight: 1, stock: 5}
          - {id: mug, name: Mug, kind: goods, weight: 1, stock: 5}
          - {id: tea, name: Tea, kind: goods, weight: 1, stock: 5}
          - {id: none, name: Nothing, kind: nothing, weight: 0}
"""


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return only("rewards", "lottery", "purchase", "auction", "donation", "gift")


@pytest.fixture(scope="module")
def apps(plugins: Plugins) -> Apps:
    return tables(plugins)


async def open_for_all(shop: Shop) -> list[str]:
    """Fifty members with points for one; stock for one; and seeds."""
    members = [f"member {number}" for number in range(CALLERS)]
    for member in members:
        await shop.give(await shop.enrol(member), 100, "opening")
    stock = {"reward": "speaker", "quantity": 1, "idempotencyKey": "one"}
    codes = {"reward": "credit", "codes": ["A", "B", "C"], "idempotencyKey": "three"}
    data = await shop.ask(
        "mutation ($stock: StockRewardInput!, $codes: AddVoucherCodesInput!) {"
        " stockReward(input: $stock) { stockLeft } addVoucherCodes(input: $codes) { stockLeft } }",
        {"stock": stock, "codes": codes},
        role=Role.OPERATOR,
    )
    assert data == {"stockReward": {"stockLeft": 1}, "addVoucherCodes": {"stockLeft": 3}}
    await shop.ask("{ lotteryPools { id } }")
    return members


async def race(racers: Racers, url: str, plugins: Plugins, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of the request of each of its members."""
    outcomes = await racers.run("channels", url, processes=PROCESSES, plugins=plugins.names, requests=requests)
    assert len(outcomes) == sum(len(request["members"]) for request in requests)
    assert [outcome for outcome in outcomes if "error" in outcome] == []
    return outcomes


async def run(racers: Racers, url: str, plugins: Plugins, **request: Any) -> tuple[list[dict[str, Any]], int]:
    """The outcomes, and the points that all members have afterwards; the books are in order."""
    async with open_shop(url, PROGRAMME, plugins=plugins, now=SystemClock().now()) as shop:
        members = await open_for_all(shop)
    outcomes = await race(racers, url, plugins, {"members": members, **request})
    async with open_shop(url, None, plugins=plugins, now=SystemClock().now()) as shop:
        assert await verify(Store().reader()) == []
        ((points,),) = await shop.laurel.store.reader().query("SELECT SUM(credited - debited) FROM account")
    return outcomes, int(points)


async def test_of_fifty_who_want_the_last_piece_one_gets_it(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    outcomes, points = await run(racers, fresh_database, plugins, kind="redeem_reward", reward="speaker")

    assert Counter(outcome["refusal"] for outcome in outcomes) == {None: 1, "REWARD_SOLD_OUT": CALLERS - 1}
    assert points == 100 * (CALLERS - 1)


async def test_of_fifty_who_want_three_codes_three_get_one_each(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    outcomes, points = await run(racers, fresh_database, plugins, kind="redeem_reward", reward="credit")

    assert Counter(outcome["refusal"] for outcome in outcomes) == {None: 3, "REWARD_SOLD_OUT": CALLERS - 3}
    assert points == 100 * (CALLERS - 3)
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        given = await shop.laurel.store.reader().query("SELECT codes, order_id FROM reward_order ORDER BY codes")
        assert [json.loads(codes) for codes, _ in given] == [[1], [2], [3]]
        orders = {outcome["id"] for outcome in outcomes if outcome["refusal"] is None}
        assert {order for _, order in given} == orders


async def test_of_fifty_draws_that_land_on_the_last_prize_one_wins_it(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    outcomes, points = await run(racers, fresh_database, plugins, kind="draw_lottery", pool="wheel")

    assert Counter(outcome["result"]["prizes"][0] for outcome in outcomes) == {"car": 1, "none": CALLERS - 1}
    assert points == 0


async def test_fifty_who_draw_five_times_each_get_every_prize_as_often_as_there_is_one(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    outcomes, points = await run(racers, fresh_database, plugins, kind="draw_lottery", pool="three", count=5)

    prizes = Counter(prize for outcome in outcomes for prize in outcome["result"]["prizes"])
    # Each of the three is landed on some 83 times.
    assert prizes == {"cup": 5, "mug": 5, "tea": 5, "none": 5 * CALLERS - 15}
    assert points == 0
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        given = await shop.laurel.store.reader().query("SELECT prize, given FROM lottery_given ORDER BY prize")
        assert given == [("cup", 5), ("mug", 5), ("tea", 5)]


MIXED: Final = """
id: mall
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase:
    earn:
      points:
        caps: {programme: {lifetime: 1250}}
        groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]
  auction:
    auctions: [{id: bag, title: A bag, opens: "2020-01-01T00:00:00Z", closes: "2100-01-01T00:00:00Z"}]
  donation: {projects: [{id: trees, title: Trees, goal: 500}]}
  gift: {}
"""


async def test_bids_donations_gifts_and_a_budget_at_once_lose_no_point_and_overdraw_nothing(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    def twenty(name: str) -> list[str]:
        return [f"{name} {number}" for number in range(20)]

    async with open_shop(fresh_database, MIXED, plugins=plugins, now=SystemClock().now()) as shop:
        for member in (*twenty("bidder"), *twenty("donor"), "giver"):
            await shop.give(await shop.enrol(member), 100, "opening")
        for member in (*twenty("buyer"), "bob"):
            await shop.enrol(member)

    outcomes = await race(
        racers,
        fresh_database,
        plugins,
        {"kind": "place_bid", "members": twenty("bidder"), "auction": "bag", "points": 100},
        {"kind": "donate_points", "members": twenty("donor"), "project": "trees", "points": 100},
        {"kind": "give_points", "members": ["giver"] * 20, "to": "bob", "points": 100},
        {"kind": "record_purchase", "members": twenty("buyer"), "reference": "A1", "amount": "100.00"},
    )

    assert Counter((outcome["kind"], outcome["refusal"]) for outcome in outcomes) == {
        ("bid", None): 1,
        ("bid", "BID_TOO_LOW"): 19,
        ("donate", None): 5,
        ("donate", "DONATION_GOAL_REACHED"): 15,
        ("give", None): 1,
        ("give", "INSUFFICIENT_POINTS"): 19,
        ("record", None): 20,
    }
    earned = [outcome["result"]["awards"]["points"] for outcome in outcomes if outcome["kind"] == "record"]
    assert sorted(earned, reverse=True) == [100] * 12 + [50] + [0] * 7
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        await told(shop)
        assert await verify(Store().reader()) == []
        ((points, held),) = await shop.laurel.store.reader().query(
            "SELECT SUM(credited - debited), SUM(held) FROM account"
        )
        assert (int(points), int(held)) == (41 * 100 - 500 + 1250, 100)
        bob = await shop.ask('{ member(by: {externalId: "bob"}) { points { available } } }')
        assert bob["member"]["points"] == {"available": 100}
