"""A year of a real shop's orders and refunds: the way of every member through the tiers is that of a fresh evaluation.

Laurel judges as the orders come in. What should come out is computed at the end, in plain Python, from the lots of
growth and what was taken back of them, in the order of time.
"""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import yaml

from core.clock import instant
from core.importing import examine, import_rows, read
from core.reviewing import reviews_due
from core.sweep import settle
from core.verify import verify
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import Laurel, tables
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.test_replays import EXAMPLES, opened, retail_events, unexpected

LONDON: Final = ZoneInfo("Europe/London")
END: Final = datetime(2011, 12, 1, tzinfo=UTC)
LADDER: Final = ("shopper", "regular", "trade")
LEAST: Final = (0, 300, 1_000)
KEPT: Final = (0, 240, 800)
DAYS: Final = 90
GRACE: Final = 14


def document() -> str:
    """The programme of the shop, with a ladder that a year moves members on."""
    programme = yaml.safe_load((EXAMPLES / "programmes" / "online-retail.yaml").read_text())
    programme["starts_on"] = "2010-12-01"
    programme["tiers"] = {
        "window": {"days": DAYS},
        "keep": {"review": {"months": 2}, "ratio": "0.8", "warn_days": 10, "grace_days": GRACE},
        "ladder": [
            {"id": name, **({"all": [{"fact": "growth_earned", "at_least": least}]} if least else {})}
            for name, least in zip(LADDER, LEAST, strict=True)
        ],
    }
    return yaml.safe_dump(programme, sort_keys=False)


class Move(NamedTuple):
    """Growth that came or was taken back at an instant, and the day on which it counts."""

    at: datetime
    operation: str
    day: date
    amount: int


@dataclass
class Walk:
    """One member's way, evaluated afresh."""

    counted: list[tuple[date, int]] = field(default_factory=list)
    tier: int = 0
    review: datetime | None = None
    grace: datetime | None = None
    steps: list[tuple[datetime, str]] = field(default_factory=list)

    def total(self, on: date, until: date) -> int:
        return sum(amount for day, amount in self.counted if on - timedelta(days=DAYS - 1) <= day <= until)

    def held(self, on: date, until: date) -> int:
        return bisect_right(KEPT, self.total(on, until)) - 1

    def begin(self, at: datetime) -> None:
        self.grace, self.review = None, None
        if self.tier:
            day = at.astimezone(LONDON).date()
            month = day.month + 2
            year, month = day.year + (month - 1) // 12, (month - 1) % 12 + 1
            last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
            self.review = midnight(date(year, month, min(day.day, last)))

    def move(self, tier: int, at: datetime) -> None:
        self.tier = tier
        self.steps.append((at, LADDER[tier]))
        self.begin(at)

    def pass_time(self, now: datetime) -> None:
        while self.review is not None and (due := self.grace or self.review) <= now:
            judged = eve(self.review)
            if self.held(judged, eve(due)) >= self.tier:
                self.begin(self.review)
            elif self.grace is None:
                self.grace = midnight(self.review.astimezone(LONDON).date() + timedelta(days=GRACE))
            else:
                self.move(self.tier - 1, self.grace)

    def count(self, moves: list[Move]) -> None:
        at = moves[0].at
        self.pass_time(at)
        self.counted += [(move.day, move.amount) for move in moves]
        reached = bisect_right(LEAST, self.total(at.astimezone(LONDON).date(), date.max)) - 1
        if reached > self.tier:
            self.move(reached, at)
        elif self.grace is not None and self.review is not None and self.held(eve(self.review), date.max) >= self.tier:
            self.begin(self.review)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def eve(at: datetime) -> date:
    return (at - timedelta(microseconds=1)).astimezone(LONDON).date()


async def moves_of(laurel: Laurel) -> dict[str, list[list[Move]]]:
    """What was counted of each member, operation by operation, as the ledger has it."""
    rows = await laurel.store.reader().query(
        "SELECT e.member_id, e.seq, e.effective_at, e.operation_id, l.earned_at, l.amount FROM entry e"
        " JOIN lot l ON l.member_id = e.member_id AND l.unit = e.unit AND l.operation_id = e.operation_id"
        " WHERE e.unit = 'growth' AND e.amount > 0"
        " UNION ALL SELECT m.member_id, m.seq, e.effective_at, e.operation_id, l.earned_at, m.amount FROM lot_move m"
        " JOIN entry e ON e.member_id = m.member_id AND e.unit = m.unit AND e.seq = m.seq"
        " JOIN lot l ON l.member_id = m.member_id AND l.unit = m.unit AND l.seq = m.lot_seq"
        " WHERE m.unit = 'growth' AND m.kind = 'claw_back' ORDER BY 1, 2"
    )
    found: dict[str, list[list[Move]]] = defaultdict(list)
    for member_id, _, at, operation, earned_at, amount in rows:
        move = Move(instant(at), operation, instant(earned_at).astimezone(LONDON).date(), amount)
        operations = found[member_id]
        if operations and operations[-1][0].operation == operation:
            operations[-1].append(move)
        else:
            operations.append([move])
    return found


def spread(steps: dict[str, list[tuple[datetime, str]]], month: int) -> Counter[str]:
    """How many members stand on each tier when a month of 2011 begins."""
    at = datetime(2011, month, 1, tzinfo=UTC)
    return Counter(
        next((tier for when, tier in reversed(walked) if when <= at), LADDER[0]) for walked in steps.values()
    )


async def test_a_year_of_a_real_shop_moves_members_as_a_fresh_evaluation_does(tmp_path: Path) -> None:
    events = [event for event in retail_events() if event["at"] < "2011-12-01"]
    file = tmp_path / "events.jsonl"
    prepare.write(events, file)
    url = SqliteFolder(tmp_path).migrated(tables(load_plugins()))
    async with opened(url, document()) as laurel:
        importer = laurel.plugins.importers["orders"]
        columns = columns_of(importer, None)
        make = maker(importer, laurel, actor="test", as_of="row")
        await import_rows(read(examine(file, columns), columns), make, laurel.committer, reject=unexpected)
        reader = laurel.store.reader()
        async for _ in settle(reader, laurel.committer, reviews_due("job tiers", END)):
            pass
        rows = await reader.query(
            "SELECT member_id, at, tier FROM tier_change WHERE number > 1 ORDER BY member_id, number"
        )
        members = [member_id for (member_id,) in await reader.query("SELECT id FROM member")]
        counted = await moves_of(laurel)
        assert await verify(reader) == []

    found: dict[str, list[tuple[datetime, str]]] = {member: [] for member in members}
    for member_id, at, tier in rows:
        found[member_id].append((instant(at), tier))
    afresh = {}
    for member in members:
        walk = Walk()
        for operation in counted[member]:
            walk.count(operation)
        walk.pass_time(END)
        afresh[member] = walk.steps

    assert found == afresh
    by_month = [spread(found, month) for month in range(1, 13)]
    assert by_month == [spread(afresh, month) for month in range(1, 13)]
    # Up and down, and everybody stands somewhere.
    ways = Counter(
        math.copysign(1, LADDER.index(after) - LADDER.index(before))
        for steps in found.values()
        for (_, before), (_, after) in zip([(None, LADDER[0]), *steps], steps, strict=False)
    )
    assert min(ways[1], ways[-1]) > len(members) / 4
    assert {sum(counts.values()) for counts in by_month} == {len(members)}
    assert len(set(map(str, by_month))) == len(by_month)
