"""A real HTTP server that webhooks are sent to, and that can misbehave as those out there do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Receiver:
    """What came in, and how it is answered: ``answer`` makes a status of the number of the request, None breaks off.

    ``times`` is how often each answer is said, ``more`` what headers it has besides. ``ahead`` says that signatures are
    of a clock that does not show the present.
    """

    port: int = 0
    secret: str = ""
    answer: Callable[[int], int | None] = lambda number: 200
    seconds: float = 0.0
    times: int = 1
    more: str = ""
    ahead: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        # Also when the test is over before the answer.
        with closing(writer):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, body))
        self.asked.set()
        await asyncio.sleep(self.seconds)
        status = self.answer(len(self.requests))
        if status is not None and status < 300:
            # The reference implementation refuses what is not signed, or signed too long ago.
            self.taken.append(self._verified(headers, body) if self.secret else orjson.loads(body))
        if status is not None:
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{self.more}\r\n".encode() * self.times)
            await writer.drain()

    def _verified(self, headers: dict[str, str], body: bytes) -> Any:
        """The message, by the library of the specification."""
        webhook = Webhook(self.secret)
        if self.ahead:
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            if webhook.sign(headers["webhook-id"], at, body.decode()) not in headers["webhook-signature"].split():
                raise WebhookVerificationError("it is not signed")
            return orjson.loads(body)
        return webhook.verify(body, headers)


@asynccontextmanager
async def receiving(port: int = 0, certificate: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens, at a free port unless one is named."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=certificate)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
