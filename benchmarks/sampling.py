"""Where a process spends its processor time: what runs is noted every millisecond of it, by whose code it is."""

import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

_OURS: Final = str(Path(__file__).parent.parent)
# The first that fits; a frame that none fits is its caller's.
_PARTS: Final = (
    (f"{_OURS}/graph/transport/", "the request"),
    (f"{_OURS}/graph/limits/", "the request"),
    (f"{_OURS}/graph/authentication", "the request"),
    (f"{_OURS}/graph/observing/", "the request"),
    (f"{_OURS}/graph/", "resolvers, loaders"),
    (f"{_OURS}/plugins/", "resolvers, loaders"),
    (f"{_OURS}/core/store/", "the database"),
    (f"{_OURS}/core/", "values of the core"),
    ("/graphql/", "graphql-core"),
    ("/strawberry/", "Strawberry"),
    ("/tortoise/", "the database"),
    ("/aiosqlite/", "the database"),
    ("/sqlite3/", "the database"),
    ("/uvicorn/protocols/", "HTTP"),
    ("/starlette/", "HTTP"),
)
ELSE: Final = "the loop, SQLite's thread"
PARTS: Final = (*dict.fromkeys(part for _, part in _PARTS), ELSE)

_counted: Counter[str] = Counter()


def begin() -> None:
    """Begin to count."""
    signal.signal(signal.SIGPROF, _note)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)


def take() -> dict[str, int]:
    """What was counted since, by part."""
    counted = dict(_counted)
    _counted.clear()
    return counted


def _note(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        file = frame.f_code.co_filename
        for place, part in _PARTS:
            if place in file:
                _counted[part] += 1
                return
        frame = frame.f_back
    _counted[ELSE] += 1
