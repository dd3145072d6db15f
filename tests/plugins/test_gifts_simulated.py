"""Birthdays, welcome packs and gifts of win-back under other rules: what is simulated is what comes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from graph.testing import Shop
from graph.tokens import Role
from tests.databases import SqliteFolder
from tests.plugins.orders import buy, document, send_back
from tests.plugins.simulated import DAY, Turn, anew, issued, simulated, told_twice
from tests.plugins.test_birthday import born, change, claim

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

PROGRAMME: Final = document(
    "  birthday: {points: 88, within: month}\n"
    "  welcome: {pack: {points: 10}}\n"
    "  win_back: {points: 40, dormant_days: 30}"
)
ERASE: Final = """mutation ($id: ID!) { eraseMember(input: {member: {id: $id}, reason: "they asked for it",
  idempotencyKey: "erase"}) { errors { code } } }"""


async def a_quarter(shop: Shop, turn: Turn) -> None:
    """Ann has a birthday, which is corrected later; Bob joins; both come back after a long time, Bob for nothing."""
    ann = await born(shop, "ann", "1990-02-10")
    shop.clock.advance(DAY)
    await buy(shop, ann, "A1", "5.00")
    shop.clock.advance(DAY)
    await turn()
    bob = await born(shop, "bob", "1991-02-28")
    await buy(shop, bob, "B1", "5.00")
    shop.clock.set(datetime(2026, 2, 12, 4, tzinfo=UTC))
    await claim(shop, ann)
    shop.clock.advance(DAY)
    await change(shop, ann, "1990-03-20")
    shop.clock.set(datetime(2026, 3, 10, 4, tzinfo=UTC))
    await buy(shop, ann, "A2", "5.00")
    await buy(shop, bob, "B2", "5.00")
    shop.clock.advance(DAY)
    await send_back(shop, bob, "B2")


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        (PROGRAMME.replace("88", "100").replace("10}", "25}").replace("40", "60"), 15 + 25 + 100 + 2 * 60, {}),
        (PROGRAMME.replace("within: month", "within: day"), 15 + 10 + 2 * 40, {"birthday.gift: NOT_THE_BIRTHDAY": 1}),
        (document("  share: {points: 5}"), 15, {"birthday.gift: BIRTHDAYS_NOT_OFFERED": 1}),
    ],
    ids=["more of each", "on the day only", "no longer offered"],
)
async def test_gifts_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, draft, a_quarter, tmp_path)

    assert issued(result) == (15 + 10 + 88 + 2 * 40, points)
    assert anew(result, "birthday") == {"gift": 1}
    assert result["draft"]["refused"] == refused


async def erased(shop: Shop, turn: Turn) -> None:
    """A gift was given to somebody who is forgotten since, and with them their birthday."""
    await turn()
    ann = await born(shop, "ann", "1990-01-10")
    await claim(shop, ann)
    (payload,) = (await shop.ask(ERASE, {"id": ann}, role=Role.OPERATOR)).values()
    assert payload == {"errors": []}


async def test_who_is_forgotten_had_their_gift(sqlite_folder: SqliteFolder, tmp_path: Path) -> None:
    result, _ = await simulated(sqlite_folder, PROGRAMME, PROGRAMME.replace("88", "100"), erased, tmp_path)

    assert issued(result) == (10 + 88, 10 + 88)
    assert {"channel": "birthday", "kind": "gift", "count": 1} in result["operations"]["carried"]
