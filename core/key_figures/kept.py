"""What was counted of each member in some days, kept while it stays: a question about a year reads what is new.

Who has ordered does not add up over days. So each member's sums of whole months are kept, as two arrays a month, and so
is what was made of them. Daily aggregates count each change of a tally (``times``): what was kept is taken for as long
as the changes of its days are as many as when it was read. They are asked first and the sums after, so that nothing is
kept under a number that it is older than.
"""

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from core.books.tallies import ORDERS, SPEND, Tally, day_number
from core.key_figures.aggregates import TALLY, Daily
from core.key_figures.periods import Granularity, Period, cut
from core.store.dialect import Reader
from core.store.tables import table_of
from core.units import POINTS

EARNED: Final = f"{POINTS}_earned"

SUMS_MAX: Final = 10_000_000
"""Sums of members that a process keeps, of 12 bytes each; those asked for longest ago are forgotten."""
ANSWERS_MAX: Final = 10_000
"""Answers that are kept beside them."""
TOGETHER: Final = 200_000
"""Sums that one statement reads, as far as can be told before."""

_CHANGES: Final = (
    "SELECT k.k0, t.part, SUM(t.amount), SUM(t.times) FROM {keys} {join} daily_aggregate t"
    f" ON t.name = '{TALLY}' AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.part IN ('{ORDERS}', '{SPEND}', '{EARNED}') GROUP BY k.k0, t.part"
)
# Each with the name in its text, as the index is of those of one name.
_SUMS: Final = {
    name: (
        "SELECT k.k0, t.member_id, SUM(t.amount)"
        f" FROM {{keys}} {{join}} tally t ON t.name = '{name}' AND t.day BETWEEN k.k1 AND k.k2"
        " GROUP BY k.k0, t.bucket, t.member_id"
    )
    for name in (ORDERS, EARNED)
}

Changes = tuple[int, int]
"""What was counted in some days, and how often: another as soon as something is, and none where nothing ever was."""


class Sums(NamedTuple):
    """What was counted of members in some days, by the numbers that the process has given to them."""

    changes: Changes
    members: "array[int]"
    amounts: "array[int]"


class Changed(dict[tuple[str, Period], Changes]):
    """How much has changed by now in the months of periods and their ends, by the tally's name."""

    def of(self, name: str, period: Period) -> tuple[Changes | None, ...]:
        """The same of any period whose months were asked about."""
        return tuple(self.get((name, part)) for part in cut(period, Granularity.MONTH))


class Kept:
    """What a process knows by now, of one database. Entered, it gives up in the end what is still being read."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._sums: OrderedDict[tuple[str, Period], Sums] = OrderedDict()
        self._answers: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._size = 0
        self._turn = asyncio.Lock()
        self._reading: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def changed(self, reader: Reader, periods: Iterable[Period]) -> Changed:
        """How much was counted by now in each month of the periods, of orders, what was paid, and points earned."""
        parts = list(dict.fromkeys(part for period in periods for part in cut(period, Granularity.MONTH)))
        keys = [(number, *map(day_number, part)) for number, part in enumerate(parts)]
        rows = await reader.look_up(_CHANGES, table_of(Daily), ("day",) * 3, keys)
        return Changed({(name, parts[number]): (int(amount), int(times)) for number, name, amount, times in rows})

    async def sums(self, reader: Reader, changed: Changed, name: str, periods: Iterable[Period]) -> "Totals":
        """What each member has counted of orders, or of points earned, in the months of the periods."""
        parts = dict.fromkeys(part for period in periods for part in cut(period, Granularity.MONTH))
        wanted = {part: changes for part in parts if (changes := changed.get((name, part))) is not None}
        # Goes on when nobody waits any more, so that who asks again finds what was read.
        reading = asyncio.ensure_future(self._read(reader, name, wanted))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return Totals(await asyncio.shield(reading), len(self._numbers))

    def answer(self, about: Hashable, rests_on: Hashable) -> Any:
        """What was made of sums, if they are what it rests on; None otherwise."""
        found = self._answers.get(about)
        if found is None or found[0] != rests_on:
            return None
        self._answers.move_to_end(about)
        return found[1]

    def keep(self, about: Hashable, rests_on: Hashable, answer: Any) -> None:
        self._answers[about] = rests_on, answer
        self._answers.move_to_end(about)
        while len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)

    async def _read(self, reader: Reader, name: str, wanted: Mapping[Period, Changes]) -> dict[Period, Sums]:
        async with self._turn:  # so that two who ask for the same read it once
            found = {}
            lacking = {}
            for part, changes in wanted.items():
                known = self._sums.get((name, part))
                if known is not None and known.changes == changes:
                    self._sums.move_to_end((name, part))
                    found[part] = known
                else:
                    lacking[part] = changes
            for together in _together(lacking):
                keys = [(number, *map(day_number, part)) for number, part in enumerate(together)]
                read = [Sums(lacking[part], array("I"), array("q")) for part in together]
                numbers = self._numbers
                for number, member, amount in await reader.look_up(_SUMS[name], table_of(Tally), ("day",) * 3, keys):
                    sums = read[number]
                    sums.members.append(numbers.setdefault(member, len(numbers)))
                    sums.amounts.append(int(amount))
                for part, sums in zip(together, read, strict=True):
                    found[part] = sums
                    self._keep(name, part, sums)
            return found

    def _keep(self, name: str, part: Period, sums: Sums) -> None:
        former = self._sums.pop((name, part), None)
        self._size += len(sums.members) - (0 if former is None else len(former.members))
        self._sums[name, part] = sums
        while self._size > SUMS_MAX:
            _, forgotten = self._sums.popitem(last=False)
            self._size -= len(forgotten.members)


class Totals(NamedTuple):
    """What members have counted, by month."""

    by_month: Mapping[Period, Sums]
    members: int

    def of(self, period: Period) -> "array[int]":
        """The sum of each member in a period, by number."""
        totals = array("q", bytes(8 * self.members))
        for part in cut(period, Granularity.MONTH):
            sums = self.by_month.get(part)
            if sums is not None:
                for member, amount in zip(sums.members, sums.amounts, strict=True):
                    totals[member] += amount
        return totals


def _together(parts: Mapping[Period, Changes]) -> Iterator[Sequence[Period]]:
    """Parts that are read by one statement, by how much was counted in them, which is more than they have members."""
    together: list[Period] = []
    many = 0
    for part, (amount, times) in parts.items():
        many += max(abs(amount), times)
        if together and many > TOGETHER:
            yield together
            together, many = [], max(abs(amount), times)
        together.append(part)
    if together:
        yield together
