"""GraphQL over HTTP: every answer JSON, every error with a code and the request's id."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.members import new_id
from graph.transport.execution import Answer, Engine, failed_answer
from graph.transport.failures import Failure, RequestFailed
from graph.transport.negotiation import GRAPHQL_JSON, JSON, Accepted, accepted
from graph.transport.requests import Asked, read_asked, read_json

PARTIAL_SUCCESS: Final = 294
"""Data and errors, in the newest draft of GraphQL over HTTP."""


class HttpView:
    """The endpoint, an ASGI application."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._draft = engine.settings.http_status == "draft"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, request_id = Request(scope, receive), new_id()
        accepts = accepted(request.headers.get("accept"))
        headers: Mapping[str, str] = {}
        try:
            answer = await self._answer(request, request_id, accepts)
            status = self._status(answer, accepts)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = failed_answer(error, request_id)
            status, headers = self._failed(error, accepts)
        response = Response(answer.encoded(), status, headers)
        response.headers["Content-Type"] = f"{accepts.single or JSON}; charset=utf-8"
        response.headers["Vary"] = "Accept"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str, accepts: Accepted) -> Answer:
        if request.method not in {"GET", "POST"}:
            raise RequestFailed(
                Failure.METHOD_NOT_ALLOWED, "GraphQL is asked with GET or POST", headers={"Allow": "GET, POST"}
            )
        if not accepts.single:
            raise RequestFailed(Failure.NOT_ACCEPTABLE, f"answers are {GRAPHQL_JSON} or {JSON}")
        caller = await self._engine.authenticate(request.headers.get("authorization"))
        safe = request.method == "GET"
        asked = _in_address(request) if safe else await self._in_body(request)
        prepared = self._engine.prepare(asked, caller, safe=safe)
        return await self._engine.execute(prepared, self._engine.context(caller, request_id))

    async def _in_body(self, request: Request) -> Asked:
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        charset = parameters.strip().lower().removeprefix("charset=").strip('"')
        if kind.strip().lower() != JSON or charset not in {"", "utf-8", "utf8"}:
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, f"the body must be {JSON}, in UTF-8")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestFailed(Failure.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
        largest, body = self._engine.settings.body_bytes_max, bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                raise RequestFailed(Failure.BODY_TOO_LARGE, f"the body is larger than {largest} bytes")
        return read_asked(read_json(bytes(body)))

    def _status(self, answer: Answer, accepts: Accepted) -> int:
        return PARTIAL_SUCCESS if answer.errors and self._draft and accepts.single == GRAPHQL_JSON else 200

    def _failed(self, error: Exception, accepts: Accepted) -> tuple[int, Mapping[str, str]]:
        """The status and the headers of a request that was not executed."""
        if not isinstance(error, RequestFailed):
            return Failure.INTERNAL_SERVER_ERROR.status, {}
        failure = error.failure
        if accepts.single == GRAPHQL_JSON:
            return failure.draft_status if self._draft else failure.status, error.headers
        return 200 if failure.well_formed else failure.status, error.headers


def _in_address(request: Request) -> Asked:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := given.pop(name, ""):
            given[name] = read_json(text)
    return read_asked(given)
