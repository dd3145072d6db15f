"""A year of a real shop lived through with a ladder: how members spread over the tiers, and the same evaluated afresh.

    python -m examples.data.tiers          # a minute or two
    python -m examples.data.tiers --part   # every twentieth customer

Laurel judges as the orders and refunds come in: members rise, are warned, are saved or fall. What should come out is
then computed in plain Python from what was counted, in the order of time; exit status 1 says that anybody's way is
another.
"""

import argparse
import asyncio
import sys
import tempfile
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import yaml

from core.files.importing import Reject, examine, import_rows, read
from core.oversight.verify import verify
from core.rulebook.publishing import publish
from core.scheduling.reviewing import reviews_due
from core.scheduling.sweep import settle
from core.store.dialect import Reader
from core.store.migrating import migrate
from core.time.clock import instant
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import Laurel, open_laurel, tables
from graph.settings import Settings
from plugins.manager import load_plugins

LONDON: Final = ZoneInfo("Europe/London")
END: Final = datetime(2011, 12, 1, tzinfo=UTC)
LADDER: Final = ("shopper", "regular", "trade")
LEAST: Final = (0, 300, 1_000)
KEPT: Final = (0, 240, 800)
DAYS: Final = 90
GRACE: Final = 14
MONTHS: Final = range(1, 13)

Steps = Mapping[str, Sequence[tuple[datetime, str]]]
"""Each member's steps after joining: when, and to which tier."""


def document() -> str:
    """The programme of the shop, with a ladder that a year moves members on."""
    programme = yaml.safe_load((Path(__file__).parents[1] / "programmes" / "online-retail.yaml").read_text())
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


# -- evaluated afresh ---------------------------------------------------------------------------------


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


async def moves_of(reader: Reader) -> dict[str, list[list[Move]]]:
    """What was counted of each member, operation by operation, as the ledger has it."""
    rows = await reader.query(
        "SELECT e.member_id, e.seq, e.effective_at, e.operation_id, l.earned_at, l.amount FROM entry e"
        " JOIN lot l ON l.bucket = e.bucket AND l.member_id = e.member_id AND l.unit = e.unit"
        " AND l.operation_id = e.operation_id"
        " WHERE e.unit = 'growth' AND e.amount > 0"
        " UNION ALL SELECT m.member_id, m.seq, e.effective_at, e.operation_id, l.earned_at, m.amount FROM lot_move m"
        " JOIN entry e ON e.bucket = m.bucket AND e.member_id = m.member_id AND e.unit = m.unit AND e.seq = m.seq"
        " JOIN lot l ON l.bucket = m.bucket AND l.member_id = m.member_id AND l.unit = m.unit AND l.seq = m.lot_seq"
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


# -- lived through ------------------------------------------------------------------------------------


class Replayed(NamedTuple):
    """What became of each member, as Laurel has judged and as it is evaluated afresh."""

    found: Steps
    afresh: Steps


async def replay(url: str, events: Iterable[prepare.Event]) -> Replayed:
    """Live the year through in a database that has tables and nothing else; the books must be in order at the end."""
    async with open_laurel(Settings(database_url=url)) as laurel:
        await publish(
            document(),
            author="examples.data.tiers",
            reason="a replay",
            load=laurel.load,
            clock=laurel.clock,
            starts_at=datetime(1990, 1, 1, tzinfo=UTC),
            in_the_past=True,
        )
        await laurel.programmes.refresh(laurel.store.reader())
        await _live(laurel, events)
        reader = laurel.store.reader()
        if findings := await verify(reader):
            raise RuntimeError(f"the books are out of order: {findings}")
        members = [member_id for (member_id,) in await reader.query("SELECT id FROM member")]
        rows = await reader.query(
            "SELECT member_id, at, tier FROM tier_change WHERE number > 1 ORDER BY member_id, number"
        )
        counted = await moves_of(reader)
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
    return Replayed(found, afresh)


async def _live(laurel: Laurel, events: Iterable[prepare.Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        prepare.write(events, file)
        importer = laurel.plugins.importers["orders"]
        columns = columns_of(importer, None)
        make = maker(importer, laurel, actor="a replay", as_of="row")
        await import_rows(read(examine(file, columns), columns), make, laurel.committer, reject=_unexpected)
    async for _ in settle(laurel.store.reader(), laurel.committer, reviews_due("job tiers", END)):
        pass


def _unexpected(reject: Reject) -> None:
    raise RuntimeError(f"line {reject.line.number}: {reject.reason}: {reject.line.text}")


# -- told ---------------------------------------------------------------------------------------------


def spread(steps: Steps, month: int) -> Counter[str]:
    """How many members stand on each tier when a month of 2011 begins."""
    at = datetime(2011, month, 1, tzinfo=UTC)
    return Counter(
        next((tier for when, tier in reversed(walked) if when <= at), LADDER[0]) for walked in steps.values()
    )


def moved(steps: Steps) -> Mapping[int, tuple[int, int]]:
    """How many steps went up and how many down, by the month of 2011 before which they were made."""
    ways: dict[int, list[int]] = {month: [0, 0] for month in MONTHS}
    for walked in steps.values():
        before = LADDER[0]
        for at, tier in walked:
            if at < END:
                # December is that of 2010, when the data begin.
                month = 1 if at.year == 2010 else at.month + 1
                ways[month][LADDER.index(tier) < LADDER.index(before)] += 1
            before = tier
    return {month: (up, down) for month, (up, down) in ways.items()}


def lines(replayed: Replayed) -> Iterator[str]:
    """The table: who stands where as each month begins, what moved in the month before, and the same afresh."""
    yield f"{'2011':<6}{''.join(f'{tier:>9}' for tier in LADDER)}{'up':>8}{'down':>8}   afresh"
    ways, again = moved(replayed.found), moved(replayed.afresh)
    for month in MONTHS:
        stood, afresh = spread(replayed.found, month), spread(replayed.afresh, month)
        same = stood == afresh and ways[month] == again[month]
        up, down = ways[month]
        tiers = "".join(f"{stood[tier]:>9,}" for tier in LADDER)
        yield f"{month:>02}-01 {tiers}{up:>8,}{down:>8,}   {'the same' if same else 'ANOTHER'}"
    others = sum(replayed.afresh[member] != steps for member, steps in replayed.found.items())
    yield f"{len(replayed.found):,} members, of whom {others:,} went another way than evaluated afresh"


def events(*, part: bool) -> list[prepare.Event]:
    """The year's sales and refunds, of every twentieth customer if only a ``part`` is wanted."""
    endings = ("17", "37", "57", "77", "97") if part else ("",)
    found = (event for event in prepare.online_retail() if event["member"].endswith(endings))
    return [event for event in found if event["at"] < "2011-12-01"]


async def _run(part: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/replay.sqlite3"
        await migrate(url, tables(load_plugins()))
        replayed = await replay(url, events(part=part))
    print("\n".join(lines(replayed)))
    return int(replayed.found != replayed.afresh)


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="store_true", help="every twentieth customer only")
    return asyncio.run(_run(parser.parse_args().part))


if __name__ == "__main__":
    sys.exit(main())
