"""Moving a sandbox's clock, so that afterwards all is as if the time had passed.

The clock is not set to its end but walks there, from one time at which jobs are due to the next: to the beginning of
each day, when points expire and tiers are judged, and to each time of day that a job has. There the jobs do what is
due, and what they tell is heard, before the clock goes on. So a birthday in between is a birthday, a reminder is told
on its day, and what was told by then is not too late.

Each step stands in the database before its jobs run, so that all processes have one clock. Whoever moves it has it, and
all jobs, under a lease of the machine's time. When they die the clock stands where it had come, and all before that is
done.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tortoise.expressions import Q

from core.books.members import new_id
from core.errors import InvalidValue
from core.models import ClockRow
from core.oversight.auditing import audited, write_down
from core.rulebook.programmes import Programmes
from core.sandbox.clock import THE_CLOCK, ProgrammeClock
from core.sandbox.durations import Duration
from core.sandbox.refusals import ClockGoesForward, ClockMoving, ClockTooFar, NotASandbox
from core.sandbox.walking import Walk, Walked, renewed_every
from core.scheduling.jobs import LEASE, Jobs
from core.store import Store
from core.store.databases import unit_of_work
from core.telling.outbox import Deliverer, hasten, settled
from core.time.calendar import day_start, local_day, next_day
from core.time.clock import Clock, rfc3339

AT_ONCE: Final = timedelta(days=732)
"""How far the clock goes at once: two years, whichever."""
AHEAD_MAX: Final = timedelta(days=50 * 366)
"""How far it may be ahead of the machine's."""

_HEARD_SECONDS: Final = 15.0
"""How long is waited at each step for others to deliver what they have begun to deliver."""


@dataclass(frozen=True)
class Advance:
    """The clock was moved ``was`` → ``now``; what jobs did meanwhile, and how many events were heard."""

    was: datetime
    now: datetime
    jobs: Sequence[Walked]
    heard: int


class Sandbox:
    """What is done with the clock of one database."""

    def __init__(
        self, clock: ProgrammeClock, programmes: Programmes, jobs: Jobs, deliverer: Deliverer, store: Store
    ) -> None:
        self._clock = clock
        self._machine: Clock = clock.machine
        self._programmes = programmes
        self._jobs = jobs
        self._deliverer = deliverer
        self._store = store

    async def advance(self, *, by: Duration | None = None, until: datetime | None = None) -> Advance:
        """Move the clock by a duration or to an instant, and do what becomes due on the way.

        Raises NotASandbox, InvalidValue for neither or both, ProgrammeNotFound, ClockGoesForward, ClockTooFar,
        ClockMoving, JobRunning.
        """
        if not self._clock.is_sandbox:
            raise NotASandbox
        if (by is None) == (until is None):
            raise InvalidValue(field="by", reason="either by or until is needed, and not both")
        async with self._held() as owner:
            await self._programmes.refresh(self._store.reader())
            was = self._clock.now()
            target = self._target(was, by, until)
            await ClockRow.filter(id=THE_CLOCK, owner=owner).update(moving_to=target)
            async with Walk(self._jobs, self._machine, owner) as walk:
                keeping = asyncio.create_task(self._keep(walk, owner), name="sandbox")
                try:
                    heard = await self._walk(walk, owner, target)
                finally:
                    keeping.cancel()
            now = self._clock.now()
            await audited(lambda: write_down(now, before={"clock": rfc3339(was)}, after={"clock": rfc3339(now)}))
            return Advance(was, now, [each for each in walk.walked.values() if each.runs], heard)

    def _target(self, was: datetime, by: Duration | None, until: datetime | None) -> datetime:
        zone = self._programmes.at(was).programme.zone
        furthest = min(was + AT_ONCE, self._machine.now() + AHEAD_MAX)
        try:
            target = until if by is None else by.after(was, zone)
        except OverflowError:
            target = datetime.max.replace(tzinfo=UTC)
        assert target is not None, "one of both was given"
        if target <= was:
            raise ClockGoesForward(clock_at=was, moved_until=target)
        if target > furthest:
            raise ClockTooFar(furthest_at=furthest, moved_until=target)
        return target

    async def _walk(self, walk: Walk, owner: str, target: datetime) -> int:
        """Go there step by step; how many events were heard on the way."""
        heard, stands_at_all = 0, True
        while True:
            now = self._clock.now()
            zone = self._programmes.at(now).programme.zone
            # At the first step: what was due before anybody moved anything.
            await walk.run_due(now, zone, all_of_them=stands_at_all)
            heard += await settled(self._deliverer, self._machine, patience=_HEARD_SECONDS)
            now = self._clock.now()
            if now >= target:
                return heard
            midnight = day_start(next_day(local_day(now, zone)), zone)
            daily = walk.next_daily(now)
            step = min(midnight, target) if daily is None else min(midnight, target, daily)
            stands_at_all = step in {midnight, target}
            await self._step(owner, step)
            if stands_at_all:
                # Somebody may publish meanwhile.
                await self._programmes.refresh(self._store.reader())

    async def _step(self, owner: str, step: datetime) -> None:
        by = max(step - self._clock.now(), timedelta(0))
        ahead = (self._clock.ahead + by) // timedelta(microseconds=1)

        async def write() -> None:
            if not await ClockRow.filter(id=THE_CLOCK, owner=owner).update(ahead=ahead):
                raise ClockMoving(moved_until=step)  # we were away for longer than the lease, and another has it
            await hasten(by, self._machine)

        await unit_of_work(write)
        self._clock.follow(ahead)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[str]:
        """Have the clock, which nobody else moves meanwhile."""
        owner, now = new_id(), self._machine.now()
        free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        held = await ClockRow.filter(free, id=THE_CLOCK).update(
            owner=owner, leased_until=now + LEASE, moving_to=self._clock.now()
        )
        if not held:
            target: datetime | None = (await ClockRow.get(id=THE_CLOCK)).moving_to
            raise ClockMoving(moved_until=self._clock.now() if target is None else target)
        try:
            yield owner
        finally:
            freed = ClockRow.filter(id=THE_CLOCK, owner=owner)
            await asyncio.shield(freed.update(owner=None, leased_until=None, moving_to=None))

    async def _keep(self, walk: Walk, owner: str) -> None:
        while True:
            await asyncio.sleep(renewed_every().total_seconds())
            await ClockRow.filter(id=THE_CLOCK, owner=owner).update(leased_until=self._machine.now() + LEASE)
            await walk.keep()
