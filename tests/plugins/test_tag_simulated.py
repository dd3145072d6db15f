"""Tags that were given by hand are there for the rules that are simulated."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest

from graph.laurel import tables
from graph.simulating.process import Finished, replay
from graph.testing import Shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.orders import buy, shop_at

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

DAY: Final = timedelta(days=1)
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase:
    earn:
      points:
        groups:
          - {id: base, add: sum, rules: [{id: spend, points: order.amount}]}
          - {id: more, multiply: best, rules: [{id: family, when: "'family' in member.tags", factor: 3}]}
  tag: {tags: [{id: family}]}
"""
GIVE = """mutation ($id: ID!, $until: Instant) { tagMember(input: {member: {id: $id}, tag: "family", until: $until,
  reason: "they told us", idempotencyKey: "give"}) { errors { code } } }"""
TAKE = """mutation ($id: ID!) { untagMember(input: {member: {id: $id}, tag: "family", reason: "no longer",
  idempotencyKey: "take"}) { errors { code } } }"""


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    plugins = load_plugins()
    url = sqlite_folder.migrated(tables(plugins))
    async with shop_at(url, PROGRAMME, plugins) as shop:
        yield shop
    sqlite_folder.done(url)


async def test_rules_that_ask_for_a_tag_given_by_hand_find_it_while_it_was_there(shop: Shop) -> None:
    begun = shop.clock.now()
    ann, ben = await shop.enrol("ann"), await shop.enrol("ben")

    async def tag(text: str, **asked: Any) -> None:
        (payload,) = (await shop.ask(text, asked, role=Role.OPERATOR)).values()
        assert payload == {"errors": []}

    async def a_day_with_orders(number: int) -> None:
        shop.clock.advance(DAY)
        await buy(shop, ann, f"A{number}", "10.00")
        await buy(shop, ben, f"B{number}", "10.00")

    await a_day_with_orders(1)
    await tag(GIVE, id=ann)
    await tag(GIVE, id=ben, until=(shop.clock.now() + timedelta(hours=30)).isoformat())
    await a_day_with_orders(2)
    await tag(TAKE, id=ann)
    await a_day_with_orders(3)
    now = shop.clock.now() + DAY

    said = [
        one
        async for one in replay(
            shop.laurel.settings, PROGRAMME.replace("factor: 3", "factor: 2"), begun - DAY, now, begun=now
        )
    ]

    assert isinstance(said[-1], Finished)
    result = said[-1].result
    assert [result[run]["units"]["points"]["issued"] for run in ("today", "draft")] == [100, 80]
    assert result["fidelity"]["units"]["points"]["apart"] == 0
    assert (result["today"]["refused"], result["today"]["failed"]) == ({}, {})
