"""Quests under other rules: what is simulated is what comes when they are published."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from graph.testing import Shop
from tests.databases import SqliteFolder
from tests.plugins.orders import buy, document
from tests.plugins.simulated import DAY, Turn, anew, issued, simulated, told_twice
from tests.plugins.test_quest import claim, look

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

LOOK: Final = "{id: look, title: Look around, period: daily, count: {product_view: 2}, points: 20}"
ORDERS: Final = "{id: orders, title: Orders, period: monthly, count: {orders: 2}, points: 30, claim: true}"


def programme(*quests: str, event: str = "product_view") -> str:
    return document(f"  quest: {{events: {{{event}: A page was opened}}, quests: [{', '.join(quests)}]}}")


PROGRAMME: Final = programme(LOOK, ORDERS)


async def pages_and_orders(shop: Shop, turn: Turn) -> None:
    """Ann opens three pages on one day and two on the next, buys twice and claims what that brings."""
    ann = await shop.enrol("ann")
    shop.clock.advance(DAY)
    await turn()
    await look(shop, ann, 1, 2, 3, on="one")
    shop.clock.advance(DAY)
    await look(shop, ann, 1, 2, on="two")
    for reference in ("A", "B"):
        await buy(shop, ann, reference, "10.00")
    shop.clock.advance(timedelta(hours=1))
    await claim(shop, ann, "orders")


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        # The third page counted for nothing in truth; here it is the one that is needed.
        (programme(LOOK.replace("20", "50").replace("view: 2", "view: 3"), ORDERS), 50 + 20 + 30, {}),
        (programme(LOOK, ORDERS.replace("orders: 2", "orders: 3")), 40 + 20, {"quest.claim: QUEST_NOT_REACHED": 1}),
        (programme(ORDERS, event="reading"), 20 + 30, {"quest.event: QUEST_EVENT_NOT_FOUND": 5}),
        (
            document("  share: {points: 5}"),
            20,
            {"quest.event: QUESTS_NOT_OFFERED": 5, "quest.claim: QUESTS_NOT_OFFERED": 1},
        ),
    ],
    ids=["three pages", "three orders", "other events", "no longer offered"],
)
async def test_quests_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, draft, pages_and_orders, tmp_path)

    assert issued(result) == (2 * 20 + 20 + 30, points)
    assert anew(result, "quest") == {"event": 5, "claim": 1}
    assert result["draft"]["refused"] == refused


async def from_before(shop: Shop, turn: Turn) -> None:
    """The same, from before an event's result said what it was."""
    await pages_and_orders(shop, turn)
    await shop.laurel.store.reader().client.execute_script(
        "UPDATE operation SET result = json_remove(result, '$.event', '$.object') WHERE channel = 'quest'"
    )


async def test_events_of_which_is_not_known_what_they_were_bring_what_they_brought(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    draft = programme(LOOK.replace("20", "50"), ORDERS.replace("30", "70"))

    result, _ = await simulated(sqlite_folder, PROGRAMME, draft, from_before, tmp_path)

    assert issued(result) == (90, 90)
    carried = {(each["channel"], each["kind"]): each["count"] for each in result["operations"]["carried"]}
    assert carried == {("quest", "event"): 2, ("quest", "claim"): 1}
    assert result["draft"]["refused"] == {}
