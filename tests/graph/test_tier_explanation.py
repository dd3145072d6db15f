"""Why a tier changed: the figures of the moment, whatever is refunded later, in both languages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from core.models import TierChangeRow
from core.oversight.verify import verify
from core.rulebook.publishing import publish
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins
from tests.databases import SqliteFolder
from tests.plugins.orders import buy, send_back, told

PLUGINS: Final[Plugins] = load_plugins()
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}}}
  tier_purchase: {prices: {silver: 100}}
tiers:
  window: {months: 12}
  keep: {review: yearly, ratio: "0.8", grace_days: 14, taken_back: match}
  ladder:
  - {id: regular}
  - {id: silver, name: Silver, all: [{fact: spend, at_least: 1000}, {fact: orders, at_least: 2}]}
  - {id: gold, any: [{fact: spend, at_least: 5000}, {fact: points_earned, at_least: 9000, window: lifetime}]}
"""
NOON: Final = datetime(2027, 3, 10, 4, tzinfo=UTC)
HISTORY: Final = """query ($id: ID!, $locale: Locale) { node(id: $id) { ... on Member { tierHistory {
  cause explanation(locale: $locale) { programmeVersion text
    judged { tier { code } forKeeping mode isMet
      criteria { fact window { months } since until current required isMet } } }
} } } }"""
SET: Final = """mutation ($input: SetTierInput!) { setTier(input: $input) { errors { message } } }"""
MERGE: Final = """mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { message } } }"""
UNDO: Final = """mutation ($input: UndoMergeInput!) { undoMerge(input: $input) { errors { message } } }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("tier_explained"))


@pytest.fixture
async def club(folder: SqliteFolder) -> AsyncIterator[Shop]:
    async with open_shop(folder.migrated(tables(PLUGINS)), PROGRAMME, plugins=PLUGINS, now=NOON) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader()) == []


async def history(shop: Shop, member: str, locale: str = "EN") -> list[dict[str, Any]]:
    """The steps after enrolment: the cause with its explanation."""
    found = await shop.ask(HISTORY, {"id": member, "locale": locale})
    return [{"cause": step["cause"], **step["explanation"]} for step in found["node"]["tierHistory"]][1:]


async def do(shop: Shop, mutation: str, **input: Any) -> None:
    (payload,) = (await shop.ask(mutation, {"input": input}, role=Role.OPERATOR)).values()
    assert payload["errors"] == []


async def test_a_rise_keeps_the_figures_of_its_moment_whatever_is_refunded_later(club: Shop) -> None:
    ann = await club.enrol("ann")
    await buy(club, ann, "A1", "400.50")
    await buy(club, ann, "A2", "600.00")
    (at_once,) = await history(club, ann)
    club.clock.set(datetime(2027, 4, 1, 4, tzinfo=UTC))
    await buy(club, ann, "A3", "900.00")
    await send_back(club, ann, "A1", "100.00")

    (later,) = await history(club, ann)
    (chinese,) = await history(club, ann, "ZH")

    window = {"window": {"months": 12}, "since": "2026-03-11", "until": "2027-03-10"}
    assert later == at_once
    assert later["judged"] == [
        {
            "tier": {"code": "silver"},
            "forKeeping": False,
            "mode": "ALL",
            "isMet": True,
            "criteria": [
                {"fact": "spend", **window, "current": "1000.50", "required": "1000", "isMet": True},
                {"fact": "orders", **window, "current": "2", "required": "2", "isMet": True},
            ],
        },
        {
            "tier": {"code": "gold"},
            "forKeeping": False,
            "mode": "ANY",
            "isMet": False,
            "criteria": [
                {"fact": "spend", **window, "current": "1000.50", "required": "5000", "isMet": False},
                {
                    "fact": "points_earned",
                    "window": None,
                    "since": None,
                    "until": "2027-03-10",
                    "current": "1000",
                    "required": "9000",
                    "isMet": False,
                },
            ],
        },
    ]
    assert (later["cause"], later["programmeVersion"]) == ("EARNED", 1)
    assert later["text"] == [
        "Silver was reached on 2027-03-10 12:00, by version 1 of the programme: what it asks for was met.",
        "Silver asks for all of these: met.",
        "spend from 2026-03-11 to 2027-03-10 came to 1,000.50, and 1,000 is asked for: met.",
        "orders from 2026-03-11 to 2027-03-10 came to 2, and 2 is asked for: met.",
        "gold asks for any of these: not met.",
        "spend from 2026-03-11 to 2027-03-10 came to 1,000.50, and 5,000 is asked for: not met.",
        "points_earned until 2027-03-10 came to 1,000, and 9,000 is asked for: not met.",
    ]
    assert chinese["text"] == [
        "2027-03-10 12:00 升至 Silver：已满足规则第 1 版的条件。",
        "Silver 须满足以下全部条件：已满足。",
        "消费金额（2026-03-11 至 2027-03-10）为 1,000.50，要求 1,000：已满足。",
        "订单数（2026-03-11 至 2027-03-10）为 2，要求 2：已满足。",
        "gold 须满足以下任一条件：未满足。",
        "消费金额（2026-03-11 至 2027-03-10）为 1,000.50，要求 5,000：未满足。",
        "获得积分（截至 2027-03-10）为 1,000，要求 9,000：未满足。",
    ]


async def test_a_fall_after_the_grace_says_what_was_asked_for_and_until_when_it_counted(club: Shop) -> None:
    ann = await club.enrol("ann")
    await buy(club, ann, "A1", "500.00")
    await buy(club, ann, "A2", "500.00")
    club.clock.set(datetime(2028, 3, 20, 4, tzinfo=UTC))
    await buy(club, ann, "A3", "150.00")
    club.clock.set(datetime(2029, 3, 30, 4, tzinfo=UTC))
    await club.laurel.jobs.run("tiers")

    fallen = (await history(club, ann))[-1]
    chinese = (await history(club, ann, "ZH"))[-1]

    window = {"window": {"months": 12}, "since": "2028-03-10", "until": "2029-03-23"}
    assert fallen["judged"] == [
        {
            "tier": {"code": "silver"},
            "forKeeping": True,
            "mode": "ALL",
            "isMet": False,
            "criteria": [
                {"fact": "spend", **window, "current": "150.00", "required": "800.0000", "isMet": False},
                {"fact": "orders", **window, "current": "1", "required": "2", "isMet": False},
            ],
        }
    ]
    assert fallen["text"][:2] == [
        "Silver was judged on 2029-03-24 00:00, by version 1 of the programme, and not kept: regular followed.",
        "To be kept, Silver asks for all of these: not met.",
    ]
    assert chinese["text"][:2] == [
        "2029-03-24 00:00 按规则第 1 版评定，未能保住 Silver，降至 regular。",
        "Silver 保级须满足以下全部条件：未满足。",
    ]


async def test_what_is_taken_back_shows_what_the_tier_no_longer_stands_on(club: Shop) -> None:
    ann = await club.enrol("ann")
    await buy(club, ann, "A1", "5200.00")
    await send_back(club, ann, "A1", "4300.00")

    rise, fall = await history(club, ann)

    assert (rise["cause"], rise["judged"][0]["criteria"][0]["current"]) == ("EARNED", "5200.00")
    assert fall["cause"] == "TAKEN_BACK"
    assert [(tier["tier"]["code"], tier["isMet"]) for tier in fall["judged"]] == [("gold", False), ("silver", False)]
    assert [one["current"] for one in fall["judged"][0]["criteria"]] == ["900.00", "900"]
    assert fall["text"][0] == (
        "What gold had been reached or kept with was taken back on 2027-03-10 12:00: by version 1 of the programme,"
        " regular followed."
    )


async def test_where_no_criteria_decided_it_says_who_or_what_did(club: Shop) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    given = {"tier": "gold", "reason": "our first guest", "idempotencyKey": "s", "member": {"id": ann}}
    await do(club, SET, **given)
    await club.give(bob, 500, "g")
    bought = "mutation ($input: BuyTierInput!) { buyTier(input: $input) { errors { message } } }"
    await do(club, bought, member={"id": bob}, tier="silver", price=100, idempotencyKey="b")

    ((by_hand,), (by_channel,)) = [await history(club, member) for member in (ann, bob)]
    ((by_hand_zh,), (by_channel_zh,)) = [await history(club, member, "ZH") for member in (ann, bob)]

    assert by_hand == {
        "cause": "OPERATOR",
        "programmeVersion": 1,
        "judged": [],
        "text": ["An operator set gold on 2027-03-10 12:00, whatever the criteria: our first guest."],
    }
    assert by_channel["text"] == ["tier_purchase.buy_tier brought Silver on 2027-03-10 12:00, whatever the criteria."]
    assert by_hand_zh["text"] == ["2027-03-10 12:00 由运营人员设为 gold，不论条件是否满足：our first guest。"]
    assert by_channel_zh["text"] == ["2027-03-10 12:00 由 tier_purchase.buy_tier 设为 Silver，不论条件是否满足。"]


async def test_a_merge_and_its_undoing_are_told_each_in_its_way(club: Shop) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    await buy(club, bob, "B1", "6000.00")
    await do(club, MERGE, **{"from": {"id": bob}}, into={"id": ann}, reason="the same person", idempotencyKey="m")
    await told(club)
    await do(club, UNDO, member={"id": bob}, reason="not the same", idempotencyKey="u")
    await told(club)

    english, chinese = [[step["text"] for step in await history(club, ann, locale)] for locale in ("EN", "ZH")]

    assert english == [
        ["gold came on 2027-03-10 12:00 from a membership that was merged into this one."],
        ["gold had come from a merged membership; that was undone on 2027-03-10 12:00, and regular followed."],
    ]
    assert chinese == [
        ["2027-03-10 12:00 因另一会员资格并入而升至 gold。"],
        ["gold 来自并入的会员资格，2027-03-10 12:00 该合并被撤销，回到 regular。"],
    ]


async def test_a_new_ladder_is_named_as_the_cause_with_what_it_asks_for(club: Shop) -> None:
    ann = await club.enrol("ann")
    await buy(club, ann, "A1", "6000.00")
    await publish(
        PROGRAMME.replace("id: gold", "id: diamond"),
        author="the tests",
        reason="a finer name",
        load=club.laurel.load,
        clock=club.clock,
        starts_at=datetime(2027, 6, 1, tzinfo=UTC),
    )
    club.clock.set(datetime(2027, 7, 1, tzinfo=UTC))
    await club.laurel.jobs.run("tiers")

    _, adopted = await history(club, ann)

    assert (adopted["cause"], adopted["programmeVersion"]) == ("PROGRAMME", 2)
    assert [(tier["tier"]["code"], tier["isMet"]) for tier in adopted["judged"]] == [("diamond", True)]
    assert adopted["text"][0] == (
        "Version 2 of the programme has no tier gold: diamond took its place on 2027-06-01 08:00."
    )


async def test_of_what_happened_before_figures_were_kept_the_cause_is_told(club: Shop) -> None:
    ann = await club.enrol("ann")
    await buy(club, ann, "A1", "6000.00")
    await TierChangeRow.all().update(version=None, grounds=None)

    (rise,) = await history(club, ann)

    assert (rise["programmeVersion"], rise["judged"]) == (None, [])
    assert rise["text"] == [
        "gold was reached on 2027-03-10 12:00, by version 1 of the programme: what it asks for was met.",
        "The figures of that time were not kept.",
    ]


async def test_another_member_is_told_nothing(club: Shop) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    await buy(club, ann, "A1", "6000.00")

    assert await club.ask(HISTORY, {"id": ann, "locale": "EN"}, member=bob) == {"node": None}
