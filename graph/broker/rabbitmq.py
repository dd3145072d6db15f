"""RabbitMQ: a topic exchange for what goes out; a durable queue for what comes in, and one in which messages wait."""

import asyncio
from types import TracebackType
from typing import Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from . import AGAIN_MAX, AT_ONCE_MAX, Broker, Handled, Take


class RabbitBroker(Broker):
    """Events are published to the topic exchange ``name``, by their type; messages come from the queue ``name``."""

    async def __aenter__(self) -> Self:
        self._connection = await aio_pika.connect_robust(self.url, client_properties={"connection_name": "laurel"})
        self._channel = await self._connection.channel(publisher_confirms=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def publish(self, name: str, subject: str, message_id: str, body: bytes) -> None:
        exchange = await self._channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        message = aio_pika.Message(
            body,
            message_id=message_id,
            type=subject,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        # Events that no queue is bound for are nobody's, as with any topic exchange.
        await exchange.publish(message, routing_key=subject, mandatory=False)

    async def listen(self, name: str, take: Take) -> None:
        channel = await self._connection.channel()
        await channel.set_qos(prefetch_count=AT_ONCE_MAX)
        queue = await channel.declare_queue(name, durable=True)
        # What has to wait lies here until its time is over, and then goes back to the end of the queue.
        later = await channel.declare_queue(
            f"{name}.later",
            durable=True,
            arguments={
                "x-message-ttl": int(self.again_seconds * 1_000),
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": name,
            },
        )

        refused = await channel.declare_queue(f"{name}.refused", durable=True)

        async def handle(message: AbstractIncomingMessage) -> None:
            handled = await take(message.body)
            if handled is not Handled.DONE:
                again = handled is Handled.LATER and _times(message) < AGAIN_MAX
                copy = aio_pika.Message(
                    message.body, headers=message.headers, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
                )
                await channel.default_exchange.publish(copy, routing_key=later.name if again else refused.name)
            await message.ack()

        await queue.consume(handle)
        await asyncio.Event().wait()


def _times(message: AbstractIncomingMessage) -> int:
    """How often it has come back from waiting; the broker itself counts it."""
    match message.headers.get("x-death"):
        case [{"count": int(times)}, *_]:
            return times
        case _:
            return 0
