"""The rules of the ledger once more, counted point by point: what ``core.books.ledger`` is compared with.

Every point is an object that knows which lot it lies in and what became of it. Nothing is added up
in advance and nothing is ever swept: whoever looks first lets the points of lapsed lots expire.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

Terms = tuple[datetime, datetime | None]
"""From when a lot can be spent, and from when no longer."""


class Fate(Enum):
    """What became of a point."""

    FREE = auto()
    HELD = auto()
    SPENT = auto()
    EXPIRED = auto()
    CLAWED = auto()
    REPAID = auto()


class Refused(Exception):
    """The rules do not allow it."""


@dataclass(eq=False)
class Batch:
    """A lot: when its points can be spent, how many it gave, and how many of those were asked back."""

    number: int
    available_from: datetime
    expires_at: datetime | None
    gave: int
    asked_back: int = 0

    def lapsed(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def order(self) -> tuple[bool, datetime, int]:
        """Soonest to expire, then oldest; what never expires comes last."""
        return self.expires_at is None, self.expires_at or self.available_from.max, self.number


@dataclass(eq=False)
class Point:
    """One point. ``forgiven`` when it was asked back but had expired."""

    lot: Batch
    fate: Fate = Fate.FREE
    hold: int | None = None
    forgiven: bool = False


@dataclass
class Model:
    """One account of one member."""

    lots: list[Batch] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    debt: int = 0
    holds_until: dict[int, datetime | None] = field(default_factory=dict)

    # -- what can be seen ---------------------------------------------------------------------------

    def look(self, at: datetime) -> None:
        """Let expire what has lapsed by then."""
        for point in self.points:
            if point.fate is Fate.FREE and point.lot.lapsed(at):
                point.fate = Fate.EXPIRED

    def spendable(self, at: datetime) -> list[Point]:
        """In the order in which they are spent."""
        self.look(at)
        free = [p for p in self.points if p.fate is Fate.FREE and p.lot.available_from <= at]
        return sorted(free, key=lambda p: p.lot.order())

    def free_by_lot(self, at: datetime) -> Mapping[int, int]:
        return Counter(p.lot.number for p in self.spendable(at))

    def held(self) -> int:
        return sum(p.fate is Fate.HELD for p in self.points)

    def balance(self, at: datetime) -> int:
        """Once every loss is written down."""
        self.look(at)
        return sum(p.fate in (Fate.FREE, Fate.HELD) for p in self.points) - self.debt

    # -- what can be done ---------------------------------------------------------------------------

    def earn(self, amount: int, terms: Terms) -> None:
        lot = self._lot(amount, terms)
        for _ in range(amount):
            self.points.append(Point(lot))
            if self.debt:
                self.points[-1].fate = Fate.REPAID
                self.debt -= 1

    def spend(self, amount: int, at: datetime) -> Mapping[int, int]:
        """Which lots it came from."""
        chosen = self._choose(amount, at)
        for point in chosen:
            point.fate = Fate.SPENT
        return Counter(p.lot.number for p in chosen)

    def hold(self, amount: int, at: datetime, until: datetime) -> int:
        chosen = self._choose(amount, at)
        number = len(self.holds_until) + 1
        self.holds_until[number] = until
        for point in chosen:
            point.fate, point.hold = Fate.HELD, number
        return number

    def resolve(self, hold: int, captured: int, at: datetime, back_until: datetime | None) -> None:
        """Spend the first ``captured`` points of the hold and give the others back."""
        reserved = sorted((p for p in self.points if p.hold == hold), key=lambda p: p.lot.order())
        until = self.holds_until[hold]
        if until is None or captured > len(reserved) or (captured and at >= until):
            raise Refused
        self.look(at)
        self.holds_until[hold] = None
        for point in reserved:
            point.hold = None
        for point in reserved[:captured]:
            point.fate = Fate.SPENT
        self._come_back(reserved[captured:], at, back_until)

    def restore(self, amounts: Mapping[int, int], at: datetime, back_until: datetime | None) -> None:
        """Undo the spending of so many points of these lots."""
        self.look(at)
        back: list[Point] = []
        for number, amount in amounts.items():
            spent = [p for p in self.points if p.lot.number == number and p.fate is Fate.SPENT]
            assert amount <= len(spent)
            back += spent[:amount]
        self._come_back(back, at, back_until)

    def claw_back(
        self, amount: int, numbers: Sequence[int], at: datetime, *, others: bool, debt: bool
    ) -> tuple[int, int, int]:
        """How many were taken, became debt and were forgiven."""
        self.look(at)
        lots = [self.lots[number - 1] for number in numbers]
        if amount > sum(lot.gave - lot.asked_back for lot in lots):
            raise Refused
        taken, owed, forgiven, short = 0, 0, 0, 0
        for _ in range(amount):
            lot = next(lot for lot in lots if lot.asked_back < lot.gave)
            lot.asked_back += 1
            own = [p for p in self.points if p.lot is lot]
            if gone := [p for p in own if p.fate is Fate.EXPIRED and not p.forgiven]:
                gone[0].forgiven = True
                forgiven += 1
            elif free := [p for p in own if p.fate is Fate.FREE]:
                free[0].fate = Fate.CLAWED
                taken += 1
            else:
                short += 1
        for _ in range(short):
            free = [p for p in self.points if p.fate is Fate.FREE]
            free.sort(key=lambda p: (p.lot.available_from > at, p.lot.order()))
            if others and free:
                free[0].fate = Fate.CLAWED
                taken += 1
            elif debt:
                self.debt += 1
                owed += 1
        return taken, owed, forgiven

    # -- how it is done -----------------------------------------------------------------------------

    def _lot(self, gave: int, terms: Terms) -> Batch:
        lot = Batch(len(self.lots) + 1, *terms, gave)
        self.lots.append(lot)
        return lot

    def _choose(self, amount: int, at: datetime) -> list[Point]:
        spendable = self.spendable(at)
        if amount > len(spendable):
            raise Refused
        return spendable[:amount]

    def _come_back(self, points: Sequence[Point], at: datetime, back_until: datetime | None) -> None:
        """Repay debt first; then into the lot it came from, or a new one when that has lapsed."""
        fresh: dict[Batch, Batch] = {}
        for point in points:
            if self.debt:
                point.fate = Fate.REPAID
                self.debt -= 1
                continue
            point.fate = Fate.FREE
            if back_until is not None and point.lot.lapsed(at):
                if point.lot not in fresh:
                    fresh[point.lot] = self._lot(0, (at, back_until))
                point.lot = fresh[point.lot]
