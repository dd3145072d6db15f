"""Jobs: what is to be done when nobody asks, by any number of processes at once.

A job finds what is due and submits operations whose keys are made of it. So it may run late, twice, or be killed half
way: nothing is done twice, and the next run does what is left. The rows of ``job`` say when each is due next and
which process has it; a process that dies loses it when its lease has run out.

There is a small loop and no scheduler's library: what is due must be one thing for all processes, it stands in the
database, and the time is ours, which a test can stop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from types import TracebackType
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F, Q

from core.books.members import new_id
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation, Outcome
from core.errors import JobNotFound, JobRunning, ProgrammeNotFound, ShuttingDown
from core.models import JobRow
from core.oversight.auditing import audited, write_down
from core.rulebook.programme import Programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.dialect import Reader
from core.suggest import did_you_mean
from core.time.calendar import local_day, next_day
from core.time.clock import Clock

log = logging.getLogger("laurel.jobs")

LEASE: Final = timedelta(seconds=60)
_RETRY: Final = timedelta(seconds=30)
_RETRIES_DOUBLED: Final = 7
_ERROR_MAX: Final = 500


class Every(NamedTuple):
    """Again when so much time has passed since the last run began."""

    interval: timedelta

    def first(self, now: datetime, zone: ZoneInfo) -> datetime:
        return now

    def next(self, after: datetime, zone: ZoneInfo) -> datetime:
        return after + self.interval

    def __str__(self) -> str:
        return f"every {self.interval}"


class Daily(NamedTuple):
    """Once a day at a time of the programme's zone."""

    at: time

    def first(self, now: datetime, zone: ZoneInfo) -> datetime:
        return self.next(now, zone)

    def next(self, after: datetime, zone: ZoneInfo) -> datetime:
        day = local_day(after, zone)
        today = datetime.combine(day, self.at, zone).astimezone(UTC)
        return today if today > after else datetime.combine(next_day(day), self.at, zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M}"


@dataclass(frozen=True)
class Run:
    """What a job has at hand. All that was due at ``since`` has been done; None when nothing is known of that."""

    name: str
    now: datetime
    since: datetime | None
    programme: Programme
    programmes: Programmes
    reader: Reader
    committer: Committer

    @property
    def actor(self) -> str:
        """How the job is written down with what it does."""
        return f"job {self.name}"

    async def submit(self, operations: Iterable[Operation]) -> int:
        """Perform operations, a batch after the other; how many were accepted that had not been performed before.

        A refusal is an answer and kept. Raises what ``Committer.submit`` does, when part may have been done.
        """
        waiting, done = list(operations), 0
        for at in range(0, len(waiting), BATCH_MAX):
            for outcome in await self.committer.submit_many(waiting[at : at + BATCH_MAX]):
                done += _is_new(outcome)
        return done


def _is_new(outcome: Outcome | BaseException) -> bool:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome.accepted and not outcome.replayed


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something that is due now and then. ``run`` does what is due and returns how many things that were."""

    name: str
    says: str
    when: Every | Daily
    run: Callable[[Run], Awaitable[int]]


class JobState(NamedTuple):
    """Where a job stands: ``lag`` is for how long it has been due. Times are None for what has never been."""

    job: Job
    next_at: datetime | None
    lag: timedelta
    is_running: bool
    started_at: datetime | None
    finished_at: datetime | None
    succeeded_at: datetime | None
    runs: int
    failures: int
    failures_in_a_row: int
    done: int
    error: str | None


class Jobs:
    """The jobs of an installation. Enter it to run them in the background whenever they are due.

    ``pause`` is how long, in seconds, it waits before it looks again. What is due goes by ``clock``, and who has a job
    by the clock of the ``machine``.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        store: Store,
        committer: Committer,
        programmes: Programmes,
        clock: Clock,
        *,
        pause: float = 5.0,
        machine: Clock | None = None,
    ) -> None:
        self.by_name: Mapping[str, Job] = {job.name: job for job in jobs}
        self._store = store
        self._committer = committer
        self._programmes = programmes
        self._clock = clock
        self._machine = machine or clock
        self._pause = pause
        self._owner = new_id()
        self._tasks: dict[str, asyncio.Task[int | None]] = {}
        self._wake = asyncio.Event()
        self._closing = False
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._keep_working(), name="jobs")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        # Whatever they have submitted is performed or not; the rest is found again by whoever runs next.
        for task in self._tasks.values():
            task.cancel()
        waits = [task for task in (self._loop, *self._tasks.values()) if task is not None]
        await asyncio.gather(*waits, return_exceptions=True)

    # -- asking -----------------------------------------------------------------------------------

    async def states(self) -> list[JobState]:
        """Where every job stands, by name."""
        rows = {row.name: row for row in await JobRow.all()}
        return [self._state(self.by_name[name], rows.get(name)) for name in sorted(self.by_name)]

    async def lags(self) -> dict[str, float]:
        """For how many seconds each job has been due; 0 for one that is not."""
        return {state.job.name: state.lag.total_seconds() for state in await self.states()}

    def find(self, name: str) -> Job:
        """Raises JobNotFound."""
        job = self.by_name.get(name)
        if job is None:
            raise JobNotFound(job=name[:100], hint=did_you_mean(name, self.by_name))
        return job

    # -- running ----------------------------------------------------------------------------------

    async def work(self) -> int:
        """Run every job that is due now to its end; how many ran. What fails is written down and tried again later."""
        ran = [await self._run(job) for job in await self._due()]
        return sum(done is not None for done in ran)

    async def run(self, name: str) -> int:
        """Run a job now, due or not; what it did. Raises JobNotFound, JobRunning, ProgrammeNotFound, its failure."""
        job = self.find(name)
        await self.prepare()
        done = await self._run(job, forced=True)
        if done is None:
            row = await JobRow.get(name=name)
            raise _running(row)
        return done

    async def ask_for(self, name: str) -> JobState:
        """Let a job be due now, for whichever process comes first. Raises JobNotFound, JobRunning."""
        job, now = self.find(name), self._clock.now()
        await self.prepare()

        async def write() -> JobRow:
            was = await JobRow.get(name=name)
            asked = await JobRow.filter(self._free(), name=name).update(next_at=now)
            row = await JobRow.get(name=name)
            if not asked and row.next_at != now:
                raise _running(row)
            before, after = ({"job": name, "next_at": str(each.next_at)} for each in (was, row))
            await write_down(now, before=before, after=after)
            return row

        row = await audited(write)
        self._wake.set()
        return self._state(job, row)

    async def _keep_working(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                for job in await self._due():
                    # What was given back at the end, while it was looked for, is for others.
                    if job.name not in self._tasks and not self._closing:
                        self._tasks[job.name] = asyncio.create_task(self._run(job), name=job.name)
                        self._tasks[job.name].add_done_callback(self._ended)
            except Exception:
                # The database is away: that is told by whoever needs it; here it is tried again.
                log.exception("what is due could not be read")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause)

    def _ended(self, task: "asyncio.Task[int | None]") -> None:
        del self._tasks[task.get_name()]
        if not task.cancelled() and (error := task.exception()):
            log.error("job %s was not written down: %s", task.get_name(), error)

    async def prepare(self) -> ZoneInfo:
        """See that every job has its row; the zone of the programme in force. Raises ProgrammeNotFound."""
        await self._programmes.refresh(self._store.reader())
        now = self._clock.now()
        zone = self._programmes.at(now).programme.zone
        known = {row.name for row in await JobRow.all().only("name")}
        for name in sorted(self.by_name.keys() - known):
            with suppress(IntegrityError):  # another process was faster
                await JobRow.create(name=name, next_at=self.by_name[name].when.first(now, zone))
        return zone

    async def _due(self) -> list[Job]:
        """What is due and nobody has, the longest due first."""
        with suppress(ProgrammeNotFound):
            await self.prepare()
            now = self._clock.now()
            rows = await JobRow.filter(self._free(), next_at__lte=now).order_by("next_at", "name")
            return [self.by_name[row.name] for row in rows if row.name in self.by_name]
        return []

    async def _run(self, job: Job, *, forced: bool = False) -> int | None:
        """Run a job if it can be had; what it did, None when another process has it or had it just now."""
        now = self._clock.now()
        free = JobRow.filter(self._free(), name=job.name)
        if not forced:
            free = free.filter(next_at__lte=now)
        if not await free.update(owner=self._owner, leased_until=self._machine.now() + LEASE, started_at=now):
            return None
        row = await JobRow.get(name=job.name)
        programme = self._programmes.at(now).programme
        keeper = asyncio.create_task(self._keep_lease(job.name))
        try:
            done = await self.perform(job, now, row.succeeded_at)
        except (asyncio.CancelledError, ShuttingDown):
            await asyncio.shield(self._mine(job.name).update(leased_until=None, owner=None))
            raise
        except Exception as error:
            await self._failed(job, row.failures_in_a_row, error)
            if forced:
                raise
            log.exception("job %s failed", job.name)
            return 0
        finally:
            keeper.cancel()
        next_at = job.when.next(now, programme.zone)
        await self._end(job, next_at, succeeded_at=now, failures_in_a_row=0, done=done, error=None)
        return done

    async def perform(self, job: Job, now: datetime, since: datetime | None) -> int:
        """Do what is due of a job that is taken; how many things that were. Raises what it fails with."""
        programme = self._programmes.at(now).programme
        return await job.run(
            Run(job.name, now, since, programme, self._programmes, self._store.reader(), self._committer)
        )

    async def _failed(self, job: Job, failures: int, error: Exception) -> None:
        next_at = self._clock.now() + _RETRY * 2 ** min(failures, _RETRIES_DOUBLED)
        said = f"{type(error).__name__}: {error}"[:_ERROR_MAX]
        await self._end(job, next_at, failures=F("failures") + 1, failures_in_a_row=failures + 1, error=said)

    async def _end(self, job: Job, next_at: datetime, **changes: object) -> None:
        await self._mine(job.name).update(
            next_at=next_at,
            finished_at=self._clock.now(),
            leased_until=None,
            owner=None,
            runs=F("runs") + 1,
            **changes,
        )

    async def _keep_lease(self, name: str) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                await self._mine(name).update(leased_until=self._machine.now() + LEASE)
            except Exception:
                # Who takes it over does nothing twice.
                log.exception("the lease of job %s could not be kept", name)

    def _state(self, job: Job, row: JobRow | None) -> JobState:
        return _state(job, row, self._clock.now(), self._machine.now())

    def _free(self) -> Q:
        return _free(self._machine.now())

    def _mine(self, name: str):  # type: ignore[no-untyped-def]  # Tortoise's query sets are generic in private types
        return JobRow.filter(name=name, owner=self._owner)


def _running(row: JobRow) -> JobRunning:
    assert row.started_at is not None, "who has a job has begun it"
    return JobRunning(job=row.name, started_at=row.started_at)


def _free(now: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def _state(job: Job, row: JobRow | None, now: datetime, machine_now: datetime) -> JobState:
    if row is None:
        return JobState(job, None, timedelta(0), False, None, None, None, 0, 0, 0, 0, None)
    lag = max(now - row.next_at, timedelta(0))
    leased_until: datetime | None = row.leased_until
    is_running = leased_until is not None and leased_until > machine_now
    return JobState(
        job, row.next_at, lag, is_running, row.started_at, row.finished_at, row.succeeded_at, row.runs, row.failures,
        row.failures_in_a_row, row.done, row.error,
    )  # fmt: skip
