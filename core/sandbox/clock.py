"""The programme's clock: the machine's, and in a sandbox ahead of it by what stands in the database.

A sandbox is made before the first programme is published, and never afterwards, so that no clock is moved under
members whose points are worth something. The row of ``clock`` says what the database is, for all processes. By how
much the clock is ahead is read with the published versions (``core.rulebook.programmes``), in the same statement, so
that it costs nobody one.

What keeps order between processes goes by the machine's clock everywhere: tokens, keys, signatures, leases.
"""

from datetime import datetime, timedelta
from typing import Final

from tortoise.exceptions import IntegrityError

from core.errors import LaurelError
from core.models import ClockRow, ProgrammeVersionRow
from core.sandbox.refusals import SandboxTooLate
from core.store.databases import unit_of_work
from core.store.dialect import Reader
from core.time.clock import Clock

THE_CLOCK: Final = 1
"""The number of the only row."""


class SandboxNotLive(LaurelError):
    """The programme is said to be live, and the database is a sandbox."""


class ProgrammeClock:
    """The time by which points expire, tiers are judged and jobs are due. It only goes forward."""

    def __init__(self, machine: Clock) -> None:
        self.machine = machine
        self.is_sandbox = False
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return self.machine.now() + self._ahead

    @property
    def ahead(self) -> timedelta:
        """By how much it is ahead of the machine's."""
        return self._ahead

    def follow(self, ahead: int) -> None:
        """Take over from the database by how many microseconds it is ahead."""
        # What was read before another moved it comes late now and then.
        self._ahead = max(self._ahead, timedelta(microseconds=ahead))

    async def look(self, reader: Reader) -> None:
        """Find out what the database is."""
        for is_sandbox, ahead in await reader.query("SELECT is_sandbox, ahead FROM clock"):
            self.is_sandbox = bool(is_sandbox)
            self.follow(ahead)


async def make_sandbox() -> bool:
    """Let the database be a sandbox, for good; whether it was none before. Raises SandboxTooLate."""

    async def write() -> bool:
        row = await ClockRow.get_or_none(id=THE_CLOCK)
        if row is not None and row.is_sandbox:
            return False
        if row is not None or await ProgrammeVersionRow.exists():
            raise SandboxTooLate
        await ClockRow.create(id=THE_CLOCK, is_sandbox=True)
        return True

    try:
        return await unit_of_work(write)
    except IntegrityError:
        return await unit_of_work(write)  # somebody was faster, and what they did stands there now


async def settle_clock() -> None:
    """Let the database be no sandbox from now on, unless it is one; in the transaction that publishes first.

    Who makes it one at the same moment gets the same row, and one of both an IntegrityError.
    """
    if not await ClockRow.exists():
        await ClockRow.create(id=THE_CLOCK, is_sandbox=False)


async def moving_to(machine: Clock) -> datetime | None:
    """Where the clock is on its way to, when somebody moves it at this moment."""
    row = await ClockRow.get_or_none(id=THE_CLOCK)
    leased_until: datetime | None = None if row is None else row.leased_until
    if row is None or leased_until is None or leased_until <= machine.now():
        return None
    target: datetime | None = row.moving_to
    return target
