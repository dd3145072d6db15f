"""What purchases earn by each way of saying it (E1 to E4, E11, E16, E17), through the committer."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.books.lots import Lot
from core.people.membership import EnrolMember, UpdateMember
from graph.laurel import load_document
from plugins.manager import load_plugins
from plugins.purchase.operations import Line
from tests.core.committing import publish
from tests.plugins.conftest import Shops
from tests.plugins.shopping import JULY, Shop, line, programme

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "programmes").glob("*.yaml"))
SPEND = '{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}'
BY_LINE = '{id: base, per: line, add: sum, rules: [{id: spend, points: "line.amount"}]}'


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_programme_can_be_published(file: Path) -> None:
    every = load_plugins()

    loaded = load_document(every, file.read_text())

    assert "purchase" in loaded.channels


CUPS = (
    '{id: b, per: line, add: sum, rules: [{id: r, when: "line.category == \'coffee\'", points: "10 * line.quantity"}]}'
)
CORE = (
    f"{BY_LINE}, {{id: core, per: line, multiply: best, "
    'rules: [{id: x, when: "line.category in core", factor: "1.2"}]}'
)
NEW = f"{BY_LINE}, {{id: new, per: line, multiply: best, rules: [{{id: x, when: \"'new' in line.tags\", factor: 2}}]}}"
STEPS = (
    '{id: b, add: first, rules: [{id: two, when: "order.amount >= 200", points: 25}, '
    '{id: one, when: "order.amount >= 100", points: 10}]}'
)
CENTS = f'{SPEND}, {{id: m, multiply: best, rules: [{{id: x, factor: "1.15"}}]}}'

CASES: list[tuple[str, str, str, list[Line], int]] = [
    ("a point a yuan", SPEND, "88.80", [], 88),
    ("a point for ten", '{id: b, add: sum, rules: [{id: r, points: "floor(order.amount / 10)"}]}', "99.99", [], 9),
    (
        "ten points a cup",
        CUPS,
        "120.00",
        [line("latte", "90.00", 3, category="coffee"), line("cake", "30.00", category="cakes")],
        30,
    ),
    (
        "a multiplier for a category",
        CORE,
        "149.90",
        [line("milk", "100.00", category="milk_powder"), line("toy", "49.90", category="toys")],
        169,
    ),
    ("double for what is new", NEW, "88.80", [line("a", "58.30"), line("b", "30.50", tags=("new",))], 119),
    ("steps, the highest once", STEPS, "200.00", [], 25),
    ("steps, just below", STEPS, "199.99", [], 10),
    ("100 times 1.15 is 115", CENTS, "100.00", [], 115),
    ("a free order", SPEND, "0.00", [], 0),
    ("as the till promised", '{id: b, add: sum, rules: [{id: r, points: "order.promised"}]}', "10.00", [], 7),
]


@pytest.mark.parametrize(
    ("groups", "amount", "lines", "points"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
async def test_an_order_earns(shops: Shops, groups: str, amount: str, lines: list[Line], points: int) -> None:
    async with shops(programme(groups)) as shop:
        result = await shop.buy("A1", amount, *lines, promised=7)

        assert result["awards"] == {"points": points}
        assert await shop.available() == points
        # What was free is no order that counts.
        assert await shop.tally("orders") == (amount != "0.00")


async def test_gifts_and_voided_lines_cost_nothing_and_earn_nothing(shops: Shops) -> None:
    async with shops(programme(BY_LINE)) as shop:
        result = await shop.buy(
            "A1", "50.00", line("a", "50.00"), line("sample", "20.00", gift=True), line("b", "30.00", void=True)
        )

        assert result["awards"] == {"points": 50}


FIRST = f'{SPEND}, {{id: first, multiply: best, rules: [{{id: double, when: "order.first", factor: 2}}]}}'


async def test_only_the_first_order_is_doubled(shops: Shops) -> None:
    async with shops(programme(FIRST)) as shop:
        awards = [(await shop.buy(name, "10.00"))["awards"]["points"] for name in ("A1", "A2", "A3")]

        assert awards == [20, 10, 10]


async def test_the_orders_before_it_can_be_counted(shops: Shops) -> None:
    every_third = '{id: b, add: sum, rules: [{id: third, when: "(member.orders + 1) % 3 == 0", points: 5}]}'
    async with shops(programme(every_third)) as shop:
        awards = [(await shop.buy(f"A{n}", "1.00"))["awards"]["points"] for n in range(6)]

        assert awards == [0, 0, 5, 0, 0, 5]


LADDER = """tiers:
  ladder:
  - {id: regular}
  - {id: gold, all: [{fact: points_earned, at_least: 100}]}
"""
STACKED = (
    f'{SPEND}, {{id: kind, multiply: best, rules: [{{id: core, when: "order.category in core", factor: "1.2"}}]}}, '
    '{id: tier, multiply: best, rules: [{id: gold, when: "member.tier == \'gold\'", factor: "1.05"}]}'
)


async def test_the_tier_multiplies_what_the_category_has_and_both_are_rounded_once(shops: Shops) -> None:
    async with shops(programme(STACKED, top=LADDER)) as shop:
        lifts = await shop.buy("A1", "100.00")
        result = await shop.buy("A2", "299.90", category="milk_powder")

        assert lifts["awards"] == {"points": 100}
        assert result["awards"] == {"points": 377}  # 377.874
        assert [step[0] for step in result["trace"]["points"]] == ["base", "kind", "tier", "rounding"]


CAMPAIGN = (
    f'{SPEND}, {{id: sale, multiply: product, rules: [{{id: june, factor: "1.1", '
    'valid: {from: "2026-06-01T00:00:00+08:00", to: "2026-06-21T00:00:00+08:00"}}]}, '
    '{id: gift, add: sum, rules: [{id: fixed, points: 20, when: "order.amount >= 50", '
    'valid: {from: "2026-06-18T00:00:00+08:00", to: "2026-06-19T00:00:00+08:00"}}]}'
)


@pytest.mark.parametrize(
    ("at", "points"),
    [
        ("2026-05-31T23:59:59+08:00", 100),
        ("2026-06-01T00:00:00+08:00", 110),
        ("2026-06-18T12:00:00+08:00", 130),
        ("2026-06-20T23:59:59+08:00", 110),
        ("2026-06-21T00:00:00+08:00", 100),
    ],
)
async def test_a_campaign_counts_from_its_first_instant_until_just_before_its_last(
    shops: Shops, at: str, points: int
) -> None:
    async with shops(programme(CAMPAIGN)) as shop:
        result = await shop.buy("A1", "100.00", occurred_at=datetime.fromisoformat(at))

        assert result["awards"] == {"points": points}


async def test_what_a_campaign_gave_goes_when_its_condition_is_no_longer_met(shops: Shops) -> None:
    async with shops(programme(CAMPAIGN)) as shop:
        await shop.buy("A1", "60.00", occurred_at=datetime.fromisoformat("2026-06-18T12:00:00+08:00"))

        refund = await shop.send_back("A1", "20.00")

        assert refund["clawed_back"] == {"points": 42}  # 66 + 20 before, 44 after
        assert await shop.balance() == 44


async def test_the_day_and_the_month_of_birth_can_be_asked_for(shops: Shops) -> None:
    groups = (
        f'{SPEND}, {{id: b, multiply: first, rules: [{{id: day, when: "member.birthday_today", factor: 3}}, '
        '{id: month, when: "member.birth_month_now", factor: 2}]}'
    )
    async with shops(programme(groups)) as shop:
        await shop.submit(EnrolMember(**shop.request("ann", {}), birthday=date(1990, 6, 30)))
        days = {"2026-06-29": 20, "2026-06-30": 30, "2026-07-01": 10}
        for day, points in days.items():
            at = datetime.fromisoformat(f"{day}T00:30:00+08:00")  # the day before in UTC
            assert (await shop.buy(day, "10.00", occurred_at=at))["awards"] == {"points": points}


async def test_rules_see_the_tags_of_a_member(shops: Shops) -> None:
    groups = f"{SPEND}, {{id: vip, multiply: best, rules: [{{id: vip, when: \"'vip' in member.tags\", factor: 2}}]}}"
    async with shops(programme(groups)) as shop:
        await shop.buy("A1", "10.00")
        await shop.submit(UpdateMember(**shop.request("ann", {}), attributes={"tags": ["vip"]}))

        assert (await shop.buy("A2", "10.00"))["awards"] == {"points": 20}


# -- caps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caps", "days", "awards"),
    [
        ("{order: 50}", [1, 1, 1], [50, 50, 50]),
        ("{day: 150}", [1, 1, 2], [100, 50, 100]),
        ("{month: 150}", [1, 30, 31], [100, 50, 100]),
        ("{lifetime: 250}", [1, 40, 80, 120], [100, 100, 50, 0]),
        ("{order: 80, day: 100, month: 170}", [1, 1, 2, 3], [80, 20, 70, 0]),
    ],
)
async def test_caps_cut_what_is_over(shops: Shops, caps: str, days: list[int], awards: list[int]) -> None:
    last_of_may = datetime(2026, 5, 31, 4, tzinfo=UTC)
    async with shops(programme(SPEND, more=f"caps: {caps}")) as shop:
        given = []
        for number, day in enumerate(days):
            shop.clock.set(last_of_may + timedelta(days=day))
            given.append((await shop.buy(f"A{number}", "100.00"))["awards"]["points"])

        assert given == awards


async def test_a_cap_counts_the_days_of_the_programmes_zone(shops: Shops) -> None:
    async with shops(programme(SPEND, more="caps: {day: 100}")) as shop:
        late = await shop.buy("A1", "100.00", occurred_at=datetime.fromisoformat("2026-06-30T23:59:00+08:00"))
        early = await shop.buy("A2", "100.00", occurred_at=datetime.fromisoformat("2026-07-01T00:01:00+08:00"))

        assert (late["awards"]["points"], early["awards"]["points"]) == (100, 100)


async def test_a_refund_makes_no_new_room_under_a_cap(shops: Shops) -> None:
    async with shops(programme(SPEND, more="caps: {day: 100, month: 120, lifetime: 130}")) as shop:
        await shop.buy("A1", "100.00")
        await shop.send_back("A1")

        assert await shop.balance() == 0
        assert (await shop.buy("A2", "100.00"))["awards"] == {"points": 0}
        shop.clock.advance(timedelta(days=1))
        assert (await shop.buy("A3", "100.00"))["awards"] == {"points": 20}
        shop.clock.advance(timedelta(days=31))
        assert (await shop.buy("A4", "100.00"))["awards"] == {"points": 10}


async def test_a_refund_is_priced_in_the_room_that_the_order_had(shops: Shops) -> None:
    async with shops(programme(SPEND, more="caps: {day: 150}")) as shop:
        await shop.buy("A1", "100.00")
        await shop.buy("A2", "100.00")

        first = await shop.send_back("A2", "40.00")  # 60 are left, of which 50 fit as before
        second = await shop.send_back("A2", "30.00")  # 30 are left

        assert first["clawed_back"] == {}
        assert second["clawed_back"] == {"points": 20}
        assert await shop.balance() == 130


# -- later, and other units ---------------------------------------------------------------------------


async def test_pending_points_can_be_spent_once_the_days_are_over(shops: Shops) -> None:
    async with shops(programme(SPEND, more="pending: {days: 14}")) as shop:
        await shop.buy("A1", "100.00")

        assert (await shop.balance(), await shop.available()) == (100, 0)
        shop.clock.set(JULY + timedelta(days=14) - timedelta(microseconds=1))
        assert await shop.available() == 0
        shop.clock.set(JULY + timedelta(days=14))
        assert await shop.available() == 100


async def test_a_refund_takes_back_what_is_still_pending(shops: Shops) -> None:
    async with shops(programme(SPEND, more="pending: {days: 14}")) as shop:
        await shop.buy("A1", "100.00")
        await shop.send_back("A1", "25.00")
        shop.clock.advance(timedelta(days=14))

        assert await shop.available() == 75


async def test_growth_is_earned_and_taken_back_beside_the_points(shops: Shops) -> None:
    groups = f"{SPEND}]}}\n      growth: {{groups: [{SPEND}"
    document = programme("X").replace("points:\n        \n        groups: [X]", f"points: {{groups: [{groups}]}}")
    async with shops(document) as shop:
        await shop.buy("A1", "80.00")
        refund = await shop.send_back("A1", "30.00")

        assert refund["clawed_back"] == {"points": 30, "growth": 30}
        assert (await shop.balance(), await shop.balance("growth")) == (50, 50)


async def test_points_expire_by_the_day_of_the_order_however_late_it_arrives(shops: Shops) -> None:
    async with shops(programme(SPEND)) as shop:
        await shop.buy("A1", "10.00", occurred_at=datetime(2026, 3, 31, 4, tzinfo=UTC))
        (lot,) = await shop.rows(Lot)

        assert lot.expires_at == datetime.fromisoformat("2027-03-31T00:00:00+08:00")


async def test_the_version_of_the_orders_time_judges(shop: Shop) -> None:
    await publish(
        programme(f"{SPEND}, {{id: m, multiply: best, rules: [{{id: x, factor: 2}}]}}"), number=2, starts_at=JULY
    )

    before = await shop.buy("A1", "10.00", occurred_at=JULY - timedelta(seconds=1))
    after = await shop.buy("A2", "10.00", occurred_at=JULY)
    refund = await shop.send_back("A1", "5.00")

    assert (before["awards"]["points"], after["awards"]["points"]) == (10, 20)
    assert refund["clawed_back"] == {"points": 5}


# -- part paid with points ----------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "points"), [("", 90), ("earn_on_points_paid: true", 100)])
async def test_what_is_paid_with_points_earns_only_if_the_policy_says_so(
    shops: Shops, policy: str, points: int
) -> None:
    async with shops(programme(SPEND, unit=policy)) as shop:
        await shop.buy("A1", "1000.00")
        result = await shop.buy("A2", "100.00", paid_with_points=(1000, "10.00"))

        assert result["awards"] == {"points": points}
        assert result["points_spent"] == 1000
        assert await shop.balance() == points
        assert await shop.tally("spend") == 100_000 + 9_000


async def test_the_part_paid_with_points_is_spread_over_the_lines_to_the_last_cent(shops: Shops) -> None:
    groups = '{id: b, per: line, add: sum, rules: [{id: r, points: "100 * line.amount"}]}'
    async with shops(programme(groups)) as shop:
        await shop.buy("A1", "100.00", line("x", "100.00"))
        lines = [line("a", "3.33"), line("b", "3.33"), line("c", "3.34")]
        result = await shop.buy("A2", "10.00", *lines, paid_with_points=(100, "1.00"))

        assert result["awards"] == {"points": 900}


async def test_points_that_are_not_there_record_no_order(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    before = await shop.balance()

    outcome = await shop.submit(shop.order("A2", "50.00", paid_with_points=(11, "5.00")))

    assert outcome.refusal is not None
    assert outcome.refusal.facts == {"unit": "points", "needed": 11, "available": 10}
    assert await shop.balance() == before
    assert await shop.tally("orders") == 1


async def test_an_unknown_member_is_enrolled_only_when_asked_to(shop: Shop) -> None:
    refused = await shop.submit(shop.order("A1", "10.00", member="bob", enrol_if_unknown=False))
    accepted = await shop.submit(shop.order("A1", "10.00", member="bob"))

    assert refused.refusal is not None
    assert refused.refusal.code == "MEMBER_NOT_FOUND"
    assert accepted.accepted
    assert await shop.balance(member="bob") == 10


def trace_of(result: Any) -> list[str]:
    return [step[0] for step in result["trace"]["points"]]


async def test_the_trace_says_which_cap_cut_how_much(shops: Shops) -> None:
    async with shops(programme(SPEND, more="caps: {order: 40, day: 50}")) as shop:
        await shop.buy("A1", "100.00")
        result = await shop.buy("A2", "100.00")

        assert trace_of(result) == ["base", "rounding", "caps"]
        assert list(result["trace"]["points"][-1]) == ["caps", [["order", "60"], ["day", "30"]], "10"]
