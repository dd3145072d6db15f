"""The tiers of the example programmes: their documents' numbers, and years of rising, slacking and being saved."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import pytest

from core.oversight.verify import verify
from core.time.calendar import local_day
from core.time.clock import instant
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
RECORD: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  member { tier { code } } errors { message } } }"""
STANDING: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  tier { code } points { available }
  tierHistory { tier { code } cause at }
  progress { criteria { fact current } }
} } }"""
GIFTS: Final = "query ($id: ID!) { node(id: $id) { ... on Member { tierGifts { tier givenAt isAhead } } } }"

Programme = Callable[[str], AbstractAsyncContextManager[Shop]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("tiers"))


@pytest.fixture
def programme(folder: SqliteFolder) -> Programme:
    """Opens a shop with an example programme and every channel there is, at the beginning of 2027."""
    every = load_plugins()
    url = folder.migrated(tables(every))
    return lambda name: open_shop(url, (PROGRAMMES / f"{name}.yaml").read_text(), plugins=every, now=at("2027-01-01"))


def at(day: str, clock: str = "10:00") -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), SHANGHAI).astimezone(UTC)


_references = count()


async def buys(shop: Shop, member: str, amount: str, orders: int = 1) -> str:
    """So many orders of that amount; the member's tier after the last."""
    for _ in range(orders):
        reference = f"T{next(_references)}"
        order = {
            "member": {"id": member},
            "reference": reference,
            "idempotencyKey": reference,
            "amount": {"amount": amount, "currency": "CNY"},
        }
        answer = (await shop.ask(RECORD, {"input": order}))["recordPurchase"]
        assert answer["errors"] == []
    return str(answer["member"]["tier"]["code"])


async def standing(shop: Shop, member: str) -> Any:
    return (await shop.ask(STANDING, {"id": member}))["node"]


async def told(shop: Shop) -> dict[str, list[tuple[str, str]]]:
    """Every event of tiers but for changes, with its local day, by member."""
    rows = await shop.laurel.store.reader().query(
        "SELECT m.external_id, o.effective_at, o.result FROM operation o JOIN member m ON m.id = o.member_id"
        " ORDER BY o.effective_at, o.id"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for name, when, result in rows:
        for event in orjson.loads(result).get("events", ()):
            if event["name"].startswith("tier.") and event["name"] != "tier.changed":
                found.setdefault(name, []).append((event["name"], str(local_day(instant(when), SHANGHAI))))
    return found


# -- the documents' numbers ---------------------------------------------------------------------------

BOUNDARIES: Final[Mapping[str, Sequence[tuple[int, str]]]] = {
    # By points earned, the least and the most of each tier with one less and one more; joining brings 50 of them.
    "sme": [
        (499, "bronze"),
        (500, "bronze"),
        (501, "silver"),
        (502, "silver"),
        (1499, "silver"),
        (1500, "silver"),
        (1501, "gold"),
        (1502, "gold"),
        (2999, "gold"),
        (3000, "gold"),
        (3001, "diamond"),
        (3002, "diamond"),
    ],
    # 1000 for the first tier, and 3000 more for the second.
    "mini-programme": [
        (0, "member"),
        (999, "member"),
        (1000, "silver"),
        (1001, "silver"),
        (3999, "silver"),
        (4000, "gold"),
        (4001, "gold"),
    ],
}


@pytest.mark.parametrize("name", BOUNDARIES)
async def test_points_reach_a_tier_exactly_at_its_least_number(programme: Programme, name: str) -> None:
    async with programme(name) as shop:
        for points, tier in BOUNDARIES[name]:
            member = await shop.enrol(f"m{points}")
            begun = (await standing(shop, member))["points"]["available"]
            if points > begun:
                await shop.give(member, points - begun, f"g{points}")
            assert ((await standing(shop, member))["tier"]["code"], points) == (tier, points)


Orders = Sequence[tuple[str, int]]


def growth(amount: int) -> Orders:
    """So much growth by thirty orders, which is often enough for every tier."""
    return [("1.00", 29), (f"{amount - 29}.00", 1)]


def often(orders: int) -> Orders:
    """So many orders, with growth enough for every tier."""
    return [("20000.00", 1), ("1.00", orders - 1)]


ORDERS: Final[Mapping[str, Sequence[tuple[Orders, str]]]] = {
    # By what was spent, to the cent.
    "beauty-shop": [
        ([("999.99", 1)], "regular"),
        ([("1000.00", 1)], "silver"),
        ([("1000.01", 1)], "silver"),
        ([("4999.99", 1)], "silver"),
        ([("5000.00", 1)], "gold"),
        ([("5000.01", 1)], "gold"),
        ([("19999.99", 1)], "gold"),
        ([("20000.00", 1)], "platinum"),
        ([("20000.01", 1)], "platinum"),
    ],
    # Growth alone reaches nothing, and neither does frequency. A growth is a whole yuan.
    "growth-tiers": [
        *((growth(amount), "regular") for amount in (998, 999)),
        *((growth(amount), "silver") for amount in (1_000, 1_001, 4_999)),
        *((growth(amount), "gold") for amount in (5_000, 5_001, 19_999)),
        *((growth(amount), "platinum") for amount in (20_000, 20_001)),
        *((often(orders), "regular") for orders in (1, 2)),
        *((often(orders), "silver") for orders in (3, 4, 9)),
        *((often(orders), "gold") for orders in (10, 11, 29)),
        *((often(orders), "platinum") for orders in (30, 31)),
        ([("499.90", 10)], "silver"),
    ],
    # Two orders a month are silver, and more than 200 an order is gold; what an order gives is too little for either.
    "sme": [
        ([("20.00", 1)], "bronze"),
        ([("20.00", 2)], "silver"),
        ([("20.00", 3)], "silver"),
        ([("199.99", 1)], "bronze"),
        ([("200.00", 1)], "bronze"),
        ([("200.01", 1)], "gold"),
        ([("200.00", 2)], "silver"),
        ([("200.00", 1), ("200.01", 1)], "gold"),
    ],
}


@pytest.mark.parametrize("name", ORDERS)
async def test_orders_reach_a_tier_exactly_at_its_threshold(programme: Programme, name: str) -> None:
    async with programme(name) as shop:
        for number, (orders, tier) in enumerate(ORDERS[name]):
            member = await shop.enrol(f"m{number}")
            for amount, times in orders:
                if times:
                    reached = await buys(shop, member, amount, times)
            assert (reached, orders) == (tier, orders)


# The first order with the rest that is missing for a tier, which comes on the last day of the window or one too late.
WINDOWS: Final[Mapping[str, tuple[Sequence[str], str, str]]] = {
    "beauty-shop": (["999.99"], "0.01", "silver"),
    "growth-tiers": (["500.00", "499.00"], "1.00", "silver"),
    "mini-programme": (["999.00"], "1.00", "silver"),
}


@pytest.mark.parametrize("name", WINDOWS)
async def test_what_counts_for_a_tier_counts_for_twelve_months_and_no_day_longer(
    programme: Programme, name: str
) -> None:
    before, rest, tier = WINDOWS[name]
    async with programme(name) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        shop.clock.set(at("2027-01-10", "23:59"))
        for member in (ann, bob):
            for amount in before:
                entry = await buys(shop, member, amount)
        shop.clock.set(at("2028-01-09", "23:59"))
        in_time = await buys(shop, ann, rest)
        shop.clock.set(at("2028-01-10", "00:00"))
        too_late = await buys(shop, bob, rest)

    assert (in_time, too_late) == (tier, entry)


async def test_two_orders_count_as_of_one_month_up_to_its_last_day(programme: Programme) -> None:
    async with programme("sme") as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        shop.clock.set(at("2027-01-05"))
        await buys(shop, ann, "20.00")
        await buys(shop, bob, "20.00")
        shop.clock.set(at("2027-02-04", "23:59"))
        in_time = await buys(shop, ann, "20.00")
        shop.clock.set(at("2027-02-05", "00:00"))
        too_late = await buys(shop, bob, "20.00")

    assert (in_time, too_late) == ("silver", "bronze")


@pytest.mark.parametrize(
    ("name", "orders", "tier"),
    [
        ("sme", [("300.00", 1), ("300.00", 1)], "gold"),
        ("growth-tiers", [("500.00", 10)], "gold"),
        ("beauty-shop", [("5000.00", 1)], "gold"),
        ("mini-programme", [("4000.00", 1)], "gold"),
    ],
)
async def test_spending_points_moves_no_tier_and_is_no_spend(
    programme: Programme, name: str, orders: Orders, tier: str
) -> None:
    async with programme(name) as shop:
        ann = await shop.enrol("ann")
        for amount, times in orders:
            await buys(shop, ann, amount, times)
        before = await standing(shop, ann)
        redeem = """mutation ($m: ID!, $points: Points!) {
          redeemPoints(input: {member: {id: $m}, points: $points, idempotencyKey: "r"}) { errors { code } } }"""

        spent = await shop.ask(redeem, {"m": ann, "points": before["points"]["available"]})
        after = await standing(shop, ann)
        # What is paid for with points was not spent either: only the rest is.
        paid = {
            "member": {"id": ann},
            "reference": "P1",
            "idempotencyKey": "P1",
            "amount": {"amount": "100.00", "currency": "CNY"},
            "paidWithPoints": {"points": 6000, "amount": "60.00"},
        }
        await shop.give(ann, 6000, "g")
        base = await counted(shop)
        assert (await shop.ask(RECORD, {"input": paid}))["recordPurchase"]["errors"] == []

        assert spent == {"redeemPoints": {"errors": []}}
        assert (before["tier"]["code"], after["points"]["available"]) == (tier, 0)
        assert {**after, "points": None} == {**before, "points": None}
        assert await counted(shop) == {**base, "spend": base["spend"] + 4000, "orders": base["orders"] + 1}
        assert await verify(shop.laurel.store.reader()) == []


async def counted(shop: Shop) -> dict[str, int]:
    """What counts as spending of the only member: money in cents, and orders."""
    sums = await shop.laurel.store.reader().query(
        "SELECT name, SUM(amount) FROM tally WHERE name IN ('spend', 'orders') GROUP BY name"
    )
    return {name: int(amount) for name, amount in sums}


async def test_the_small_business_keeps_a_tier_for_four_fifths_in_the_year_and_lowers_it_by_one(
    programme: Programme,
) -> None:
    async with programme("sme") as shop:
        members = {points: await shop.enrol(f"m{points}") for points in (1_200, 1_201)}
        for member in members.values():
            await shop.give(member, 1_450, "first")
        shop.clock.set(at("2027-01-02"))
        for member in members.values():
            await shop.give(member, 1, "reached")
        shop.clock.set(at("2027-06-01"))
        for points, member in members.items():
            await shop.give(member, points - 1, "in the year")
        shop.clock.set(at("2028-01-02", "00:00"))
        await shop.laurel.jobs.run("tiers")

        history = {points: (await standing(shop, member))["tierHistory"] for points, member in members.items()}
        assert {step["at"] for steps in history.values() for step in steps[2:3]} == {"2027-01-02T02:00:00Z"}
        assert {points: [step["tier"]["code"] for step in steps] for points, steps in history.items()} == {
            1_200: ["bronze", "silver", "gold", "silver"],
            1_201: ["bronze", "silver", "gold"],
        }


# -- three years --------------------------------------------------------------------------------------

LIVES: Final[Mapping[str, Mapping[str, tuple[str, int]]]] = {
    # Rises at once to gold, and to platinum with twenty more; slacks then.
    "ann": {"2027-03-10": ("500.00", 10), "2027-09-10": ("750.00", 20)},
    # Slacks after the first day, and comes back when silver.
    "bob": {"2027-03-10": ("500.00", 10), "2029-06-01": ("500.00", 10)},
    # Slacks, and is saved by a last spurt.
    "cat": {"2027-02-01": ("500.00", 10), "2029-02-20": ("500.00", 9), "2029-02-25": ("600.00", 1)},
}


@pytest.fixture
async def lived(programme: Programme) -> AsyncIterator[tuple[Shop, dict[str, str]]]:
    """Growth and frequency, lived for three years, with the job every five days."""
    async with programme("growth-tiers") as shop:
        members = {name: await shop.enrol(name) for name in LIVES}
        for days in range(3 * 366):
            day = date(2027, 1, 2) + timedelta(days=days)
            shop.clock.set(at(str(day)))
            if days % 5 == 0:
                await shop.laurel.jobs.run("tiers")
            for name, acts in LIVES.items():
                if (act := acts.get(str(day))) is not None:
                    await buys(shop, members[name], *act)
        yield shop, members


async def test_members_rise_slack_are_warned_saved_or_fall_a_step_and_get_no_gift_twice(
    lived: tuple[Shop, dict[str, str]],
) -> None:
    shop, members = lived
    steps = {
        name: [
            (step["tier"]["code"], step["cause"], str(local_day(datetime.fromisoformat(step["at"]), SHANGHAI)))
            for step in (await standing(shop, member))["tierHistory"][1:]
        ]
        for name, member in members.items()
    }
    gifts = {
        name: {gift["tier"]: gift["givenAt"] for gift in (await shop.ask(GIFTS, {"id": member}))["node"]["tierGifts"]}
        for name, member in members.items()
    }

    assert steps == {
        "ann": [
            ("silver", "EARNED", "2027-03-10"),
            ("gold", "EARNED", "2027-03-10"),
            ("platinum", "EARNED", "2027-09-10"),
            ("gold", "REVIEW", "2028-10-10"),
            ("silver", "REVIEW", "2029-11-09"),
        ],
        "bob": [
            ("silver", "EARNED", "2027-03-10"),
            ("gold", "EARNED", "2027-03-10"),
            ("silver", "REVIEW", "2029-04-09"),
            ("gold", "EARNED", "2029-06-01"),
        ],
        "cat": [("silver", "EARNED", "2027-02-01"), ("gold", "EARNED", "2027-02-01")],
    }
    assert await told(shop) == {
        "ann": [
            ("tier.at_risk", "2028-08-11"),
            ("tier.grace_started", "2028-09-10"),
            ("tier.at_risk", "2029-09-10"),
            ("tier.grace_started", "2029-10-10"),
        ],
        "bob": [
            ("tier.renewed", "2028-03-10"),
            ("tier.at_risk", "2029-02-08"),
            ("tier.grace_started", "2029-03-10"),
        ],
        "cat": [
            ("tier.renewed", "2028-02-01"),
            ("tier.at_risk", "2029-01-02"),
            ("tier.grace_started", "2029-02-01"),
            ("tier.renewed", "2029-02-25"),
        ],
    }
    first = "2027-03-10T02:00:00Z"
    assert gifts == {
        "ann": {"silver": first, "gold": first, "platinum": "2027-09-10T02:00:00Z"},
        "bob": {"silver": first, "gold": first, "platinum": None},
        "cat": {"silver": "2027-02-01T02:00:00Z", "gold": "2027-02-01T02:00:00Z", "platinum": None},
    }
    assert await verify(shop.laurel.store.reader()) == []
