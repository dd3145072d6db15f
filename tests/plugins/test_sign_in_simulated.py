"""Visits under other rules: what is simulated is what comes when they are published."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from graph.testing import Shop
from graph.tokens import Role
from tests.databases import SqliteFolder
from tests.plugins.simulated import DAY, Turn, anew, issued, simulated, told_twice

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  sign_in:
    make_up: {cost: 2, days: 3, a_month: 3}
    earn:
      points:
        groups:
          - {id: base, add: sum, rules: [
              {id: daily, points: 1},
              {id: week, when: "(event.streak + 1) % 7 == 0", points: 10}]}
tiers:
  window: {months: 12}
  ladder: [{id: guest}, {id: regular, all: [{fact: sign_ins, at_least: 8}]}]
"""
THREE: Final = PROGRAMME.replace("points: 1}", "points: 3}")
NO_CHANNEL: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels:\n  share: {points: 5}\n"
SIGN_IN: Final = """mutation ($id: ID!, $key: String!) {
  recordSignIn(input: {member: {id: $id}, idempotencyKey: $key}) { transaction { id } errors { code } } }"""
MAKE_UP: Final = """mutation ($id: ID!, $day: Day!, $key: String!) {
  makeUpSignIn(input: {member: {id: $id}, day: $day, idempotencyKey: $key}) { errors { code } } }"""
REVERSE: Final = """mutation ($id: ID!) {
  reverseTransaction(input: {transaction: $id, reason: "a test", idempotencyKey: "reverse"}) { errors { code } } }"""


async def a_fortnight(shop: Shop, turn: Turn) -> None:
    """Ann comes every day and makes up two that she misses; Bob comes on odd days. One visit is taken back."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    visits: dict[str, Any] = {}
    for number in range(1, 15):
        shop.clock.advance(DAY)
        if number == 4:
            await turn()
        for name, member, comes in (("ann", ann, number not in {3, 8}), ("bob", bob, number % 2)):
            if comes:
                (visits[f"{name} {number}"],) = (
                    await shop.ask(SIGN_IN, {"id": member, "key": f"day {number}"})
                ).values()
        if number in {5, 9}:
            missed = (shop.clock.now() - (DAY * (2 if number == 5 else 1))).date().isoformat()
            await shop.ask(MAKE_UP, {"id": ann, "day": missed, "key": missed})
    if (visit := visits["bob 13"]["transaction"]) is not None:
        shop.clock.advance(timedelta(hours=1))
        await shop.ask(REVERSE, visit, role=Role.OPERATOR)


async def test_three_points_a_visit_are_simulated_as_they_come(sqlite_folder: SqliteFolder, tmp_path: Path) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, THREE, a_fortnight, tmp_path)

    # From the fourth day on Ann came 10 times and Bob 5, and two weeks of Ann's were full.
    assert issued(result) == (15 + 20, 45 + 20)
    assert anew(result, "sign_in") == {"record": 19, "make_up": 2}
    assert result["draft"]["tiers"] == {"guest": 1, "regular": 1}
    assert result["draft"]["refused"] == {}
    assert {rule["rule"]: rule["times"] for rule in result["draft"]["rules"]} == {"daily": 15, "week": 2}


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        (NO_CHANNEL, 0, {"sign_in.record: SIGN_IN_NOT_OFFERED": 15, "sign_in.make_up: SIGN_IN_NOT_OFFERED": 2}),
        # The second make-up is refused: Ann's row of days is broken on the eighth, and has one full week.
        (PROGRAMME.replace("a_month: 3", "a_month: 1"), 15 + 10, {"sign_in.make_up: MAKE_UPS_USED_UP": 1}),
    ],
    ids=["no longer offered", "fewer make-ups"],
)
async def test_what_a_draft_refuses_is_refused_and_told(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, draft, a_fortnight, tmp_path)

    assert issued(result) == (35, points)
    told = result["draft"]["refused"]
    # What never was cannot be taken back either.
    assert {what: times for what, times in told.items() if not what.startswith("ledger")} == refused


async def test_a_day_that_became_too_dear_is_made_up_with_what_is_there(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    draft = PROGRAMME.replace("cost: 2", "cost: 50")

    result, came = await simulated(sqlite_folder, PROGRAMME, draft, a_fortnight, tmp_path)

    # Ann has 4 points on the fifth day, and 1 + 11 + 1 on the ninth: all of it goes, and her weeks are as they were.
    assert issued(result) == (35, 35)
    assert result["draft"]["refused"] == {}
    assert result["draft"]["units"]["points"]["redeemed"] == 4 + 13
    assert result["draft"]["short"] == {"points": {"points": 46 + 37, "times": 2}}
    assert came.members["ann"]["tier"] == "regular"
