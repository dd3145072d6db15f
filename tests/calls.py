"""How much work something is, counted in calls of functions: the same number on every machine, busy or not.

Seconds are measured in ``benchmarks/``. A test holds calls against a bound instead, which fails only where the work
itself has grown.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass(slots=True)
class Calls:
    """Calls of functions, of Python's and of C's."""

    count: int = 0


@contextmanager
def counting_calls() -> Iterator[Calls]:
    """Count what this thread calls, in all of its tasks, until the block is left."""
    calls = Calls()

    def called(frame: FrameType, event: str, argument: Any) -> None:
        if event in {"call", "c_call"}:
            calls.count += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield calls
    finally:
        sys.setprofile(before)
