"""What the client accepts, by its ``Accept`` header (RFC 9110, 12.5.1)."""

from functools import lru_cache
from typing import Final, NamedTuple

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
ACCEPT_MAX: Final = 2_000
"""Characters of the header that are read, as what they mean is kept."""


class Accepted(NamedTuple):
    """``single`` is the media type of one answer, empty when none is accepted; ``stream`` says that a stream is."""

    single: str
    stream: bool


@lru_cache(maxsize=256)
def accepted(header: str) -> Accepted:
    """What a header accepts. Without one it is JSON, as old clients send none."""
    if not header.strip():
        return Accepted(JSON, stream=False)
    weights = _weights(header)
    # Of two alike the one that is named, as who names GraphQL's own type knows it; then JSON.
    single = max(
        (JSON, GRAPHQL_JSON), key=lambda kind: (_weight_of(kind, weights), kind == GRAPHQL_JSON and kind in weights)
    )
    stream = weights.get(EVENT_STREAM, weights.get("text/*", 0.0)) > 0
    return Accepted(single if _weight_of(single, weights) > 0 else "", stream)


def is_json(content_type: str) -> bool:
    """Whether a body of this type is JSON in UTF-8, which it is if nothing else is said."""
    if content_type == JSON:
        return True  # as nearly everybody says it
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")}
    return kind == JSON and charsets <= {"utf-8", "utf8"}


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for choice in header.split(","):
        kind, *parameters = (part.strip().lower() for part in choice.split(";"))
        given = (p.removeprefix("q=") for p in parameters if p.startswith("q="))
        weights.setdefault(kind, _weight(next(given, "1")))
    return weights


def _weight_of(kind: str, weights: dict[str, float]) -> float:
    """The weight of a media type: what names it counts before what includes it."""
    if kind in weights:
        return weights[kind]
    return next((weights[range_] for range_ in ("application/*", "*/*") if range_ in weights), 0.0)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
