"""What comes before a request: its head must come in time and be short, and what a WebSocket calls text must be text.

uvicorn waits for ever for a head, keeps one of any length, and writes a traceback for text that is no UTF-8.
"""

import asyncio
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.books.members import new_id
from graph.settings import Settings
from graph.transport.failures import Failure, RequestFailed

HEAD_SECONDS: Final = 15.0
HEAD_BYTES_MAX: Final = 64 * 1024
KEPT_SECONDS: Final = 75
"""How long a connection is kept between requests: longer than balancers and routers do, who must close it first."""

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

    _late: asyncio.TimerHandle | None = None
    """Runs while a head is awaited."""
    _size = 0
    """Bytes of the head that is awaited."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._late is not None:
            self._size += len(data)
            if self._size > HEAD_BYTES_MAX:
                self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._late is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_came()
        # Each has a colon, a space and the end of its line besides.
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES_MAX:
            self.app = _refuse_head  # it answers, and closes the connection
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._size = 0
        self._late = self.loop.call_later(HEAD_SECONDS, self._refuse, _TOO_LATE)

    def _head_came(self) -> None:
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
