"""NATS JetStream: a stream for what goes out, another for what comes in, with a durable consumer."""

import asyncio
from types import TracebackType
from typing import Self

import nats
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from . import AGAIN_MAX, AT_ONCE_MAX, Broker, Handled, Take

_WAIT_SECONDS = 1.0
_ACK_SECONDS = 15.0
"""After which a message comes again whose process has died. One that takes longer comes twice, which is a replay."""


class NatsBroker(Broker):
    """Subjects are ``<name>.<event>``. A stream that is not there is made, and named like ``name``, in capitals."""

    async def __aenter__(self) -> Self:
        self._client = await nats.connect(self.url, name="laurel", max_reconnect_attempts=-1)
        self._jetstream = self._client.jetstream()
        self._streams: set[str] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def publish(self, name: str, subject: str, message_id: str, body: bytes) -> None:
        await self._have_stream(name)
        # The id lets the broker itself drop a repetition that comes within its window.
        await self._jetstream.publish(f"{name}.{subject}", body, headers={"Nats-Msg-Id": message_id})

    async def listen(self, name: str, take: Take) -> None:
        await self._have_stream(name)
        config = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=_ACK_SECONDS,
            max_ack_pending=4 * AT_ONCE_MAX,
        )
        subscription = await self._jetstream.pull_subscribe(f"{name}.>", durable="laurel", config=config)
        while True:
            try:
                messages = await subscription.fetch(AT_ONCE_MAX, timeout=_WAIT_SECONDS)
            except TimeoutError:  # of the library, or, at times, of asyncio below it
                continue
            await asyncio.gather(*(self._handle(name, message, take) for message in messages))

    async def _handle(self, name: str, message: Msg, take: Take) -> None:
        handled = await take(message.data)
        if handled is Handled.LATER and message.metadata.num_delivered < AGAIN_MAX:
            await message.nak(delay=self.again_seconds)
            return
        if handled is not Handled.DONE:
            place = message.metadata.sequence.stream
            await self.publish(f"{name}_refused", "message", f"{name}:{place}", message.data)
        await message.ack()

    async def _have_stream(self, name: str) -> None:
        """Have a stream that keeps what comes under a name: the one that is there, as it is, or else a new one."""
        if name in self._streams:
            return
        try:
            await self._jetstream.find_stream_name_by_subject(f"{name}.>")
        except NotFoundError:
            await self._jetstream.add_stream(name=name.upper().replace(".", "_"), subjects=[f"{name}.>"])
        self._streams.add(name)
