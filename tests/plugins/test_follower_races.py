"""Badges and leaderboards while four processes count for the same members: one award, no lost score, one prize."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest

from core.oversight.verify import verify
from core.scheduling.jobs import Run
from core.time.clock import SystemClock
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.leaderboard.closing import run_boards
from plugins.manager import Plugins
from tests.databases import Apps
from tests.plugins.channel import only
from tests.plugins.orders import balance, of_member
from tests.processes.racing import Racers

NAMES: Final = ("badge", "donation", "leaderboard")
PROCESSES: Final = 4
DONATIONS: Final = 10

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  donation: {projects: [{id: trees, title: Trees, goal: 5000000, least: 1}]}
  badge: {badges: [{id: giver, title: Giver, count: points_donated, at_least: 5, award: {pack: {points: 7}}}]}
  leaderboard:
    boards:
      - id: givers
        title: Givers
        count: points_donated
        period: week
        prizes: [{up_to: 1, award: {pack: {points: 100}}}]
"""


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return only(*NAMES)


@pytest.fixture(scope="module")
def apps(plugins: Plugins) -> Apps:
    return tables(plugins)


async def donate(racers: Racers, url: str, members: list[str]) -> None:
    requests = [{"members": members * DONATIONS, "kind": "donate_points", "project": "trees", "points": 1}]
    outcomes = await racers.run("channels", url, processes=PROCESSES, plugins=NAMES, requests=requests)
    assert [outcome for outcome in outcomes if "error" in outcome or outcome["refusal"]] == []
    assert len(outcomes) == len(members) * DONATIONS


def run_at(shop: Shop) -> Run:
    """The job as a process has it whose lease another has taken over."""
    laurel, now = shop.laurel, shop.clock.now()
    programme = laurel.programmes.at(now).programme
    return Run("leaderboard", now, None, programme, laurel.programmes, laurel.store.reader(), laurel.committer)


async def test_one_award_no_lost_score_and_one_prize(fresh_database: str, racers: Racers, plugins: Plugins) -> None:
    names, now = ["ann", "bob", "cid"], SystemClock().now()
    async with open_shop(fresh_database, PROGRAMME, plugins=plugins, now=now) as shop:
        members = [await shop.enrol(name) for name in names]
        for member in members:
            await shop.give(member, 100, "to give")

    await donate(racers, fresh_database, names)

    async with open_shop(fresh_database, None, plugins=plugins, now=now + timedelta(seconds=1)) as shop:
        assert [await balance(shop, member) for member in members] == [100 - DONATIONS + 7] * 3
        shown = await of_member(shop, members[0], "badges { level }")
        assert shown == {"badges": [{"level": 1}]}
        board = '{ leaderboard(name: "givers") { places { nodes { place score } } } }'
        places = (await shop.ask(board))["leaderboard"]["places"]["nodes"]
        assert places == [{"place": 1, "score": str(DONATIONS)}] * 3

        shop.clock.advance(timedelta(days=8))
        given = await asyncio.gather(*(run_boards(run_at(shop)) for _ in range(3)))

        assert sum(given) == 3
        assert [await balance(shop, member) for member in members] == [100 - DONATIONS + 7 + 100] * 3
        assert await verify(shop.laurel.store.reader(), plugins.invariants) == []
