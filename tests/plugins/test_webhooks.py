"""Webhooks: every event arrives, in the order of its member, whatever the receiver does; and only where it may."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core.destinations import RETRIES
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.webhooks.addresses import AddressRefused, check_url, find
from tests.plugins.channel import only
from tests.plugins.receiver import Receiver, receiving

PROGRAMME = """
id: hooked
name: Hooked
currency: CNY
timezone: Asia/Shanghai
expiry: { mode: never }
channels: {}
"""
ENDPOINT = "id state disabledBecause waiting undelivered { id type tries error }"


def mutation(name: str, more: str = "") -> str:
    """The mutation of that name, with ``more`` of its payload."""
    kind = name[0].upper() + name[1:]
    payload = f"endpoint {{ {ENDPOINT} }} errors {{ code message }} {more}"
    return f"mutation ($input: {kind}Input!) {{ it: {name}(input: $input) {{ {payload} }} }}"


CREATE = mutation("createWebhookEndpoint", "secret")
UPDATE = mutation("updateWebhookEndpoint")
ROTATE = mutation("rotateWebhookSecret", "secret")
REPLAY = mutation("replayWebhookEvents", "replayedEvents")
TEST = mutation("testWebhookEndpoint", "status failure")
DELETE = mutation("deleteWebhookEndpoint", "forgotten")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose clock shows the present, as signatures are checked by it, and that sends only when it is told to."""
    now = datetime.now(UTC)
    async with open_shop(
        tmp_path, PROGRAMME, plugins=only("webhooks"), now=now, variables={"LAUREL_WEBHOOKS_PRIVATE": "yes"}
    ) as shop:
        await shop.laurel.deliverer.stop()
        yield shop


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def operate(shop: Shop, document: str, **input: Any) -> dict[str, Any]:
    data = await shop.ask(document, {"input": input}, role=Role.OPERATOR)
    answer: dict[str, Any] = data["it"]
    return answer


async def listen(shop: Shop, receiver: Receiver, *events: str) -> str:
    """An endpoint for these events; its id."""
    made = await operate(shop, CREATE, url=receiver.url, events=list(events or ("transaction.recorded",)))
    assert made["errors"] == []
    receiver.secret = made["secret"]
    endpoint: str = made["endpoint"]["id"]
    return endpoint


async def endpoint_of(shop: Shop) -> dict[str, Any]:
    data = await shop.ask(f"{{ webhookEndpoints {{ {ENDPOINT} }} }}", role=Role.OPERATOR)
    endpoint: dict[str, Any] = data["webhookEndpoints"][0]
    return endpoint


async def deliver(shop: Shop, after: timedelta = timedelta(0)) -> None:
    shop.clock.advance(after)
    await shop.laurel.deliverer.drain()


def amounts(receiver: Receiver) -> Mapping[str, list[int]]:
    """What each member was told to have got, in the order of arrival."""
    found: dict[str, list[int]] = {}
    for message in receiver.taken:
        for entry in message["data"]["entries"]:
            found.setdefault(message["member"]["externalId"], []).append(entry["amount"])
    return found


async def test_an_event_is_told_in_its_shape_with_a_signature(shop: Shop, receiver: Receiver) -> None:
    await listen(shop, receiver, "transaction.recorded", "member.enrolled")

    ann = await shop.enrol("ann")
    transaction = await shop.give(ann, 30, "k")
    await deliver(shop)

    enrolled, recorded = receiver.taken
    assert enrolled["type"] == "member.enrolled"
    assert enrolled["member"] == {"id": ann, "externalId": "ann"}
    assert recorded["version"] == 1
    assert recorded["data"]["kind"] == "adjust"
    assert recorded["data"]["entries"] == [
        {"unit": "points", "seq": 1, "amount": 30, "held": 0, "contra": "adjustment", "balance": 30}
    ]
    headers, body = receiver.requests[1]
    assert headers["webhook-id"] == recorded["id"]
    assert headers["content-type"] == "application/json"
    assert transaction
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secret).verify(body.replace(b"30", b"90"), headers)


async def test_whatever_the_receiver_does_every_event_arrives_in_the_order_of_its_member(
    shop: Shop, receiver: Receiver
) -> None:
    """It is down, answers 500, breaks off, and loses its answer: what it has taken then comes again."""
    await listen(shop, receiver)
    answers = [500, None, 503, 200, 500, 404, None]
    receiver.answer = lambda number: answers[number - 1] if number <= len(answers) else 200
    ids = {name: await shop.enrol(name) for name in ("ann", "bob", "cem")}
    for number in range(1, 5):
        for name, member in ids.items():
            await shop.give(member, number, f"{name}{number}")

    for _ in range(20):
        receiver.secret = ""  # the clock of the shop runs ahead, and signatures are too young
        await deliver(shop, RETRIES[2])

    assert amounts(receiver) == {name: [1, 2, 3, 4] for name in ids}
    sent = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert len(sent) == 12 + len(answers) - answers.count(200)
    assert len(set(sent)) == 12, "an attempt after a failure carries the same id"
    assert (await endpoint_of(shop))["waiting"] == 0


async def test_an_answer_that_is_lost_means_once_more_with_the_same_id(shop: Shop, receiver: Receiver) -> None:
    await listen(shop, receiver)
    ann = await shop.enrol("ann")
    await shop.give(ann, 5, "k")
    receiver.answer = lambda number: None if number == 1 else 200

    await deliver(shop)
    await deliver(shop, RETRIES[0])

    (first, _), (second, _) = receiver.requests
    assert first["webhook-id"] == second["webhook-id"]


async def test_nothing_waits_for_a_receiver_that_does_not_answer(shop: Shop, receiver: Receiver) -> None:
    await listen(shop, receiver)
    async with receiving() as quick:
        await listen(shop, quick)
        receiver.seconds = 30
        await shop.give(await shop.enrol("ann"), 5, "k")

        sending = asyncio.create_task(shop.laurel.deliverer.drain())
        async with asyncio.timeout(5):
            await quick.asked.wait()
        sending.cancel()


async def test_what_was_committed_is_sent_by_another_process_if_this_one_dies(
    tmp_path: Path, receiver: Receiver
) -> None:
    variables = {"LAUREL_WEBHOOKS_PRIVATE": "yes"}
    async with open_shop(tmp_path, PROGRAMME, plugins=only("webhooks"), variables=variables) as shop:
        await shop.laurel.deliverer.stop()
        await listen(shop, receiver)
        receiver.secret = ""
        await shop.give(await shop.enrol("ann"), 5, "k")
    assert receiver.requests == []

    url = f"sqlite://{tmp_path / 'shop.sqlite3'}"
    async with open_shop(url, None, plugins=only("webhooks"), variables=variables):
        async with asyncio.timeout(10):
            await receiver.asked.wait()
    assert amounts(receiver) == {"ann": [5]}


async def test_a_secret_is_rotated_with_an_overlap(shop: Shop, receiver: Receiver) -> None:
    endpoint = await listen(shop, receiver)
    former = receiver.secret
    rotated = await operate(shop, ROTATE, id=endpoint, overlapHours=1)
    ann = await shop.enrol("ann")
    await shop.give(ann, 5, "k")
    await deliver(shop)

    headers, body = receiver.requests[0]
    for secret in (former, rotated["secret"]):
        assert Webhook(secret).verify(body, headers)

    shop.clock.advance(timedelta(hours=2))
    receiver.secret = ""
    await shop.give(ann, 6, "l")
    await deliver(shop)
    headers, _ = receiver.requests[1]
    assert len(headers["webhook-signature"].split()) == 1
    assert (await operate(shop, ROTATE, id=endpoint, overlapHours=999))["errors"][0]["code"] == "INVALID_VALUE"


async def test_an_event_that_is_never_taken_is_kept_and_can_be_replayed(shop: Shop, receiver: Receiver) -> None:
    endpoint = await listen(shop, receiver)
    receiver.secret = ""
    receiver.answer = lambda number: 400
    await shop.give(await shop.enrol("ann"), 5, "k")
    await deliver(shop)
    for pause in RETRIES:
        await deliver(shop, pause)

    found = await endpoint_of(shop)
    (dead,) = found["undelivered"]
    assert (dead["type"], dead["tries"], dead["error"]) == ("transaction.recorded", 10, "the answer was 400")
    assert (found["state"], found["waiting"]) == ("ACTIVE", 0)

    receiver.answer = lambda number: 200
    assert (await operate(shop, REPLAY, id=endpoint, events=["another"]))["replayedEvents"] == 0
    assert (await operate(shop, REPLAY, id=endpoint))["replayedEvents"] == 1
    await deliver(shop)
    assert amounts(receiver) == {"ann": [5]}
    assert (await endpoint_of(shop))["undelivered"] == []


async def test_an_endpoint_that_is_gone_is_disabled_and_goes_on_when_it_is_let(shop: Shop, receiver: Receiver) -> None:
    endpoint = await listen(shop, receiver)
    ann = await shop.enrol("ann")
    await shop.give(ann, 5, "k")
    receiver.answer = lambda number: 410
    await deliver(shop)
    await shop.laurel.deliverer.refresh()

    found = await endpoint_of(shop)
    assert (found["state"], found["disabledBecause"]) == ("DISABLED", "the endpoint says that it is gone (410)")
    await shop.give(ann, 6, "l")
    assert (await endpoint_of(shop))["waiting"] == 1, "new events do not wait for it"

    receiver.answer = lambda number: 200
    receiver.secret = ""
    assert (await operate(shop, UPDATE, id=endpoint, active=True))["endpoint"]["state"] == "ACTIVE"
    await deliver(shop, RETRIES[0])
    assert amounts(receiver) == {"ann": [5]}


async def test_an_endpoint_is_tried_changed_and_forgotten(shop: Shop, receiver: Receiver) -> None:
    endpoint = await listen(shop, receiver)
    tried = await operate(shop, TEST, id=endpoint)
    assert (tried["status"], tried["failure"]) == (200, None)
    assert receiver.taken[0]["type"] == "webhook.test"

    paused = await operate(shop, UPDATE, id=endpoint, active=False)
    assert paused["endpoint"]["state"] == "PAUSED"
    changed = await operate(shop, UPDATE, id=endpoint, events=["tier.changed"], active=True)
    assert changed["errors"] == []
    async with receiving() as gone:
        closed = gone.url
    await operate(shop, UPDATE, id=endpoint, url=closed)
    failed = await operate(shop, TEST, id=endpoint)
    assert failed["status"] is None
    assert failed["failure"]

    assert (await operate(shop, DELETE, id=endpoint))["errors"] == []
    assert (await operate(shop, DELETE, id=endpoint))["errors"][0]["code"] == "WEBHOOK_ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize(
    ("url", "events", "code"),
    [
        ("ftp://shop.example/", ["tier.changed"], "WEBHOOK_ADDRESS_REFUSED"),
        ("https://", ["tier.changed"], "WEBHOOK_ADDRESS_REFUSED"),
        ("https://user:word@shop.example/", ["tier.changed"], "WEBHOOK_ADDRESS_REFUSED"),
        ("https://shop.example/#part", ["tier.changed"], "WEBHOOK_ADDRESS_REFUSED"),
        ("https://shop.example/", ["tier.changes"], "UNKNOWN_EVENT_TYPE"),
        ("https://shop.example/", [], "INVALID_VALUE"),
        ("https://shop.example/" + "a" * 2_000, ["tier.changed"], "INVALID_VALUE"),
    ],
)
async def test_an_endpoint_that_cannot_be_meant_is_refused(shop: Shop, url: str, events: list[str], code: str) -> None:
    refused = await operate(shop, CREATE, url=url, events=events)

    assert [error["code"] for error in refused["errors"]] == [code]
    assert await shop.ask("{ webhookEndpoints { id } }", role=Role.OPERATOR) == {"webhookEndpoints": []}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[2002:7f00:1::]",
    ],
)  # fmt: skip
def test_addresses_of_a_private_network_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="open internet"):
        check_url(f"https://{host}/", private=False)


async def test_a_name_that_stands_for_a_private_address_is_not_sent_to() -> None:
    with pytest.raises(AddressRefused, match="open internet"):
        await find(httpx.URL("https://localhost/"), private=False)

    target = await find(httpx.URL("https://[2606:4700::1111]:8443/a"), private=False)
    assert (target.host, str(target.url)) == ("[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443/a")


async def test_endpoints_and_secrets_are_the_operators(shop: Shop) -> None:
    for role in (Role.SERVICE, Role.ANALYST, Role.PARTNER):
        answer = await shop.post("{ webhookEndpoints { id } }", role=role)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    fields = (await shop.ask('{ __type(name: "WebhookEndpoint") { fields { name } } }'))["__type"]["fields"]
    assert not {"secret", "formerSecret"} & {field["name"] for field in fields}
