"""What members redeem costs between one and three per cent of what they pay, or somebody is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from core.errors import ProgrammeInvalid
from core.models import AlarmRow, OutboxRow
from core.rulebook.programme import RedemptionBand, load_programme
from core.scheduling.jobs import Run
from core.value.redemption_cost import RedemptionCost, Standing, watch
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Apps
from tests.plugins.orders import BEGIN, buy, document, send_back
from tests.plugins.receiver import receiving

PLUGINS: Final = load_plugins()
BANDED: Final = document("") + 'point_value: "0.01"\nredemption_cost: {days: 7}\n'
COST: Final = """
  query ($since: Day, $until: Day) {
    redemptionCost(since: $since, until: $until) {
      since until redeemed givenBack net cost { amount } revenue { amount currency } share standing
      band { atLeast atMost days }
    }
  }
"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


def figures(net: int, revenue: int, point_value: str | None = "0.01", **band: Any) -> RedemptionCost:
    return RedemptionCost(
        since=date(2026, 1, 1),
        until=date(2026, 1, 31),
        redeemed=net,
        given_back=0,
        revenue=revenue,
        currency="CNY",
        point_value=None if point_value is None else Decimal(point_value),
        band=RedemptionBand(**band),
    )


@pytest.mark.parametrize(
    ("found", "cost", "share", "standing"),
    [
        (figures(100, 10_000), "1.00", "0.010000", Standing.WITHIN),
        (figures(99, 10_000), "0.99", "0.009900", Standing.BELOW),
        (figures(300, 10_000), "3.00", "0.030000", Standing.WITHIN),
        # Rounded it is just the band's end, and exactly it is not.
        (figures(30_000_001, 1_000_000_000), "300000.01", "0.030000", Standing.ABOVE),
        (figures(1, 3, "0.005"), "0.01", "0.166667", Standing.ABOVE),
        (figures(1, 0), "0.01", None, Standing.ABOVE),
        (figures(1, -5), "0.01", None, Standing.ABOVE),
        (figures(0, 0), "0.00", None, None),
        (figures(0, 100), "0.00", "0.000000", Standing.BELOW),
        (figures(0, 100, at_least=0), "0.00", "0.000000", Standing.WITHIN),
        (figures(-5, 100), "-0.05", "-0.050000", Standing.BELOW),
        (figures(100, 10_000, None), None, None, None),
    ],
)
def test_the_share_is_exact_and_the_band_includes_its_ends(
    found: RedemptionCost, cost: str | None, share: str | None, standing: Standing | None
) -> None:
    said = [None if value is None else str(value) for value in (found.cost, found.share)]

    assert (*said, found.standing) == (cost, share, standing)


async def redeem(shop: Shop, member: str, points: int) -> str:
    query = """mutation ($input: RedeemPointsInput!) {
      redeemPoints(input: $input) { transaction { id } errors { message } }
    }"""
    said = {"member": {"id": member}, "points": points, "idempotencyKey": f"redeem:{shop.clock.now()}"}
    answer = (await shop.ask(query, {"input": said}))["redeemPoints"]
    assert answer["errors"] == []
    transaction: str = answer["transaction"]["id"]
    return transaction


async def cost(shop: Shop, **period: str) -> Any:
    return (await shop.ask(COST, period, role=Role.ANALYST))["redemptionCost"]


def at(said: str) -> datetime:
    """A local time in January 2026."""
    return datetime.fromisoformat(f"2026-01-{said}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    yes = {"LAUREL_WEBHOOKS_PRIVATE": "yes"}
    async with open_shop(fresh_database, BANDED, plugins=PLUGINS, now=BEGIN, variables=yes) as shop:
        await shop.laurel.deliverer.stop()
        yield shop


async def test_sums_are_of_whole_local_days_and_net_of_what_came_back(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await buy(shop, ann, "A1", "1000.00")
    shop.clock.set(at("09T23:59:59"))
    taken = await redeem(shop, ann, 300)
    shop.clock.set(at("10T00:00:00"))
    await redeem(shop, ann, 40)
    await buy(shop, bob, "B1", "250.50", paidWithPoints=None)
    shop.clock.set(at("11T12:00:00"))
    await shop.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { message } } }",
        {"input": {"transaction": taken, "reason": "it was broken", "points": 100, "idempotencyKey": "back"}},
        role=Role.OPERATOR,
    )
    await send_back(shop, bob, "B1", "50.50")

    ninth, tenth, eleventh = [await cost(shop, since=f"2026-01-{d}", until=f"2026-01-{d}") for d in ("09", "10", "11")]
    usual = await cost(shop)
    shop.clock.set(at("12T09:00:00"))
    week = await cost(shop)

    band = {"atLeast": "0.01", "atMost": "0.03", "days": 7}
    assert ninth == {
        "since": "2026-01-09", "until": "2026-01-09", "redeemed": 300, "givenBack": 0, "net": 300,
        "cost": {"amount": "3.00"}, "revenue": {"amount": "0.00", "currency": "CNY"}, "share": None,
        "standing": "ABOVE", "band": band,
    }  # fmt: skip
    assert (tenth["net"], tenth["revenue"]["amount"], tenth["share"]) == (40, "200.00", "0.002000")
    assert (eleventh["net"], eleventh["cost"], eleventh["revenue"]["amount"]) == (-100, {"amount": "-1.00"}, "0.00")
    assert (usual["since"], usual["until"], usual["net"]) == ("2026-01-04", "2026-01-10", 340)
    assert (week["since"], week["until"]) == ("2026-01-05", "2026-01-11")
    assert (week["net"], week["revenue"]["amount"], week["share"]) == (240, "1200.00", "0.002000")
    assert week["standing"] == "BELOW"


async def test_leaving_the_band_and_coming_back_is_told_once_each_and_of_no_member(shop: Shop) -> None:
    async with receiving() as receiver:
        create = """mutation ($input: CreateWebhookEndpointInput!) {
          createWebhookEndpoint(input: $input) { secret errors { message } }
        }"""
        events = ["redemption_cost.left_band", "redemption_cost.back_in_band"]
        made = await shop.ask(create, {"input": {"url": receiver.url, "events": events}}, role=Role.OPERATOR)
        assert made["createWebhookEndpoint"]["errors"] == []
        receiver.secret, receiver.ahead = made["createWebhookEndpoint"]["secret"], True
        await shop.laurel.deliverer.refresh()
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1000.00")
        told = []
        # 0 % of the week, 2 %, 5 % of what is left of it, and twice the same without anything new.
        for day, points in ((6, 2000), (7, 0), (8, 3000), (9, 0), (14, 0)):
            shop.clock.set(at(f"{day:02}T12:00:00"))
            # As many processes would that look at the same time.
            laurel = shop.laurel
            programme, reader = laurel.programmes.at(shop.clock.now()).programme, laurel.store.reader()
            run = Run("redemption_cost", shop.clock.now(), None, programme, laurel.programmes, reader, laurel.committer)
            await asyncio.gather(*(watch(run) for _ in range(3)))
            assert await laurel.jobs.run("redemption_cost") == 0
            await shop.laurel.deliverer.drain()
            told.append([(message["type"], message["data"]["standing"]) for message in receiver.taken])
            receiver.taken.clear()
            if points:
                await shop.give(ann, points, f"gift {day}")
                await redeem(shop, ann, points)

        left, back = "redemption_cost.left_band", "redemption_cost.back_in_band"
        assert told == [[(left, "below")], [(back, "within")], [], [(left, "above")], []]
        assert await OutboxRow.all().count() == 0
        assert (await AlarmRow.get(name="redemption_cost")).standing == "above"


def test_a_band_needs_a_value_and_room() -> None:
    for wrong, reason in (
        ("redemption_cost: {}", "redemption_cost: without point_value"),
        ('point_value: "0.01"\nredemption_cost: {at_least: "0.05"}', "at_least is more than at_most"),
        ('point_value: "0.01"\nredemption_cost: {days: 0}', "redemption_cost.days: must be greater"),
    ):
        with pytest.raises(ProgrammeInvalid, match=reason):
            load_programme(document("") + wrong, PLUGINS.settings)


async def test_a_period_that_ends_before_it_begins_or_is_too_long_is_refused(shop: Shop) -> None:
    for period in ({"since": "2026-01-02", "until": "2026-01-01"}, {"since": "2025-01-01", "until": "2026-01-02"}):
        answer = await shop.post(COST, period, role=Role.OPERATOR)

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]
