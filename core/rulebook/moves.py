"""What another ladder would mean for the members there are: told before it is published.

Nobody is moved by new thresholds: who meets more rises with what they do next, who meets less is judged on the day that
was set. Only a tier that is gone hands its members over, when the version begins.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.books.members import BUCKETS
from core.books.tallies import day_number, fact_value
from core.ladder.tiers import Ladder, Need, Number
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.time.calendar import local_day
from core.time.clock import microseconds

_SLICES: Final = 64


@dataclass
class Moves:
    """How many members stand where, and where the new ladder would have them: ``(from, to)``, counted.

    ``rise`` with what they do next, ``fall`` if they were judged now, ``gone`` is for tiers that it has not.
    """

    rise: Counter[tuple[str, str]] = field(default_factory=Counter)
    fall: Counter[tuple[str, str]] = field(default_factory=Counter)
    gone: Counter[tuple[str, str]] = field(default_factory=Counter)


async def moves(reader: Reader, next_: Programme, now: datetime) -> Moves:
    """What ``next_`` would mean, as things stand. All members that are not closed are looked at, with their counts."""
    found, ladder = Moves(), next_.tiers
    if ladder is None:
        return found
    async for tier, lock, reached, kept in _standing(reader, next_, ladder, now):
        if ladder.rank(tier) < 0:
            found.gone[tier, ladder.replaces.get(tier, kept)] += 1
        elif ladder.rank(reached) > ladder.rank(tier):
            found.rise[tier, reached] += 1
        elif ladder.keep is not None:
            to = ladder.fall(tier, kept, ladder.keep.steps_down, lock)
            if to != tier:
                found.fall[tier, to] += 1
    return found


async def _standing(
    reader: Reader, programme: Programme, ladder: Ladder, now: datetime
) -> AsyncIterator[tuple[str, str | None, str, str]]:
    """Of every member the tier, what it is locked to, what they have reached and what they would keep."""
    today, width, at = local_day(now, programme.zone), BUCKETS // _SLICES, microseconds(now)
    needs = sorted(ladder.needs() | ladder.needs(keeping=True), key=str)
    for part in range(_SLICES):
        here = f"bucket >= {part * width} AND bucket < {(part + 1) * width}"
        facts: dict[str, dict[Need, Number]] = defaultdict(dict)
        for need in needs:
            start = need.window.start(today)
            since = f" AND day >= {day_number(start)}" if start is not None else ""
            for member_id, amount in await reader.query(
                f"SELECT member_id, SUM(amount) FROM tally WHERE {here} AND name = '{need.fact}'{since}"
                " GROUP BY member_id"
            ):
                facts[member_id][need] = fact_value(need.fact, int(amount), programme.currency)
        rows = await reader.query(
            f"SELECT id, tier, CASE WHEN tier_lock_until > {at} THEN tier_lock END FROM member"
            f" WHERE {here} AND status <> 'closed' AND tier <> ''"
        )
        for member_id, tier, lock in rows:
            counted: Mapping[Need, Number] = {**dict.fromkeys(needs, 0), **facts.get(member_id, {})}
            yield tier, lock, ladder.evaluate(counted), ladder.evaluate(counted, keeping=True)
