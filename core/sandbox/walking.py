"""All jobs in one hand, while the clock is moved from one time at which something is due to the next."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet

from core.errors import JobRunning, ShuttingDown
from core.models import JobRow
from core.scheduling.jobs import LEASE, Daily, Job, Jobs
from core.time.clock import Clock

log = logging.getLogger("laurel.sandbox")

PATIENCE_SECONDS: Final = 30.0
"""How long a job that somebody else runs is waited for."""

_AGAIN_SECONDS: Final = 0.05
_ERROR_MAX: Final = 500


@dataclass
class Walked:
    """What a job did on the way: how often it ran and failed, how many things it did, and what is kept of it."""

    job: Job
    next_at: datetime
    since: datetime | None
    runs: int = 0
    done: int = 0
    failures: int = 0
    done_last: int = 0
    in_a_row: int = 0
    began_at: datetime | None = None
    error: str | None = None


class Walk:
    """Entered, it has every job, and nobody else runs one until it is left. Raises JobRunning for one that runs on."""

    def __init__(self, jobs: Jobs, machine: Clock, owner: str) -> None:
        self._jobs = jobs
        self._machine = machine
        self._owner = owner
        self.walked: dict[str, Walked] = {}

    async def __aenter__(self) -> Self:
        await self._jobs.prepare()
        give_up = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        try:
            # In the order of registration: what has expired before what members are told of that.
            for name, job in self._jobs.by_name.items():
                await self._take(name, give_up)
                row = await JobRow.get(name=name)
                self.walked[name] = Walked(job, row.next_at, row.succeeded_at, in_a_row=row.failures_in_a_row)
        except BaseException:
            await asyncio.shield(self._mine().update(owner=None, leased_until=None))
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self._give_back())

    async def keep(self) -> None:
        """Keep what was taken for another while."""
        await self._mine().update(leased_until=self._machine.now() + LEASE)

    def next_daily(self, after: datetime) -> datetime | None:
        """When the first of the jobs that have a time of day is due after that instant."""
        later = [each.next_at for each in self.walked.values() if isinstance(each.job.when, Daily)]
        return min((at for at in later if at > after), default=None)

    async def run_due(self, now: datetime, zone: ZoneInfo, *, all_of_them: bool) -> int:
        """Run what is due: the jobs with a time of day, or ``all_of_them``. How many things that did."""
        done = 0
        for each in self.walked.values():
            if each.next_at <= now and (all_of_them or isinstance(each.job.when, Daily)):
                done += await self._run(each, now, zone)
        return done

    async def _run(self, each: Walked, now: datetime, zone: ZoneInfo) -> int:
        each.began_at, each.runs = now, each.runs + 1
        each.next_at = each.job.when.next(now, zone)
        try:
            each.done_last = await self._jobs.perform(each.job, now, each.since)
        except ShuttingDown:
            raise
        except Exception as error:
            # As always, one that fails keeps no other from going on; it is due again at once.
            log.exception("job %s failed", each.job.name)
            each.error = f"{type(error).__name__}: {error}"[:_ERROR_MAX]
            each.failures, each.in_a_row, each.next_at = each.failures + 1, each.in_a_row + 1, now
            return 0
        each.since, each.error, each.in_a_row = now, None, 0
        each.done += each.done_last
        return each.done_last

    async def _take(self, name: str, give_up: float) -> None:
        while True:
            now = self._machine.now()
            free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
            if await JobRow.filter(free, name=name).update(owner=self._owner, leased_until=now + LEASE):
                return
            if asyncio.get_running_loop().time() > give_up:
                started_at: datetime | None = (await JobRow.get(name=name)).started_at
                raise JobRunning(job=name, started_at=now if started_at is None else started_at)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _give_back(self) -> None:
        for name, each in self.walked.items():
            changes: dict[str, object] = {}
            if each.began_at is not None:
                changes = {
                    "next_at": each.next_at,
                    "started_at": each.began_at,
                    "finished_at": each.began_at,
                    "succeeded_at": each.since,
                    "runs": F("runs") + each.runs,
                    "failures": F("failures") + each.failures,
                    "failures_in_a_row": each.in_a_row,
                    "error": each.error,
                    **({"done": each.done_last} if each.runs > each.failures else {}),
                }
            await self._mine().filter(name=name).update(owner=None, leased_until=None, **changes)

    def _mine(self) -> QuerySet[JobRow]:
        return JobRow.filter(owner=self._owner)


def renewed_every() -> timedelta:
    """How often ``keep`` is to be called."""
    return LEASE / 3
