"""The codes of top-level errors, and how an exception becomes one.

A request that fails has errors and no data: nothing of it was executed. A field that fails is null, and its error has a
path. What a mutation is refused stands in its payload and is no error here. Besides the codes of ``Failure`` there are
those of the refusals (``INVALID_ID``, ``PROGRAMME_NOT_FOUND`` …), which a query answers as errors.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

from core.errors import Refusal, Unavailable
from core.store.databases import lost_connection

log = logging.getLogger("laurel.graph")

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Failure(Enum):
    """Each code with its HTTP status, the one that the newest draft of GraphQL over HTTP wants, and what it means.

    ``well_formed``: what was sent is a GraphQL request. It is answered with 200 to clients that know nothing but
    ``application/json``, as they read no other answer.
    """

    BAD_REQUEST = (400, 400, "The request is not JSON.")
    INVALID_PARAMETERS = (400, 422, "The parameters of the request are not those of GraphQL over HTTP.")
    METHOD_NOT_ALLOWED = (405, 405, "The operation is not sent with this method.")
    NOT_ACCEPTABLE = (406, 406, "No media type that the client accepts can carry the answer.")
    REQUEST_TIMEOUT = (408, 408, "The request did not come in time.")
    BODY_TOO_LARGE = (413, 413, "The body has more bytes than are read.")
    DOCUMENT_TOO_LARGE = (413, 413, "The document has more characters than are read.")
    HEAD_TOO_LARGE = (431, 431, "The head of the request has more bytes than are read.")
    UNSUPPORTED_MEDIA_TYPE = (415, 415, "The body is not JSON in UTF-8, or it is compressed.")
    UNAUTHENTICATED = (401, 401, "There is no token, or it is not valid, or not any more.")
    FORBIDDEN = (403, 403, "The caller may not ask for this.")
    TOO_MANY_OPERATIONS = (429, 429, "More operations run over the socket than may at one time.")
    RATE_LIMITED = (429, 429, "The caller has asked too much; Retry-After says when to ask again.")
    GRAPHQL_PARSE_FAILED = (400, 400, "The document is not GraphQL.", True)
    GRAPHQL_VALIDATION_FAILED = (400, 422, "The document does not fit the schema.", True)
    OPERATION_RESOLUTION_FAILURE = (400, 422, "It is not clear which operation of the document to run.", True)
    BAD_USER_INPUT = (400, 422, "A variable or an argument does not fit its type.", True)
    DEPTH_LIMIT_EXCEEDED = (400, 422, "The document selects fields too far below each other.", True)
    ALIAS_LIMIT_EXCEEDED = (400, 422, "The document has too many aliases, with its fragments written out.", True)
    ROOT_FIELD_LIMIT_EXCEEDED = (400, 422, "The operation selects too many root fields.", True)
    DIRECTIVE_LIMIT_EXCEEDED = (400, 422, "The document has too many directives, with its fragments written out.", True)
    OPERATION_LIMIT_EXCEEDED = (400, 422, "The document has too many operations.", True)
    MERGE_LIMIT_EXCEEDED = (400, 422, "Too many fields of one name, or fragments, are selected in one place.", True)
    VARIABLE_LIMIT_EXCEEDED = (400, 422, "The variables have too many values.", True)
    INTROSPECTION_LIMIT_EXCEEDED = (400, 422, "The document asks for more than two whole introspections.", True)
    COST_LIMIT_EXCEEDED = (400, 422, "The operation would cost more than the caller may ask for at once.", True)
    PERSISTED_QUERY_NOT_FOUND = (400, 422, "No document has that id or hash; send its text with the hash, once.", True)
    PERSISTED_QUERY_NOT_SUPPORTED = (400, 422, "None but trusted documents are executed, and none is kept.", True)
    PERSISTED_QUERY_HASH_MISMATCH = (400, 422, "The hash is not that of the text that came with it.", True)
    DOCUMENT_NOT_TRUSTED = (400, 422, "None but trusted documents are executed, and this is not one.", True)
    TIMEOUT = (200, 294, "It took too long and was given up.", True)
    INTERNAL_SERVER_ERROR = (500, 500, "A defect of Laurel: masked here, whole in the log.")
    OVERLOADED = (503, 503, "Too much is waiting; send it again later.")
    SHUTTING_DOWN = (503, 503, "The process is going; send it again.")
    DEADLINE_EXCEEDED = (503, 503, "It was not reached in time and was not done; send it again.")
    KEYS_UNREACHABLE = (503, 503, "The keys that tokens are checked with cannot be had; send it again.")
    DATABASE_UNREACHABLE = (503, 503, "The database does not answer; send it again with the same key.")
    DATABASE_FULL = (503, 503, "The database has no room for more; nothing was written.")

    def __init__(self, status: int, draft_status: int, meaning: str, well_formed: bool = False) -> None:
        self.status = status
        self.draft_status = draft_status
        self.meaning = meaning
        self.well_formed = well_formed


DEFECT: Final = "something went wrong; the log has it under the request's id"


class RequestFailed(Exception):
    """A request that is answered without being executed.

    ``facts`` go beside the code into the error's extensions, ``headers`` into an HTTP answer.
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.headers = headers or {}
        self.facts = facts or {}

    def shown(self, request_id: str) -> list[dict[str, Any]]:
        """The errors as the client reads them."""
        return [
            {"message": str(self), "extensions": {"code": self.failure.name, **self.facts, "requestId": request_id}}
        ]


class DocumentFailed(RequestFailed):
    """The document, or its variables, cannot be executed, with the places where that is so."""

    def __init__(self, failure: Failure, errors: Sequence[GraphQLError]) -> None:
        super().__init__(failure, errors[0].message)
        self.errors = errors

    def shown(self, request_id: str) -> list[dict[str, Any]]:
        code = self.failure.name
        return [_error(error, error.message, {"code": code, "requestId": request_id}) for error in self.errors]


def document_failed(errors: Sequence[GraphQLError]) -> DocumentFailed:
    """The failure of a document that does not parse, or does not fit the schema."""
    unread = isinstance(errors[0], GraphQLSyntaxError)
    return DocumentFailed(Failure.GRAPHQL_PARSE_FAILED if unread else Failure.GRAPHQL_VALIDATION_FAILED, errors)


def shown(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """The error of a field as a client may see it. A defect is logged and masked."""
    message, code = _said(error)
    if message is DEFECT:
        log.error("request %s failed at %s", request_id, error.path, exc_info=error.original_error or error)
    return _error(error, message, {"code": code, "requestId": request_id})


def defect(request_id: str) -> dict[str, Any]:
    """The error of a request that failed as a whole, which the caller logs."""
    extensions = {"code": Failure.INTERNAL_SERVER_ERROR.name, "requestId": request_id}
    return {"message": DEFECT, "extensions": extensions}


def _error(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"message": message}
    if error.locations:
        answer["locations"] = [location.formatted for location in error.locations]
    if error.path:
        answer["path"] = error.path
    answer["extensions"] = extensions
    return answer


def _said(error: GraphQLError) -> tuple[str, str]:
    cause = error.original_error
    match cause:
        case Refusal():
            return cause.message, cause.code
        case Unavailable():
            return str(cause), _CAMEL.sub("_", type(cause).__name__).upper()
        case StrawberryInputCoercionError():
            return error.message, Failure.BAD_USER_INPUT.name
        case RecursionError():
            return "the document is nested too deeply", Failure.GRAPHQL_VALIDATION_FAILED.name
        case GraphQLError() | None:
            ours = cause or error
        case _ if lost_connection(cause):
            return "the database does not answer; send it again", Failure.DATABASE_UNREACHABLE.name
        case _:
            return DEFECT, Failure.INTERNAL_SERVER_ERROR.name
    if code := (ours.extensions or {}).get("code"):
        return error.message, str(code)
    # An argument that does not fit points into the document; a value of ours that does not fit the schema does not.
    if ours.nodes or error.path is None:
        return error.message, Failure.BAD_USER_INPUT.name
    return DEFECT, Failure.INTERNAL_SERVER_ERROR.name
