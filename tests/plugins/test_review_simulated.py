"""Reviews under other rules: what is simulated is what comes when they are published."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from graph.testing import Shop
from graph.tokens import Role
from tests.databases import SqliteFolder
from tests.plugins.simulated import DAY, Turn, anew, issued, simulated, told_twice
from tests.plugins.test_review import approve, edit, reject, submit, withdraw

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  review:
    earn:
      points:
        groups:
          - {id: base, add: best, rules: [
              {id: text, points: 5},
              {id: picture, when: "review.pictures > 0", points: 20}]}
          - {id: quality, add: sum, rules: [{id: good, when: "review.quality", points: 30}]}
"""
FIFTY: Final = PROGRAMME.replace("points: 20", "points: 50")
NO_CHANNEL: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels:\n  share: {points: 5}\n"
ERASE: Final = """mutation ($id: ID!) { eraseMember(input: {member: {id: $id}, reason: "they asked for it",
  idempotencyKey: "erase"}) { errors { code } } }"""


async def reviews(shop: Shop, turn: Turn) -> None:
    """Ann is paid for a picture, writes it anew without one and then with two; Bob's reviews come and go."""
    ann, bob, cem = [await shop.enrol(name) for name in ("ann", "bob", "cem")]
    ids: dict[str, str] = {}

    async def write(member: str, reference: str, **said: Any) -> None:
        shop.clock.advance(timedelta(hours=1))
        review = (await submit(shop, member, reference, order=reference, **said))["review"]
        # What a draft refuses was never there.
        ids[reference] = review["id"] if review is not None else "none"

    await write(ann, "before", pictures=1)
    shop.clock.advance(DAY)
    await turn()
    # It is judged by the rules under which it was submitted.
    await approve(shop, ids["before"])
    await write(ann, "A", pictures=1)
    await approve(shop, ids["A"], quality=True)
    shop.clock.advance(DAY)
    await edit(shop, ids["A"], "less")
    await approve(shop, ids["A"], "less")
    shop.clock.advance(DAY)
    await edit(shop, ids["A"], "more", pictures=2, rating=4)
    await approve(shop, ids["A"], "more")
    for reference in ("B", "C", "D"):
        await write(bob, reference, pictures=1)
    await approve(shop, ids["B"])
    await approve(shop, ids["C"])
    shop.clock.advance(DAY)
    await reject(shop, ids["B"], "B")
    await reject(shop, ids["D"], "D")
    await withdraw(shop, ids["C"])
    await write(cem, "E")
    await approve(shop, ids["E"])
    await reject(shop, ids["E"], "E")
    await write(cem, "F", pictures=3)
    await approve(shop, ids["F"])


async def erased(shop: Shop, turn: Turn) -> None:
    """A review was approved and then rejected, and who wrote it is forgotten."""
    await turn()
    ann = await shop.enrol("ann")
    review = (await submit(shop, ann, "A", pictures=1))["review"]["id"]
    await approve(shop, review)
    await reject(shop, review)
    (payload,) = (await shop.ask(ERASE, {"id": ann}, role=Role.OPERATOR)).values()
    assert payload == {"errors": []}


async def from_before(shop: Shop, turn: Turn) -> None:
    """Two reviews from before submissions kept what they said: one was edited later, and one never was."""
    await turn()
    ann = await shop.enrol("ann")
    for reference in ("edited", "as it was"):
        review = (await submit(shop, ann, reference, order=reference, pictures=1))["review"]["id"]
        await approve(shop, review)
        if reference == "edited":
            shop.clock.advance(DAY)
            await edit(shop, review)
            await approve(shop, review, "again", quality=True)
    await shop.laurel.store.reader().client.execute_script(
        "UPDATE operation SET result = json_remove(result, '$.rating', '$.length', '$.pictures')"
        " WHERE channel = 'review'"
    )


async def test_fifty_points_for_a_picture_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, FIFTY, reviews, tmp_path)

    assert anew(result, "review") == {"submit": 7, "edit": 2, "approve": 8, "reject": 3, "withdraw": 1}
    assert issued(result) == (20 + (50 + 15) + 20 + 20 + 5 + 20, 20 + (80 + 45) + 50 + 50 + 5 + 50)
    assert result["draft"]["refused"] == {}


async def test_a_draft_without_reviews_refuses_them_and_keeps_what_was_submitted_before(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, NO_CHANNEL, reviews, tmp_path)

    assert issued(result) == (150, 20)
    assert result["draft"]["refused"]["review.submit: REVIEWS_NOT_OFFERED"] == 6


async def test_what_was_rejected_is_so_also_when_nobody_knows_the_reason_any_more(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    result, came = await simulated(sqlite_folder, PROGRAMME, FIFTY, erased, tmp_path)

    assert issued(result) == (20, 50)
    assert anew(result, "review") == {"submit": 1, "approve": 1, "reject": 1}
    assert list(came.members.values()) == [{"tier": ""}]


async def test_a_review_of_which_is_not_known_what_it_said_stands_as_it_was(
    sqlite_folder: SqliteFolder, tmp_path: Path
) -> None:
    # By which rules it came is not known of what stands as it was.
    result, came = await simulated(sqlite_folder, PROGRAMME, FIFTY, from_before, tmp_path, but={"rules"})

    assert issued(result) == (20 + 15 + 20, 20 + 15 + 50)
    assert came.members["ann"]["points"] == "85"
    operations = {
        name: [(each["kind"], each["count"]) for each in result["operations"][name] if each["channel"] == "review"]
        for name in ("anew", "carried")
    }
    assert operations == {"anew": [("approve", 1), ("submit", 1)], "carried": [("approve", 2)]}
    assert result["draft"]["refused"] == {}
