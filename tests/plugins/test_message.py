"""Messages to members: each arrives, in order, in its reader's words, when it may; and nobody else learns of it."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.books.members import ById
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import ProgrammeInvalid
from core.models import OutboxRow
from core.telling.carriers import CarrierInvalid, Letter
from core.telling.destinations import RETRIES, NotHeard
from core.time.clock import StoppedClock
from graph.ids import read_id
from graph.laurel import load_document, tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.message.models import MemberMessage, MessagePreferences
from plugins.message.rendering import Style, render
from plugins.message.rules import QuietHours
from plugins.message.smtp import Smtp
from plugins.message.webhook import MessageWebhook
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import only
from tests.plugins.mailbox import Mailbox, mailbox
from tests.plugins.receiver import Receiver, receiving

PLUGINS = only("message")
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUY="
NOON_IN_SHANGHAI = datetime(2026, 6, 1, 4, tzinfo=UTC)

PROGRAMME = """
id: letters
name: Letters
currency: CNY
timezone: Asia/Shanghai
expiry: { mode: per_lot, months: 1, remind_days: [7] }
tiers:
  ladder:
    - {id: bronze}
    - {id: gold, name: Gold, all: [{fact: points_earned, at_least: 1000}]}
channels:
  message:
    locale: en
    quiet_hours: {from: "22:00", to: "08:00"}
    per_day: 5
    within_reach: "0.8"
    topics:
      account: {kind: transactional}
      points: {}
      news: {opt_in: true}
    messages:
      - id: welcome
        event: member.enrolled
        topic: account
        carriers: [smtp, webhook]
        texts:
          en:
            subject: "Welcome to {{ programme.name }} {{ member.attributes.nick }}"
            text: "Hello {{ member.external_id }}, you are {{ event.tier | tier }}."
          zh: {subject: "欢迎", text: "您好 {{ member.external_id }}"}
      - id: moved
        event: transaction.recorded
        topic: points
        carriers: [smtp]
        texts:
          en: {subject: "Points", text: "{% for line in event.entries %}{{ line.amount }}{% endfor %}"}
          zh: {subject: "积分", text: "{% for line in event.entries %}{{ line.amount }}{% endfor %} 分"}
      - id: losing
        event: points.expiring
        topic: points
        carriers: [smtp]
        when: "event.points >= 10 and member.points > 0"
        texts:
          en: {subject: "Soon gone", text: "{{ event.points }} until {{ event.expires_on }}"}
      - id: closer
        event: tier.within_reach
        topic: news
        carriers: [webhook]
        texts:
          en: {text: "{{ event.percent | percent }} of the way to {{ event.next | tier }}"}
      - id: risen
        event: tier.changed
        topic: account
        carriers: [webhook]
        texts:
          en: {text: "{{ event.former | tier }} to {{ event.tier | tier }}"}
"""
PREFER = """mutation ($input: UpdateMessagePreferencesInput!) { it: updateMessagePreferences(input: $input) {
  replayed errors { code message } member { messages { preferences {
    locale timezone topics { id isOptional isWanted } carriers { carrier isWanted hasAddresses address } } } } } }"""
RECENT = """query ($id: ID!) { node(id: $id) { ... on Member { messages { recent { nodes {
  message carrier locale state reason } } } } } }"""
CARRIERS = "{ messageCarriers { name isSetUp waiting undelivered { id message tries error member { externalId } } } }"
REPLAY = """mutation ($input: ReplayMessagesInput!) { it: replayMessages(input: $input)
  { replayedMessages errors { code } } }"""
TEST = """mutation ($input: SendTestMessageInput!) { it: sendTestMessage(input: $input)
  { text { locale subject text } failure errors { code message } } }"""


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


@asynccontextmanager
async def opened(
    where: str,
    box: Mailbox | None,
    receiver: Receiver | None = None,
    *,
    now: datetime = NOON_IN_SHANGHAI,
    programme: str | None = PROGRAMME,
    **more: str,
) -> AsyncIterator[Shop]:
    """A shop whose mail goes to the box, and that sends only when it is told to."""
    variables = dict(more)
    if box is not None:
        variables |= {
            "LAUREL_MESSAGE_SMTP_HOST": "127.0.0.1",
            "LAUREL_MESSAGE_SMTP_PORT": str(box.port),
            "LAUREL_MESSAGE_SMTP_FROM": "club@letters.example",
            "LAUREL_MESSAGE_SMTP_NAME": "Letters 会员",
            "LAUREL_MESSAGE_SMTP_TLS": "none",
            **more,
        }
    if receiver is not None:
        variables |= {
            "LAUREL_MESSAGE_WEBHOOK_URL": receiver.url,
            "LAUREL_MESSAGE_WEBHOOK_SECRET": SECRET,
            "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
        }
    async with open_shop(where, programme, plugins=PLUGINS, now=now, variables=variables) as shop:
        await shop.laurel.deliverer.stop()
        await shop.laurel.deliverer.refresh()
        yield shop


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def where(sqlite_folder: SqliteFolder, apps: Apps) -> Iterator[str]:
    """A fresh SQLite database."""
    url = sqlite_folder.migrated(apps)
    yield url
    sqlite_folder.done(url)


@pytest.fixture
async def shop(where: str, box: Mailbox) -> AsyncIterator[Shop]:
    async with opened(where, box) as shop:
        yield shop


@pytest.fixture
async def any_shop(fresh_database: str, box: Mailbox) -> AsyncIterator[Shop]:
    """The same on every database."""
    async with opened(fresh_database, box) as shop:
        yield shop


async def prefer(
    shop: Shop, member: str, *, key: str = "prefer", by: str | None = None, **input: Any
) -> dict[str, Any]:
    asked = {"input": {"member": {"id": member}, "idempotencyKey": key, **input}}
    data = await shop.ask(PREFER, asked, member=by)
    answer: dict[str, Any] = data["it"]
    return answer


async def enrol(shop: Shop, name: str, **input: Any) -> str:
    """Somebody whose address is known, and who was welcomed."""
    member = await shop.enrol(name)
    answer = await prefer(shop, member, carriers=[{"carrier": "smtp", "address": f"{name}@mail.example"}], **input)
    assert answer["errors"] == []
    return member


async def operate(shop: Shop, document: str, **input: Any) -> dict[str, Any]:
    data = await shop.ask(document, {"input": input}, role=Role.OPERATOR)
    answer: dict[str, Any] = data["it"]
    return answer


async def deliver(shop: Shop, after: timedelta = timedelta(0)) -> None:
    shop.clock.advance(after)
    await shop.laurel.deliverer.drain()


async def recent(shop: Shop, member: str) -> list[dict[str, Any]]:
    """What the member was sent, the oldest first."""
    data = await shop.ask(RECENT, {"id": member})
    nodes: list[dict[str, Any]] = data["node"]["messages"]["recent"]["nodes"]
    return nodes[::-1]


async def carrier(shop: Shop, name: str = "smtp") -> dict[str, Any]:
    data = await shop.ask(CARRIERS, role=Role.OPERATOR)
    found: dict[str, Any] = next(one for one in data["messageCarriers"] if one["name"] == name)
    return found


# -- arriving -----------------------------------------------------------------------------------------


async def test_a_mail_says_what_happened_in_its_readers_language(shop: Shop, box: Mailbox) -> None:
    ann = await enrol(shop, "ann")
    await enrol(shop, "bob", locale="zh-TW")
    assert box.mails == []
    await deliver(shop)

    by_reader = {mail["To"]: mail for mail in box.mails}
    mail = by_reader["ann@mail.example"]
    assert (mail["Subject"], mail["Content-Language"]) == ("Welcome to Letters", "en")
    assert mail.get_content().strip() == "Hello ann, you are bronze."
    assert mail["From"].addresses[0].display_name == "Letters 会员"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert by_reader["bob@mail.example"]["Subject"] == "欢迎"
    assert by_reader["bob@mail.example"].get_content().strip() == "您好 bob"
    assert set(box.envelopes) == {("club@letters.example", f"{name}@mail.example") for name in ("ann", "bob")}
    assert await recent(shop, ann) == [
        {"message": "welcome", "carrier": "smtp", "locale": "en", "state": "SENT", "reason": None}
    ]


async def test_whatever_the_server_does_every_mail_arrives_in_the_order_of_its_member(
    any_shop: Shop, box: Mailbox
) -> None:
    """It is shut, has no room, breaks off at once, and after the mail, which it keeps."""
    shop = any_shop
    members = {name: await enrol(shop, name) for name in ("ann", "bob")}
    await deliver(shop)
    box.mails.clear()
    plan: dict[tuple[str, int], str | None] = {
        ("HELLO", 3): "421 come again",
        ("HELLO", 4): None,
        ("MAIL", 4): "451 not now",
        ("RCPT", 4): "450 no room",
        ("DATA", 4): "451 not now",
        ("END", 4): "452 no room",
        ("END", 5): None,
    }
    box.answer = lambda command, number: plan.get((command, number), "")
    for number in (101, 102, 103):
        for name, member in members.items():
            await shop.give(member, number, f"{name}{number}")

    for _ in range(12):
        await deliver(shop, RETRIES[2])

    said: dict[str, list[str]] = {}
    for mail, body in zip(box.mails, box.bodies, strict=True):
        said.setdefault(mail["To"], [])
        if mail["Message-ID"] not in {m["Message-ID"] for m in box.mails[: box.mails.index(mail)]}:
            said[mail["To"]].append(body)
    assert said == {f"{name}@mail.example": ["101", "102", "103"] for name in members}
    ids = [mail["Message-ID"] for mail in box.mails]
    assert len(ids) == 7, "the one whose answer was lost came twice"
    assert len(set(ids)) == 6, "with the same id"
    assert (await carrier(shop))["waiting"] == 0
    assert {row["state"] for row in await recent(shop, members["ann"])} == {"SENT"}


async def test_a_server_that_is_down_or_silent_keeps_the_mail_waiting(where: str) -> None:
    async with mailbox() as gone:
        port = gone.port
    async with opened(where, gone, LAUREL_MESSAGE_SMTP_SECONDS="0.5") as shop:
        await enrol(shop, "ann")
        await deliver(shop)
        waits = await OutboxRow.filter(consumer="message:smtp:at_once").get()
        assert (waits.tries, waits.error) == (1, "the server was not reached: SMTPConnectError")

        async with mailbox(port) as box:
            box.silent = asyncio.Event()
            await deliver(shop, RETRIES[0])
            waits = await OutboxRow.filter(consumer="message:smtp:at_once").get()
            assert (waits.tries, waits.error) == (2, "the server was not reached: SMTPConnectTimeoutError")

            box.silent.set()
            await deliver(shop, RETRIES[1])
            assert box.bodies == ["Hello ann, you are bronze."]


async def test_nothing_is_sent_before_its_commit_and_what_was_committed_is_sent_by_another_process(
    where: str, box: Mailbox
) -> None:
    async with opened(where, box) as shop:
        ann = await enrol(shop, "ann")
        await shop.give(ann, 101, "k")
    assert box.mails == []
    async with opened(where, box, programme=None) as shop:
        await deliver(shop)
    assert sorted(box.bodies) == ["101", "Hello ann, you are bronze."]


async def test_a_mailbox_that_is_none_goes_to_the_next_carrier(where: str, box: Mailbox) -> None:
    async with receiving() as receiver, opened(where, box, receiver, now=datetime.now(UTC)) as shop:
        receiver.secret = SECRET
        ann = await enrol(shop, "ann")
        box.answer = lambda command, number: "550 5.1.1 <ann@mail.example> unknown" if command == "RCPT" else ""
        await deliver(shop)

        (message,) = receiver.taken
        assert message["member"] == {"id": ann, "externalId": "ann"}
        assert message["type"] == "message"
        assert message["data"] == {
            "message": "welcome",
            "event": "member.enrolled",
            "topic": "account",
            "locale": "en",
            "subject": "Welcome to Letters",
            "text": "Hello ann, you are bronze.",
            "html": None,
        }
        assert [(row["carrier"], row["state"]) for row in await recent(shop, ann)] == [("webhook", "SENT")]


async def test_what_is_not_taken_is_kept_for_operators_and_replayed(
    any_shop: Shop, box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    shop = any_shop
    ann = await enrol(shop, "ann", topics=[{"topic": "points", "wanted": True}])
    await deliver(shop)
    box.answer = lambda command, number: "550 5.7.1 no <ann@mail.example>" if command == "END" else ""
    await shop.give(ann, 101, "k")
    await shop.give(ann, 102, "l")
    with caplog.at_level(logging.DEBUG):
        await deliver(shop)

    dead = (await carrier(shop))["undelivered"]
    assert [(one["message"], one["tries"], one["error"]) for one in dead] == [
        ("moved", 1, "the server answered 550")
    ] * 2
    assert dead[0]["member"] == {"externalId": "ann"}
    assert {row["state"] for row in await recent(shop, ann)} == {"SENT", "FAILED"}
    assert "ann@mail.example" not in caplog.text, "no address is logged"

    box.answer = lambda command, number: ""
    assert (await operate(shop, REPLAY, carrier="smtp", messages=["another"]))["replayedMessages"] == 0
    assert (await operate(shop, REPLAY, carrier="smtp", messages=[dead[0]["id"]]))["replayedMessages"] == 1
    await deliver(shop)
    assert box.bodies[1:] == ["101"]
    assert (await operate(shop, REPLAY, carrier="smtp"))["replayedMessages"] == 1
    await deliver(shop)
    assert box.bodies[1:] == ["101", "102"]
    assert (await operate(shop, REPLAY, carrier="pigeon"))["errors"] == [{"code": "CARRIER_NOT_FOUND"}]
    assert (await operate(shop, REPLAY, carrier="smtp", messages=["\0"]))["errors"] == [{"code": "INVALID_VALUE"}]


async def test_an_event_that_is_told_again_is_one_message(shop: Shop, box: Mailbox) -> None:
    await enrol(shop, "ann")
    row = await OutboxRow.filter(consumer="message:choose").get()
    await deliver(shop)
    await row.save(force_create=True)
    await deliver(shop)

    assert len(box.mails) == 1
    assert await MemberMessage.all().count() == 1


# -- when it may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clock", "waits"), [("21:59", False), ("22:00", True), ("07:59", True), ("08:00", False)])
async def test_what_can_wait_waits_for_quiet_hours_to_be_over(
    where: str, box: Mailbox, clock: str, waits: bool
) -> None:
    now = datetime.fromisoformat(f"2026-06-01T{clock}:00+08:00").astimezone(UTC)
    async with opened(where, box, now=now) as shop:
        ann = await enrol(shop, "ann")
        await shop.give(ann, 101, "k")
        await deliver(shop)
        told = ["101"] * (not waits) + ["Hello ann, you are bronze."]
        assert sorted(box.bodies) == told, "what must be known comes at once"

        if waits:
            assert (await carrier(shop))["waiting"] == 1
            morning = (
                datetime.fromisoformat("2026-06-02T08:00:00+08:00") if clock == "22:00" else now + timedelta(minutes=1)
            )
            await deliver(shop, morning - now - timedelta(seconds=1))
            assert len(box.mails) == 1
            await deliver(shop, timedelta(seconds=1))
            assert box.bodies[1:] == ["101"]
            assert not await OutboxRow.exists()


async def test_the_night_is_the_members_own_where_the_programme_says_so(where: str, box: Mailbox) -> None:
    programme = PROGRAMME.replace('to: "08:00"}', 'to: "08:00", zone: member}')
    async with opened(where, box, programme=programme) as shop:  # it is noon in Shanghai, and 6 in Paris
        ann, bob = await enrol(shop, "ann", timezone="Europe/Paris"), await enrol(shop, "bob")
        for member in (ann, bob):
            await shop.give(member, 101, "k")
        await deliver(shop)
        assert [mail["To"] for mail in box.mails if mail["Subject"] == "Points"] == ["bob@mail.example"]
        await deliver(shop, timedelta(hours=2))
        assert [mail["To"] for mail in box.mails if mail["Subject"] == "Points"][1:] == ["ann@mail.example"]


async def test_what_a_member_turns_off_while_it_waits_is_not_sent(where: str, box: Mailbox) -> None:
    now = datetime.fromisoformat("2026-06-01T23:00:00+08:00").astimezone(UTC)
    async with opened(where, box, now=now) as shop:
        ann = await enrol(shop, "ann")
        await shop.give(ann, 101, "k")
        await deliver(shop)
        answer = await prefer(shop, ann, key="off", by=ann, topics=[{"topic": "points", "wanted": False}])
        assert answer["errors"] == []
        await deliver(shop, timedelta(hours=10))
        assert len(box.mails) == 1
        assert (await recent(shop, ann))[1]["reason"] == "the member does not want to hear of it"


async def test_a_reminder_says_what_is_still_about_to_be_lost(where: str, box: Mailbox) -> None:
    programme = PROGRAMME.replace("remind_days: [7]", "remind_days: [7, 1]")
    async with opened(where, box, programme=programme) as shop:
        members = {name: await enrol(shop, name) for name in ("ann", "bob", "cem")}
        for member in members.values():
            await shop.give(member, 100, "k")
        await deliver(shop)
        box.mails.clear()
        shop.clock.set(datetime.fromisoformat("2026-06-24T23:00:00+08:00"))
        await shop.laurel.jobs.run("remind")
        await deliver(shop)
        assert box.mails == [], "it is night"
        await shop.give(members["ann"], -60, "spent")
        await shop.give(members["bob"], -100, "spent")
        await deliver(shop, timedelta(hours=9))

        said = {
            mail["To"]: body for mail, body in zip(box.mails, box.bodies, strict=True) if mail["Subject"] == "Soon gone"
        }
        assert said == {"ann@mail.example": "40 until July 1, 2026", "cem@mail.example": "100 until July 1, 2026"}
        gone = next(row for row in await recent(shop, members["bob"]) if row["message"] == "losing")
        assert (gone["state"], gone["reason"]) == ("SKIPPED", "it holds no longer")


async def test_nobody_is_sent_more_marketing_in_a_day_than_the_programme_says(shop: Shop, box: Mailbox) -> None:
    ann = await enrol(shop, "ann")
    for number in range(1, 8):
        await shop.give(ann, number, f"k{number}")
    await deliver(shop)
    # The welcome goes by the carrier's other place; those of one place are brought in their order.
    assert [body for body in box.bodies if body != "Hello ann, you are bronze."] == ["1", "2", "3", "4", "5"]
    assert len(box.bodies) == 6
    reasons = [row["reason"] for row in await recent(shop, ann) if row["state"] == "SKIPPED"]
    assert reasons == ["the member was written to often enough today"] * 2

    shop.clock.advance(timedelta(days=1))
    await shop.give(ann, 8, "k8")
    await deliver(shop)
    assert box.bodies[-1] == "8"


async def test_the_next_tier_is_said_to_be_near_once_for_each_stretch(where: str) -> None:
    async with receiving() as receiver, opened(where, None, receiver) as shop:
        ann = await shop.enrol("ann")
        await prefer(shop, ann, topics=[{"topic": "news", "wanted": True}])
        for number, points in enumerate((799, 1, 50, 200), 1):
            await shop.give(ann, points, f"k{number}")
            await deliver(shop)

        assert [message["data"]["text"] for message in receiver.taken if message["data"]["message"] != "welcome"] == [
            "80% of the way to Gold",
            "bronze to Gold",
        ]


async def test_who_is_absent_is_told_of_once_for_each_time_asked_for(where: str, box: Mailbox) -> None:
    programme = PROGRAMME.replace(
        "    topics:\n", "    absence: {days: [30, 90], activities: [points_earned]}\n    topics:\n", 1
    ).replace(
        "      - id: risen\n",
        "      - {id: missed, event: member.absent, topic: points, carriers: [smtp],"
        ' texts: {en: {text: "{{ event.days }} days since {{ event.since }}"}}}\n      - id: risen\n',
    )
    async with opened(where, box, programme=programme) as shop:
        ann, bob = await enrol(shop, "ann"), await enrol(shop, "bob")
        for member in (ann, bob):
            await earn(shop, member, "first")

        async def later(days: int) -> list[str]:
            before = len(box.mails)
            shop.clock.advance(timedelta(days=days))
            await shop.laurel.jobs.run("message_absent")
            await shop.laurel.jobs.run("message_absent")
            await deliver(shop)
            both = list(zip(box.mails, box.bodies, strict=True))[before:]
            return sorted(f"{mail['To'].partition('@')[0]}: {body}" for mail, body in both if "since" in body)

        assert await later(29) == []
        await earn(shop, bob, "again")
        assert await later(1) == ["ann: 30 days since June 1, 2026"]
        assert await later(28) == []
        # It stands still for weeks, and what is told then is the longest that has come.
        assert await later(60) == ["ann: 90 days since June 1, 2026", "bob: 30 days since June 30, 2026"]
        assert await later(1) == ["bob: 90 days since June 30, 2026"]


async def earn(shop: Shop, member: str, key: str) -> None:
    """Count something on this day, as an order would."""
    await shop.laurel.committer.submit(Earn(member=ById(read_id(member)[1]), idempotency_key=key, actor="a test"))


@dataclass(frozen=True, kw_only=True)
class Earn(Operation):
    """Ten points."""

    channel: ClassVar[str] = "message"
    kind: ClassVar[str] = "earn"

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.earn(10)
        return {}


# -- what members choose ------------------------------------------------------------------------------


async def test_members_choose_what_to_hear_of_and_where(any_shop: Shop, box: Mailbox) -> None:
    shop = any_shop
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    chosen = await prefer(
        shop,
        ann,
        by=ann,
        locale="zh-hant",
        timezone="Asia/Taipei",
        topics=[{"topic": "points", "wanted": False}, {"topic": "news", "wanted": True}],
        carriers=[{"carrier": "smtp", "address": "Ann@Mail.Example"}, {"carrier": "webhook", "wanted": False}],
    )
    assert chosen["member"]["messages"]["preferences"] == {
        "locale": "zh-Hant",
        "timezone": "Asia/Taipei",
        "topics": [
            {"id": "account", "isOptional": False, "isWanted": True},
            {"id": "points", "isOptional": True, "isWanted": False},
            {"id": "news", "isOptional": True, "isWanted": True},
        ],
        "carriers": [
            {"carrier": "smtp", "isWanted": True, "hasAddresses": True, "address": "Ann@mail.example"},
            {"carrier": "webhook", "isWanted": False, "hasAddresses": False, "address": None},
        ],
    }
    again = await prefer(shop, ann, key="again", locale=None, carriers=[{"carrier": "smtp", "address": None}])
    preferences = again["member"]["messages"]["preferences"]
    assert (preferences["locale"], preferences["timezone"]) == (None, "Asia/Taipei")
    assert preferences["carriers"][0]["address"] is None

    await shop.give(ann, 101, "k")
    await deliver(shop)
    assert box.mails == []
    assert sorted((row["message"], row["carrier"], row["reason"]) for row in await recent(shop, ann)) == [
        ("moved", None, "the member does not want to hear of it"),
        ("welcome", None, "no carrier reaches the member"),
    ]
    stranger = await shop.post(PREFER, {"input": {"member": {"id": ann}, "idempotencyKey": "x"}}, member=bob)
    assert stranger["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    analyst = await shop.post(
        "query ($id: ID!) { node(id: $id) { ... on Member { messages { preferences { carriers { address } } } } } }",
        {"id": ann},
        role=Role.ANALYST,
    )
    assert analyst["errors"][0]["extensions"]["code"] == "FORBIDDEN"


CHOICES: list[tuple[Mapping[str, Any], str]] = [
    ({"topics": [{"topic": "acount", "wanted": True}]}, "TOPIC_NOT_FOUND"),
    ({"topics": [{"topic": "account", "wanted": False}]}, "TOPIC_NOT_OPTIONAL"),
    ({"topics": [{"topic": "news", "wanted": False}] * 51}, "INVALID_VALUE"),
    ({"carriers": [{"carrier": "pigeon", "wanted": True}]}, "CARRIER_NOT_FOUND"),
    ({"carriers": [{"carrier": "smtp", "address": "nobody"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "smtp", "address": "a@b"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "smtp", "address": "a@b.example\r\nBcc: c@d.example"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "smtp", "address": "a@b.example, c@d.example"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "smtp", "address": "ü@b.example"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "smtp", "address": "a" * 300 + "@b.example"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"carriers": [{"carrier": "webhook", "address": "https://a.example"}]}, "MESSAGE_ADDRESS_REFUSED"),
    ({"locale": "klingon"}, "INVALID_VALUE"),
    ({"locale": "../en"}, "INVALID_VALUE"),
    ({"locale": "x" * 5_000}, "INVALID_VALUE"),
    ({"timezone": "Mars/Olympus"}, "INVALID_VALUE"),
]


async def test_a_choice_that_cannot_be_meant_is_refused_and_changes_nothing(any_shop: Shop) -> None:
    shop = any_shop
    ann = await shop.enrol("ann")
    for number, (input, code) in enumerate(CHOICES):
        refused = await prefer(shop, ann, key=f"wrong {number}", **input)
        assert [error["code"] for error in refused["errors"]] == [code], input
    assert not await MessagePreferences.exists()


async def test_no_address_is_kept_with_the_transaction(shop: Shop) -> None:
    await enrol(shop, "ann")
    rows = await shop.laurel.store.reader().query("SELECT result FROM operation WHERE channel = 'message'")
    assert len(rows) == 1
    assert "mail.example" not in str(rows)


async def test_what_a_member_writes_cannot_add_a_header(shop: Shop, box: Mailbox) -> None:
    data = await shop.ask(
        "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { message } } }",
        {
            "input": {
                "externalId": "ann",
                "attributes": [{"name": "nick", "value": "N\r\nBcc: all@mail.example\r\n\r\nbody"}],
                "idempotencyKey": "enrol",
            }
        },
    )
    ann = data["enrolMember"]["member"]["id"]
    await prefer(shop, ann, carriers=[{"carrier": "smtp", "address": "ann@mail.example"}])
    await deliver(shop)

    (mail,) = box.mails
    assert mail["Subject"] == "Welcome to Letters N Bcc: all@mail.example body"
    assert mail["Bcc"] is None
    assert box.envelopes == [("club@letters.example", "ann@mail.example")]
    assert box.bodies == ["Hello ann, you are bronze."]


# -- what operators see -------------------------------------------------------------------------------


async def test_operators_see_a_message_before_it_is_sent(shop: Shop, box: Mailbox) -> None:
    document = """query ($event: String!, $locale: String, $member: MemberByInput) {
      messagePreview(event: $event, locale: $locale, member: $member) { message locale subject text html } }"""
    ann = await shop.enrol("ann")

    async def preview(**variables: Any) -> Any:
        data = await shop.ask(document, variables, role=Role.OPERATOR)
        return data["messagePreview"]

    assert await preview(event="points.expiring", locale="zh") == [
        {
            "message": "losing",
            "locale": "en",
            "subject": "Soon gone",
            "text": "1,200 until December 31, 2026",
            "html": None,
        }
    ]
    (welcome,) = await preview(event="member.enrolled", locale="zh-CN", member={"id": ann})
    assert (welcome["locale"], welcome["text"]) == ("zh-Hans-CN", "您好 ann")
    refused: list[tuple[dict[str, str], str]] = [
        ({"event": "points.lost"}, "MESSAGE_NOT_FOUND"),
        ({"event": "points.expiring", "locale": "?"}, "INVALID_VALUE"),
    ]
    for variables, code in refused:
        answer = await shop.post(document, variables, role=Role.OPERATOR)
        assert answer["errors"][0]["extensions"]["code"] == code

    sent = await operate(shop, TEST, message="losing", carrier="smtp", address="op@shop.example", locale="en-GB")
    assert (sent["errors"], sent["failure"]) == ([], None)
    assert sent["text"]["text"] == "1,200 until 31 December 2026"
    assert [mail["To"] for mail in box.mails] == ["op@shop.example"]
    unset = await operate(shop, TEST, message="closer", carrier="webhook")
    assert unset["failure"] == "the webhook is not set up: LAUREL_MESSAGE_WEBHOOK_URL"
    nowhere = await operate(shop, TEST, message="losing", carrier="smtp", address="nowhere")
    assert nowhere["errors"][0]["code"] == "MESSAGE_ADDRESS_REFUSED"
    for role in (Role.SERVICE, Role.ANALYST, Role.PARTNER):
        answer = await shop.post(CARRIERS, role=role)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_was_sent_long_ago_is_forgotten(any_shop: Shop) -> None:
    shop = any_shop
    ann = await enrol(shop, "ann")
    await deliver(shop)
    shop.clock.advance(timedelta(days=401))
    bob = await enrol(shop, "bob")
    await deliver(shop)

    assert await shop.laurel.jobs.run("message_forget") == 1
    assert await recent(shop, ann) == []
    assert len(await recent(shop, bob)) == 1


# -- what is published --------------------------------------------------------------------------------

HEAD = "id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\nlists: {few: [ann]}\nchannels:\n  message:\n"
TOPICS = "    locale: en\n    topics: {account: {kind: transactional}}\n"


def message(**settings: Any) -> str:
    """A programme with one message, whose settings are changed."""
    texts = {"en": {"text": "Hello"}}
    usual = {"id": "one", "event": "member.enrolled", "topic": "account", "carriers": ["smtp"], "texts": texts}
    return f"{HEAD}{TOPICS}    messages: {orjson.dumps([{**usual, **settings}]).decode()}"


def text(source: str, event: str = "points.expiring", part: str = "text") -> str:
    return message(event=event, texts={"en": {"text": "Hello", part: source}})


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (message(event="member.enroled"), "no event 'member.enroled' is told outside, did you mean 'member.enrolled'?"),
        (message(event="redemption_cost.left_band"), "event 'redemption_cost.left_band' is of no member"),
        (message(carriers=["smpt"]), "no carrier 'smpt' is installed, did you mean 'smtp'?"),
        (message(carriers=["smtp", "smtp"]), "a carrier is named twice"),
        (message(topic="acount"), "no topic 'acount', did you mean 'account'?"),
        (message(texts={"zh": {"text": "a"}}), "has no text in en, which all others fall back to"),
        (message(texts={"klingon": {"text": "a"}}), "no language 'klingon'"),
        (message(texts={"en": {"text": "a" * 10_001}}), "String should have at most 10000 characters"),
        (message(when="event.teir == 'gold'"), "when: unknown attribute 'teir' at 6, did you mean 'tier'?"),
        (message(when="member.points"), "when: must be true or false, is a number"),
        (message(fresh_hours=0), "must be greater than or equal to 1"),
        (text("{{ event.point }}"), "texts.en.text: unknown name 'point', did you mean 'points'?"),
        (text("a\n{{ events.points }}"), "texts.en.text: line 2: unknown name 'events', did you mean 'event'?"),
        (text("{{ event.points", part="subject"), "texts.en.subject: unexpected end of template"),
        (text("{% if event.points %}", part="html"), "texts.en.html: Unexpected end of template"),
        (text("{{ member.points | moeny }}"), "unknown filter 'moeny', did you mean 'money'?"),
        (text("{{ event.unit | money }}"), "texts.en.text: a text cannot be rendered: TypeError"),
        (text("{{ event.expires_on.replace(year=1) }}"), "a call cannot stand in a text"),
        (text("{{ member.__class__ }}"), "unknown name '__class__'"),
        (text("{{ event.unit.upper }}"), "there is nothing within it called 'upper'"),
        (text("{{ 9 ** 99999999 }}"), "'**' cannot stand in a text"),
        (text("{{ 'a' * 99999999 }}"), "'*' cannot stand in a text"),
        (text("{% include 'x' %}"), "include cannot stand in a text"),
        (text("{% for a in range(9) %}{% endfor %}"), "a call cannot stand in a text"),
        (text("{% for a in event.unit %}{% endfor %}"), "loops over what is no list of the event"),
        (
            text(
                "{% for a in event.entries %}{% for b in event.entries %}{% endfor %}{% endfor %}",
                "transaction.recorded",
            ),
            "a loop within a loop",
        ),
        (text("{% for a in event.entries %}{{ a.sum }}{% endfor %}", "transaction.recorded"), "unknown name 'sum'"),
        (f"{HEAD}{TOPICS}    quiet_hours: {{from: '22:00', to: '22:00'}}", "begins when it ends"),
        (f"{HEAD}{TOPICS}    quiet_hours: {{from: '25:00', to: '22:00'}}", "not a time of day"),
        (f"{HEAD}{TOPICS}    within_reach: '1.5'", "within_reach lies between 0 and 1"),
        (f"{HEAD}    locale: xx\n    topics: {{a: {{}}}}", "no language 'xx'"),
        (f"{HEAD}    locale: en\n    topics: {{a: {{kind: transactional, opt_in: true}}}}", "is not asked for"),
    ],
)
def test_what_cannot_be_sent_cannot_be_published(document: str, problem: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_document(PLUGINS, document)
    assert problem in str(refused.value)


def test_a_problem_says_where_it_is() -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_document(PLUGINS, text("first\n{{ event.lost }}"))
    (problem,) = refused.value.problems
    assert (problem.path, problem.position, problem.line) == ("channels.message.messages[one]", 6, 9)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),  # the clocks go forward in this night
        ("2026-03-29T03:00:00+02:00", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),  # and back in this one
        ("2026-10-25T02:30:00+01:00", "2026-10-25T08:00:00+01:00"),
        ("2026-10-25T08:00:00+01:00", None),
        ("2026-10-25T21:59:59+01:00", None),
    ],
)
def test_quiet_hours_run_on_the_clock_of_the_wall(now: str, ends: str | None) -> None:
    quiet = QuietHours.model_validate({"from": "22:00", "to": "08:00"})
    found = quiet.over_at(datetime.fromisoformat(now).astimezone(UTC), ZoneInfo("Europe/Paris"))
    assert found == (None if ends is None else datetime.fromisoformat(ends))


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_the_second_time_if_they_must() -> None:
    quiet = QuietHours.model_validate({"from": "01:00", "to": "02:30"})
    zone = ZoneInfo("Europe/Paris")
    first, second = "2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00"
    assert quiet.over_at(datetime.fromisoformat(first), zone) == datetime.fromisoformat("2026-10-25T02:30:00+02:00")
    assert quiet.over_at(datetime.fromisoformat(second), zone) == datetime.fromisoformat("2026-10-25T02:30:00+01:00")


def test_values_are_written_as_readers_are_used_to_and_escaped_in_html() -> None:
    known = {"event": {"paid": 123456, "at": datetime(2026, 12, 31, 18, tzinfo=UTC), "reference": "<b>&"}}
    source = "{{ event.paid | money }} {{ event.at }} {{ event.reference }} {{ event.paid }}"
    assert render(source, known, Style("zh_Hans", "Asia/Shanghai", "CNY")) == (
        "¥1,234.56 2027年1月1日 02:00 <b>& 123,456"
    )
    assert render(source, known, Style("de", "Europe/Berlin", "EUR"), html=True) == (
        "1.234,56\xa0€ 31. Dezember 2026 19:00 &lt;b&gt;&amp; 123.456"
    )


# -- the installation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"smtp_host": "mail.example"}, "needs LAUREL_MESSAGE_SMTP_FROM"),
        ({"smtp_host": "mail.example", "smtp_from": "club"}, "LAUREL_MESSAGE_SMTP_FROM: it has no name before an @"),
        ({"smtp_tls": "maybe"}, "LAUREL_MESSAGE_SMTP_TLS is one of starttls, tls, none"),
        ({"smtp_port": "mail"}, "is no port"),
        ({"smtp_tls": "none", "smtp_password": "secret"}, "is not sent without TLS"),
        ({"smtp_ca": "/nowhere"}, "is no file of certificates"),
        ({"smtp_seconds": "60"}, "LAUREL_MESSAGE_SMTP_SECONDS is a number of seconds up to 10"),
        ({"smtp_name": "a\nb"}, "holds a control character"),
    ],
)
def test_settings_of_mail_that_cannot_be_meant_are_told_at_the_start(options: Mapping[str, str], said: str) -> None:
    with pytest.raises(CarrierInvalid, match=said) as refused:
        Smtp(options, StoppedClock(NOON_IN_SHANGHAI))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"webhook_url": "http://brand.example/", "webhook_secret": SECRET}, "it must begin with https://"),
        ({"webhook_url": "https://10.0.0.1/", "webhook_secret": SECRET}, "open internet"),
        ({"webhook_url": "https://brand.example/"}, "LAUREL_MESSAGE_WEBHOOK_SECRET is whsec_"),
        ({"webhook_url": "https://brand.example/", "webhook_secret": "whsec_short"}, "24 bytes"),
    ],
)
def test_settings_of_the_webhook_that_cannot_be_meant_are_told_at_the_start(
    options: Mapping[str, str], said: str
) -> None:
    with pytest.raises(CarrierInvalid, match=said):
        MessageWebhook(options, StoppedClock(NOON_IN_SHANGHAI))


async def test_a_password_is_said_to_a_server_that_has_shown_who_it_is_and_to_no_other(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    letter = Letter(
        id="1", message="m", event="e", topic="t", recorded_at=NOON_IN_SHANGHAI, locale="en", member={},
        address="ann@mail.example", subject="s", text="t", html="<p>t</p>",
    )  # fmt: skip
    async with mailbox(tls=context) as box:
        options = {
            "smtp_host": "127.0.0.1",
            "smtp_port": str(box.port),
            "smtp_from": "club@letters.example",
            "smtp_user": "club",
            "smtp_password": "open sesame",
        }
        with pytest.raises(NotHeard, match="the server was not reached") as unknown:
            await Smtp(options, StoppedClock(NOON_IN_SHANGHAI)).carry(letter)
        assert unknown.value.whole_place
        assert not any(line.startswith(("AUTH", "MAIL")) for line in box.commands)

        await Smtp({**options, "smtp_ca": str(certificate)}, StoppedClock(NOON_IN_SHANGHAI)).carry(letter)
        assert box.was_secure == [True]
        assert [part.get_content_type() for part in box.mails[0].iter_parts()] == ["text/plain", "text/html"]


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
    return file
