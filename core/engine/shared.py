"""Rows that members share: stock, budgets, an auction's highest bid.

A shared row is claimed before it is read. It is then locked in the database until the batch has committed, and inside
the batch it belongs to one operation until that operation ends, so that of fifty who want the last piece one gets it
and the others see that there is none. An operation that wants several claims them in one order, always the same.
"""

from collections.abc import Generator, Iterator
from typing import Any

from core.books.sheet import Key

Place = tuple[type, Key]


class Claim:
    """Awaited inside ``perform``: waits until no other operation has the row, and gives its value or None."""

    __slots__ = ("holder", "place")

    def __init__(self, place: Place, holder: str) -> None:
        self.place = place
        self.holder = holder

    def __await__(self) -> Generator["Claim", Any, Any]:
        return (yield self)


class SharedRows:
    """The shared rows that a batch has read or changed, and the operation that has each of them at present."""

    def __init__(self) -> None:
        self._values: dict[Place, Any] = {}
        self._holders: dict[Place, str] = {}
        self._before: dict[str, dict[Place, Any]] = {}
        self._former: dict[Place, Any] = {}

    def claim(self, claim: Claim) -> bool:
        """Whether the row is free, or the claimant's already. If so it is the claimant's from now on."""
        return self._holders.setdefault(claim.place, claim.holder) == claim.holder

    def holds(self, claim: Claim) -> bool:
        """Whether the row is the claimant's already."""
        return self._holders.get(claim.place) == claim.holder

    def knows(self, place: Place) -> bool:
        """Whether the row has been read, so that ``get`` can say what it is."""
        return place in self._values

    def learn(self, place: Place, value: Any) -> None:
        """Take over what stands in the database; None when there is no such row."""
        self._values[place] = value

    def get(self, place: Place) -> Any:
        """The row as the batch has it, or None."""
        return self._values[place]

    def put(self, holder: str, place: Place, value: Any) -> None:
        """The row's new value. Only who has claimed it may change it."""
        if self._holders.get(place) != holder:
            raise RuntimeError(f"{place[0].__name__} {place[1]} is changed without having been claimed")
        self._before.setdefault(holder, {}).setdefault(place, self._values[place])
        self._values[place] = value

    def changes(self, holder: str) -> Iterator[tuple[type, Any, Any, Any]]:
        """What the operation has changed so far: kind and key, the row before (None if there was none) and now."""
        return ((*place, before, self._values[place]) for place, before in self._before.get(holder, {}).items())

    def keep(self, holder: str) -> None:
        """The operation was accepted: what it changed stands, and its rows are free for the next."""
        for place, before in self._before.pop(holder, {}).items():
            self._former.setdefault(place, before)
        self._free(holder)

    def undo(self, holder: str) -> None:
        """The operation was refused: its rows are as they were before it, and free."""
        self._values |= self._before.pop(holder, {})
        self._free(holder)

    def _free(self, holder: str) -> None:
        if not self._holders:
            return
        for place in [place for place, who in self._holders.items() if who == holder]:
            del self._holders[place]

    def inserts(self) -> Iterator[tuple[type, Any]]:
        """Rows to insert."""
        return ((kind, value) for kind, former, value in self.kept() if former is None)

    def updates(self) -> Iterator[tuple[type, Any]]:
        """Rows to update."""
        return ((kind, value) for kind, former, value in self.kept() if former is not None)

    def kept(self) -> Iterator[tuple[type, Any, Any]]:
        """Rows that are new or changed: their kind, the row before the batch (None if there was none) and now."""
        return ((place[0], former, self._values[place]) for place, former in self._former.items())
