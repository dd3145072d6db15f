"""The simulations that there were: one at a time runs on a database, under a lease that whoever runs it renews.

``now`` is the programme's, by which it is told when they were; ``machine_now`` the machine's, by which leases run.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from core.books.members import new_id
from core.errors import NotFound, Refusal, fact
from core.models import SimulationRow
from core.oversight.auditing import audited, write_down
from core.people.membership import check_reason

LEASE: Final = timedelta(seconds=30)
_PLACE: Final = "running"
_GONE: Final = "the process that ran it is gone"


class State(StrEnum):
    """Where a simulation stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SimulationNotFound(NotFound):
    """There is no simulation with that id."""

    code = "SIMULATION_NOT_FOUND"
    says = "no simulation {simulation}"
    says_zh = "没有模拟 {simulation}"
    simulation: str = fact("The id as it was given.")


class SimulationRunning(Refusal):
    """Another simulation runs on this database. One at a time does: wait for it, or cancel it."""

    code = "SIMULATION_RUNNING"
    says = "a simulation of {simulated_by} runs since {running_since}"
    says_zh = "{simulated_by} 的模拟自 {running_since} 起正在运行"
    simulated_by: str = fact("Who began it.")
    running_since: datetime = fact("Since when it runs.")


class SimulationEnded(Refusal):
    """The simulation is done, has failed or was cancelled before."""

    code = "SIMULATION_ENDED"
    says = "the simulation is {state}"
    says_zh = "该模拟的状态为 {state}"
    state: str = fact("done, failed or cancelled.")


async def begin(
    *,
    document: str,
    digest: str,
    since: datetime,
    until: datetime,
    actor: str,
    reason: str | None,
    now: datetime,
    machine_now: datetime,
) -> SimulationRow:
    """Take the place. Raises SimulationRunning, InvalidValue for a reason that says nothing."""
    if reason is not None:
        check_reason(reason)
    await reap(now, machine_now)

    async def write() -> SimulationRow:
        # Who is faster between this and the next is found here at the second attempt.
        if (other := await SimulationRow.get_or_none(place=_PLACE)) is not None:
            raise SimulationRunning(simulated_by=other.actor, running_since=other.started_at)
        row = await SimulationRow.create(
            id=new_id(),
            state=State.RUNNING,
            place=_PLACE,
            document=document,
            digest=digest,
            since=since,
            until=until,
            step="begin",
            done=0,
            total=0,
            actor=actor[:200],
            reason=reason,
            started_at=now,
            leased_until=machine_now + LEASE,
        )
        await write_down(
            now,
            before={},
            after={"simulation": row.id, "digest": digest, "since": since.isoformat(), "until": until.isoformat()},
        )
        return row

    return await audited(write)


async def advance(simulation: str, step: str, done: int, total: int, machine_now: datetime) -> bool:
    """Note how far it is, and renew the lease; False when it was cancelled meanwhile, or taken for dead."""
    mine = SimulationRow.filter(id=simulation, state=State.RUNNING)
    changed = await mine.update(step=step, done=done, total=total, leased_until=machine_now + LEASE)
    # MariaDB counts the rows that are another then, and not those that were found.
    return bool(changed) or await mine.exists()


async def finish(simulation: str, result: Mapping[str, Any], now: datetime) -> None:
    """Keep the result."""
    await _end(simulation, now, state=State.DONE, result=dict(result), step="end", done=1, total=1)


async def fail(simulation: str, error: str, now: datetime) -> None:
    """Keep what was wrong."""
    await _end(simulation, now, state=State.FAILED, error=error[:500])


async def cancel(simulation: str, now: datetime, machine_now: datetime) -> SimulationRow:
    """Let it be given up by whoever runs it. Raises SimulationNotFound, SimulationEnded."""
    await reap(now, machine_now)

    async def write() -> SimulationRow:
        if await _end(simulation, now, state=State.CANCELLED):
            await write_down(now, before={"state": State.RUNNING}, after={"state": State.CANCELLED})
        elif (row := await SimulationRow.get_or_none(id=simulation)) is None:
            raise SimulationNotFound(simulation=simulation[:100])
        else:
            raise SimulationEnded(state=row.state)
        return await SimulationRow.get(id=simulation)

    return await audited(write)


async def reap(now: datetime, machine_now: datetime) -> int:
    """What nobody has renewed for the time of a lease has failed; how many there were.

    Leases go by the machine's clock: a sandbox's may be moved by a year meanwhile.
    """
    return await SimulationRow.filter(state=State.RUNNING, leased_until__lt=machine_now).update(
        state=State.FAILED, place=None, error=_GONE, finished_at=now
    )


async def _end(simulation: str, now: datetime, **changes: Any) -> int:
    return await SimulationRow.filter(id=simulation, state=State.RUNNING).update(place=None, finished_at=now, **changes)
