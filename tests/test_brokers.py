"""Orders through a real broker, twice, in the wrong order, with Laurel killed: the balances are the mutations'."""

import asyncio
import os
import random
import signal
import sys
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

from core.verify import verify
from graph.laurel import tables
from graph.testing import SECRET, Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder

HERE: Final = Path(__file__).parents[1]
ADDRESSES: Final = {"nats": "LAUREL_TEST_NATS", "rabbitmq": "LAUREL_TEST_RABBITMQ"}
ORDERS: Final = int(os.environ.get("LAUREL_TEST_BROKER_ORDERS", "200"))
"""10,000 for a release; a few in every run."""
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


@asynccontextmanager
async def serving(url: str, broker: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Laurel as it is served, listening to the broker; killed in the end."""
    environment = {
        **os.environ,
        "LAUREL_DATABASE_URL": url,
        "LAUREL_SECRET": SECRET,
        "LAUREL_PORT": "0",
        "LAUREL_BROKER_URL": broker,
        "LAUREL_BROKER_IN": name,
        "LAUREL_BROKER_OUT": f"{name}_out",
        "LAUREL_BROKER_AGAIN_SECONDS": "0.2",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "graph", "serve", env=environment, cwd=HERE,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


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
    async with asyncio.timeout(150):
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
        for subject in (name, f"{name}_out"):
            await jetstream.add_stream(name=subject.upper(), subjects=[f"{subject}.>"])
        yield cls(client, name)
        for subject in (name, f"{name}_out"):
            await jetstream.delete_stream(subject.upper())
        await client.close()

    async def tell(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for message in messages:
            await self.jetstream.publish(f"{self.name}.{message['type']}", orjson.dumps(message))

    async def hear(self, count: int) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        subscription = await self.jetstream.pull_subscribe(f"{self.name}_out.transaction.recorded", durable="test")
        async with asyncio.timeout(60):
            while len({event["id"] for event in heard}) < count:
                with suppress(nats.errors.TimeoutError):
                    for message in await subscription.fetch(500, timeout=1):
                        heard.append(orjson.loads(message.data))
                        await message.ack()
        return heard


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

    async def tell(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for message in messages:
            body = aio_pika.Message(orjson.dumps(message), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await self.channel.default_exchange.publish(body, routing_key=self.name)

    async def hear(self, count: int) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while len({event["id"] for event in heard}) < count:
                message = await self.out.get(no_ack=True, fail=False)
                if message is None:
                    await asyncio.sleep(0.05)
                else:
                    heard.append(orjson.loads(message.body))
        return heard


def talking_to(address: str, name: str) -> AbstractAsyncContextManager[Nats | Rabbit]:
    return (Nats if address.startswith("nats") else Rabbit).joining(address, name)


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
        shuffled = [*told, *told[: len(told) // 4]]
        random.Random(11).shuffle(shuffled)
        async with talking_to(address, name) as other:
            async with serving(url, address, name) as first:
                await other.tell(shuffled)
                await until(shop, len(told) // 4)
                first.send_signal(signal.SIGKILL)
            async with serving(url, address, name):
                await until(shop, len(told))
                assert await balances(shop) == expected
                events = await other.hear(len(told))

        assert await verify(shop.laurel.store.reader()) == []
    by_member: dict[str, list[int]] = defaultdict(list)
    for event in events:
        for entry in event["data"]["entries"]:
            if entry["seq"] not in by_member[event["member"]["externalId"]]:
                by_member[event["member"]["externalId"]].append(entry["seq"])
    assert by_member.keys() == expected.keys()
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_member.values()), "in the order of the member"
