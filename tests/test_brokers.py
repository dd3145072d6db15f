"""Orders through a real broker, twice, in the wrong order, with Laurel killed: the balances are the mutations'."""

import asyncio
import os
import random
import signal
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import aio_pika
import nats
import orjson
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue
from nats.aio.client import Client as NatsClient

from core.oversight.verify import verify
from graph.broker import Handled, broker_of
from graph.laurel import tables
from graph.testing import SECRET, Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.serving import process_of

ADDRESSES: Final = {"nats": "LAUREL_TEST_NATS", "rabbitmq": "LAUREL_TEST_RABBITMQ"}
ORDERS: Final = int(os.environ.get("LAUREL_TEST_BROKER_ORDERS", "200"))
"""10,000 for a release; a few in every run."""
NO_MESSAGES: Final = (
    b"no JSON",
    b"\xff\xfe\x00",
    b"[]",
    b"[" * 100_000,
    b'{"type": "order.paid"}',
    b'{"type": "order.paid", "version": 2, "data": {}}',
    b'{"type": "order.paid", "version": true, "data": {}}',
    b'{"type": "order.lost", "data": {}}',
    b'{"type": "order.paid", "data": {"reference": "N1", "member": "nobody", "at": "2026-06-01", "amount": "-5"}}',
)
"""What nobody can do anything with: kept aside, in the way of nothing."""
PATIENCE: Final = 60 + ORDERS / 20
"""Seconds that a step may take, on a machine that does a lot besides."""
PROGRAMME: Final = """
id: till
name: Till
currency: CNY
timezone: Asia/Shanghai
starts_on: 2026-01-01
expiry: { mode: never }
channels:
  purchase:
    earn: { points: { groups: [{ id: base, add: sum, rules: [{ id: base, points: order.amount }] }] } }
"""


@pytest.fixture(params=ADDRESSES)
def address(request: pytest.FixtureRequest) -> str:
    variable = ADDRESSES[request.param]
    address = os.environ.get(variable)
    if address is None:
        pytest.skip(f"{variable} is not set")
    return address


def messages() -> list[dict[str, Any]]:
    """Orders and refunds as they were: each refund after its order."""
    chance, told = random.Random(7), []
    for number in range(ORDERS):
        amount, member = chance.randint(10, 500), f"member {number % max(10, ORDERS // 20)}"
        about = {"member": member, "at": "2026-06-01T11:00:00Z"}
        told.append({"type": "order.paid", "data": {**about, "reference": f"O{number}", "amount": f"{amount}.50"}})
        if number % 3 == 0:
            back = {**about, "reference": f"R{number}", "order": f"O{number}", "amount": f"{amount // 3}.00"}
            told.append({"type": "order.refunded", "data": back})
    return told


def serving(url: str, broker: str, name: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Laurel as it is served, listening to the broker; killed in the end."""
    return process_of(
        url,
        SECRET,
        LAUREL_BROKER_URL=broker,
        LAUREL_BROKER_IN=name,
        LAUREL_BROKER_OUT=f"{name}_out",
        LAUREL_BROKER_AGAIN_SECONDS="0.2",
    )


async def accepted(shop: Shop) -> int:
    ((count,),) = await shop.laurel.store.reader().query("SELECT COUNT(*) FROM operation WHERE accepted")
    return int(count)


async def balances(shop: Shop) -> Mapping[str, int]:
    rows = await shop.laurel.store.reader().query(
        "SELECT m.external_id, a.credited - a.debited FROM account a JOIN member m ON m.id = a.member_id "
        "WHERE a.unit = 'points'"
    )
    return {str(member): int(balance) for member, balance in rows}


async def until(shop: Shop, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await accepted(shop) < count:  # noqa: ASYNC110 (another process writes, and tells nobody here)
            await asyncio.sleep(0.05)


async def mutate(shop: Shop, message: Mapping[str, Any]) -> None:
    """Do by mutation what a message asks for."""
    data = message["data"]
    kind = "recordPurchase" if message["type"] == "order.paid" else "refundPurchase"
    input: dict[str, Any] = {
        "idempotencyKey": data["reference"],
        "member": {"externalId": data["member"]},
        "reference": data["reference"],
        "amount": {"amount": data["amount"], "currency": "CNY"},
        "occurredAt": data["at"],
    }
    input |= {"order": data["order"]} if "order" in data else {"enrolIfUnknown": True}
    answer = await shop.ask(
        f"mutation ($input: {kind[0].upper()}{kind[1:]}Input!) {{ it: {kind}(input: $input) {{ errors {{ code }} }} }}",
        {"input": input},
    )
    assert answer["it"]["errors"] == []


class Nats:
    """Another system on NATS."""

    def __init__(self, client: NatsClient, name: str) -> None:
        self.jetstream, self.name = client.jetstream(), name

    @classmethod
    @asynccontextmanager
    async def joining(cls, address: str, name: str) -> AsyncIterator[Self]:
        client = await nats.connect(address)
        jetstream = client.jetstream()
        for subject in (name, f"{name}_out", f"{name}_refused"):
            await jetstream.add_stream(name=subject.upper(), subjects=[f"{subject}.>"])
        yield cls(client, name)
        for subject in (name, f"{name}_out", f"{name}_refused"):
            await jetstream.delete_stream(subject.upper())
        await client.close()

    async def tell(self, messages: Sequence[bytes]) -> None:
        async with asyncio.TaskGroup() as telling:
            room = asyncio.Semaphore(64)
            for message in messages:
                telling.create_task(self._tell(message, room))

    async def _tell(self, message: bytes, room: asyncio.Semaphore) -> None:
        async with room:
            await self.jetstream.publish(f"{self.name}.orders", message, timeout=PATIENCE)

    async def hear(self, count: int) -> list[dict[str, Any]]:
        return [orjson.loads(body) for body in await self._take(f"{self.name}_out.transaction.recorded", count)]

    async def refused(self, count: int) -> list[bytes]:
        return await self._take(f"{self.name}_refused.message", count)

    async def _take(self, subject: str, count: int) -> list[bytes]:
        """As many different messages as there have to be, and what else has come with them."""
        taken: list[bytes] = []
        subscription = await self.jetstream.pull_subscribe(subject, durable=f"test_{subject.count('refused')}")
        async with asyncio.timeout(PATIENCE):
            while len(set(taken)) < count:
                with suppress(TimeoutError):  # of the library, or, at times, of asyncio below it
                    for message in await subscription.fetch(500, timeout=1):
                        taken.append(message.data)
                        await message.ack()
        return taken


class Rabbit:
    """Another system on RabbitMQ."""

    def __init__(self, channel: AbstractChannel, out: AbstractQueue, name: str) -> None:
        self.channel, self.out, self.name = channel, out, name

    @classmethod
    @asynccontextmanager
    async def joining(cls, address: str, name: str) -> AsyncIterator[Self]:
        async with await aio_pika.connect(address) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange(f"{name}_out", aio_pika.ExchangeType.TOPIC, durable=True)
            out = await channel.declare_queue(f"{name}_out", durable=True)
            await out.bind(exchange, "transaction.recorded")
            await channel.declare_queue(name, durable=True)
            yield cls(channel, out, name)
            for queue in (name, f"{name}_out", f"{name}.later", f"{name}.refused"):
                await channel.queue_delete(queue)
            await channel.exchange_delete(f"{name}_out")

    async def tell(self, messages: Sequence[bytes]) -> None:
        for message in messages:
            body = aio_pika.Message(message, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await self.channel.default_exchange.publish(body, routing_key=self.name)

    async def hear(self, count: int) -> list[dict[str, Any]]:
        return [orjson.loads(body) for body in await self._take(self.out, count)]

    async def refused(self, count: int) -> list[bytes]:
        return await self._take(await self.channel.get_queue(f"{self.name}.refused"), count)

    async def _take(self, queue: AbstractQueue, count: int) -> list[bytes]:
        """As many different messages as there have to be, and what else has come with them."""
        taken: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            while len(set(taken)) < count:
                message = await queue.get(no_ack=True, fail=False)
                if message is None:
                    await asyncio.sleep(0.05)
                else:
                    taken.append(message.body)
        return taken


def talking_to(address: str, name: str) -> AbstractAsyncContextManager[Nats | Rabbit]:
    return (Nats if address.startswith("nats") else Rabbit).joining(address, name)


@pytest.mark.timeout(4 * PATIENCE)
async def test_orders_through_a_broker_leave_what_the_mutations_would(address: str, tmp_path: Path) -> None:
    plugins, name = load_plugins(), f"laurel_test_{uuid.uuid4().hex[:8]}"
    folder = SqliteFolder(tmp_path)
    told = messages()
    async with open_shop(folder.migrated(tables(plugins)), PROGRAMME, plugins=plugins) as by_mutation:
        for message in told:
            await mutate(by_mutation, message)
        expected = await balances(by_mutation)

    url = folder.migrated(tables(plugins))
    async with open_shop(url, PROGRAMME, plugins=plugins) as shop:
        shuffled = [*(orjson.dumps(message) for message in (*told, *told[: len(told) // 4])), *NO_MESSAGES]
        random.Random(11).shuffle(shuffled)
        async with talking_to(address, name) as other:
            async with serving(url, address, name) as first, asyncio.TaskGroup() as telling:
                telling.create_task(other.tell(shuffled))
                await until(shop, len(told) // 4)
                first.send_signal(signal.SIGKILL)
            assert await accepted(shop) < len(told)
            async with serving(url, address, name):
                await until(shop, len(told))
                assert await balances(shop) == expected
                events = await other.hear(len(told))
                assert set(await other.refused(len(NO_MESSAGES))) == set(NO_MESSAGES)

        assert await verify(shop.laurel.store.reader()) == []
    by_member: dict[str, list[int]] = defaultdict(list)
    for event in events:
        for entry in event["data"]["entries"]:
            if entry["seq"] not in by_member[event["member"]["externalId"]]:
                by_member[event["member"]["externalId"]].append(entry["seq"])
    assert by_member.keys() == expected.keys()
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_member.values()), "in the order of the member"


async def test_what_always_comes_too_early_is_kept_aside_in_the_end(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("nats", "rabbitmq"):
        monkeypatch.setattr(f"graph.broker.{module}.AGAIN_MAX", 3)
    taken: list[bytes] = []
    came = asyncio.Event()

    async def take(body: bytes) -> Handled:
        taken.append(body)
        came.set()
        return Handled.LATER

    name = f"laurel_test_{uuid.uuid4().hex[:8]}"
    async with talking_to(address, name) as other, broker_of({"url": address, "again_seconds": "0.05"}) as broker:
        listening = asyncio.create_task(broker.listen(name, take))
        await other.tell([b"early"])
        async with asyncio.timeout(PATIENCE):
            await came.wait()
        assert await other.refused(1) == [b"early"]
        listening.cancel()
        await asyncio.wait([listening])

    assert 3 <= len(taken) <= 4
