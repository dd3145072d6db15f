"""A member's year, added up by the database: what was counted, month by month, and what the entries moved.

A year is the programme's: its days are those of the tallies, its instants begin and end at midnight there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from core.books.accounts import Entry
from core.books.members import bucket_of
from core.books.tallies import Tally, day_number
from core.store.dialect import Reader
from core.store.tables import table_of
from core.time.calendar import day_start
from core.time.clock import microseconds

# Days are written 20260131; not all databases divide whole numbers alike.
_MONTH: Final = " ".join(f"WHEN t.day < k.k2 + {number}00 THEN {number}" for number in range(1, 12))
_COUNTED: Final = (
    f"SELECT k0, k1, k2, name, month, SUM(amount) FROM ("
    f"SELECT k.k0, k.k1, k.k2, t.name, t.amount, CASE {_MONTH} ELSE 12 END AS month FROM {{keys}} {{join}} tally t"
    " ON t.bucket = k.k0 AND t.member_id = k.k1 AND t.day >= k.k2 AND t.day < k.k2 + 10000"
    ") d GROUP BY k0, k1, k2, name, month"
)
_MOVED: Final = (
    "SELECT k.k0, k.k1, k.k2, k.k3, k.k4, t.contra, SUM(t.amount) FROM {keys} {join} entry t"
    " ON t.bucket = k.k0 AND t.member_id = k.k1 AND t.unit = k.k2"
    " AND t.effective_at >= k.k3 AND t.effective_at < k.k4 GROUP BY k.k0, k.k1, k.k2, k.k3, k.k4, t.contra"
)

CountedKey = tuple[int, str, int]
Counted = dict[tuple[str, int], int]
MovedKey = tuple[int, str, str, int, int]


@dataclass(frozen=True, slots=True)
class CountedInYear:
    """The question of what was counted in a year: an amount by name and number of the month, 1 to 12."""

    @staticmethod
    def key(member_id: str, year: int) -> CountedKey:
        return bucket_of(member_id), member_id, day_number(date(year, 1, 1))

    async def answer(self, reader: Reader, keys: Sequence[CountedKey]) -> Mapping[CountedKey, Counted]:
        rows = await reader.look_up(_COUNTED, table_of(Tally), ("bucket", "member_id", "day"), keys)
        found: dict[CountedKey, Counted] = {}
        for bucket, member_id, first, name, month, amount in rows:
            found.setdefault((bucket, member_id, first), {})[name, int(month)] = int(amount)
        return found


@dataclass(frozen=True, slots=True)
class MovedInYear:
    """The question of what a year's entries moved of a unit: the sum of the amounts by contra."""

    @staticmethod
    def key(member_id: str, unit: str, year: int, zone: ZoneInfo) -> MovedKey:
        begins, ends = (microseconds(at) for at in bounds(year, zone))
        return bucket_of(member_id), member_id, unit, begins, ends

    async def answer(self, reader: Reader, keys: Sequence[MovedKey]) -> Mapping[MovedKey, dict[str, int]]:
        by = ("bucket", "member_id", "unit", "effective_at", "recorded_at")
        rows = await reader.look_up(_MOVED, table_of(Entry), by, keys)
        found: dict[MovedKey, dict[str, int]] = {}
        for *key, contra, amount in rows:
            found.setdefault(tuple(key), {})[contra] = int(amount)
        return found


def bounds(year: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a year begins and when the next one does."""
    return day_start(date(year, 1, 1), zone), day_start(date(year + 1, 1, 1), zone)


class Highlight(NamedTuple):
    """Something of a member's year that a channel is asked for: a number, and what it is, in English and Chinese."""

    name: str
    title: str
    title_zh: str
    amount: int


Recaller = Callable[[Any, Any, int], Awaitable[Sequence[Highlight]]]
"""Answers for a request, a member of the schema and a year, with a fixed number of statements for a page of members."""
