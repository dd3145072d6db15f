"""Operators and analysts ask what points are worth."""

from datetime import timedelta
from typing import Any, Final

import pytest

from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
point_value: "0.005"
expiry: {mode: per_lot, months: 1}
units: {stars: {expiry: {mode: never}}}
"""
LIABILITY: Final = """
  query ($unit: String! = "points") {
    liability(unit: $unit) {
      at unit pointValue
      months { month available pending held total value { amount currency } }
      available pending held total value { amount }
      debt debtValue { amount } net netValue { amount }
    }
  }
"""


async def ask(shop: Shop, unit: str = "points", role: Role = Role.ANALYST) -> Any:
    return (await shop.ask(LIABILITY, {"unit": unit}, role=role))["liability"]


async def test_what_is_outstanding_is_told_by_month_and_in_money(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=Plugins()) as shop:
        ann = await shop.enrol("ann")
        await shop.give(ann, 99, "one")
        await shop.give(ann, 7, "two", unit="stars")
        shop.clock.advance(timedelta(days=20))
        await shop.give(ann, 2, "three")

        points, stars = await ask(shop), await ask(shop, "stars", Role.OPERATOR)

        nothing = {"pending": 0, "held": 0}
        assert points == {
            "at": "2026-06-21T12:00:00Z",
            "unit": "points",
            "pointValue": "0.005",
            "months": [
                {"month": "2026-07-01", "available": 101, **nothing, "total": 101,
                 "value": {"amount": "0.51", "currency": "CNY"}},
            ],
            "available": 101, **nothing, "total": 101, "value": {"amount": "0.51"},
            "debt": 0, "debtValue": {"amount": "0.00"}, "net": 101, "netValue": {"amount": "0.51"},
        }  # fmt: skip
        assert stars["months"] == [{"month": None, "available": 7, **nothing, "total": 7, "value": None}]
        assert (stars["pointValue"], stars["value"], stars["netValue"]) == (None, None, None)


async def test_an_unknown_unit_is_refused(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=Plugins()) as shop:
        answer = await shop.post(LIABILITY, {"unit": "x' OR 'x' = 'x"}, role=Role.ANALYST)

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNKNOWN_UNIT"]


@pytest.mark.parametrize("role", [Role.SERVICE, Role.PARTNER])
async def test_what_is_outstanding_is_for_operators_and_analysts(
    sqlite_folder: SqliteFolder, apps: Apps, role: Role
) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=Plugins()) as shop:
        answer = await shop.post(LIABILITY, role=role)

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
