"""Where the time of the progress bar goes, as flame graphs: without plans, and with them.

The width of a call is its part of the processor time, in it and in what it calls; what is beside it is not in an order
of time, but in that of the alphabet. Who points at one is told its name and its part.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks import shop
from benchmarks.comparing import BAR, DOCUMENTS
from benchmarks.reads import asking, clients, getting, serving, token, turn_of
from benchmarks.sampling import PARTS, part_of
from graph.tokens import Role

FOLDER: Final = shop.ROOT / "docs"
WAYS: Final[Mapping[str, Mapping[str, str]]] = {"before": {"plans": "no"}, "after": {}}
"""Which settings a server has: before there were plans, and after."""
_MEMBERS: Final = 1_000
_WIDTH, _HEIGHT = 1_200, 16
_SEEN: Final = 0.004
"""Calls with a smaller part of the time are left out, to keep the picture small."""
_COLOURS: Final = dict(
    zip(
        PARTS,
        ("#f4a261", "#e9c46a", "#8ab17d", "#b5838d", "#e76f51", "#d62828", "#90b8d8", "#c9c9c9"),
        strict=True,
    )
)

Stack = Sequence[tuple[str, str]]


class _Call:
    """A function as it was called from one place, and how often it or what it called was seen at work."""

    def __init__(self, file: str, name: str) -> None:
        self.file = file
        self.name = name
        self.times = 0
        self.calls: dict[tuple[str, str], _Call] = {}

    def add(self, stack: Stack, times: int) -> None:
        self.times += times
        if stack:
            (file, name), *rest = stack
            self.calls.setdefault((file, name), _Call(file, name)).add(rest, times)


def draw(title: str, stacks: Sequence[tuple[Stack, int]]) -> str:
    """The flame graph as SVG, the outermost call below."""
    root = _Call("", "all")
    for stack, times in stacks:
        root.add(_after_the_loop(stack), times)
    boxes = list(_boxes(root, 0, 0.0, root.times, ("",)))
    deepest = max(level for level, *_ in boxes) + 1
    height = (deepest + 4) * _HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-size="11">',
        "<style>text { font-family: monospace }</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="14" font-size="13">{escape(title)}</text>',
    ]
    x = 8.0
    for part, colour in _COLOURS.items():
        lines.append(f'<rect x="{x:.0f}" y="22" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{x + 14:.0f}" y="31">{escape(part)}</text>')
        x += 24 + 7 * len(part)
    for level, left, width, share, part, name, file in boxes:
        y = height - (level + 1) * _HEIGHT
        shown = name[: int(width / 6.7)] if width > 20 else ""
        lines.append(
            f'<g><title>{escape(name)} ({escape(file)}) {share:.1%}</title><rect x="{left:.1f}" y="{y}"'
            f' width="{width:.1f}" height="{_HEIGHT - 1}" fill="{_COLOURS[part]}"/>'
            + (f'<text x="{left + 2:.1f}" y="{y + 11}">{escape(shown)}</text>' if shown else "")
            + "</g>"
        )
    return "\n".join([*lines, "</svg>", ""])


def _after_the_loop(stack: Stack) -> Stack:
    """The stack from where the event loop calls something: what is before it is the same for all."""
    for at, (_, name) in reversed(list(enumerate(stack))):
        if name in ("Runner.run", "BaseEventLoop.run_forever", "Server.run"):
            return stack[at + 1 :]
    return stack


def _boxes(
    call: _Call, level: int, left: float, whole: int, files: tuple[str, ...]
) -> Iterator[tuple[int, float, float, float, str, str, str]]:
    """Level, left edge, width, part of the whole, whose code it is, name and file of each call to be seen."""
    share = call.times / whole
    yield level, left, share * _WIDTH, share, part_of(reversed(files)), call.name, _short(call.file)
    for _, inner in sorted(call.calls.items()):
        width = inner.times / whole
        if width >= _SEEN:
            yield from _boxes(inner, level + 1, left, whole, (*files, inner.file))
        left += width * _WIDTH


def _short(file: str) -> str:
    """The file by its place in the repository or among the packages."""
    _, found, package = file.rpartition("/site-packages/")
    return package if found else file.removeprefix(f"{shop.ROOT}/").rpartition("/lib/")[2]


async def measure_flames(kind: str, address: str, *, seconds: float, size: shop.Size, write: bool) -> dict[str, Any]:
    """The parts of the progress bar's time either way; with ``write`` the pictures are drawn."""
    url = await shop.opened(kind, address, size)
    step = max(size.members // _MEMBERS, 1)
    asked = [
        asking(DOCUMENTS[BAR], {}, token(Role.MEMBER, shop.member_id(number)))
        for number in range(3, size.members, step)
    ]
    measured: dict[str, Any] = {"database": kind}
    for way, settings in WAYS.items():
        with serving(url, settings, sampled=True) as (port, process):
            spent, stacks = await _sampled(port, process, asked, seconds)
        counted = dict.fromkeys(PARTS, 0)
        for stack, times in stacks:
            counted[part_of(file for file, _ in reversed(stack))] += times
        measured[way] = {"cpu_us": round(spent), "counted": counted}
        if write:
            title = f"The progress bar {'with' if way == 'after' else 'without'} plans: {spent:,.0f} µs a request"
            picture_of(way).write_text(draw(title, stacks), encoding="utf-8")
    return measured


def picture_of(way: str) -> Path:
    return FOLDER / f"progress-bar-{way}.svg"


async def _sampled(
    port: int, process: psutil.Process, asked: list[bytes], seconds: float
) -> tuple[float, list[tuple[Stack, int]]]:
    """Microseconds of the processor a request, and the stacks that were seen."""
    spent: list[float] = []
    async with clients(port) as connected:
        turn = turn_of(connected, asked, seconds, process, spent)
        await turn()  # one that does not count
        await connected[0].ask(getting("/stacks"))
        await turn()
        return spent[-1], json.loads(await connected[0].ask(getting("/stacks")))
