"""What another version of the programme would change for points that members have already.

Nothing, as far as dates go: a lot keeps the date with which it was given. It is said beforehand all the same, as
members compare, and an operator may want to give what the new version gives.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.books.members import BUCKETS
from core.rulebook.expiry import ExpiryTerms, expires_at
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.store.tables import Row
from core.time.clock import instant, microseconds

NAMED_MAX: Final = 100
_SLICES: Final = 16


@dataclass
class Group:
    """Points that the new version would treat alike: how many, in how many lots, and of whom.

    ``named`` are the first members, by id.
    """

    points: int = 0
    lots: int = 0
    members: int = 0
    named: list[str] = field(default_factory=list)
    _last: str = ""

    def add(self, member_id: str, points: int) -> None:
        """Count a lot. Lots of one member come one after another."""
        self.points += points
        self.lots += 1
        if member_id != self._last:
            self._last = member_id
            self.members += 1
            if len(self.named) < NAMED_MAX:
                self.named.append(member_id)


@dataclass
class Changes:
    """What a new version means for the open lots of a unit.

    ``sooner`` would expire sooner if they were earned under it, ``later`` would expire later: both keep their dates.
    ``no_longer_renewed`` are moved by what members do and would not be.
    """

    unit: str
    sooner: Group = field(default_factory=Group)
    later: Group = field(default_factory=Group)
    no_longer_renewed: Group = field(default_factory=Group)

    def look(self, member_id: str, points: int, dates: tuple[datetime | None, datetime | None]) -> None:
        """Put a lot where it belongs: its date, and the one that it would have."""
        now, then = dates
        if then != now:
            (self.sooner if _before(then, now) else self.later).add(member_id, points)


def _before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one < other)


async def expiry_changes(reader: Reader, current: Programme, next_: Programme, now: datetime) -> list[Changes]:
    """What ``next_`` in place of ``current`` means for what members have now, by unit."""
    changes = {unit: Changes(unit) for unit in current.unit_names if unit in next_.all_units}
    if current.timezone == next_.timezone and not any(_differ(current, next_, unit) for unit in changes):
        return list(changes.values())
    async for member_id, unit, source, points, earned_at, ends, fixed in _open_lots(reader, now):
        if unit not in changes or fixed:
            continue
        before, after = current.terms(unit, source), next_.terms(unit, source)
        if before.activities and not after.activities:
            changes[unit].no_longer_renewed.add(member_id, points)
        if _dates(before) != _dates(after) or current.timezone != next_.timezone:
            earned, date = instant(earned_at), None if ends is None else instant(ends)
            changes[unit].look(member_id, points, (date, expires_at(after, earned, next_.zone)))
    return list(changes.values())


def _differ(current: Programme, next_: Programme, unit: str) -> bool:
    """Whether anything that gives the unit gives it for another time."""
    sources = {"", *current.channels, *next_.channels}
    return any(
        ExpiryTerms.model_dump(current.terms(unit, source)) != ExpiryTerms.model_dump(next_.terms(unit, source))
        for source in sources
    )


def _dates(terms: ExpiryTerms) -> tuple[object, ...]:
    """What decides the date with which a lot is given."""
    counted = "from the day" if terms.mode in {"per_lot", "activity", "renewed"} else terms.mode
    return counted, terms.months, terms.end_of, terms.after_months


async def _open_lots(reader: Reader, now: datetime) -> AsyncIterator[Row]:
    """All lots of which something is left, member by member."""
    width = BUCKETS // _SLICES
    for part in range(_SLICES):
        rows = await reader.query(
            "SELECT member_id, unit, source, remaining, earned_at, expires_at, fixed FROM lot"
            f" WHERE bucket >= {part * width} AND bucket < {(part + 1) * width} AND remaining > 0"
            f" AND (expires_at IS NULL OR expires_at > {microseconds(now)}) ORDER BY bucket, member_id, unit, seq"
        )
        for row in rows:
            yield row
