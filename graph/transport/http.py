"""GraphQL over HTTP: every answer JSON or a stream of it, every error with a code and the request's id."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from typing import Any, Final

import orjson
from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.books.members import new_id
from graph.at_once import Done, at_once
from graph.context import Context
from graph.federation import ROUTER_HEADER
from graph.limits.rates import REFUSED_COST, Standing
from graph.tokens import Caller
from graph.transport.execution import Answer, ClientGone, Engine, Prepared, failed_answer
from graph.transport.failures import Failure, RequestFailed
from graph.transport.negotiation import ACCEPT_MAX, EVENT_STREAM, GRAPHQL_JSON, JSON, accepted, is_json
from graph.transport.requests import read_asked, read_json
from graph.transport.sse import EventStream, Field, departure

PARTIAL_SUCCESS: Final = 294
"""Data and errors, in the newest draft of GraphQL over HTTP."""
BODY_SECONDS: Final = 30
WHOLE: Final = "laurel.response"
"""A message of ASGI that is a whole response: a status, a header that is well formed and says how long the body is,
and the body. Servers that take it name it among the extensions of the scope."""
_MEDIA_TYPES: Final = {name: (b"content-type", f"{name}; charset=utf-8".encode()) for name in (JSON, GRAPHQL_JSON)}
_VARY: Final = (b"vary", b"Accept")
_NO_STORE: Final = (b"cache-control", b"no-store")
_ROUTER_HEADER: Final = ROUTER_HEADER.lower().encode()


class HttpView:
    """The endpoint, an ASGI application."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._draft = engine.settings.http_status == "draft"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await _Exchange(self._engine, scope, receive, draft=self._draft).response()
            await response(scope, receive, send)
        except ClientDisconnect:
            return


class _Exchange:
    """One request and the response to it."""

    __slots__ = (
        "_accepts", "_authorization", "_caller", "_draft", "_engine", "_id", "_receive", "_scope", "_sent", "_standing"
    )  # fmt: skip

    def __init__(self, engine: Engine, scope: Scope, receive: Receive, *, draft: bool) -> None:
        self._engine = engine
        self._scope = scope
        self._receive = receive
        self._draft = draft
        self._id = new_id()
        # Of a field that comes twice the first counts, as Starlette has it.
        self._sent: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
        self._accepts = accepted(self._header(b"accept")[:ACCEPT_MAX])
        authorization = self._sent.get(b"authorization")
        self._authorization = None if authorization is None else authorization.decode("latin-1")
        self._caller: Caller | None = None
        self._standing: Standing | None = None

    async def response(self) -> ASGIApp:
        """The response. Raises ClientDisconnect when there is nobody to read it."""
        try:
            safe = await self._admit()
            given = _in_address(self._scope) if safe else await self._in_body()
            if isinstance(given, list):
                return await self._batch(given)
            asked = read_asked(given)
            prepared = await self._engine.prepare_counted(asked, self._caller, self._standing, safe=safe)
            context = self._context()
            if self._streams(prepared):
                return self._stream(self._answers(prepared, context))
            return self._single(await self._answer(prepared, context))
        except (ClientDisconnect, ClientGone):
            raise ClientDisconnect from None
        except Exception as error:
            if not self._accepts.single and isinstance(error, RequestFailed) and error.failure.well_formed:
                return self._stream(_once(failed_answer(error, self._id)))
            return self._failed(error)

    def _header(self, name: bytes) -> str:
        return self._sent.get(name, b"").decode("latin-1")

    # -- asking -------------------------------------------------------------------------------------

    async def _admit(self) -> bool:
        """Learn who asks, and whether it may change nothing. Raises RequestFailed."""
        method = self._scope["method"]
        if method != "POST" and method != "GET":
            raise RequestFailed(
                Failure.METHOD_NOT_ALLOWED, "GraphQL is asked with GET or POST", headers={"Allow": "GET, POST"}
            )
        if not self._accepts.single and not self._accepts.stream:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, f"answers are {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}")
        self._caller = await self._engine.authenticate(self._authorization)
        client = self._scope.get("client")
        self._standing = await self._engine.rates.admit(self._caller, client[0] if client else "")
        return bool(method == "GET")

    def _context(self) -> Context:
        router = _ROUTER_HEADER in self._sent and self._engine.is_router(self._header(_ROUTER_HEADER))
        return self._engine.context(self._caller, self._id, router=router)

    async def _in_body(self) -> Any:
        if not is_json(self._header(b"content-type")):
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, f"the body must be {JSON}, in UTF-8")
        if b"content-encoding" in self._sent and self._header(b"content-encoding").lower() != "identity":
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
        body = at_once(self._body())
        if isinstance(body, Done):
            return read_json(body.value)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return read_json(await body)
        except TimeoutError:
            reason = f"the body did not come within {BODY_SECONDS} seconds"
            raise RequestFailed(Failure.REQUEST_TIMEOUT, reason, headers={"Connection": "close"}) from None

    async def _body(self) -> bytes:
        largest, size, parts = self._engine.settings.body_bytes_max, 0, list[bytes]()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part = message.get("body", b"")
            size += len(part)
            if size > largest:
                raise RequestFailed(Failure.BODY_TOO_LARGE, f"the body is larger than {largest} bytes")
            parts.append(part)
            if not message.get("more_body", False):
                return part if len(parts) == 1 else b"".join(parts)

    # -- answering ----------------------------------------------------------------------------------

    def _streams(self, prepared: Prepared) -> bool:
        """Whether the answer is a stream: where it must be, or where the client reads nothing else."""
        if prepared.kind is not OperationType.SUBSCRIPTION:
            return not self._accepts.single
        if not self._accepts.stream:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, f"a subscription is answered as {EVENT_STREAM}")
        return True

    def _answer(self, prepared: Prepared, context: Context) -> Awaitable[Answer]:
        return self._engine.execute(prepared, context, gone=self._departure)

    async def _departure(self) -> None:
        await departure(self._receive)

    async def _answers(self, prepared: Prepared, context: Context) -> AsyncGenerator[Answer, None]:
        if prepared.kind is not OperationType.SUBSCRIPTION:
            yield await self._engine.execute(prepared, context)
            return
        async for answer in self._engine.subscribe(prepared, context):
            yield answer

    async def _batch(self, given: list[Any]) -> ASGIApp:
        """The answers to a list of requests, each with errors of its own, executed one after another."""
        largest = self._engine.settings.batch_max
        if not 0 < len(given) <= largest:
            reason = f"a list has 1 to {largest} requests" if largest else "one request is sent at a time"
            raise RequestFailed(Failure.INVALID_PARAMETERS, reason)
        if not self._accepts.single:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, "the answers to a list of requests are not streamed")
        prepared = await self._engine.prepare_batch(given, self._caller)
        cost = sum(one.charge.requested if isinstance(one, Prepared) else REFUSED_COST for one in prepared)
        await self._engine.rates.charge(self._standing, cost, len(given))
        answers = [await self._one_of_many(one) for one in prepared]
        return self._json(orjson.dumps([answer.formatted() for answer in answers]), 200)

    async def _one_of_many(self, prepared: Prepared | RequestFailed) -> Answer:
        try:
            if isinstance(prepared, RequestFailed):
                raise prepared
            return await self._answer(prepared, self._context())
        except ClientGone:
            raise
        except Exception as error:
            return failed_answer(error, self._id)

    def _stream(self, answers: AsyncGenerator[Answer, None]) -> ASGIApp:
        return EventStream(
            self._engine,
            answers,
            caller=self._caller,
            authorization=self._authorization,
            request_id=self._id,
            fields=self._fields(),
        )

    def _single(self, answer: Answer) -> ASGIApp:
        partial = answer.errors and self._draft and self._accepts.single == GRAPHQL_JSON
        return self._json(answer.encoded(), PARTIAL_SUCCESS if partial else 200)

    def _failed(self, error: Exception) -> ASGIApp:
        """The response to a request that was not executed."""
        body = failed_answer(error, self._id).encoded()
        if not isinstance(error, RequestFailed):
            return self._json(body, Failure.INTERNAL_SERVER_ERROR.status)
        failure = error.failure
        status = failure.status
        if self._accepts.single == GRAPHQL_JSON:
            status = failure.draft_status if self._draft else status
        elif failure.well_formed:
            status = 200
        return self._json(body, status, error.headers)

    def _json(self, body: bytes, status: int, headers: Mapping[str, str] | None = None) -> ASGIApp:
        fields, known = self._fields(), not headers
        if headers:
            fields += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        fields += (_MEDIA_TYPES[self._accepts.single or JSON], (b"content-length", b"%d" % len(body)))
        return _Json(status, fields, body, known=known)

    def _fields(self) -> list[Field]:
        """The fields of the header that every response has."""
        standing, id = self._standing, (b"x-request-id", self._id.encode())
        if standing is None:
            return [_VARY, _NO_STORE, id]
        policy, left = standing.policy.encode("latin-1"), standing.left.encode("latin-1")
        return [_VARY, _NO_STORE, id, (b"ratelimit-policy", policy), (b"ratelimit", left)]


class _Json:
    """A whole response: what Starlette's looks at, cookies and background tasks among it, this has not."""

    __slots__ = ("_body", "_fields", "_known", "_status")

    def __init__(self, status: int, fields: Sequence[Field], body: bytes, *, known: bool) -> None:
        self._status = status
        self._fields = fields
        self._body = body
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Message = {"type": WHOLE, "status": self._status, "headers": self._fields, "body": self._body}
        if self._known and WHOLE in scope.get("extensions", ()):
            await send(response)
            return
        await send({"type": "http.response.start", "status": self._status, "headers": self._fields})
        await send({"type": "http.response.body", "body": self._body})


def _in_address(scope: Scope) -> dict[str, Any]:
    given: dict[str, Any] = dict(QueryParams(scope["query_string"]))
    for name in ("variables", "extensions"):
        if text := given.pop(name, ""):
            given[name] = read_json(text)
    return given


async def _once(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer
