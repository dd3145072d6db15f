"""Operators and analysts ask for members by the month in which they joined."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import SqliteFolder
from tests.graph.test_key_figures import PLUGINS, PROGRAMME, lived
from tests.plugins.orders import buy, told

COHORTS: Final = """
  query ($since: Day!, $until: Day!) {
    cohorts(since: $since, until: $until) {
      month members
      months {
        month after retention { value numerator denominator } orders revenue { amount currency }
        pointsEarned pointsRedeemed
      }
    }
  }
"""


@pytest.fixture
def url(sqlite_folder: SqliteFolder) -> str:
    return sqlite_folder.migrated(tables(PLUGINS))


async def ask(shop: Shop, since: str, until: str, role: Role = Role.ANALYST) -> Any:
    return (await shop.ask(COHORTS, {"since": since, "until": until}, role=role))["cohorts"]


async def test_who_joined_in_june_and_ordered_again_in_july(url: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        await lived(shop)
        shop.clock.advance(timedelta(days=5))
        await shop.enrol("eve")

        june, july = await ask(shop, "2026-06-01", "2026-12-31")

        def money(amount: str) -> dict[str, str]:
            return {"amount": amount, "currency": "CNY"}

        assert june == {
            "month": "2026-06-01",
            "members": 2,
            "months": [
                {
                    "month": "2026-06-01",
                    "after": 0,
                    # One of the two has sent all of it back.
                    "retention": {"value": "0.500000", "numerator": "1", "denominator": "2"},
                    "orders": 2,
                    "revenue": money("100.50"),
                    "pointsEarned": 100,
                    "pointsRedeemed": 0,
                },
                {
                    "month": "2026-07-01",
                    "after": 1,
                    "retention": {"value": "0.500000", "numerator": "1", "denominator": "2"},
                    "orders": 1,
                    "revenue": money("40.00"),
                    "pointsEarned": 40,
                    "pointsRedeemed": 50,
                },
            ],
        }
        assert (july["month"], july["members"], july["months"][0]["retention"]["value"]) == (
            "2026-07-01",
            1,
            "0.000000",
        )
        [alone] = await ask(shop, "2026-07-01", "2026-07-31")
        assert alone == july
        # Nobody joined then, and of nobody there is no share.
        [empty] = await ask(shop, "2026-05-01", "2026-05-01")
        assert (empty["members"], empty["months"][0]["retention"]["value"]) == (0, None)


@pytest.mark.parametrize("into", ["older", "younger"])
async def test_after_a_merge_orders_are_the_others_from_when_they_joined(url: str, into: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, now=datetime(2026, 6, 12, 4, tzinfo=UTC)) as shop:
        older = await shop.enrol("older")
        await buy(shop, older, "1", "10.00")
        shop.clock.advance(timedelta(days=30))
        younger = await shop.enrol("younger")
        await buy(shop, older, "2", "20.00")
        await buy(shop, younger, "3", "40.00")
        # What is kept of before says it no more.
        assert [cohort["months"][-1]["orders"] for cohort in await ask(shop, "2026-06-01", "2026-07-31")] == [1, 1]
        other = "older" if into == "younger" else "younger"
        merge = f'from: {{externalId: "{other}"}}, into: {{externalId: "{into}"}}, reason: "the same", '
        data = await shop.ask(
            f'mutation {{ mergeMembers(input: {{{merge} idempotencyKey: "m"}}) {{ errors {{ message }} }} }}',
            role=Role.OPERATOR,
        )
        assert data["mergeMembers"]["errors"] == []
        await told(shop)

        june, july = await ask(shop, "2026-06-01", "2026-07-31")

        assert (june["members"], july["members"]) == (1, 1)
        orders = [month["orders"] for cohort in (june, july) for month in cohort["months"]]
        # The first was before the younger one had joined.
        assert orders == ([1, 2, 0] if into == "older" else [0, 0, 2])


@pytest.mark.parametrize(
    ("since", "until", "reason"),
    [
        ("2026-06-02", "2026-06-01", "it comes after until"),
        ("1899-12-31", "2026-06-01", "it lies before 1900-01-01"),
        ("2016-01-01", "2026-06-01", "a period has at most 3653 days"),
        ("2026-09-01", "2026-09-30", "it lies in the future"),
    ],
)
async def test_a_period_that_is_none_is_refused_as_by_figures(url: str, since: str, until: str, reason: str) -> None:
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        answer = await shop.post(COHORTS, {"since": since, "until": until}, role=Role.ANALYST)

        [error] = answer["errors"]
        assert error["extensions"]["code"] == "INVALID_VALUE"
        assert reason in error["message"]
