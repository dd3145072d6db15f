"""Shares under other rules: what is simulated is what comes when they are published."""

from pathlib import Path
from typing import Final

import pytest

from graph.testing import Shop
from tests.databases import SqliteFolder
from tests.plugins.channel import reverse
from tests.plugins.simulated import DAY, Turn, anew, issued, simulated, told_twice
from tests.plugins.test_share import confirm, share

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

TOP: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels:\n"
PLAIN: Final = f"{TOP}  share: {{points: 10, limits: {{month: 3}}}}\n"
PROVED: Final = f"{TOP}  share: {{points: 10, limits: {{month: 3}}, proof: {{days: 7}}}}\n"
NO_CHANNEL: Final = f"{TOP}  profile: {{join: 0}}\n"


async def without_proof(shop: Shop, turn: Turn) -> None:
    """Ann shares four things, one too many; Bob's share is taken back, and he shares the same again."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    shop.clock.advance(DAY)
    await share(shop, ann, "tea")
    shop.clock.advance(DAY)
    await turn()
    for item in ("cup", "pot", "jar"):
        shop.clock.advance(DAY)
        await share(shop, ann, item)
    shared = await share(shop, bob, "tea")
    if (transaction := shared["transaction"]) is not None and transaction["entries"]:
        await reverse(shop, transaction["id"])
    await share(shop, bob, "tea", key="again")


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        (PLAIN.replace("10", "25"), 2 * 25 + 2 * 25, {}),
        (PLAIN.replace("month: 3", "month: 2"), 10 + 2 * 10, {"share.record: SHARES_USED_UP": 1}),
        # Nobody is known to have come by: it was not asked for. What Bob still waits for cannot be shared anew.
        (PROVED, 0, {"share.record: ALREADY_SHARED": 1}),
        (NO_CHANNEL, 0, {"share.record: SHARES_NOT_OFFERED": 4}),
    ],
    ids=["25 points", "two a month", "with proof", "no longer offered"],
)
async def test_shares_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PLAIN, draft, without_proof, tmp_path)

    assert issued(result) == (40, points)
    assert anew(result, "share") == {"record": 5}
    told = result["draft"]["refused"]
    # What never was cannot be taken back either.
    assert {what: times for what, times in told.items() if not what.startswith("ledger")} == refused


async def with_proof(shop: Shop, turn: Turn) -> None:
    """Somebody comes by two things that Ann shared: one of them before the turn."""
    ann = await shop.enrol("ann")
    shop.clock.advance(DAY)
    before = (await share(shop, ann, "tea"))["share"]["code"]
    shop.clock.advance(DAY)
    await turn()
    after = (await share(shop, ann, "cup"))["share"]
    shop.clock.advance(DAY)
    for code in (before, None if after is None else after["code"]):
        if code is not None:
            await confirm(shop, code)
    await share(shop, ann, "pot")


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        # A share earns what the programme gave when it was shared.
        (PROVED.replace("10", "25"), 10 + 25, {}),
        (PLAIN, 3 * 10, {"share.confirm: SHARE_NOT_FOUND": 1}),
        (NO_CHANNEL, 10, {"share.record: SHARES_NOT_OFFERED": 2, "share.confirm: SHARE_NOT_FOUND": 1}),
    ],
    ids=["25 points", "without proof", "no longer offered"],
)
async def test_shares_with_proof_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROVED, draft, with_proof, tmp_path)

    assert issued(result) == (20, points)
    assert anew(result, "share") == {"record": 3, "confirm": 2}
    assert result["draft"]["refused"] == refused


async def test_a_share_of_which_too_little_is_kept_is_carried_over(sqlite_folder: SqliteFolder, tmp_path: Path) -> None:
    async def forgetful(shop: Shop, turn: Turn) -> None:
        ann = await shop.enrol("ann")
        await turn()
        shop.clock.advance(DAY)
        for item in ("tea", "cup", "pot"):
            await share(shop, ann, item)
        client = shop.laurel.store.reader().client
        await client.execute_query(
            "UPDATE operation SET result = replace(result, '\"item\":\"cup\",', '') WHERE channel = 'share'"
        )

    result, _ = await simulated(sqlite_folder, PLAIN, PLAIN.replace("10", "25"), forgetful, tmp_path)

    assert issued(result) == (30, 25 + 10 + 25)
    assert {"channel": "share", "kind": "record", "count": 2} in result["operations"]["anew"]
    assert {"channel": "share", "kind": "record", "count": 1} in result["operations"]["carried"]
