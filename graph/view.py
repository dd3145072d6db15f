"""GraphQL over HTTP: one operation a request, every answer JSON, every error with a code and the request's id.

::

    it cannot be read            BAD_REQUEST, GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED, BAD_USER_INPUT
    nobody may, or not they      UNAUTHENTICATED, FORBIDDEN
    a query is refused           the refusal's own code: INVALID_ID, INVALID_CURSOR, PROGRAMME_NOT_FOUND …
    not now, send it again       OVERLOADED, SHUTTING_DOWN, DEADLINE_EXCEEDED, DATABASE_UNREACHABLE, DATABASE_FULL
    a defect of ours             INTERNAL_SERVER_ERROR: masked here, whole in the log

What a mutation is refused stands in its payload and is no error here. The endpoint is ours and not Strawberry's, as
that one answers in plain text, runs the first of several operations and fails on a body that is no object.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from graphql import GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.execution import PreExecutionError

from core.errors import Refusal, Unavailable
from core.members import new_id
from core.store.databases import lost_connection
from graph.context import Context
from graph.laurel import Laurel
from graph.schema import TOKENS_MAX, LaurelSchema
from graph.tokens import Caller, TokenInvalid, read_token

log = logging.getLogger("laurel.graph")

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
SOURCE_MAX: Final = 100_000
"""Characters of a document, as some hundreds of them are kept; long texts belong into variables."""
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class RequestRefused(Exception):
    """A request that is answered without being executed."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class Asked(NamedTuple):
    """What a request asks."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class View:
    """The endpoint, an ASGI application. ``laurel`` is set for as long as the server runs."""

    def __init__(self, schema: LaurelSchema, *, body_bytes_max: int) -> None:
        self._schema = schema
        self._body_bytes_max = body_bytes_max
        self.laurel: Laurel | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, request_id = Request(scope, receive), new_id()
        media_type = JSON
        try:
            media_type = _acceptable(request.headers.get("accept"))
            response = await self._answer(request, request_id, media_type)
        except RequestRefused as refused:
            response = _response([_plain(str(refused), refused.code, request_id)], status=refused.status)
            response.headers.update(refused.headers)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("request %s failed", request_id)
            response = _response([_plain(*_DEFECT, request_id)], status=500)
        response.headers["Content-Type"] = f"{media_type}; charset=utf-8"
        response.headers["Vary"] = "Accept"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str, media_type: str) -> Response:
        if request.method not in {"GET", "POST"}:
            raise RequestRefused(405, "METHOD_NOT_ALLOWED", "GraphQL is asked with GET or POST", {"Allow": "GET, POST"})
        assert self.laurel is not None, "the application has not started"
        caller = _caller(request, self.laurel)
        asked = _in_address(request) if request.method == "GET" else await self._in_body(request)
        _check_operation(asked, request.method)
        # A request error is 200 for clients that only know application/json: they don't read other answers.
        refused_status = 400 if media_type == GRAPHQL_JSON else 200
        context = Context(self.laurel, caller, request_id)
        result = await self._schema.execute(
            asked.query, asked.variables, context_value=context, operation_name=asked.operation_name
        )
        unfit = isinstance(result, PreExecutionError)
        errors = [_shown(error, request_id, unfit) for error in result.errors or ()]
        if unfit or (result.data is None and not any(error.path for error in result.errors or ())):
            # The document or the variables do not fit; nothing was begun, and there is no data.
            return _response(errors, status=refused_status)
        return _response(errors, data=result.data)

    async def _in_body(self, request: Request) -> Asked:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", f"the body must be {JSON}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", "the body must not be compressed")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._body_bytes_max:
                raise RequestRefused(413, "BODY_TOO_LARGE", f"the body is larger than {self._body_bytes_max} bytes")
        return _asked(_json(bytes(body)))


# -- reading ----------------------------------------------------------------------------------------


def _caller(request: Request, laurel: Laurel) -> Caller | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise TokenInvalid("a bearer token is needed")
        return read_token(laurel.settings.secret, token.strip(), now=laurel.clock.now())
    except TokenInvalid as invalid:
        raise RequestRefused(401, "UNAUTHENTICATED", str(invalid), {"WWW-Authenticate": "Bearer"}) from invalid


def _in_address(request: Request) -> Asked:
    data: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if data.get(name):
            data[name] = _json(data[name])
        else:
            data.pop(name, None)
    return _asked(data)


def _json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, "BAD_REQUEST", "the request is not JSON") from error


def _asked(data: Any) -> Asked:
    match data:
        case {"query": str(query)} if query.strip():
            variables, name = data.get("variables"), data.get("operationName")
        case dict():
            raise RequestRefused(400, "BAD_REQUEST", "query must be the text of a GraphQL document")
        case _:
            raise RequestRefused(400, "BAD_REQUEST", "the request must be one JSON object with a query")
    if len(query) > SOURCE_MAX:
        raise RequestRefused(413, "DOCUMENT_TOO_LARGE", f"the document is longer than {SOURCE_MAX} characters")
    if not isinstance(variables, dict | None) or not isinstance(data.get("extensions"), dict | None):
        raise RequestRefused(400, "BAD_REQUEST", "variables and extensions must be JSON objects")
    if not isinstance(name, str | None):
        raise RequestRefused(400, "BAD_REQUEST", "operationName must be text")
    return Asked(query, variables, name or None)


def _check_operation(asked: Asked, method: str) -> None:
    """Raise RequestRefused unless it is clear which operation is to run, and the method may run it."""
    operations = _operations(asked.query)
    if operations is None:
        return  # it does not parse, which the execution says better
    chosen = [kind for name, kind in operations if asked.operation_name in (None, name)]
    if not chosen:
        raise RequestRefused(400, "BAD_REQUEST", "the document has no operation of that name")
    if len(chosen) > 1:
        raise RequestRefused(400, "BAD_REQUEST", "operationName must say which of the operations to run")
    if method == "GET" and chosen != [OperationType.QUERY]:
        raise RequestRefused(405, "METHOD_NOT_ALLOWED", "only queries are sent with GET", {"Allow": "POST"})


@lru_cache(maxsize=512)
def _operations(query: str) -> tuple[tuple[str | None, OperationType], ...] | None:
    try:
        document = parse(query, no_location=True, max_tokens=TOKENS_MAX)
    except GraphQLError:
        return None
    found = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return tuple((node.name.value if node.name else None, node.operation) for node in found)


def _acceptable(accept: str | None) -> str:
    """The media type of the answer, by the client's preference. Raises RequestRefused."""
    if accept is None or not accept.strip():
        return JSON
    best, best_weight = "", 0.0
    for choice in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in choice.split(";"))
        weight = next((_weight(p.removeprefix("q=")) for p in parameters if p.startswith("q=")), 1.0)
        kind = {"*/*": JSON, "application/*": JSON}.get(kind, kind)
        if kind in {JSON, GRAPHQL_JSON} and weight > best_weight:
            best, best_weight = kind, weight
    if not best:
        raise RequestRefused(406, "NOT_ACCEPTABLE", f"answers are {GRAPHQL_JSON} or {JSON}")
    return best


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


# -- answering --------------------------------------------------------------------------------------

_DEFECT: Final = ("something went wrong; the log has it under the request's id", "INTERNAL_SERVER_ERROR")


def _response(errors: list[dict[str, Any]], *, data: Any = ..., status: int = 200) -> Response:
    answer: dict[str, Any] = {"errors": errors} if errors else {}
    if data is not ...:
        answer["data"] = data
    return Response(orjson.dumps(answer), status)


def _plain(message: str, code: str, request_id: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, "requestId": request_id}}


def _shown(error: GraphQLError, request_id: str, unfit: bool) -> dict[str, Any]:
    """The error as a client may see it; ``unfit`` says that it is the document's. A defect is logged and masked."""
    message, code = _said(error, unfit)
    if code == _DEFECT[1]:
        log.error("request %s failed at %s", request_id, error.path, exc_info=error.original_error or error)
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path:
        shown["path"] = error.path
    return shown | {"extensions": {"code": code, "requestId": request_id}}


def _said(error: GraphQLError, unfit: bool) -> tuple[str, str]:
    cause = error.original_error
    match cause:
        case Refusal():
            return cause.message, cause.code
        case Unavailable():
            return str(cause), _CAMEL.sub("_", type(cause).__name__).upper()
        case StrawberryInputCoercionError():
            return error.message, "GRAPHQL_VALIDATION_FAILED" if unfit else "BAD_USER_INPUT"
        case RecursionError():
            return "the document is nested too deeply", "GRAPHQL_VALIDATION_FAILED"
        case GraphQLError() | None:
            ours = cause or error
        case _ if lost_connection(cause):
            return "the database does not answer; send it again", "DATABASE_UNREACHABLE"
        case _:
            return _DEFECT
    if isinstance(ours, GraphQLSyntaxError):
        return error.message, "GRAPHQL_PARSE_FAILED"
    if code := (ours.extensions or {}).get("code"):
        return error.message, str(code)
    if error.path is None:
        return error.message, "GRAPHQL_VALIDATION_FAILED" if unfit else "BAD_USER_INPUT"
    # An argument that does not fit points into the document; a value of ours that does not fit the schema does not.
    return (error.message, "BAD_USER_INPUT") if ours.nodes else _DEFECT
