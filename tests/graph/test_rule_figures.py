"""Operators see what each rule gave, and that it adds up to what the channel gave."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from core.key_figures.recomputing import correct
from core.oversight.verify import verify
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import find_offers, load_plugins
from tests.databases import SqliteFolder
from tests.plugins.orders import buy

PLUGINS: Final = load_plugins(
    offers=[offer for offer in find_offers() if offer.name in {"purchase", "campaign", "sign_in", "quest"}]
)
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
point_value: "0.01"
channels:
  purchase:
    earn:
      points:
        caps: {day: 300}
        groups:
          - {id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}
          - id: more
            multiply: product
            rules: [{id: gold, factor: "1.5"}, {id: toys, when: "order.category == 'toys'", factor: "1.1"}]
      growth: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
  campaign:
    campaigns:
      - {id: sale, title: Sale, budget: 12, bonus: {groups: [{id: fix, add: sum, rules: [{id: ten, points: 10}]}]}}
  quest: {quests: [{id: first, title: First, count: {orders: 1}, points: 7}]}
  sign_in: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5}]}]}}}
"""
RULES: Final = """
  query { figures(since: "2026-06-01", until: "2026-06-30") {
    channels { channel unit given }
    rules { channel unit of group rule rest fired given cost { amount } }
  } }
"""


@pytest.fixture
def url(sqlite_folder: SqliteFolder) -> str:
    return sqlite_folder.migrated(tables(PLUGINS))


async def asked(shop: Shop) -> dict[str, Any]:
    (figures,) = (await shop.ask(RULES, role=Role.ANALYST))["figures"]
    found: dict[str, Any] = figures
    given: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in found["rules"]:
        given[row["channel"], row["unit"]] += row["given"]
    assert given == {(row["channel"], row["unit"]): row["given"] for row in found["channels"]}
    return found


def short(rows: list[dict[str, Any]], unit: str = "points") -> list[tuple[Any, ...]]:
    return [
        (row["channel"], row["of"], row["rest"] or f"{row['group']}.{row['rule']}", row["fired"], row["given"])
        for row in rows
        if row["unit"] == unit
    ]


async def test_rules_and_what_was_not_given_add_up_to_the_channel(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, now=datetime(2026, 6, 12, 4, tzinfo=UTC)) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        # 100.90 is 100, 151 and 166; then 150 are 225, of which the day has room for 134.
        await buy(shop, ann, "1", "100.90", category="toys")
        await buy(shop, ann, "2", "150.00")
        await buy(shop, bob, "3", "0.00")
        data = await shop.ask(
            "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { message } } }",
            {"input": {"member": {"id": ann}, "idempotencyKey": "today"}},
        )
        assert data["recordSignIn"]["errors"] == []

        found = await asked(shop)

        assert short(found["rules"]) == [
            ("purchase", None, "base.spend", 2, 250),
            ("purchase", None, "more.gold", 2, 126),
            ("purchase", None, "more.toys", 1, 15),
            ("purchase", None, "DAY", 1, -91),
            ("purchase", "campaign:sale", "fix.ten", 3, 30),
            ("purchase", "campaign:sale", "BUDGET", 2, -18),
            # The quest's prize, which no rule set prices.
            ("purchase", None, "OTHER", 0, 7),
            ("sign_in", None, "base.daily", 1, 5),
        ]
        assert short(found["rules"], "growth") == [("purchase", None, "base.spend", 2, 250)]
        assert [row["cost"] for row in found["rules"] if row["unit"] == "growth"] == [None]
        costs = [Decimal(row["cost"]["amount"]) for row in found["rules"] if row["unit"] == "points"]
        assert costs[:4] == [Decimal("2.50"), Decimal("1.26"), Decimal("0.15"), Decimal("-0.91")]
        assert await verify(shop.laurel.store.reader()) == []


async def test_operations_of_before_are_others(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, now=datetime(2026, 6, 12, 4, tzinfo=UTC)) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "1", "100.00")
        async with shop.laurel.store.transaction() as writer:
            await writer.query("UPDATE operation SET result = json_remove(result, '$.by_rule')")
            await correct(writer)
        await buy(shop, ann, "2", "10.00")

        found = await asked(shop)

        assert short(found["rules"]) == [
            ("purchase", None, "base.spend", 1, 10),
            ("purchase", None, "more.gold", 1, 5),
            ("purchase", "campaign:sale", "fix.ten", 1, 10),
            ("purchase", "campaign:sale", "BUDGET", 1, -8),
            ("purchase", None, "OTHER", 0, 167),
        ]


async def test_what_goes_through_more_than_can_be_counted_is_recorded_and_nobodys_share(url: str) -> None:
    spend = 'points: "order.amount * 100000000000000 * 1000000"'
    programme = PROGRAMME.replace('points: "order.amount"', spend, 1).replace(
        '{id: gold, factor: "1.5"}', ", ".join(f'{{id: r{at}, factor: "0.00001"}}' for at in range(4))
    )
    async with open_shop(url, programme, plugins=PLUGINS, now=datetime(2026, 6, 12, 4, tzinfo=UTC)) as shop:
        ann = await shop.enrol("ann")
        for number in range(3):
            await buy(shop, ann, str(number), "120.00")

        found = await asked(shop)

        assert short(found["rules"]) == [
            ("purchase", None, "DAY", 1, -60),
            ("purchase", "campaign:sale", "fix.ten", 3, 30),
            ("purchase", "campaign:sale", "BUDGET", 2, -18),
            ("purchase", None, "OTHER", 0, 367),
        ]
        assert await verify(shop.laurel.store.reader()) == []
