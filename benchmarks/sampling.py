"""Where a process spends its processor time: what runs is noted every millisecond of it, by whose code it is.

``application`` is Laurel, in a process that is sampled if BENCHMARKS_SAMPLED says so.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph.app import create_app
from graph.collecting import collect_rarely
from graph.settings import Settings

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

Stack = tuple[CodeType, ...]

_counted: Counter[Stack] = Counter()


def begin() -> None:
    """Begin to count."""
    signal.signal(signal.SIGPROF, _note)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)


def take() -> dict[str, int]:
    """What was counted since, by part."""
    counted: Counter[str] = Counter()
    for stack, times in _taken():
        counted[part_of(code.co_filename for code in reversed(stack))] += times
    return dict(counted)


def take_stacks() -> list[tuple[list[tuple[str, str]], int]]:
    """What was counted since, by stack, the outermost call first: of each its file and its function."""
    return [([(code.co_filename, code.co_qualname) for code in stack], times) for stack, times in _taken()]


def part_of(files: Iterable[str]) -> str:
    """Whose code it is, by the files of a stack, the innermost first."""
    for file in files:
        for place, part in _PARTS:
            if place in file:
                return part
    return ELSE


def _taken() -> list[tuple[Stack, int]]:
    counted = list(_counted.items())
    _counted.clear()
    return counted


def _note(number: int, frame: FrameType | None) -> None:
    stack = []
    while frame is not None:
        stack.append(frame.f_code)
        frame = frame.f_back
    _counted[tuple(reversed(stack))] += 1


def application() -> Starlette:
    """Laurel as ``laurel serve`` has it, and beside it what was counted since that was asked last."""
    collect_rarely()
    app = create_app(Settings.from_environment(os.environ))

    async def samples(_: Request) -> Response:
        return Response(orjson.dumps(take()), media_type="application/json")

    async def stacks(_: Request) -> Response:
        return Response(orjson.dumps(take_stacks()), media_type="application/json")

    if os.environ.get("BENCHMARKS_SAMPLED"):
        begin()
    app.router.routes += [Route("/samples", samples), Route("/stacks", stacks)]
    return app
