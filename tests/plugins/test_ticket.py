"""Tickets: asked, answered in time, compensated once, and nobody else's business."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS = only("ticket")
PROGRAMME = """
id: gym
name: Gym
currency: CNY
timezone: Asia/Shanghai
expiry: { mode: never }
channels:
  ticket:
    due_hours: 48
    working: { holidays: [2026-06-03] }
    open: 2
    reopen_days: 7
    compensation_max: 500
"""
MONDAY = datetime(2026, 6, 1, 4, tzinfo=UTC)
"""12:00 in Shanghai."""
TICKET = """
ticket {
  id subject state openedAt dueAt answeredAt closedAt isOverdue compensation
  messages { text isAnswer } transactions { id } compensatedBy { entries { amount } } member { externalId }
}
errors { code message }
"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The core's tables and those of tickets."""
    return tables(PLUGINS)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, PROGRAMME, plugins=PLUGINS, now=MONDAY) as shop:
        yield shop


async def call(shop: Shop, name: str, /, *, as_member: str | None = None, **input: Any) -> Any:
    kind = name[0].upper() + name[1:]
    document = f"mutation ($input: {kind}Input!) {{ it: {name}(input: $input) {{ {TICKET} }} }}"
    who: dict[str, Any] = {"member": as_member} if as_member else {"role": Role.OPERATOR}
    key = input.pop("idempotencyKey", f"{name}:{input.get('text', input)}")
    data = await shop.ask(document, {"input": {"idempotencyKey": key, **input}}, **who)
    return data["it"]


async def ask(shop: Shop, member: str, text: str = "My points of Monday are missing.", **more: Any) -> Any:
    named = {"member": {"id": member}, "subject": "Points are missing", "text": text, **more}
    return await call(shop, "openTicket", as_member=member, **named)


async def test_a_question_is_answered_and_compensated_in_one_stroke(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    visit = await shop.give(ann, 10, "visit")
    asked = (await ask(shop, ann, transactions=[visit]))["ticket"]
    assert (asked["state"], asked["isOverdue"], asked["transactions"]) == ("OPEN", False, [{"id": visit}])
    # 36 hours until Wednesday, which is a holiday, and 12 more on Thursday.
    assert asked["dueAt"] == "2026-06-04T04:00:00Z"

    answer = {"ticket": asked["id"], "text": "The gate was broken: here they are.", "compensation": 50, "close": True}
    answered = await call(shop, "answerTicket", **answer)
    again = await call(shop, "answerTicket", **answer)

    assert answered["errors"] == []
    assert answered == again
    ticket = answered["ticket"]
    assert (ticket["state"], ticket["compensation"]) == ("CLOSED", 50)
    assert ticket["compensatedBy"] == {"entries": [{"amount": 50}]}
    assert [message["isAnswer"] for message in ticket["messages"]] == [False, True]
    assert await standing(shop, ann) == (60, 4)


async def test_what_is_late_stands_first(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await ask(shop, ann)
    shop.clock.advance(timedelta(hours=1))
    late = (await ask(shop, bob))["ticket"]["id"]
    document = "{ tickets(overdue: true) { nodes { id isOverdue member { externalId } } } }"
    assert (await shop.ask(document, role=Role.OPERATOR))["tickets"]["nodes"] == []

    shop.clock.set(datetime(2026, 6, 4, 4, 30, tzinfo=UTC))
    (first,) = (await shop.ask(document, role=Role.OPERATOR))["tickets"]["nodes"]
    assert (first["member"]["externalId"], first["isOverdue"]) == ("ann", True)
    shop.clock.advance(timedelta(hours=1))
    nodes = (await shop.ask(document, role=Role.OPERATOR))["tickets"]["nodes"]
    assert [node["member"]["externalId"] for node in nodes] == ["ann", "bob"]

    await call(shop, "answerTicket", ticket=late, text="Here you are.")
    nodes = (await shop.ask(document, role=Role.OPERATOR))["tickets"]["nodes"]
    assert [node["member"]["externalId"] for node in nodes] == ["ann"]


OPENED = """
query ($from: Instant, $before: Instant, $state: TicketState, $first: Int, $after: String) {
  tickets(
    state: $state, openedAt: {from: $from, before: $before}, orderBy: OPENED_AT_DESC, first: $first, after: $after
  ) { pageInfo { hasNextPage endCursor } nodes { member { externalId } } }
}
"""


async def test_what_was_asked_in_a_time_is_listed_whatever_became_of_it(fresh_database: str) -> None:
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS, now=MONDAY) as shop:
        for name in ("ann", "bob", "cid"):
            asked = (await ask(shop, await shop.enrol(name)))["ticket"]["id"]
            if name == "bob":
                await call(shop, "answerTicket", ticket=asked, text="Here you are.", close=True)
            shop.clock.advance(timedelta(days=1))

        async def listed(**asked: Any) -> tuple[list[str], str]:
            found = (await shop.ask(OPENED, {"state": None, **asked}, role=Role.ANALYST))["tickets"]
            page = found["pageInfo"]
            more: str = page["endCursor"] if page["hasNextPage"] else ""
            return [node["member"]["externalId"] for node in found["nodes"]], more

        assert await listed() == (["cid", "bob", "ann"], "")
        assert await listed(state="CLOSED") == (["bob"], "")
        assert await listed(**{"from": "2026-06-02T04:00:00Z", "before": "2026-06-03T04:00:00Z"}) == (["bob"], "")
        assert await listed(before="2026-06-02T12:00:00+08:00") == (["ann"], "")
        first, cursor = await listed(first=2)
        assert first == ["cid", "bob"]
        assert await listed(first=2, after=cursor) == (["ann"], "")


async def test_a_word_more_opens_it_again_and_puts_nothing_off(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    asked = (await ask(shop, ann))["ticket"]
    shop.clock.advance(timedelta(hours=10))
    more = await call(shop, "writeInTicket", as_member=ann, ticket=asked["id"], text="It is urgent.")
    assert more["ticket"]["dueAt"] == asked["dueAt"]

    await call(shop, "answerTicket", ticket=asked["id"], text="No.", close=True)
    shop.clock.advance(timedelta(days=7))
    reopened = await call(shop, "writeInTicket", as_member=ann, ticket=asked["id"], text="But why?")
    assert (reopened["ticket"]["state"], reopened["ticket"]["closedAt"]) == ("OPEN", None)
    assert reopened["ticket"]["dueAt"] > asked["dueAt"]

    await call(shop, "closeTicket", as_member=ann, ticket=asked["id"])
    shop.clock.advance(timedelta(days=7, seconds=1))
    refused = await call(shop, "writeInTicket", as_member=ann, ticket=asked["id"], text="And now?")
    assert refused["errors"][0]["code"] == "TICKET_CLOSED"


async def test_who_is_frozen_may_ask_and_be_compensated(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze(shop, ann)
    asked = (await ask(shop, ann))["ticket"]
    answered = await call(shop, "answerTicket", ticket=asked["id"], text="A mistake.", compensation=5)
    assert answered["errors"] == []
    assert (await standing(shop, ann))[0] == 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text": "no"}, "INVALID_VALUE"),
        ({"text": "x" * 5_001}, "INVALID_VALUE"),
        ({"compensation": 501}, "COMPENSATION_TOO_LARGE"),
        ({"compensation": -1}, "INVALID_AMOUNT"),
        ({"ticket": "VGlja2V0OmE6Yg"}, "MEMBER_NOT_FOUND"),
        ({"ticket": "nothing"}, "INVALID_ID"),
    ],
)
async def test_an_answer_that_cannot_be_given_changes_nothing(shop: Shop, changes: dict[str, Any], code: str) -> None:
    ann = await shop.enrol("ann")
    asked = (await ask(shop, ann))["ticket"]
    before = await standing(shop, ann)

    refused = await call(shop, "answerTicket", **{"ticket": asked["id"], "text": "Here you are.", **changes})

    assert refused["errors"][0]["code"] == code
    assert await standing(shop, ann) == before
    (ticket,) = (await shop.ask("{ tickets { nodes { messages { text } } } }", role=Role.OPERATOR))["tickets"]["nodes"]
    assert len(ticket["messages"]) == 1


async def test_a_ticket_is_compensated_once_and_there_is_an_end_to_asking(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    asked = (await ask(shop, ann))["ticket"]
    await call(shop, "answerTicket", ticket=asked["id"], text="Here you are.", compensation=5)
    twice = await call(shop, "answerTicket", ticket=asked["id"], text="And more.", compensation=5)
    assert twice["errors"][0]["code"] == "TICKET_ALREADY_COMPENSATED"

    await ask(shop, ann, "A second question")
    await ask(shop, ann, "A third question")
    refused = await ask(shop, ann, "A fourth question")
    assert refused["errors"][0]["code"] == "TOO_MANY_TICKETS_OPEN"
    unknown = await ask(shop, ann, "A fifth", transactions=[asked["id"]])
    assert unknown["errors"][0]["code"] == "INVALID_ID"


async def test_a_compensation_that_is_taken_back_can_be_given_anew(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    asked = (await ask(shop, ann))["ticket"]
    first = await call(shop, "answerTicket", ticket=asked["id"], text="Here you are.", compensation=50)
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Ticket { compensatedBy { id } } } }", {"id": asked["id"]}
    )
    await reverse(shop, data["node"]["compensatedBy"]["id"])

    again = await call(shop, "answerTicket", ticket=asked["id"], text="It was five.", compensation=5)

    assert (first["ticket"]["compensation"], again["errors"], again["ticket"]["compensation"]) == (50, [], 5)
    assert again["ticket"]["compensatedBy"] == {"entries": [{"amount": 5}]}
    assert (await standing(shop, ann))[0] == 5


async def test_a_ticket_holds_a_hundred_messages_and_a_brand_without_the_section_takes_none(tmp_path: Path) -> None:
    async with open_shop(tmp_path, PROGRAMME, plugins=PLUGINS, now=MONDAY) as shop:
        ann = await shop.enrol("ann")
        asked = (await ask(shop, ann))["ticket"]
        for number in range(2, 101):
            await call(shop, "writeInTicket", as_member=ann, ticket=asked["id"], text=f"More, {number}")
        full = await call(shop, "writeInTicket", as_member=ann, ticket=asked["id"], text="One more.")
        assert [error["code"] for error in full["errors"]] == ["TICKET_IS_FULL"]
    (tmp_path / "bare").mkdir()
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(tmp_path / "bare", bare, plugins=PLUGINS, now=MONDAY) as shop:
        ann = await shop.enrol("ann")
        before = await standing(shop, ann)
        assert [error["code"] for error in (await ask(shop, ann))["errors"]] == ["TICKETS_NOT_OFFERED"]
        assert await standing(shop, ann) == before


async def test_a_member_reaches_nobody_elses_ticket(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    hers = await shop.give(ann, 10, "visit")
    asked = (await ask(shop, ann))["ticket"]

    for name in ("writeInTicket", "closeTicket"):
        more = {"text": "Let me in."} if name == "writeInTicket" else {}
        refused = await call(shop, name, as_member=bob, ticket=asked["id"], **more)
        assert refused["errors"][0]["code"] == "TICKET_NOT_FOUND"
    stolen = await ask(shop, bob, transactions=[hers])
    assert stolen["errors"][0]["code"] == "TRANSACTION_NOT_FOUND"
    answer = await shop.post("query ($id: ID!) { node(id: $id) { id } }", {"id": asked["id"]}, member=bob)
    assert answer["data"] == {"node": None}
    answer = await shop.post("{ tickets { nodes { id } } }", member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
