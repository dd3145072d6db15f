"""Suggestions: what fits a member now, and why, from quests, rewards and benefits."""

from collections.abc import AsyncIterator
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final

import pytest

from core.books.members import ByExternalId, bucket_of
from core.models import PredictionRow
from core.predictions.tagging import TagByPrediction
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import freeze, only
from tests.plugins.orders import buy, of_member, shop_at

PLUGINS: Final = only("purchase", "quest", "rewards", "benefit", "tag")
DAY: Final = timedelta(days=1)
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: points_earned, at_least: 5000}]}
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}}}
  tag: {tags: [{id: family}, {id: leaving, predicted: {likely_gone: {at_least: "0.7"}}}]}
  quest:
    quests:
      - {id: three, title: Three orders, period: monthly, count: {orders: 3}, points: 100}
      - {id: joined, title: Welcome, count: {joined: 1}, points: 5, claim: true}
      - {id: gold_only, title: For gold, count: {orders: 1}, points: 9, tiers: [gold]}
  rewards:
    items:
      - {id: tea, name: Tea, kind: goods, price: 100}
      - {id: toys, name: Toys, kind: goods, price: 90, suits: [family]}
      - {id: flask, name: Flask, kind: goods, price: 900}
      - {id: bowl, name: Bowl, kind: goods, price: 120, stock: true}
      - {id: cup, name: Cup, kind: goods, price: 150, tiers: [gold]}
      - {id: once, name: Once, kind: service, price: 10, limits: {lifetime: 1}, suits: [leaving]}
  benefit:
    benefits:
      - {id: shipping, name: Free shipping, kind: free_shipping, per: month, quota: 2}
"""
SHOWN: Final = "suggestions { kind channel subject title points until reason zh: reason(locale: ZH) }"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(apps)
    async with shop_at(url, PROGRAMME, PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


async def suggested(shop: Shop, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await of_member(shop, member, SHOWN))["suggestions"]
    return found


async def names(shop: Shop, member: str) -> list[str]:
    return [one["subject"] for one in await suggested(shop, member)]


async def test_each_says_why_in_english_and_in_chinese(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")

    assert await suggested(shop, ann) == [
        {
            "kind": "EARN",
            "channel": "quest",
            "subject": "joined",
            "title": "Welcome",
            "points": 5,
            "until": None,
            "reason": "It is done: claim its 5 points.",
            "zh": "任务已完成，可领取 5 积分。",
        },
        {
            "kind": "USE",
            "channel": "benefit",
            "subject": "shipping",
            "title": "Free shipping",
            "points": None,
            "until": "2026-01-31T16:00:00Z",
            "reason": "You can have it 2 more times until 2026-01-31.",
            "zh": "还可使用 2 次，至 2026-01-31 止。",
        },
        {
            "kind": "SPEND",
            "channel": "rewards",
            "subject": "tea",
            "title": "Tea",
            "points": 100,
            "until": None,
            "reason": "You have 110 points, and it takes 100.",
            "zh": "您有 110 积分，兑换需 100 积分。",
        },
        {
            "kind": "SPEND",
            "channel": "rewards",
            "subject": "toys",
            "title": "Toys",
            "points": 90,
            "until": None,
            "reason": "You have 110 points, and it takes 90.",
            "zh": "您有 110 积分，兑换需 90 积分。",
        },
        {
            "kind": "EARN",
            "channel": "quest",
            "subject": "three",
            "title": "Three orders",
            "points": 100,
            "until": "2026-01-31T16:00:00Z",
            "reason": "1 of 3 are done, and it brings 100 points.",
            "zh": "已完成 1/3，完成可得 100 积分。",
        },
        {
            "kind": "SPEND",
            "channel": "rewards",
            "subject": "once",
            "title": "Once",
            "points": 10,
            "until": None,
            "reason": "You have 110 points, and it takes 10.",
            "zh": "您有 110 积分，兑换需 10 积分。",
        },
    ]


async def test_what_is_about_to_be_lost_comes_before_what_can_wait(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    shop.clock.advance(362 * DAY)

    (tea,) = [one for one in await suggested(shop, ann) if one["subject"] == "tea"]

    assert tea["until"] == "2027-01-04T16:00:00Z"
    assert tea["reason"] == "110 of your points are lost after 2027-01-04, and it takes 100."
    assert tea["zh"] == "您有 110 积分将在 2027-01-04 之后失效，兑换需 100 积分。"
    assert (await names(shop, ann))[:3] == ["joined", "tea", "toys"]


async def test_what_is_meant_for_members_with_a_tag_weighs_more_for_them(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    given = {"member": {"id": ann}, "tag": "family", "reason": "a test", "idempotencyKey": "family"}
    query = "mutation ($input: TagMemberInput!) { tagMember(input: $input) { errors { message } } }"
    await shop.ask(query, {"input": given}, role=Role.OPERATOR)

    found = await suggested(shop, ann)

    assert [one["subject"] for one in found][1:3] == ["toys", "shipping"]
    assert found[1]["reason"] == "You have 110 points, and it takes 90. It is meant for members like you."
    assert found[1]["zh"] == "您有 110 积分，兑换需 90 积分。专为像您这样的会员准备。"


async def test_who_is_likely_to_lose_points_sees_first_what_they_pay_for_and_is_not_told(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    shop.clock.advance(280 * DAY)
    before = await suggested(shop, ann)
    assert before[0]["subject"] == "joined"

    await predicted(shop, lost=60)

    after = await suggested(shop, ann)
    assert [one["subject"] for one in after][:4] == ["tea", "toys", "once", "joined"]
    # Only the order is another.
    assert sorted(after, key=itemgetter("subject")) == sorted(before, key=itemgetter("subject"))
    await predicted(shop, lost=0)
    assert await suggested(shop, ann) == before
    await predicted(shop, lost=60)
    shop.clock.advance(9 * DAY)
    assert (await names(shop, ann))[0] == "joined", "nobody has said so for a week"


async def test_a_tag_by_prediction_weighs_in_silence(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    before = await suggested(shop, ann)
    operation = TagByPrediction(member=ByExternalId("ann"), idempotency_key="one", actor="a test", tags=("leaving",))
    assert (await shop.laurel.committer.submit(operation)).accepted

    after = await suggested(shop, ann)

    assert [one["subject"] for one in before].index("once") == 5
    assert [one["subject"] for one in after].index("once") == 2
    assert sorted(after, key=itemgetter("subject")) == sorted(before, key=itemgetter("subject"))


async def predicted(shop: Shop, lost: int) -> None:
    """Have it predicted that everybody loses so many points."""
    await PredictionRow.all().delete()
    figures: dict[str, Any] = dict.fromkeys(
        ("repeats", "recency_days", "age_days", "average", "redemptions", "orders", "spend"), 0
    )
    until = (shop.clock.now() - DAY).date()
    for (id,) in await shop.laurel.store.reader().query("SELECT id FROM member"):
        place: dict[str, Any] = {"bucket": bucket_of(str(id)), "member_id": str(id), "model": 1, "until": until}
        await PredictionRow.create(**place, **figures, gone=0, due=lost, lost=lost)


async def test_what_is_near_is_suggested_and_what_is_far_or_cannot_be_had_is_not(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    assert await names(shop, ann) == ["joined", "shipping", "three"]
    await buy(shop, ann, "A1", "80.00")

    near = {one["subject"]: one["reason"] for one in await suggested(shop, ann) if one["channel"] == "rewards"}
    assert near == {
        "once": "You have 80 points, and it takes 10.",
        "toys": "With 10 points more it is yours.",
        "tea": "With 20 points more it is yours.",
    }
    redeem = {"member": {"id": ann}, "reward": "once", "idempotencyKey": "once"}
    query = "mutation ($input: RedeemRewardInput!) { redeemReward(input: $input) { errors { message } } }"
    assert (await shop.ask(query, {"input": redeem}))["redeemReward"]["errors"] == []
    await buy(shop, ann, "A2", "900.00")
    assert [name for name in await names(shop, ann) if name in ("once", "bowl", "cup", "gold_only")] == []


async def test_who_can_do_nothing_is_suggested_nothing(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    await freeze(shop, ann)

    assert await names(shop, ann) == []


async def test_a_member_sees_their_own_and_as_many_as_are_asked_for(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "110.00")
    query = "query ($id: ID!) { member(by: {id: $id}) { suggestions(first: 2) { subject } } }"

    assert (await shop.ask(query, {"id": ann}, member=ann))["member"]["suggestions"] == [
        {"subject": "joined"},
        {"subject": "shipping"},
    ]
    for wrong in (0, 21, -1):
        answer = await shop.post(query.replace("first: 2", f"first: {wrong}"), {"id": ann})
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"


async def test_a_page_of_members_costs_a_fixed_number_of_statements(shop: Shop) -> None:
    for number in range(12):
        await buy(shop, await shop.enrol(f"m{number}"), f"A{number}", "110.00")
    shop.clock.advance(280 * DAY)
    await predicted(shop, lost=60)
    counted = []
    for first in (1, 12):
        async with statements() as seen:
            await shop.ask(
                f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {SHOWN} }} }} }}", {"first": first}
            )
        counted.append(len(seen))

    assert counted[0] == counted[1] <= 10
