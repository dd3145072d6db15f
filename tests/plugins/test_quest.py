"""Quests through the schema: three orders a month, ten pages looked at, 200 for newcomers; and what undoes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.rules import Validity
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from plugins.quest.rules import Quest
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing
from tests.plugins.orders import balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "quest")
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
DAY: Final = timedelta(days=1)

ORDERS: Final = "{id: three_orders, title: Three orders this month, period: monthly, count: {orders: 3}, points: 100}"
PAGES: Final = "{id: look_around, title: Ten pages, period: daily, count: {product_view: 10}, points: 20}"
NEWCOMER: Final = "{id: newcomer, title: Welcome, count: {joined: 1, profile: 1, orders: 1}, points: 200}"
EVENTS: Final = "{product_view: A product's page was opened, profile: The profile was completed}"

TELL: Final = """
mutation ($input: RecordQuestEventInput!) {
  recordQuestEvent(input: $input) {
    counted
    errors { code ... on QuestEventNotFound { event } ... on InvalidValue { field } ... on MemberNotActive { status } }
  }
}"""
CLAIM: Final = """
mutation ($input: ClaimQuestInput!) {
  claimQuest(input: $input) {
    transaction { id }
    errors {
      code
      ... on QuestsNotOffered { at }
      ... on QuestNotFound { quest }
      ... on QuestNotYetOpen { opensAt }
      ... on QuestOver { closedAt }
      ... on QuestNotForTier { tier }
      ... on QuestNotReached { current required }
      ... on QuestAlreadyDone { period resetsAt }
      ... on MemberNotActive { status }
    }
  }
}"""


def programme(*quests: str, top: str = "") -> str:
    return document(f"  quest: {{events: {EVENTS}, quests: [{', '.join(quests)}]}}", top=top)


def opened(url: str, *quests: str, top: str = "") -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(*quests, top=top), PLUGINS)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """Three quests, on every database."""
    async with opened(fresh_database, ORDERS, PAGES, NEWCOMER) as shop:
        yield shop


async def quests(shop: Shop, member: str, fields: str = "name status progress { current required ratio }") -> Any:
    return (await of_member(shop, member, f"quests {{ {fields} }}"))["quests"]


async def tell(shop: Shop, member: str, event: str, thing: str, key: str | None = None) -> dict[str, Any]:
    given = {"member": {"id": member}, "event": event, "object": thing, "idempotencyKey": key or f"{event}:{thing}"}
    answer: dict[str, Any] = (await shop.ask(TELL, {"input": given}))["recordQuestEvent"]
    return answer


async def look(shop: Shop, member: str, *pages: int, on: str = "") -> list[bool]:
    """Open pages; whether each counted."""
    return [(await tell(shop, member, "product_view", f"page {n}", f"{on} page {n}"))["counted"] for n in pages]


async def claim(shop: Shop, member: str, quest: str, key: str = "claim") -> list[dict[str, Any]]:
    given = {"member": {"id": member}, "quest": quest, "idempotencyKey": key}
    errors: list[dict[str, Any]] = (await shop.ask(CLAIM, {"input": given}))["claimQuest"]["errors"]
    return errors


async def refused(shop: Shop, member: str, quest: str) -> dict[str, Any]:
    """The refusal of a claim, which must leave everything as it was."""
    before = await standing(shop, member)
    (error,) = await claim(shop, member, quest, f"refused at {shop.clock.now()}")
    assert await standing(shop, member) == before
    return error


# -- the documents' quests ----------------------------------------------------------------------------


async def test_three_orders_in_a_month_bring_a_hundred_points_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(2):
        await buy(shop, ann, f"A{number}", "10.00")
    assert (await quests(shop, ann))[0] == {
        "name": "three_orders",
        "status": "OPEN",
        "progress": {"current": 2, "required": 3, "ratio": "0.6666"},
    }

    await buy(shop, ann, "A2", "10.00")
    await buy(shop, ann, "A3", "10.00")

    assert await balance(shop, ann) == 40 + 100
    assert (await quests(shop, ann, "name status points period resetsAt progress { ratio }"))[0] == {
        "name": "three_orders",
        "status": "DONE",
        "points": 100,
        "period": "monthly",
        "resetsAt": "2026-01-31T16:00:00Z",
        "progress": {"ratio": "1.0000"},
    }
    assert await verify(shop.laurel.store.reader()) == []


async def test_every_month_begins_anew_at_midnight_in_the_programmes_zone(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.set(datetime(2026, 1, 31, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    for number in range(2):
        await buy(shop, ann, f"A{number}", "10.00")
    shop.clock.set(datetime(2026, 1, 31, 16, 1, tzinfo=UTC))
    await buy(shop, ann, "A2", "10.00")

    assert await balance(shop, ann) == 30
    assert (await quests(shop, ann))[0]["progress"]["current"] == 1

    await buy(shop, ann, "A3", "10.00", occurredAt="2026-01-31T23:59:59+08:00")
    assert await balance(shop, ann) == 40 + 100, "an order of January completes January, whenever it is told"


async def test_ten_different_pages_a_day_bring_twenty_points(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    assert await look(shop, ann, *range(9)) == [True] * 9
    assert await look(shop, ann, *range(9), on="again") == [False] * 9
    assert await balance(shop, ann) == 0
    assert await look(shop, ann, 9, 10) == [True, False]
    assert await balance(shop, ann) == 20

    shop.clock.advance(DAY)
    assert await look(shop, ann, *range(10), on="tomorrow") == [True] * 10
    assert await balance(shop, ann) == 40


async def test_joining_profile_and_first_order_are_two_hundred_in_all(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "10.00")
    assert (await quests(shop, ann))[2]["progress"] == {"current": 2, "required": 3, "ratio": "0.6666"}

    await tell(shop, ann, "profile", "complete")

    assert await balance(shop, ann) == 10 + 200
    assert (await quests(shop, ann, "status resetsAt"))[2] == {"status": "DONE", "resetsAt": None}


async def test_joining_alone_can_be_a_quest(quick_url: str) -> None:
    async with opened(quick_url, "{id: join, title: Join, count: {joined: 1}, points: 50}") as shop:
        assert await balance(shop, await shop.enrol("ann")) == 50


@pytest.mark.parametrize(
    ("period", "day", "name", "first", "last"),
    [
        ("once", date(2026, 1, 5), "once", None, None),
        ("daily", date(2026, 1, 5), "2026-01-05", date(2026, 1, 5), date(2026, 1, 5)),
        ("weekly", date(2026, 1, 4), "2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("weekly", date(2026, 1, 5), "2026-W02", date(2026, 1, 5), date(2026, 1, 11)),
        ("monthly", date(2028, 2, 29), "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_periods_are_of_the_calendar(period: Any, day: date, name: str, first: date, last: date) -> None:
    quest = Quest(id="q", title="Q", count={"orders": 1}, points=1, period=period)

    found = quest.period_of(day, SHANGHAI)

    assert found is not None
    assert (found.name, found.first, found.last) == (name, first, last)


def test_a_period_ends_with_the_quest() -> None:
    valid = Validity.model_validate({"from": "2026-01-10T00:00:00+08:00", "to": "2026-01-20T00:00:00+08:00"})
    quest = Quest(id="q", title="Q", count={"orders": 1}, points=1, period="monthly", valid=valid)

    found = quest.period_of(date(2026, 1, 19), SHANGHAI)

    assert found == ("2026-01", date(2026, 1, 10), date(2026, 1, 19), None)
    assert quest.period_of(date(2026, 1, 9), SHANGHAI) is None
    assert quest.period_of(date(2026, 1, 20), SHANGHAI) is None


# -- what undoes a quest ------------------------------------------------------------------------------


async def test_an_order_that_comes_back_takes_the_quest_back_once_and_another_brings_it_again(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(3):
        await buy(shop, ann, f"A{number}", "10.00")
    assert await balance(shop, ann) == 130

    await send_back(shop, ann, "A0", "5.00")
    assert await balance(shop, ann) == 125, "it is still an order"
    await send_back(shop, ann, "A0")
    assert await balance(shop, ann) == 20
    await send_back(shop, ann, "A1")
    assert await balance(shop, ann) == 10

    await buy(shop, ann, "A3", "10.00")
    await buy(shop, ann, "A4", "10.00")
    assert await balance(shop, ann) == 130
    assert await verify(shop.laurel.store.reader()) == []


async def test_an_order_of_last_month_that_comes_back_undoes_last_months_quest(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(3):
        await buy(shop, ann, f"A{number}", "10.00")
    shop.clock.advance(40 * DAY)
    for number in range(3, 6):
        await buy(shop, ann, f"A{number}", "10.00")
    assert await balance(shop, ann) == 260

    await send_back(shop, ann, "A0")

    assert await balance(shop, ann) == 150
    assert (await quests(shop, ann))[0]["status"] == "DONE"


async def test_reversing_the_order_that_completed_it_takes_the_quest_back_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(2):
        await buy(shop, ann, f"A{number}", "10.00")

    await reverse(shop, await buy(shop, ann, "A2", "10.00"))

    assert await balance(shop, ann) == 20
    await buy(shop, ann, "A3", "10.00")
    assert await balance(shop, ann) == 130


# -- claims -------------------------------------------------------------------------------------------

CLAIMED: Final = "{id: two, title: Two orders, period: monthly, count: {orders: 2}, points: 30, claim: true}"


async def test_a_quest_that_is_claimed_is_paid_when_the_member_asks(quick_url: str) -> None:
    async with opened(quick_url, CLAIMED) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "10.00")
        assert await refused(shop, ann, "two") == {"code": "QUEST_NOT_REACHED", "current": 1, "required": 2}
        await buy(shop, ann, "A2", "10.00")
        assert (await quests(shop, ann, "status")) == [{"status": "READY"}]
        assert await balance(shop, ann) == 20

        taps = await asyncio.gather(*(claim(shop, ann, "two", f"tap {number}") for number in range(5)))

        done = {"code": "QUEST_ALREADY_DONE", "period": "2026-01", "resetsAt": "2026-01-31T16:00:00Z"}
        assert sorted(taps, key=len) == [[], *[[done]] * 4]
        assert await balance(shop, ann) == 50
        assert await quests(shop, ann, "status") == [{"status": "DONE"}]


async def test_a_claim_that_an_operator_reverses_stays_reversed(quick_url: str) -> None:
    async with opened(quick_url, CLAIMED) as shop:
        ann = await shop.enrol("ann")
        for number in range(2):
            await buy(shop, ann, f"A{number}", "10.00")
        given = {"member": {"id": ann}, "quest": "two", "idempotencyKey": "claim"}
        await reverse(shop, (await shop.ask(CLAIM, {"input": given}))["claimQuest"]["transaction"]["id"])

        assert await balance(shop, ann) == 20
        assert (await refused(shop, ann, "two"))["code"] == "QUEST_ALREADY_DONE"
        await send_back(shop, ann, "A1")
        assert await balance(shop, ann) == 10


# -- who and when -------------------------------------------------------------------------------------

TIERS: Final = (
    "tiers: {window: lifetime, ladder: [{id: regular}, {id: gold, all: [{fact: orders, at_least: 3}]},"
    " {id: crown, all: [{fact: orders, at_least: 99}]}]}"
)


async def test_a_quest_for_a_tier_is_for_nobody_else(quick_url: str) -> None:
    gold = "{id: gold_two, title: Two, count: {orders: 4}, points: 30, tiers: [gold]}"
    regular = "{id: first, title: One, count: {orders: 1}, points: 5, tiers: [crown]}"
    async with opened(quick_url, gold, regular, top=TIERS) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A0", "10.00")
        assert await refused(shop, ann, "gold_two") == {"code": "QUEST_NOT_FOR_TIER", "tier": "regular"}
        assert await quests(shop, ann, "status") == [{"status": "OTHER_TIER"}] * 2
        for number in range(1, 4):
            await buy(shop, ann, f"A{number}", "10.00")

        assert await balance(shop, ann) == 40 + 30


async def test_a_quest_is_open_in_its_window_only(quick_url: str) -> None:
    window = '{from: "2026-02-01T00:00:00+08:00", to: "2026-02-11T00:00:00+08:00"}'
    quest = f"{{id: spring, title: Spring, count: {{orders: 1}}, points: 30, valid: {window}}}"
    async with opened(quick_url, quest) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "10.00")
        assert await refused(shop, ann, "spring") == {"code": "QUEST_NOT_YET_OPEN", "opensAt": "2026-01-31T16:00:00Z"}
        assert await quests(shop, ann, "status") == [{"status": "AHEAD"}]

        shop.clock.set(datetime(2026, 2, 10, 15, 59, 59, tzinfo=UTC))
        assert await quests(shop, ann, "status progress { current }") == [
            {"status": "OPEN", "progress": {"current": 0}}
        ]
        await buy(shop, ann, "A2", "10.00")
        assert await balance(shop, ann) == 50

        shop.clock.advance(timedelta(seconds=1))
        assert await refused(shop, ann, "spring") == {"code": "QUEST_OVER", "closedAt": "2026-02-10T16:00:00Z"}
        assert await quests(shop, ann, "status") == [{"status": "OVER"}]


async def test_unknown_quests_and_events_are_refused(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    assert await refused(shop, ann, "nothing") == {"code": "QUEST_NOT_FOUND", "quest": "nothing"}
    answer = await tell(shop, ann, "jump", "high")
    assert answer == {"counted": False, "errors": [{"code": "QUEST_EVENT_NOT_FOUND", "event": "jump"}]}
    for thing in ("", "x" * 129):
        assert (await tell(shop, ann, "product_view", thing, f"{len(thing)}"))["errors"] == [
            {"code": "INVALID_VALUE", "field": "object"}
        ]


async def test_a_frozen_member_does_no_quests_and_can_still_be_put_right(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze(shop, ann)

    frozen = {"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}
    assert (await tell(shop, ann, "product_view", "1"))["errors"] == [frozen]
    assert await refused(shop, ann, "newcomer") == frozen
    await shop.give(ann, 5, "put right")
    assert await balance(shop, ann) == 5


async def test_only_the_brands_service_tells_events_and_a_member_claims_for_nobody_else(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    event = {"input": {"member": {"id": ann}, "event": "product_view", "object": "1", "idempotencyKey": "x"}}
    of_bob = {"input": {"member": {"id": bob}, "quest": "newcomer", "idempotencyKey": "x"}}

    for answer in (
        await shop.post(TELL, event, member=ann),
        await shop.post(TELL, event, role=Role.OPERATOR),
        await shop.post(CLAIM, of_bob, member=ann),
    ):
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_without_the_section_there_are_no_quests(quick_url: str) -> None:
    async with shop_at(quick_url, document(""), PLUGINS) as shop:
        ann = await shop.enrol("ann")

        assert await refused(shop, ann, "any") == {"code": "QUESTS_NOT_OFFERED", "at": "2026-01-05T04:00:00Z"}
        assert await quests(shop, ann) == []


async def test_orders_at_once_complete_a_quest_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    await asyncio.gather(*(buy(shop, ann, f"A{number}", "10.00") for number in range(8)))

    assert await balance(shop, ann) == 80 + 100


@pytest.mark.parametrize(
    ("quest", "said"),
    [
        (ORDERS.replace("orders: 3", "order: 3"), "nobody counts 'order', did you mean 'orders'?"),
        (ORDERS.replace("orders: 3", "spend: 3"), "nobody counts 'spend'"),
        (ORDERS.replace("orders: 3", "product_views: 3"), "did you mean 'product_view'?"),
        (ORDERS.replace("orders: 3", "orders: 0"), "greater than or equal to 1"),
        (ORDERS.replace("orders: 3", ""), "at least 1 item"),
        (ORDERS.replace("points: 100", "points: 0"), "greater than or equal to 1"),
        (ORDERS.replace("monthly", "yearly"), "'yearly' is not"),
        (f"{ORDERS}, {ORDERS}", "id 'three_orders' is used twice"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(quest: str, said: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(programme(quest), PLUGINS.settings)

    assert said in str(refused.value)
