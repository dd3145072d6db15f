"""GraphQL over HTTP: every answer JSON or a stream of it, every error with a code and the request's id."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.books.members import new_id
from graph.context import Context
from graph.federation import ROUTER_HEADER
from graph.limits.rates import REFUSED_COST, Standing
from graph.tokens import Caller
from graph.transport.execution import Answer, Engine, Prepared, failed_answer
from graph.transport.failures import Failure, RequestFailed
from graph.transport.negotiation import ACCEPT_MAX, EVENT_STREAM, GRAPHQL_JSON, JSON, accepted, is_json
from graph.transport.requests import read_asked, read_json
from graph.transport.sse import EventStream, departure

PARTIAL_SUCCESS: Final = 294
"""Data and errors, in the newest draft of GraphQL over HTTP."""
BODY_SECONDS: Final = 30
LONG_SECONDS: Final = 0.1
"""What takes longer than this is given up when its client has gone."""


class HttpView:
    """The endpoint, an ASGI application."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._draft = engine.settings.http_status == "draft"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            response = await _Exchange(self._engine, Request(scope, receive), draft=self._draft).response()
            await response(scope, receive, send)


class _Exchange:
    """One request and the response to it."""

    def __init__(self, engine: Engine, request: Request, *, draft: bool) -> None:
        self._engine = engine
        self._request = request
        self._draft = draft
        self._id = new_id()
        self._accepts = accepted(request.headers.get("accept", "")[:ACCEPT_MAX])
        self._authorization = request.headers.get("authorization")
        self._caller: Caller | None = None
        self._standing: Standing | None = None

    async def response(self) -> ASGIApp:
        """The response. Raises ClientDisconnect when there is nobody to read it."""
        try:
            safe = await self._admit()
            given = _in_address(self._request) if safe else await self._in_body()
            if isinstance(given, list):
                return await self._batch(given)
            asked = read_asked(given)
            prepared = await self._engine.prepare_counted(asked, self._caller, self._standing, safe=safe)
            context = self._context()
            if self._streams(prepared):
                return self._stream(self._answers(prepared, context))
            return self._single(await self._answer(prepared, context))
        except ClientDisconnect:
            raise
        except Exception as error:
            if not self._accepts.single and isinstance(error, RequestFailed) and error.failure.well_formed:
                return self._stream(_once(failed_answer(error, self._id)))
            return self._failed(error)

    # -- asking -------------------------------------------------------------------------------------

    async def _admit(self) -> bool:
        """Learn who asks, and whether it may change nothing. Raises RequestFailed."""
        if self._request.method not in {"GET", "POST"}:
            raise RequestFailed(
                Failure.METHOD_NOT_ALLOWED, "GraphQL is asked with GET or POST", headers={"Allow": "GET, POST"}
            )
        if not self._accepts.single and not self._accepts.stream:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, f"answers are {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}")
        self._caller = await self._engine.authenticate(self._authorization)
        client = self._request.client
        self._standing = await self._engine.rates.admit(self._caller, client.host if client else "")
        return self._request.method == "GET"

    def _context(self) -> Context:
        router = self._engine.is_router(self._request.headers.get(ROUTER_HEADER))
        return self._engine.context(self._caller, self._id, router=router)

    async def _in_body(self) -> Any:
        headers = self._request.headers
        if not is_json(headers.get("content-type", "")):
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, f"the body must be {JSON}, in UTF-8")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return read_json(await self._body())
        except TimeoutError:
            reason = f"the body did not come within {BODY_SECONDS} seconds"
            raise RequestFailed(Failure.REQUEST_TIMEOUT, reason, headers={"Connection": "close"}) from None

    async def _body(self) -> bytes:
        largest, body = self._engine.settings.body_bytes_max, bytearray()
        async for chunk in self._request.stream():
            body += chunk
            if len(body) > largest:
                raise RequestFailed(Failure.BODY_TOO_LARGE, f"the body is larger than {largest} bytes")
        return bytes(body)

    # -- answering ----------------------------------------------------------------------------------

    def _streams(self, prepared: Prepared) -> bool:
        """Whether the answer is a stream: where it must be, or where the client reads nothing else."""
        if prepared.kind is not OperationType.SUBSCRIPTION:
            return not self._accepts.single
        if not self._accepts.stream:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, f"a subscription is answered as {EVENT_STREAM}")
        return True

    async def _answer(self, prepared: Prepared, context: Context) -> Answer:
        work = self._engine.execute(prepared, context)
        if prepared.kind is OperationType.MUTATION:
            return await work
        return await _while_there(work, self._request.receive)

    async def _answers(self, prepared: Prepared, context: Context) -> AsyncGenerator[Answer, None]:
        if prepared.kind is not OperationType.SUBSCRIPTION:
            yield await self._engine.execute(prepared, context)
            return
        async for answer in self._engine.subscribe(prepared, context):
            yield answer

    async def _batch(self, given: list[Any]) -> Response:
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
        except ClientDisconnect:
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
            headers=self._headers(),
        )

    def _single(self, answer: Answer) -> Response:
        partial = answer.errors and self._draft and self._accepts.single == GRAPHQL_JSON
        return self._json(answer.encoded(), PARTIAL_SUCCESS if partial else 200)

    def _failed(self, error: Exception) -> Response:
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

    def _json(self, body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response:
        media_type = f"{self._accepts.single or JSON}; charset=utf-8"
        return Response(body, status, {**self._headers(), **(headers or {}), "Content-Type": media_type})

    def _headers(self) -> dict[str, str]:
        standing = {} if self._standing is None else self._standing.headers
        return {"Vary": "Accept", "Cache-Control": "no-store", "X-Request-Id": self._id, **standing}


def _in_address(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := given.pop(name, ""):
            given[name] = read_json(text)
    return given


async def _once(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer


async def _while_there(work: Coroutine[Any, Any, Answer], receive: Receive) -> Answer:
    """What the work answers. Raises ClientDisconnect when the client goes first, and gives the work up."""
    loop = asyncio.get_running_loop()
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        await departure(receive)
        patience.reschedule(loop.time())

    # Most is answered before it would be worth watching.
    later = loop.call_later(LONG_SECONDS, lambda: watching.append(loop.create_task(watch())))
    try:
        async with asyncio.timeout(None) as patience:
            return await work
    except TimeoutError:
        if not patience.expired():
            raise
        raise ClientDisconnect from None
    finally:
        later.cancel()
        for task in watching:
            task.cancel()
