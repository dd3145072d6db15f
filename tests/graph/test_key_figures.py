"""Operators and analysts ask for key figures of a period, and of the one before."""

from datetime import timedelta
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import find_offers, load_plugins
from tests.core.committing import statements
from tests.databases import SqliteFolder

PLUGINS: Final = load_plugins(offers=[offer for offer in find_offers() if offer.name in {"purchase", "ticket"}])
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
point_value: "0.01"
expiry: {mode: per_lot, months: 12}
channels:
  ticket: {}
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}}
tiers:
  ladder: [{id: regular}, {id: silver, all: [{fact: spend, at_least: "100"}]}]
"""
_FIELDS: Final = (
    "members", "newMembers", "activeEarners", "pointsIssued", "pointsRedeemed", "pointsExpired", "pointsClawedBack",
    "redemptionRate", "expiryRate", "upgradeRate", "downgradeRate", "orders", "revenue", "averageOrderValue",
    "orderFrequency", "repurchaseRate", "retentionRate", "lifetimeValue", "redemptionCostShare", "benefitUse",
    "complaints",
)  # fmt: skip
FIGURES: Final = f"""
  query ($since: Day!, $until: Day!, $granularity: FiguresGranularity, $compare: Boolean! = false) {{
    figures(since: $since, until: $until, granularity: $granularity, compareToPrevious: $compare) {{
      since until previousSince
      {" ".join(f"{name} {{ now {{ value numerator denominator }} previous {{ value }} }}" for name in _FIELDS)}
      tiers {{ tier members }}
      channels {{ channel unit fired given takenBack cost {{ amount currency }} }}
    }}
  }}
"""
BUY: Final = """
  mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { message } } }
"""


async def buy(shop: Shop, member: str, reference: str, amount: str) -> None:
    asked = {
        "idempotencyKey": f"order:{reference}",
        "member": {"id": member},
        "reference": reference,
        "amount": {"amount": amount, "currency": "CNY"},
    }
    data = await shop.ask(BUY, {"input": asked})
    assert data["recordPurchase"]["errors"] == []


async def ask(shop: Shop, since: str, until: str, role: Role = Role.ANALYST, **more: Any) -> Any:
    return (await shop.ask(FIGURES, {"since": since, "until": until, **more}, role=role))["figures"]


def now(period: Any, name: str) -> tuple[Any, ...]:
    return tuple(period[name]["now"].values())


async def lived(shop: Shop) -> None:
    """Two members: the first of June to July, one of them takes points and something back."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await buy(shop, ann, "1", "80.00")
    await buy(shop, ann, "2", "20.50")
    await buy(shop, bob, "3", "9.99")
    shop.clock.advance(timedelta(days=30))
    await buy(shop, ann, "4", "40.00")
    data = await shop.ask(
        "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { message } } }",
        {"input": {"member": {"id": ann}, "points": 50, "idempotencyKey": "redeem"}},
    )
    assert data["redeemPoints"]["errors"] == []
    data = await shop.ask(
        "mutation ($input: RefundPurchaseInput!) { refundPurchase(input: $input) { errors { message } } }",
        {"input": {"member": {"id": bob}, "order": "3", "reference": "R-3", "idempotencyKey": "refund:R-3"}},
    )
    assert data["refundPurchase"]["errors"] == []
    data = await shop.ask(
        "mutation ($input: OpenTicketInput!) { openTicket(input: $input) { errors { message } } }",
        {"input": {"member": {"id": bob}, "subject": "Why?", "text": "Why?", "idempotencyKey": "ticket"}},
    )
    assert data["openTicket"]["errors"] == []


@pytest.fixture
def url(sqlite_folder: SqliteFolder) -> str:
    return sqlite_folder.migrated(tables(PLUGINS))


async def test_a_month_and_the_one_before(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        await lived(shop)

        june, july = await ask(shop, "2026-06-01", "2026-07-31", granularity="MONTH", compare=True)

        assert (june["since"], june["until"], june["previousSince"]) == ("2026-06-01", "2026-06-30", "2026-05-01")
        assert (july["since"], july["until"], july["previousSince"]) == ("2026-07-01", "2026-07-31", "2026-06-01")
        assert {name: now(june, name) for name in _FIELDS} == {
            "members": ("2", "2", None),
            "newMembers": ("2", "2", None),
            # What bob earned was taken back, and counts on the day of the sale.
            "activeEarners": ("0.500000", "1", "2"),
            "pointsIssued": ("109", "109", None),
            "pointsRedeemed": ("0", "0", None),
            "pointsExpired": ("0", "0", None),
            "pointsClawedBack": ("0", "0", None),
            "redemptionRate": ("0.000000", "0", "109"),
            "expiryRate": ("0.000000", "0", "109"),
            "upgradeRate": ("0.500000", "1", "2"),
            "downgradeRate": ("0.000000", "0", "2"),
            "orders": ("2", "2", None),
            "revenue": ("100.50", "100.50", None),
            "averageOrderValue": ("50.250000", "100.50", "2"),
            "orderFrequency": ("2.000000", "2", "1"),
            "repurchaseRate": ("1.000000", "1", "1"),
            "retentionRate": (None, "0", "0"),
            "lifetimeValue": ("50.250000", "100.50", "2"),
            "redemptionCostShare": ("0.000000", "0.00", "100.50"),
            "benefitUse": ("0.000000", "0", "2"),
            "complaints": ("0.000000", "0", "2"),
        }
        assert now(july, "pointsRedeemed") == ("50", "50", None)
        assert now(july, "pointsClawedBack") == ("9", "9", None)
        assert now(july, "redemptionRate") == ("1.250000", "50", "40")
        assert now(july, "redemptionCostShare") == ("0.012500", "0.50", "40.00")
        assert now(july, "retentionRate") == ("1.000000", "1", "1")
        assert now(july, "lifetimeValue") == ("70.250000", "140.50", "2")
        assert now(july, "complaints") == ("0.500000", "1", "2")
        assert july["revenue"]["previous"] == {"value": "100.50"}
        assert june["revenue"]["previous"] == {"value": "0.00"}
        assert july["tiers"] == [{"tier": "regular", "members": 1}, {"tier": "silver", "members": 1}]
        purchase = {"channel": "purchase", "unit": "points"}
        assert june["channels"] == [
            {**purchase, "fired": 3, "given": 109, "takenBack": 0, "cost": {"amount": "1.09", "currency": "CNY"}}
        ]
        assert july["channels"] == [
            {**purchase, "fired": 1, "given": 40, "takenBack": 9, "cost": {"amount": "0.40", "currency": "CNY"}}
        ]
        assert await verify(shop.laurel.store.reader()) == []


async def test_a_figure_of_the_whole_is_not_the_sum_of_its_parts_where_members_are_counted(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        await lived(shop)

        [whole] = await ask(shop, "2026-06-01", "2026-07-31", Role.OPERATOR)

        assert now(whole, "orderFrequency") == ("3.000000", "3", "1")
        assert (whole["previousSince"], whole["revenue"]["previous"]) == (None, None)


@pytest.mark.parametrize(
    ("granularity", "firsts"),
    [
        ("WEEK", ["2026-05-06", "2026-05-11", "2026-05-18"]),
        ("DAY", [f"2026-05-{day:02}" for day in range(6, 20)]),
        ("MONTH", ["2026-05-06"]),
        ("QUARTER", ["2026-05-06"]),
    ],
)
async def test_a_period_is_cut_by_the_calendar(url: str, granularity: str, firsts: list[str]) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        found = await ask(shop, "2026-05-06", "2026-05-19", granularity=granularity)

        assert [period["since"] for period in found] == firsts
        assert found[-1]["until"] == "2026-05-19"


async def test_a_period_without_anything_is_nothing_and_no_error(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        [long_ago] = await ask(shop, "1999-01-01", "1999-12-31", compare=True)

        assert (now(long_ago, "revenue"), now(long_ago, "redemptionRate")) == (("0.00", "0.00", None), (None, "0", "0"))
        assert (long_ago["tiers"], long_ago["channels"]) == ([], [])


async def test_ten_years_cost_as_many_statements_as_a_day(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        await lived(shop)
        await ask(shop, "2026-05-01", "2026-05-01")
        counted = []
        for _ in range(2):
            with statements() as of_a_day:
                await ask(shop, "2026-06-01", "2026-06-01")
            with statements() as of_ten_years:
                await ask(shop, "2016-08-01", "2026-07-31", granularity="MONTH", compare=True)
            day, years = (
                sum("daily_aggregate" in text or " tally " in text for text in texts)
                for texts in (of_a_day, of_ten_years)
            )
            assert years == day
            counted.append(day)

        # What nobody has asked before is read; asked again, it is looked at whether it has changed.
        assert counted == [5, 3]


@pytest.mark.parametrize(
    ("since", "until", "granularity", "field", "reason"),
    [
        ("2026-06-02", "2026-06-01", None, "since", "it comes after until"),
        ("2026-06-02", "2027-06-01", None, "since", "it lies in the future"),
        ("0001-01-01", "0001-01-02", None, "since", "it lies before 1900-01-01"),
        ("2016-01-01", "2026-06-01", None, "since", "a period has at most 3653 days"),
        ("2024-01-01", "2026-06-01", "DAY", "granularity", "it cuts the period into more than 400 parts"),
    ],
)
async def test_what_is_no_period_is_refused(
    url: str, since: str, until: str, granularity: str | None, field: str, reason: str
) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        variables = {"since": since, "until": until, "granularity": granularity}
        answer = await shop.post(FIGURES, variables, role=Role.ANALYST)

        [error] = answer["errors"]
        assert error["extensions"]["code"] == "INVALID_VALUE"
        assert (field in error["message"], reason in error["message"]) == (True, True)


@pytest.mark.parametrize("role", [Role.SERVICE, Role.PARTNER])
async def test_figures_are_for_operators_and_analysts(url: str, role: Role) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        answer = await shop.post(FIGURES, {"since": "2026-05-01", "until": "2026-05-31"}, role=role)

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
