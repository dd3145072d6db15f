"""What a document costs, as a sum that may wait for its variables: ``4 + first * 12``."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

Variables = dict[str, Any]


class Waiting(NamedTuple):
    """A factor that waits for the variables that it ``reads``."""

    reads: frozenset[str]
    evaluate: Callable[[Variables], int]


Factor = int | Waiting

COST_MAX: Final = 2**53 - 1
"""Dearer than this is not told apart: it is what a JavaScript number still holds."""


class Sum:
    """A fixed number, and terms: a factor times another sum. Sums are shared where fragments are."""

    __slots__ = ("fixed", "terms")

    def __init__(self, fixed: int = 0) -> None:
        self.fixed = fixed
        self.terms: list[tuple[Factor, Sum]] = []

    def add(self, factor: Factor, other: "Sum") -> None:
        """Add ``factor`` times another sum, which must not change any more."""
        if isinstance(factor, int):
            self.fixed = min(self.fixed + factor * other.fixed, COST_MAX)
            if factor and other.terms:
                self.terms.append((factor, _Terms(other)))
        elif other.fixed or other.terms:
            self.terms.append((factor, other))

    def value(self, variables: Variables) -> int:
        """The sum with these variables, at most COST_MAX."""
        return self._value(variables, {}) if self.terms else self.fixed

    def reads(self) -> frozenset[str]:
        """The variables on which it depends."""
        names, seen, waiting = set[str](), set[int](), [self]
        while waiting:
            this = waiting.pop()
            if id(this) not in seen:
                seen.add(id(this))
                for factor, other in this.terms:
                    waiting.append(other)
                    if not isinstance(factor, int):
                        names |= factor.reads
        return frozenset(names)

    def _value(self, variables: Variables, known: dict[int, int]) -> int:
        found = known.get(id(self))
        if found is None:
            found = self.fixed
            for factor, other in self.terms:
                times = factor if isinstance(factor, int) else factor.evaluate(variables)
                if times:
                    found += times * other._value(variables, known)
            found = known[id(self)] = min(found, COST_MAX)
        return found


class _Terms(Sum):
    """The terms of another sum without its fixed number."""

    __slots__ = ()

    def __init__(self, other: Sum) -> None:
        super().__init__()
        self.terms = other.terms
