"""Webhooks: every event arrives, in the order of its member, whatever the receiver does; and only where it may."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from core.models import OutboxRow
from core.telling.addresses import AddressRefused, check_url, find
from core.telling.destinations import RETRIES, NotHeard
from core.telling.posting import client, post_signed
from graph.ids import read_id
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from plugins.webhooks.endpoints import ENDPOINTS_MAX
from plugins.webhooks.models import WebhookEndpoint
from tests.plugins.channel import only
from tests.plugins.receiver import Receiver, receiving
from tests.serving import free_port, process_of

PROGRAMME = """
id: hooked
name: Hooked
currency: CNY
timezone: Asia/Shanghai
expiry: { mode: never }
channels: {}
"""
DAY = timedelta(days=1)
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
    """It is down, answers 500, breaks off, answers twice, and loses its answer: what it took then comes again."""
    await listen(shop, receiver)
    # The clock of the shop runs ahead of the machine's.
    receiver.ahead, receiver.times = True, 2
    answers = [500, None, 503, 200, 500, 404, None]
    receiver.answer = lambda number: answers[number - 1] if number <= len(answers) else 200
    ids = {name: await shop.enrol(name) for name in ("ann", "bob", "cem")}
    for number in range(1, 5):
        for name, member in ids.items():
            await shop.give(member, number, f"{name}{number}")

    for _ in range(20):
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


async def test_nothing_waits_for_a_receiver_that_does_not_answer(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.telling.posting.SECONDS_MAX", 300)
    await listen(shop, receiver)
    async with receiving() as quick:
        await listen(shop, quick)
        receiver.seconds = 300
        await shop.give(await shop.enrol("ann"), 5, "k")

        sending = asyncio.create_task(shop.laurel.deliverer.drain())
        async with asyncio.timeout(60):
            await quick.asked.wait()
        sending.cancel()


async def test_a_receiver_that_answers_bit_by_bit_is_given_up_like_one_that_says_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.telling.posting.SECONDS_MAX", 0.5)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        made = await operate(shop, CREATE, url=url, events=["transaction.recorded"])
        async with asyncio.timeout(60):
            tried = await operate(shop, TEST, id=made["endpoint"]["id"])

    assert tried["status"] is None
    assert tried["failure"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_no_answer_and_is_not_followed(shop: Shop, receiver: Receiver, status: int) -> None:
    async with receiving() as elsewhere:
        await listen(shop, receiver)
        receiver.answer, receiver.more = (lambda number: status), f"Location: {elsewhere.url}\r\n"
        await shop.give(await shop.enrol("ann"), 5, "k")

        await deliver(shop)

        assert len(receiver.requests) == 1
        assert elsewhere.requests == []
    assert (await endpoint_of(shop))["waiting"] == 1


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


async def test_a_server_that_is_killed_has_told_nothing_that_was_not_committed_and_loses_nothing(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Killed amid mutations and sending: between the commit of one and its event, before the commit of another."""
    receiver.ahead = True
    url = f"sqlite://{tmp_path / 'shop.sqlite3'}"
    private = {"LAUREL_WEBHOOKS_PRIVATE": "yes"}
    # The process finds its plugins by itself, so it is told which it is to leave out.
    others = ",".join(name for name in load_plugins().names if name != "webhooks")
    async with open_shop(
        tmp_path, PROGRAMME, plugins=only("webhooks"), now=datetime.now(UTC), variables=private
    ) as shop:
        await shop.laurel.deliverer.stop()
        await listen(shop, receiver)
        members = [await shop.enrol(name) for name in ("ann", "bob", "cem", "dan")]
        token = shop.token(Role.OPERATOR)

    port, number, killed = free_port(), 0, asyncio.Event()
    document = mutation("adjustPoints").replace(f"endpoint {{ {ENDPOINT} }}", "transaction { id }")
    acknowledged: set[str] = set()

    def answer(request: int) -> int:
        if request > 20:
            killed.set()
        return 200

    async def give(client: httpx.AsyncClient, member: str) -> None:
        nonlocal number
        while not killed.is_set() and len(acknowledged) < 200:
            number += 1
            input = {"member": {"id": member}, "points": number, "reason": "a gift", "idempotencyKey": f"{number}"}
            try:
                answer = await client.post("/graphql", json={"query": document, "variables": {"input": input}})
            except httpx.HTTPError:
                await asyncio.sleep(0.05)  # it is not up yet, or not any more
            else:
                acknowledged.add(answer.json()["data"]["it"]["transaction"]["id"])

    receiver.answer = answer
    settings = {"LAUREL_PORT": str(port), "LAUREL_DISABLED_PLUGINS": others, **private}
    async with process_of(url, SECRET, **settings) as process:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            asyncio.timeout(90),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client,
            asyncio.TaskGroup() as giving,
        ):
            for member in members * 2:
                giving.create_task(give(client, member))
            await killed.wait()
            process.send_signal(signal.SIGKILL)

    later = datetime.now(UTC) + timedelta(minutes=2)
    async with open_shop(url, None, plugins=only("webhooks"), now=later, variables=private) as shop:
        rows = await shop.laurel.store.reader().query("SELECT id FROM operation WHERE accepted AND kind = 'adjust'")
        committed = {id for (id,) in rows}
        told = {message["data"]["transaction"] for message in receiver.taken}
        assert told <= committed
        assert {read_id(id)[2] for id in acknowledged} <= committed

        await shop.laurel.deliverer.stop()
        for pause in (timedelta(0), *RETRIES[:3]):
            await deliver(shop, pause)
        assert [(row.tries, row.error) for row in await OutboxRow.all()] == []
        told = {message["data"]["transaction"] for message in receiver.taken}
        assert told == committed
    by_member: dict[str, list[int]] = {}
    for message in receiver.taken:
        lines = by_member.setdefault(message["member"]["externalId"], [])
        lines += [entry["seq"] for entry in message["data"]["entries"] if entry["seq"] not in lines]
    assert all(lines == list(range(1, len(lines) + 1)) for lines in by_member.values())


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
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "0",
        "127.1", "0x7f.1", "2130706433", "017700000001", "127.0.0.1.", "[::]", "[::1]", "[fd00::1]", "[fe80::1]",
        "[fec0::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[2002:7f00:1::]",
        "[64:ff9b::10.0.0.1]", "[64:ff9b:1::7f00:1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ],
)  # fmt: skip
def test_addresses_of_a_private_network_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="open internet"):
        check_url(f"https://{host}/", private=False)


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1111]", "[::ffff:1.1.1.1]", "[64:ff9b::1.1.1.1]", "hooks.de"])
def test_addresses_of_the_open_internet_are_not(host: str) -> None:
    assert check_url(f"https://{host}:8443/", private=False).port == 8443


@pytest.mark.parametrize(
    "host",
    ["%31%32%37.0.0.1", "[fe80::1%25eth0]", "xn--", "a b", "x:99999", "x:0", "x\r\nHost: y", "\N{UNICORN FACE}.de", ""],
)
def test_what_cannot_be_a_host_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(f"https://{host}/", private=False)


class Resolver:
    """Names and what they stand for at the moment, in the place of the machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> None:
        self.names = names
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if (addresses := self.names.get(name.partition(".")[0], [name] if name[0].isdigit() else None)) is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


async def test_a_name_that_stands_for_another_address_a_moment_later_reaches_nothing(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what was checked is what is connected to, and it is checked for each attempt."""
    resolver = Resolver(monkeypatch, hooks=["127.0.0.1"])
    async with open_shop(tmp_path, PROGRAMME, plugins=only("webhooks"), now=datetime.now(UTC)) as shop:
        await shop.laurel.deliverer.stop()
        url = f"https://hooks.example:{receiver.port}/"
        named = {"url": url, "events": ["transaction.recorded"]}
        refused = await operate(shop, CREATE, **named)
        assert [error["code"] for error in refused["errors"]] == ["WEBHOOK_ADDRESS_REFUSED"]

        resolver.names["hooks"] = ["1.1.1.1"]
        assert (await operate(shop, CREATE, **named))["errors"] == []
        assert [str(target.url) for target in await find(httpx.URL(url), private=False)] == [
            f"https://1.1.1.1:{receiver.port}/"
        ]
        # One address of the open internet opens no door for another.
        resolver.names["hooks"] = ["1.1.1.1", "127.0.0.1"]
        await shop.give(await shop.enrol("ann"), 5, "k")
        await deliver(shop)
        tried = await operate(shop, TEST, id=(await endpoint_of(shop))["id"])

        waiting = await OutboxRow.filter(dead=False)
        assert [row.error for row in waiting] == [tried["failure"]] == ["it is not an address of the open internet"]
    assert receiver.requests == []


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """What a server shows that is called so, and the file by which a client knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number(), today, today + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


async def test_a_receiver_must_show_that_it_is_who_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, although the connection goes to an address; and two names at one address share no connection."""
    Resolver(monkeypatch, hooks=["127.0.0.2", "127.0.0.1"], other=["127.0.0.1"])
    shown, path = certificate(tmp_path, "hooks.example")
    trusting = ssl.create_default_context(cafile=str(path))
    message = {"id": "msg_1", "type": "webhook.test"}

    async with receiving(certificate=shown) as receiver, client(verify=trusting) as sender:
        hooks, other = (
            WebhookEndpoint(url=f"https://{name}.example:{receiver.port}/", secret=f"whsec_{'A' * 32}")
            for name in ("hooks", "other")
        )
        now = datetime.now(UTC)
        assert await post_signed(sender, hooks.url, hooks.secrets(now), message, now=now, private=True) == 200
        with pytest.raises(NotHeard, match=r"other\.example|[Hh]ostname"):
            await post_signed(sender, other.url, other.secrets(now), message, now=now, private=True)

    assert [headers["host"] for headers, _ in receiver.requests] == [f"hooks.example:{receiver.port}"]


async def test_a_name_that_stands_for_a_private_address_is_not_sent_to() -> None:
    with pytest.raises(AddressRefused, match="open internet"):
        await find(httpx.URL("https://localhost/"), private=False)

    (target,) = await find(httpx.URL("https://[2606:4700::1111]:8443/a"), private=False)
    assert (target.host, str(target.url)) == ("[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443/a")


async def test_endpoints_and_secrets_are_the_operators(shop: Shop) -> None:
    for role in (Role.SERVICE, Role.ANALYST, Role.PARTNER):
        answer = await shop.post("{ webhookEndpoints { id } }", role=role)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    fields = (await shop.ask('{ __type(name: "WebhookEndpoint") { fields { name } } }'))["__type"]["fields"]
    assert not {"secret", "formerSecret"} & {field["name"] for field in fields}


async def test_there_is_an_end_to_endpoints(shop: Shop, receiver: Receiver) -> None:
    for _ in range(ENDPOINTS_MAX):
        await listen(shop, receiver)

    refused = await operate(shop, CREATE, url=receiver.url, events=["transaction.recorded"])

    assert [error["code"] for error in refused["errors"]] == ["TOO_MANY_WEBHOOK_ENDPOINTS"]
    assert await WebhookEndpoint.all().count() == ENDPOINTS_MAX
