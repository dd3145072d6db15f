"""Joining and the profile under other rules: what is simulated is what comes when they are published."""

from pathlib import Path
from typing import Final

import pytest

from graph.testing import Shop
from tests.databases import SqliteFolder
from tests.plugins.channel import reverse
from tests.plugins.simulated import DAY, Turn, anew, issued, told_twice
from tests.plugins.test_profile import complete

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

TOP: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels:\n"
PROGRAMME: Final = f"{TOP}  profile: {{join: 50, sections: {{skin: 30, phone: 10}}, complete: 20}}\n"
NO_CHANNEL: Final = f"{TOP}  share: {{points: 5}}\n"


async def profiles(shop: Shop, turn: Turn) -> None:
    """Ann completes a section before the turn and one after it; Bob joins after it, and one of his is taken back."""
    ann = await shop.enrol("ann")
    await complete(shop, ann, "skin")
    shop.clock.advance(DAY)
    await turn()
    await complete(shop, ann, "phone")
    bob = await shop.enrol("bob")
    shop.clock.advance(DAY)
    completed = (await complete(shop, bob, "skin"))["transaction"]
    if completed is not None and completed["entries"]:
        await reverse(shop, completed["id"])
    await complete(shop, bob, "skin", key="again")
    await complete(shop, bob, "phone")


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        (PROGRAMME.replace("50", "5").replace("10", "40"), 40 + 20 + 5 + 30 + 30 + 40 + 20, {}),
        # Ann has completed all that there is already.
        (
            PROGRAMME.replace(", phone: 10", ""),
            50 + 30 + 20 + 30 + 20,
            {"profile.complete: PROFILE_SECTION_NOT_FOUND": 2},
        ),
        (NO_CHANNEL, 0, {"profile.complete: PROFILE_NOT_OFFERED": 4}),
    ],
    ids=["40 points", "a section less", "no longer offered"],
)
async def test_profiles_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, draft, profiles, tmp_path)

    assert issued(result) == (10 + 20 + 50 + 30 + 30 + 10 + 20, points)
    assert anew(result, "profile") == {"complete": 5}
    told = result["draft"]["refused"]
    # What never was cannot be taken back either.
    assert {what: times for what, times in told.items() if not what.startswith("ledger")} == refused
