"""A client of a WebSocket that runs in this process: frames go in and come out one by one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

PROTOCOL = "graphql-transport-ws"


class Closed(Exception):
    """The server has closed the socket, with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code


class Client:
    """What a client sends and what it is told. A client that ``reads`` no more holds the server back."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = False

    async def hear(self, message: Message) -> None:
        await self.reads.wait()
        if self.gone:
            raise OSError("the client has gone")
        self.told.put_nowait(message)

    def send(self, message: Any) -> None:
        """Send a message, or text that is none."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.sent.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        self.sent.put_nowait({"type": "websocket.receive", "bytes": data})

    def leave(self) -> None:
        self.gone = True
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def read(self) -> Any:
        """The next message. Raises Closed."""
        async with asyncio.timeout(60):
            message = await self.told.get()
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message.get("reason", ""))
        return json.loads(message["text"])

    async def closed(self) -> int:
        """The code with which the socket is closed, whatever comes before."""
        try:
            while True:
                await self.read()
        except Closed as closed:
            return closed.code

    async def begin(self, payload: Any = None) -> None:
        """Initialise the connection."""
        self.send({"type": "connection_init", "payload": payload})
        assert await self.read() == {"type": "connection_ack"}

    def subscribe(self, id: str, query: str, **members: Any) -> None:
        self.send({"type": "subscribe", "id": id, "payload": {"query": query, **members}})


@asynccontextmanager
async def connected(
    app: ASGIApp, headers: Mapping[str, str] | None = None, protocols: tuple[str, ...] = (PROTOCOL,)
) -> AsyncIterator[Client]:
    """A connection, accepted or not; it has ended without an exception when this has."""
    client = Client()
    given = {"Host": "shop.example", **(headers or {})}
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "subprotocols": list(protocols),
    }
    client.sent.put_nowait({"type": "websocket.connect"})
    serving = asyncio.ensure_future(app(scope, client.sent.get, client.hear))
    try:
        first = await client.told.get()
        if first["type"] == "websocket.close":
            client.told.put_nowait(first)
        yield client
    finally:
        client.reads.set()
        client.leave()
        async with asyncio.timeout(60):
            await serving
