"""What comes before a request, and how a response leaves.

A head must come in time and be short, what a WebSocket calls text must be text, and a whole response is one write.
uvicorn waits for ever for a head, keeps one of any length, and writes a traceback for text that is no UTF-8.
"""

import asyncio
from typing import Any, Final, cast

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn._types import ASGISendEvent
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.books.members import new_id
from graph.settings import Settings
from graph.transport.failures import Failure, RequestFailed
from graph.transport.http import WHOLE

HEAD_SECONDS: Final = 15.0
HEAD_BYTES_MAX: Final = 64 * 1024
KEPT_SECONDS: Final = 75
"""How long a connection is kept between requests: longer than balancers and routers do, who must close it first."""

_EXTENSIONS: Final = {WHOLE: dict[str, Any]()}
_FORWARDED: Final = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
"""The fields of a header that a proxy has written, whom uvicorn believes if it was told so."""
_TOO_LONG: Final = RequestFailed(Failure.HEAD_TOO_LARGE, f"the head is longer than {HEAD_BYTES_MAX} bytes")
_TOO_LATE: Final = RequestFailed(Failure.REQUEST_TIMEOUT, f"the head did not come within {HEAD_SECONDS:g} seconds")


def connection_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told about connections."""
    return {
        "http": HttpConnection,
        "ws": WebSocketConnection,
        "timeout_keep_alive": KEPT_SECONDS,
        # Otherwise 16 MB are kept of each before we may say that it is too long.
        "ws_max_size": settings.body_bytes_max,
        # As for bodies: what is small to send must not be large to read.
        "ws_per_message_deflate": False,
    }


class HttpConnection(HttpToolsProtocol):
    """A connection that is closed when the head of a request is late or too long."""

    _awaits = True
    """Whether there is a head that has begun, or the first one, and is not complete."""
    _late: asyncio.TimerHandle | None = None
    """Runs while it is awaited, unless it comes in one piece."""
    _size = 0
    """Bytes that have come of it at most, and of what came with it."""
    _others = 0
    """How many of them may be of the request before, as it has begun in what came with that one's end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.access_log = False  # requests are told of in a log of our own
        self._late = self._be_late()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._size = self._size + len(data) if self._awaits else len(data)
        idle = self.timeout_keep_alive_task is not None
        super().data_received(data)
        if self._awaits:
            if self._late is None:
                self._late = self._be_late()
                self._others = len(data)
            elif self._size - self._others > HEAD_BYTES_MAX:
                self._refuse(_TOO_LONG)
        elif idle and self.cycle.response_complete and self in self.connections:
            # Ends of lines, or more of a body that nobody reads: uvicorn waits for ever after what it takes for a head.
            # A connection that has become a socket is none of these.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._awaits = True

    def on_headers_complete(self) -> None:
        self._head_came()
        if self._size > HEAD_BYTES_MAX and self._size_of_head() > HEAD_BYTES_MAX:
            self.app = _refuse_head  # it answers, and closes the connection
        # What stands after the body is no field of the head, whoever sends it there.
        self.scope["headers"] = [*self.headers]
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = _Cycle
        scope = cast("Scope", cycle.scope)
        scope["extensions"] = _EXTENSIONS
        if isinstance(app, ProxyHeadersMiddleware) and _FORWARDED.isdisjoint(dict(scope["headers"])):
            app = app.app  # it has nothing to see to
        super()._start_asgi_task(cycle, app)

    def _size_of_head(self) -> int:
        # Each field has a colon, a space and the end of its line besides.
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _be_late(self) -> asyncio.TimerHandle:
        return self.loop.call_later(HEAD_SECONDS, self._refuse, _TOO_LATE)

    def _head_came(self) -> None:
        self._awaits = False
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, failed: RequestFailed) -> None:
        self._head_came()
        if self.transport.is_closing():
            return
        body, status = _body(failed), failed.failure.status
        head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()


class _Cycle(RequestResponseCycle):
    """A request and its response, which is one write without a look at it when it comes whole and is ours."""

    async def send(self, message: ASGISendEvent) -> None:
        whole = cast("Message", message)
        if whole["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        body = b"" if self.scope["method"] == "HEAD" else whole["body"]
        fields = b"\r\n".join(map(b": ".join, (*self.default_headers, *whole["headers"])))
        end = b"\r\n\r\n" if self.keep_alive else b"\r\nconnection: close\r\n\r\n"
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(b"".join((STATUS_LINE[whole["status"]], fields, end, body)))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


async def _refuse_head(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "Connection": "close"}
    await Response(_body(_TOO_LONG), _TOO_LONG.failure.status, headers)(scope, receive, send)


def _body(failed: RequestFailed) -> bytes:
    return orjson.dumps({"errors": failed.shown(new_id())})


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket that is closed when text is not UTF-8, without a word in the log."""

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()
