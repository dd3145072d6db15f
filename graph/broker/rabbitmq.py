"""RabbitMQ: a topic exchange for what goes out; a durable queue for what comes in, and one in which messages wait."""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from . import AGAIN_MAX, AT_ONCE_MAX, Broker, Handled, Take

_TIMES: Final = "laurel-times"
"""The header that says how often a message has come back. What the broker itself counts begins anew with each copy."""


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
        later, refused = f"{name}.later", f"{name}.refused"
        # What has to wait lies there until its time is over, and then goes back to the end of the queue.
        await self._have_queue(later, {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": name})
        await self._have_queue(refused)
        await self._have_queue(name)
        channel = await self._connection.channel()
        await channel.set_qos(prefetch_count=AT_ONCE_MAX)
        queue: AbstractQueue = await channel.get_queue(name)

        async def handle(message: AbstractIncomingMessage) -> None:
            handled = await take(message.body)
            times = _times(message)
            if handled is Handled.LATER and times < AGAIN_MAX:
                copy = _copy(message, times + 1, expiration=self.again_seconds)
                await channel.default_exchange.publish(copy, routing_key=later)
            elif handled is not Handled.DONE:
                await channel.default_exchange.publish(_copy(message, times), routing_key=refused)
            await message.ack()

        await queue.consume(handle)
        await asyncio.Event().wait()

    async def _have_queue(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Have a queue of that name: the one that is there, of whatever kind, or else a new one."""
        # To ask for one that is not there ends the channel, so it is asked on one of its own.
        async with self._connection.channel() as channel:
            try:
                await channel.get_queue(name)
            except ChannelNotFoundEntity:
                async with self._connection.channel() as another:
                    await another.declare_queue(name, durable=True, arguments=arguments)


def _copy(message: AbstractIncomingMessage, times: int, expiration: float | None = None) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers={**message.headers, _TIMES: times},
        expiration=expiration,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


def _times(message: AbstractIncomingMessage) -> int:
    """How often it has come back from waiting."""
    times = message.headers.get(_TIMES)
    return times if type(times) is int else 0
