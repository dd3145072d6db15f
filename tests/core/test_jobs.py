"""Jobs run when they are due, in one process at a time, and whatever happens to one, the next run does what is left."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.engine.operations import Recorded
from core.errors import JobNotFound, JobRunning
from core.models import JobRow
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.scheduling.chores import CHORES
from core.scheduling.jobs import LEASE, Daily, Every, Job, Jobs, Run
from core.scheduling.sweep import sweep
from tests.core.committing import BEGIN, PROGRAMME, Desk, open_desk

HOUR = timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Counting:
    """A job that remembers its runs, and fails or waits when it is told to."""

    def __init__(self) -> None:
        self.runs: list[tuple[datetime, datetime | None]] = []
        self.error: Exception | None = None
        self.wait: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def __call__(self, run: Run) -> int:
        self.runs.append((run.now, run.since))
        self.begun.set()
        if self.wait is not None:
            await self.wait.wait()
        if self.error is not None:
            raise self.error
        return 7


@pytest.fixture
def counting() -> Counting:
    return Counting()


def jobs(desk: Desk, *each: Job, pause: float = 0.01) -> Jobs:
    """The jobs as one process of several has them."""
    programmes = Programmes(lambda document: load_programme(document, {}))
    return Jobs(each, desk.store, desk.committer, programmes, desk.clock, pause=pause)


def hourly(counting: Counting) -> Job:
    return Job(name="count", says="Counts.", when=Every(HOUR), run=counting)


@pytest.mark.parametrize(
    ("when", "after", "due"),
    [
        (Every(HOUR), datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)),
        (Daily(time(9)), datetime(2026, 3, 1, 0, 59, tzinfo=UTC), datetime(2026, 3, 1, 1, tzinfo=UTC)),
        (Daily(time(9)), datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_schedule_says_when_the_next_run_is_due(when: Every | Daily, after: datetime, due: datetime) -> None:
    assert when.next(after, SHANGHAI) == due


def test_a_daily_time_that_the_clocks_jump_over_comes_after_the_jump() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    due = Daily(time(2, 30)).next(datetime(2026, 3, 29, 0, tzinfo=berlin).astimezone(UTC), berlin)

    assert due.astimezone(berlin).date() == date(2026, 3, 29)


async def test_a_job_runs_when_it_is_due_and_once_after_a_standstill(desk: Desk, counting: Counting) -> None:
    ours = jobs(desk, hourly(counting))

    ran = [await ours.work(), await ours.work()]
    desk.clock.advance(HOUR)
    ran.append(await ours.work())
    desk.clock.advance(timedelta(days=7))
    ran += [await ours.work(), await ours.work()]

    assert ran == [1, 0, 1, 1, 0]
    assert counting.runs == [
        (BEGIN, None),
        (BEGIN + HOUR, BEGIN),
        (BEGIN + HOUR + timedelta(days=7), BEGIN + HOUR),
    ]


async def test_two_processes_never_run_a_job_at_once(desk: Desk, counting: Counting) -> None:
    counting.wait = asyncio.Event()
    ours, theirs = jobs(desk, hourly(counting)), jobs(desk, hourly(counting))

    running = asyncio.create_task(ours.work())
    await counting.begun.wait()
    assert await theirs.work() == 0
    with pytest.raises(JobRunning):
        await theirs.run("count")
    (state,) = await theirs.states()
    counting.wait.set()

    assert state.is_running
    assert await running == 1
    assert [await theirs.work(), len(counting.runs)] == [0, 1]


async def test_a_job_of_a_process_that_died_is_taken_over_when_its_lease_has_run_out(
    desk: Desk, counting: Counting
) -> None:
    ours = jobs(desk, hourly(counting))
    await ours.work()
    await JobRow.filter(name="count").update(owner="the dead", next_at=BEGIN, leased_until=BEGIN + LEASE)

    early = await ours.work()
    desk.clock.advance(LEASE)

    assert [early, await ours.work()] == [0, 1]


async def test_a_failure_is_written_down_and_tried_again_ever_later(desk: Desk, counting: Counting) -> None:
    ours = jobs(desk, hourly(counting))
    counting.error = ValueError("the printer is on fire")
    tries = []
    for _ in range(3):
        await ours.work()
        (state,) = await ours.states()
        tries.append((state.failures_in_a_row, state.next_at - desk.clock.now() if state.next_at else None))
        desk.clock.advance(timedelta(minutes=10))
    counting.error = None
    await ours.work()
    (good,) = await ours.states()

    assert tries == [(1, timedelta(seconds=30)), (2, timedelta(minutes=1)), (3, timedelta(minutes=2))]
    assert state.error == "ValueError: the printer is on fire"
    assert (good.error, good.failures, good.failures_in_a_row, good.done, good.runs) == (None, 3, 0, 7, 4)
    assert [since for _, since in counting.runs] == [None] * 4


async def test_lag_is_for_how_long_a_job_has_been_due(desk: Desk, counting: Counting) -> None:
    ours = jobs(desk, hourly(counting))
    before = await ours.lags()
    await ours.work()
    desk.clock.advance(HOUR + timedelta(seconds=90))

    assert before == {"count": 0}
    assert await ours.lags() == {"count": 90}


async def test_a_job_can_be_asked_for_and_an_unknown_one_is_refused(desk: Desk, counting: Counting) -> None:
    ours = jobs(desk, hourly(counting))
    await ours.work()

    await ours.ask_for("count")
    with pytest.raises(JobNotFound, match="count"):
        await ours.ask_for("coun")

    assert await ours.work() == 1
    assert await ours.run("count") == 7


async def test_in_the_background_what_is_due_is_run_and_what_is_cut_short_is_given_back(
    desk: Desk, counting: Counting
) -> None:
    counting.wait = asyncio.Event()
    async with jobs(desk, hourly(counting)):
        await asyncio.wait_for(counting.begun.wait(), 60)
    given_back = await JobRow.filter(owner=None, leased_until=None, runs=0, next_at=BEGIN).count()
    counting.wait.set()

    assert given_back == 1
    assert await jobs(desk, hourly(counting)).work() == 1


class Looking(Jobs):
    """Is asked to stop while it looks for what is due."""

    async def _due(self) -> list[Job]:
        due = await super()._due()
        self._closing = True
        return due


async def test_nothing_is_begun_any_more_that_was_found_at_the_end(desk: Desk, counting: Counting) -> None:
    programmes = Programmes(lambda document: load_programme(document, {}))
    async with Looking([hourly(counting)], desk.store, desk.committer, programmes, desk.clock, pause=0.01) as ours:
        assert ours._loop is not None
        await asyncio.wait_for(asyncio.wait([ours._loop]), 60)

    assert counting.runs == []


# -- the jobs that every programme has --------------------------------------------------------------


REMINDING = PROGRAMME.replace("months: 12}\ntiers", "months: 12, remind_days: [30, 7, 1]}\ntiers")


@pytest.fixture
async def reminding(connected: TortoiseContext) -> AsyncIterator[Desk]:
    async with open_desk(programme=REMINDING) as desk:
        yield desk


async def reminders(desk: Desk) -> list[tuple[str, int, int]]:
    """The day, the points and the days before it of every reminder, in the order in which they were told."""
    rows = await desk.store.reader().query("SELECT id, result FROM operation WHERE kind = 'remind' ORDER BY id")
    told = [event for _, result in rows for event in orjson.loads(result).get("events", ())]
    return [(event["expires_on"], event["points"], event["days"]) for event in told]


async def test_each_reminder_is_told_once_for_all_that_is_lost_on_a_day(reminding: Desk) -> None:
    desk = reminding
    ann = await desk.enrol("ann")
    for points in (100, 20):
        await desk.give(ann, points)
    ours = [jobs(desk, *CHORES) for _ in range(2)]
    desk.clock.advance(timedelta(days=330))
    for _ in range(36):
        desk.clock.advance(timedelta(days=1))
        await asyncio.gather(*(one.work() for one in ours))

    assert await reminders(desk) == [("2027-01-15", 120, 30), ("2027-01-15", 120, 7), ("2027-01-15", 120, 1)]
    assert await desk.lots(ann) == [0, 0]
    assert await verify(desk.store.reader()) == []


async def test_after_a_standstill_a_day_is_told_of_once(reminding: Desk) -> None:
    desk = reminding
    ann = await desk.enrol("ann")
    await desk.give(ann, 100)
    ours = jobs(desk, *CHORES)
    await ours.work()
    desk.clock.set(datetime(2027, 1, 10, 2, tzinfo=UTC))
    for _ in range(3):
        await ours.work()
        desk.clock.advance(timedelta(days=1))

    assert await reminders(desk) == [("2027-01-15", 100, 7)]


async def test_a_sweep_that_was_stopped_half_way_is_finished_by_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.scheduling.sweep.BATCH_MAX", 5)
    members = [await desk.enrol(f"m{number}") for number in range(30)]
    for member in members:
        await desk.give(member, 10)
        await desk.hold(member, 3)
    desk.clock.advance(timedelta(days=400))

    expired = 0

    def stop_after_the_first(settled: int) -> None:
        nonlocal expired
        expired += settled
        if expired > len(members):  # the holds come first
            current = asyncio.current_task()
            assert current is not None
            current.cancel()

    async def expire(run: Run) -> int:
        return (await sweep(run.reader, run.committer, run.now, actor=run.actor, advance=stop_after_the_first)).done

    with pytest.raises(asyncio.CancelledError):
        await jobs(desk, Job(name="expire", says="Stops.", when=Every(HOUR), run=expire)).run("expire")
    ((half_way,),) = await desk.store.reader().query("SELECT COUNT(*) FROM operation WHERE kind = 'expire'")
    await asyncio.gather(*(jobs(desk, *CHORES).work() for _ in range(3)))

    assert 0 < half_way < 30
    for member in members:
        assert await desk.lots(member) == [0]
        kinds = [row.kind for row in await desk.rows(Recorded, member)]
        assert (kinds.count("time_out"), kinds.count("expire")) == (1, 1)
        (lot,) = await desk.rows(Lot, member)
        assert lot.expired == 10
    assert await verify(desk.store.reader()) == []
