"""X14, the case of the missing points: a member asks, the club checks, makes good and answers, within 48 hours.

A member of a gym finds that her points do not fit what she has paid. The club looks into it at once and finds that the
till's data came late, adds the points and apologizes.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from standardwebhooks import Webhook

from core.oversight.verify import verify
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import standing

GYM: Final = (Path(__file__).parents[2] / "examples" / "programmes" / "gym.yaml").read_text()
MONDAY: Final = datetime(2026, 6, 1, 2, tzinfo=UTC)
"""10:00 in Shanghai."""
TILL: Final = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("gym"))


@pytest.fixture
async def gym(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    plugins = load_plugins()
    url = sqlite_folder.migrated(tables(plugins))
    secrets = {"LAUREL_INCOMING_SECRETS": f"till:{TILL}"}
    async with open_shop(url, GYM, plugins=plugins, now=MONDAY, variables=secrets) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader()) == []
    sqlite_folder.done(url)


async def the_till_tells(shop: Shop, order: str, amount: str, at: datetime) -> dict[str, Any]:
    """What the till's message is answered, signed and sent by the shop's clock."""
    data = {"reference": order, "member": "ann", "at": at.isoformat(), "amount": amount}
    body, now = orjson.dumps({"type": "order.paid", "data": data}), shop.clock.now()
    headers = {
        "webhook-id": order,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(TILL).sign(order, now, body.decode()),
    }
    answer = await shop.client.post("/incoming/till", content=body, headers=headers)
    told: dict[str, Any] = answer.json()
    return told


async def ask(shop: Shop, member: str, text: str, **more: Any) -> dict[str, Any]:
    """Open a ticket as the member."""
    data = await shop.ask(
        "mutation ($input: OpenTicketInput!) { openTicket(input: $input) {"
        " ticket { id state dueAt transactions { id } } errors { code } } }",
        {"input": {"member": {"id": member}, "subject": "Points are missing", "text": text, "idempotencyKey": text}
         | more},
        member=member,
    )  # fmt: skip
    assert data["openTicket"]["errors"] == []
    ticket: dict[str, Any] = data["openTicket"]["ticket"]
    return ticket


async def answer(shop: Shop, ticket: str, text: str, compensation: int = 0) -> list[dict[str, Any]]:
    """Answer as an operator, and close; the refusals."""
    data = await shop.ask(
        "mutation ($input: AnswerTicketInput!) { answerTicket(input: $input) { errors { code } } }",
        {"input": {"ticket": ticket, "text": text, "compensation": compensation, "close": True,
                   "idempotencyKey": text}},
        role=Role.OPERATOR,
    )  # fmt: skip
    errors: list[dict[str, Any]] = data["answerTicket"]["errors"]
    return errors


async def late(shop: Shop) -> list[str]:
    data = await shop.ask("{ tickets(overdue: true) { nodes { member { externalId } } } }", role=Role.OPERATOR)
    return [node["member"]["externalId"] for node in data["tickets"]["nodes"]]


async def test_the_missing_points_are_found_made_good_and_answered_in_time(gym: Shop) -> None:
    ann = await gym.enrol("ann")
    await the_till_tells(gym, "T-1", "199.00", MONDAY)
    # She pays for ten lessons, and on Tuesday there is nothing of it.
    gym.clock.advance(timedelta(days=1))
    hers = await gym.ask(
        "query ($id: ID!) { member(by: {id: $id}) { points { available } orders { nodes { reference } }"
        " transactions(first: 1) { nodes { id } } } }",
        {"id": ann},
        member=ann,
    )
    assert hers["member"]["points"]["available"] == 199
    assert [order["reference"] for order in hers["member"]["orders"]["nodes"]] == ["T-1"]
    (last,) = hers["member"]["transactions"]["nodes"]

    ticket = await ask(gym, ann, "I paid 1200 yuan for lessons on Monday.", transactions=[last["id"]])
    assert ticket["dueAt"] == "2026-06-04T02:00:00Z"
    assert ticket["transactions"] == [last]
    waiting = await gym.ask(
        "{ tickets { nodes { id isOverdue messages { text } transactions { effectiveAt }"
        " member { orders { nodes { reference } } } } } }",
        role=Role.OPERATOR,
    )
    (seen,) = waiting["tickets"]["nodes"]
    assert (seen["id"], seen["isOverdue"]) == (ticket["id"], False)
    assert seen["transactions"] == [{"effectiveAt": "2026-06-01T02:00:00Z"}]

    # The check: the till has the sale and has not told. Once it does, the order earns as on its own day.
    gym.clock.advance(timedelta(hours=20))
    told = await the_till_tells(gym, "T-2", "1200.00", MONDAY + timedelta(hours=1))
    assert (told["accepted"], told["replayed"]) == (True, False)
    assert await answer(gym, ticket["id"], "The till's data came late. We apologize.", compensation=50) == []

    after = await gym.ask(
        "query ($id: ID!) { node(id: $id) { ... on Ticket { state answeredAt dueAt compensation isOverdue"
        " compensatedBy { kind actor reason entries { amount } } messages { text isAnswer } } } }",
        {"id": ticket["id"]},
        member=ann,
    )
    node = after["node"]
    assert (node["state"], node["compensation"], node["isOverdue"]) == ("CLOSED", 50, False)
    assert node["answeredAt"] < node["dueAt"]
    assert node["compensatedBy"]["entries"] == [{"amount": 50}]
    assert [message["isAnswer"] for message in node["messages"]] == [False, True]
    assert await standing(gym, ann) == (199 + 1200 + 50, 5)

    # The till, behind as ever, tells of the sale once more: nothing is given twice.
    assert (await the_till_tells(gym, "T-2", "1200.00", MONDAY + timedelta(hours=1)))["replayed"] is True
    assert await answer(gym, ticket["id"], "And once more.", compensation=50) == [{"code": "TICKET_CLOSED"}]
    assert await standing(gym, ann) == (1449, 5)

    log = await gym.ask(
        "{ auditLog { nodes { mutation actor facts { name before after } transaction { id } } } }", role=Role.ANALYST
    )
    (entry,) = log["auditLog"]["nodes"]
    assert (entry["mutation"], entry["actor"]) == ("answerTicket", "operator:a operator")
    assert {"name": "points.balance", "before": "1399", "after": "1449"} in entry["facts"]


async def test_what_nobody_answers_within_48_hours_is_on_the_list(gym: Shop) -> None:
    ann, bob = await gym.enrol("ann"), await gym.enrol("bob")
    await ask(gym, ann, "My training of Sunday is missing.")
    gym.clock.advance(timedelta(hours=1))
    bobs = await ask(gym, bob, "So is mine.")

    gym.clock.set(MONDAY + timedelta(hours=48))
    assert await late(gym) == [], "the last moment is in time"
    gym.clock.advance(timedelta(seconds=1))
    assert await late(gym) == ["ann"]
    gym.clock.advance(timedelta(hours=1))
    assert await late(gym) == ["ann", "bob"]

    assert await answer(gym, bobs["id"], "Here you are, too late: we apologize.", compensation=501) == [
        {"code": "COMPENSATION_TOO_LARGE"}
    ]
    assert await late(gym) == ["ann", "bob"]
    assert await answer(gym, bobs["id"], "Here you are, though late: we apologize.", compensation=20) == []
    assert await late(gym) == ["ann"]
    assert read_id(bobs["id"])[0] == "Ticket"


async def test_training_and_paying_earn_what_the_programme_says(gym: Shop) -> None:
    ann = await gym.enrol("ann")
    for _ in range(3):
        signed = await gym.ask(
            "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "idempotencyKey": str(gym.clock.now())}},
        )
        assert signed["recordSignIn"]["errors"] == []
        gym.clock.advance(timedelta(days=1))
    await the_till_tells(gym, "T-1", "99.00", gym.clock.now())

    assert await standing(gym, ann) == (3 * 5 + 99, 5)
