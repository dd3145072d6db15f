"""What a request asks: the parameters of GraphQL over HTTP, which a WebSocket carries as well."""

from typing import Any, NamedTuple

import orjson

from graph.transport.failures import Failure, RequestFailed


class Asked(NamedTuple):
    """The parameters of one request. ``query`` is the text of its document."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any]


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
    extensions = given.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise _invalid("query must be the text of a GraphQL document")
    if not isinstance(variables, dict | None) or not isinstance(extensions, dict | None):
        raise _invalid("variables and extensions must be JSON objects")
    if not isinstance(name, str | None):
        raise _invalid("operationName must be text")
    return Asked(query, variables, name or None, extensions or {})


def _invalid(reason: str) -> RequestFailed:
    return RequestFailed(Failure.INVALID_PARAMETERS, reason)
