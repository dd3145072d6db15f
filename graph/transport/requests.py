"""What a request asks: the parameters of GraphQL over HTTP, which a WebSocket carries as well."""

from types import NoneType
from typing import Any, Final, NamedTuple

import orjson

from graph.transport.failures import Failure, RequestFailed

_OBJECT: Final = (dict, NoneType)
_TEXT: Final = (str, NoneType)


class Asked(NamedTuple):
    """The parameters of one request.

    ``query`` is the text of its document, empty when it is named instead: by ``document_id``, or by the ``digest`` that
    automatic persisted queries have in their extensions.
    """

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any]
    document_id: str = ""
    digest: str = ""


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises RequestFailed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestFailed(Failure.BAD_REQUEST, "the request is not JSON") from error


def read_asked(given: Any) -> Asked:
    """What a JSON object asks. Raises RequestFailed."""
    if not isinstance(given, dict):
        raise _invalid("the request must be one JSON object with a query")
    query, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    extensions, document_id = given.get("extensions"), given.get("documentId")
    if not isinstance(variables, _OBJECT) or not isinstance(extensions, _OBJECT):
        raise _invalid("variables and extensions must be JSON objects")
    if not isinstance(query, _TEXT) or not isinstance(name, _TEXT) or not isinstance(document_id, _TEXT):
        raise _invalid("query, operationName and documentId must be text")
    digest = _digest(extensions) if extensions else ""
    if not (query and query.strip()) and not document_id and not digest:
        raise _invalid("query must be the text of a GraphQL document")
    return Asked(query or "", variables, name or None, extensions or {}, document_id or "", digest)


def _digest(extensions: dict[str, Any]) -> str:
    """The hash of an automatic persisted query, as Apollo's clients send it."""
    match extensions.get("persistedQuery"):
        case None:
            return ""
        case {"version": 1, "sha256Hash": str(digest)} if digest:
            return digest.lower()
        case _:
            raise _invalid("persistedQuery must have version 1 and a sha256Hash")


def _invalid(reason: str) -> RequestFailed:
    return RequestFailed(Failure.INVALID_PARAMETERS, reason)
