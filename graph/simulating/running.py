"""Simulations that this process has begun: each with a process of its own that replays, and a task that hears it."""

import asyncio
import contextvars
import logging
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from tortoise.exceptions import DBConnectionError, OperationalError

from core.errors import LaurelError
from core.models import SimulationRow
from core.rulebook.programmes import Programmes
from core.simulating import book
from core.simulating.ranges import check
from core.store.dialect import Reader
from core.telling.changes import Changes
from core.time.clock import Clock
from graph.settings import Settings
from graph.simulating.process import Finished, Progress, replay

log = logging.getLogger("laurel.simulating")

_RENEWED_SECONDS: Final = 1.0


class Simulations:
    """Begins simulations, and ends them with this process."""

    def __init__(
        self, settings: Settings, programmes: Programmes, clock: Clock, changes: Changes, *, machine: Clock
    ) -> None:
        self._settings = settings
        self._programmes = programmes
        self._clock = clock
        self._changes = changes
        self._machine = machine
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begin(
        self, reader: Reader, document: str, since: datetime, until: datetime, *, actor: str, reason: str | None
    ) -> SimulationRow:
        """Begin one. Raises ProgrammeInvalid, InvalidInstant, NothingToSimulate, SimulationRunning, InvalidValue."""
        programme = await self._programmes.read(document)
        now = self._clock.now()
        await check(reader, self._programmes, programme, since, until, now)
        row = await book.begin(
            document=document,
            digest=programme.digest,
            since=since,
            until=until,
            actor=actor,
            reason=reason,
            now=now,
            machine_now=self._machine.now(),
        )
        # In a context of its own: it outlives the request, and what the request holds.
        task = asyncio.get_running_loop().create_task(
            self._run(row.id, document, since, until, now), context=contextvars.Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return row

    async def cancel(self, simulation: str) -> SimulationRow:
        """Give one up, whichever process runs it. Raises SimulationNotFound, SimulationEnded."""
        row = await book.cancel(simulation, self._clock.now(), self._machine.now())
        self.tell(simulation)
        return row

    async def reap(self) -> None:
        """Give up what a process has begun that is gone."""
        await book.reap(self._clock.now(), self._machine.now())

    def tell(self, simulation: str) -> None:
        """Wake whoever follows it, here and in other processes."""
        self._changes.heard({simulation})
        if self._changes.carry is not None:
            self._changes.carry({simulation})

    async def _run(self, simulation: str, document: str, since: datetime, until: datetime, begun: datetime) -> None:
        try:
            await self._follow(simulation, document, since, until, begun)
        except asyncio.CancelledError:
            await book.fail(simulation, "the server that ran it has stopped", self._clock.now())
            raise
        except LaurelError as error:
            await book.fail(simulation, str(error), self._clock.now())
        except Exception as error:
            log.exception("simulation %s", simulation)
            await book.fail(simulation, f"{type(error).__name__}: {error}", self._clock.now())
        self.tell(simulation)

    async def _follow(self, simulation: str, document: str, since: datetime, until: datetime, begun: datetime) -> None:
        said = _Said()

        async def renew() -> None:
            # Beside what the process says, which may say nothing for a while.
            told = None
            while True:
                said.more.clear()
                progress = said.progress
                try:
                    mine = await book.advance(
                        simulation, progress.step, progress.done, progress.total, self._machine.now()
                    )
                except (DBConnectionError, OperationalError):
                    # What lasts longer than the lease ends it, here and for whoever looks.
                    log.warning("simulation %s could not be renewed", simulation, exc_info=True)
                else:
                    if not mine:
                        raise _Given
                    if progress is not told:
                        self.tell(simulation)
                        told = progress
                with suppress(TimeoutError):
                    async with asyncio.timeout(_RENEWED_SECONDS):
                        await said.more.wait()

        renewing = asyncio.create_task(renew())
        hearing = asyncio.create_task(self._hear(document, since, until, begun, said))
        try:
            await asyncio.wait({renewing, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if renewing.done():
                await renewing
            finished = await hearing
            for each in (*finished.result["members"]["hurt"], *finished.result["members"]["helped"]):
                del each["external_id"]  # it would outlast the member's being erased
            await book.finish(simulation, finished.result, self._clock.now())
        except _Given:
            return
        finally:
            for task in (renewing, hearing):
                task.cancel()
            await asyncio.gather(renewing, hearing, return_exceptions=True)

    async def _hear(self, document: str, since: datetime, until: datetime, begun: datetime, said: "_Said") -> Finished:
        replaying = replay(self._settings, document, since, until, begun)
        try:
            async for each in replaying:
                if isinstance(each, Finished):
                    return each
                said.progress = each
                said.more.set()
        finally:
            # Not left to the collector: it is what ends the process.
            await replaying.aclose()
        raise AssertionError("a result or an error ends it")


class _Said:
    """How far the process is by what it said last, and whether that is more than was noted."""

    def __init__(self) -> None:
        self.progress = Progress("begin", 0, 0)
        self.more = asyncio.Event()


class _Given(Exception):
    """It was cancelled, and is given up."""
