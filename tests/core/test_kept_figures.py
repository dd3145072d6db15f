"""What a process keeps of key figures is what it would read again, on every database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, ClassVar

import pytest

from core.books.tallies import ORDERS
from core.engine.operations import Operation, Outcome
from core.engine.work import Work
from core.key_figures import kept as module
from core.key_figures.figures import KeyFigures
from core.key_figures.kept import EARNED, Kept
from core.key_figures.periods import Granularity, Period, cut
from core.oversight.verify import verify
from tests.core.committing import Desk, statements
from tests.core.test_key_figures import FEBRUARY, JANUARY, buy, figures_of, said

YEAR = Period(date(2025, 11, 15), date(2026, 6, 20))
NAMES = ("active_earners", "order_frequency", "repurchase_rate", "retention_rate")


@contextmanager
def reading() -> Iterator[Callable[[], int]]:
    """How many statements have read what members counted."""
    with statements() as sent:
        yield lambda: sum(" tally " in text for text in sent)


async def told(desk: Desk, kept: Kept, *periods: Period, compare: bool = True) -> list[KeyFigures]:
    """The figures by what is kept, which are those that are read anew."""
    found = await figures_of(desk, *periods, compare=compare, kept=kept)
    assert found == await figures_of(desk, *periods, compare=compare)
    return found


async def test_what_was_read_is_not_read_again(desk: Desk) -> None:
    kept = Kept()
    ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
    await buy(desk, ann, 10_00)
    desk.clock.advance(timedelta(days=31))
    await buy(desk, bob, 10_00)
    first = await figures_of(desk, YEAR, FEBRUARY, compare=True, kept=kept)
    with reading() as read:
        assert await figures_of(desk, YEAR, FEBRUARY, compare=True, kept=kept) == first
        assert read() == 0
    # Another period of months that are known reads nothing, one that cuts a month reads its part.
    with reading() as read:
        await figures_of(desk, Period(JANUARY.since, FEBRUARY.until), kept=kept)
        assert read() == 0
        await figures_of(desk, Period(JANUARY.since, date(2026, 1, 20)), kept=kept)
        assert read() == 2
    await buy(desk, ann, 10_00)
    with reading() as read:
        found = await figures_of(desk, YEAR, FEBRUARY, compare=True, kept=kept)
        assert read() == 2
    assert found != first


async def test_changes_that_leave_the_sum_are_seen(desk: Desk) -> None:
    """What one member has no more and another has instead, as by a merger, all in one transaction."""
    kept = Kept()
    ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
    await buy(desk, ann, 10_00)
    await buy(desk, bob, 10_00)
    [figures] = await told(desk, kept, JANUARY, compare=False)
    assert said(figures, "order_frequency", "repurchase_rate") == [(2, 2), (0, 2)]
    moved = [CountAgain(**desk.request(member), times=times) for member, times in ((ann, -1), (bob, 1))]
    for outcome in await desk.committer.submit_many(moved):
        assert isinstance(outcome, Outcome)
        assert outcome.accepted
    [figures] = await told(desk, kept, JANUARY, compare=False)
    assert said(figures, "order_frequency", "repurchase_rate") == [(2, 1), (1, 1)]
    assert await verify(desk.store.reader()) == []


@dataclass(frozen=True, kw_only=True)
class CountAgain(Operation):
    """So many orders more on the day, or fewer."""

    channel: ClassVar[str] = "shop"
    kind: ClassVar[str] = "count_again"

    times: int

    async def perform(self, work: Work) -> dict[str, Any]:
        work.count(ORDERS, self.times)
        return {}


async def test_whatever_happens_what_is_kept_is_what_would_be_read(desk: Desk) -> None:
    random, kept = Random(11), Kept()
    members = [await desk.enrol(f"m{number}") for number in range(6)]
    for _ in range(12):
        for member in random.sample(members, random.randrange(4)):
            if random.random() < 0.3:
                await desk.accepted(CountAgain(**desk.request(member), times=random.choice((-2, -1, 1))))
            else:
                await buy(desk, member, random.randrange(1, 5000))
        since = date(2026, 1, 1) + timedelta(days=random.randrange(200))
        period = Period(since, since + timedelta(days=random.randrange(200)))
        await told(desk, kept, *cut(period, random.choice((None, Granularity.MONTH, Granularity.WEEK))))
        desk.clock.advance(timedelta(days=random.randrange(25)))


async def test_no_more_is_kept_than_there_is_room_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUMS_MAX", 3)
    monkeypatch.setattr(module, "ANSWERS_MAX", 2)
    monkeypatch.setattr(module, "TOGETHER", 1)
    kept = Kept()
    members = [await desk.enrol(f"m{number}") for number in range(2)]
    for _ in range(5):
        for member in members:
            await buy(desk, member, 10_00)
        desk.clock.advance(timedelta(days=31))
    for _ in range(2):
        [year] = await told(desk, kept, YEAR, compare=False)
        assert said(year, *NAMES[:3]) == [(2, 2), (10, 2), (2, 2)]
        assert sum(len(sums.members) for sums in kept._sums.values()) <= 3
        assert len(kept._answers) <= 2


async def test_what_somebody_no_longer_waits_for_is_read_all_the_same(desk: Desk) -> None:
    kept = Kept()
    await buy(desk, await desk.enrol("ann"), 10_00)
    asking = asyncio.ensure_future(figures_of(desk, JANUARY, kept=kept))
    for _ in range(10_000):
        if not kept._reading:
            await asyncio.sleep(0)
    assert kept._reading
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.gather(*kept._reading)
    changed = await kept.changed(desk.store.reader(), [JANUARY])
    with reading() as read:
        orders = await kept.sums(desk.store.reader(), changed, ORDERS, [JANUARY])
        assert read() == 0
    assert [*orders.of(JANUARY)] == [1]


async def test_who_asks_at_once_reads_once(desk: Desk) -> None:
    await buy(desk, await desk.enrol("ann"), 10_00)
    async with Kept() as kept:
        with reading() as read:
            found = await asyncio.gather(*(figures_of(desk, YEAR, kept=kept) for _ in range(5)))
            assert read() == 2
        assert all(each == found[0] for each in found)
        changed = await kept.changed(desk.store.reader(), [YEAR])
        assert changed.of(EARNED, JANUARY) == ((10, 1),)
