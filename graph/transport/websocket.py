"""GraphQL over a WebSocket: the protocol ``graphql-transport-ws``, of which every frame is looked at before it is used.

::

    4400  a frame that is none of the protocol     4409  an id that is in use
    4401  an operation before connection_init      4429  a second connection_init
    4403  a token that is not valid, or not any more
    4406  another protocol                         4408  no connection_init in time
    1013  too many connections: try again later    1009  a frame that is too long

What is wrong with an operation is an ``error`` message of it and closes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson
from graphql import OperationType
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from core.books.members import new_id
from graph.tokens import Caller
from graph.transport.execution import NOTHING, Answer, Engine, Prepared, failed_answer
from graph.transport.failures import Failure, RequestFailed
from graph.transport.requests import read_asked

log = logging.getLogger("laurel.graph")

PROTOCOL: Final = "graphql-transport-ws"
INIT_SECONDS: Final = 10.0
OPERATIONS_MAX: Final = 100
"""Operations that run at the same time over one socket."""
_ID_MAX: Final = 200
_REASON_MAX: Final = 120
"""A control frame has 125 bytes, two of which are the code."""


class _Closed(Exception):
    """The socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Frame(NamedTuple):
    """A message of the client, of which the type is known and all members have their types."""

    kind: str
    id: str
    payload: Any


class WebSockets:
    """The endpoint, an ASGI application: a ``_Socket`` for each connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        await receive()  # websocket.connect
        if not self._may_connect(headers):
            # Before it is accepted: the browser reads 403, and its page nothing.
            await send({"type": "websocket.close", "code": 4403, "reason": "not from this origin"})
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"the protocol is {PROTOCOL}"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        client = scope.get("client")
        address = client[0] if client else ""
        await _Socket(self._engine, headers.get("authorization"), address, receive, send).run()

    def _may_connect(self, headers: Headers) -> bool:
        """Whether it is no browser, or one that shows a page of ours or of the origins that the settings name."""
        origin = headers.get("origin")
        if origin is None or origin in self._engine.settings.origins:
            return True
        return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc == headers.get("host")


class _Socket:
    """One connection: who it belongs to, and the operations that run over it."""

    def __init__(self, engine: Engine, authorization: str | None, address: str, receive: Receive, send: Send) -> None:
        self._engine = engine
        self._authorization = authorization
        self._address = address
        self._receive = receive
        self._send = send
        self._caller: Caller | None = None
        self._acknowledged = False
        self._initialised = False
        loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[_Closed | None] = loop.create_future()
        self._late = loop.call_later(INIT_SECONDS, self._close, 4408, "connection_init did not come")
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        """The operations, those included of which the id is free again, and whoever looks after the token."""

    async def run(self) -> None:
        """Serve the connection until one side closes it."""
        self._start(self._read())
        closed = None
        try:
            closed = await self._closing
        finally:
            self._late.cancel()
            # Before it is closed, as nothing may be sent after that.
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        if closed is not None:
            with suppress(OSError):  # the client has gone as well
                reason = str(closed).encode()[:_REASON_MAX].decode(errors="ignore")
                await self._send({"type": "websocket.close", "code": closed.code, "reason": reason})

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _close(self, code: int, reason: str) -> None:
        self._end(_Closed(code, reason))

    def _end(self, closed: _Closed | None = None) -> None:
        """End the connection; without ``closed`` the client has ended it."""
        if not self._closing.done():
            self._closing.set_result(closed)

    # -- reading ------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return self._end()
                await self._take(_frame(message.get("text"), self._engine.settings.body_bytes_max))
        except _Closed as closed:
            self._close(closed.code, str(closed))
        except Exception:
            log.exception("a socket failed")
            self._close(1011, "something went wrong")

    async def _take(self, frame: _Frame) -> None:
        match frame.kind:
            case "connection_init":
                await self._initialise(frame.payload)
            case "ping":
                await self._pong(frame.payload)
            case "pong":
                pass
            case "subscribe":
                await self._begin(frame)
            case "complete":
                if (task := self._operations.pop(frame.id, None)) is not None:
                    task.cancel()

    async def _pong(self, payload: Any) -> None:
        try:
            await self._tell("pong", payload=payload)
        except orjson.JSONEncodeError as error:
            raise _Closed(4400, "the payload of ping is nested too deeply to be sent back") from error

    async def _initialise(self, payload: Any) -> None:
        if self._initialised:
            raise _Closed(4429, "too many initialisation requests")
        self._initialised = True
        self._late.cancel()
        given = _authorization(payload)
        if given is not None:
            self._authorization = given
        await self._authenticate()
        await self._admit()
        self._acknowledged = True
        await self._tell("connection_ack")
        self._start(self._keep())

    async def _authenticate(self) -> None:
        try:
            self._caller = await self._engine.authenticate(self._authorization)
        except RequestFailed as failed:
            raise _Closed(4403, str(failed)) from failed

    async def _admit(self) -> None:
        """Count the connection as a request, or somebody could open as many as there are ports.

        Clients take 4429 for good, and connect again after 1013.
        """
        try:
            await self._engine.rates.admit(self._caller, self._address)
        except RequestFailed as failed:
            raise _Closed(1013, str(failed)) from failed

    async def _keep(self) -> None:
        """Look at the token again when it ends, and now and then before, as it may be revoked."""
        try:
            while self._caller is not None:
                await asyncio.sleep(self._engine.seconds_trusted(self._caller))
                await self._authenticate()
        except _Closed as closed:
            self._close(closed.code, str(closed))

    # -- operations ---------------------------------------------------------------------------------

    async def _begin(self, frame: _Frame) -> None:
        if not self._acknowledged:
            raise _Closed(4401, "connection_init comes first")
        if frame.id in self._operations:
            raise _Closed(4409, f"there is a subscriber for {frame.id}")
        if len(self._operations) >= OPERATIONS_MAX:
            failed = RequestFailed(Failure.TOO_MANY_OPERATIONS, f"{OPERATIONS_MAX} operations run over this socket")
            await self._tell("error", frame.id, failed.shown(new_id()))
        else:
            self._operations[frame.id] = self._start(self._operate(frame.id, frame.payload))

    async def _operate(self, id: str, payload: Any) -> None:
        request_id = new_id()
        try:
            standing = await self._engine.rates.admit(self._caller, self._address)
            prepared = await self._engine.prepare_counted(read_asked(payload), self._caller, standing)
            await self._run(id, prepared, request_id)
        except Exception as error:
            await self._finish("error", id, failed_answer(error, request_id).errors)

    async def _run(self, id: str, prepared: Prepared, request_id: str) -> None:
        context = self._engine.context(self._caller, request_id)
        if prepared.kind is OperationType.SUBSCRIPTION:
            async for answer in self._engine.subscribe(prepared, context):
                if not await self._answer(id, answer):
                    return
        else:
            answer = await self._engine.execute(prepared, context)
            if not await self._answer(id, answer):
                return
        await self._finish("complete", id)

    async def _answer(self, id: str, answer: Answer) -> bool:
        """Send an answer; whether another may follow."""
        if answer.data is NOTHING:
            await self._finish("error", id, answer.errors)
            return False
        await self._tell("next", id, answer.formatted())
        return True

    async def _finish(self, kind: str, id: str, payload: Any = None) -> None:
        # The id is free before the client reads so, as it may use it at once.
        self._operations.pop(id, None)
        await self._tell(kind, id, payload)

    async def _tell(self, kind: str, id: str | None = None, payload: Any = None) -> None:
        # Waits while the client does not read, so that an event is made only when the last one has gone.
        message: dict[str, Any] = {"type": kind}
        if id is not None:
            message["id"] = id
        if payload is not None:
            message["payload"] = payload
        try:
            await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
        except OSError:
            self._end()


# -- frames -----------------------------------------------------------------------------------------

_Check = Callable[[Any, Any], bool]


def _is_object_or_nothing(id: Any, payload: Any) -> bool:
    return payload is None or isinstance(payload, dict)


def _is_id(id: Any, payload: Any) -> bool:
    return isinstance(id, str) and 0 < len(id) <= _ID_MAX


def _is_operation(id: Any, payload: Any) -> bool:
    return _is_id(id, payload) and isinstance(payload, dict)


_KINDS: Final[dict[str, _Check]] = {
    "connection_init": _is_object_or_nothing,
    "ping": _is_object_or_nothing,
    "pong": _is_object_or_nothing,
    "subscribe": _is_operation,
    "complete": _is_id,
}


def _frame(text: str | None, largest: int) -> _Frame:
    """The message of a frame. Raises _Closed unless it is one of the protocol."""
    if text is None:
        raise _Closed(4400, "frames are text")
    if len(text) > largest or len(text.encode()) > largest:
        raise _Closed(1009, f"a frame has at most {largest} bytes")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        raise _Closed(4400, "a message is a JSON object")
    kind, id, payload = message.get("type"), message.get("id", ""), message.get("payload")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _Closed(4400, "a message has one of the types that clients send")
    if not _KINDS[kind](id, payload):
        raise _Closed(4400, f"{kind} has not the members that it has")
    return _Frame(kind, id, payload)


def _authorization(payload: Any) -> str | None:
    """The token in the payload of ``connection_init``, where clients put what they would send as a header."""
    if not isinstance(payload, dict):
        return None
    headers = payload.get("headers")
    for given in (payload, headers if isinstance(headers, dict) else {}):
        for name, value in given.items():
            if name.lower() == "authorization" and value is not None:
                if not isinstance(value, str):
                    raise _Closed(4400, "authorization is text")
                return value
    return None
