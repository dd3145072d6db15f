"""Telling that a member has not been there for long: once for each number of days and each absence.

Nothing is kept but the operations, whose keys say what was told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from core.books.members import BUCKETS, ById, MemberStatus
from core.books.tallies import day_number, day_of
from core.engine.operations import Operation
from core.engine.work import Work
from core.scheduling.jobs import Run
from core.time.calendar import local_day

from .events import MEMBER_ABSENT
from .rules import CHANNEL, Absence, MessageSettings

_SLICES: Final = 16
"""How many parts the members are read in, so that memory does not grow with them."""


@dataclass(frozen=True, kw_only=True)
class TellAbsence(Operation):
    """Tell that a member was last there on ``since``, unless they have come back. Only who is active is missed."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "absent"

    since: date
    days: int
    activities: tuple[str, ...]

    async def perform(self, work: Work) -> dict[str, Any]:
        back = [await work.counted(name, since=self.since + timedelta(days=1)) for name in self.activities]
        told = work.member.status == MemberStatus.ACTIVE and not any(amount > 0 for amount in back)
        if told:
            work.tell(MEMBER_ABSENT, since=self.since.isoformat(), days=self.days)
        return {"told": told}


def spans(days: tuple[int, ...], today: date, done: date | None) -> Iterator[tuple[int, date, date]]:
    """The last days on which members were there who are to be told of today, each with for how long that is.

    After a standstill an absence is told of by the longest time that has come.

    >>> list(spans((30,), date(2026, 6, 30), None))
    [(30, datetime.date(2026, 5, 31), datetime.date(2026, 5, 31))]
    """
    until = today
    for number in sorted(days, reverse=True):
        last = today - timedelta(days=number)
        first = last if done is None else done - timedelta(days=number - 1)
        if until != today:
            first = max(first, until + timedelta(days=1))
        if first <= last:
            yield number, first, last
        until = last


async def tell_absent(run: Run) -> int:
    """Tell of those whose absence is as long as the programme asks for; how many there were."""
    settings = run.programme.channels.get(CHANNEL)
    if not isinstance(settings, MessageSettings) or settings.absence is None:
        return 0
    zone, absence, told = run.programme.zone, settings.absence, 0
    today, done = local_day(run.now, zone), None if run.since is None else local_day(run.since, zone)
    for days, first, last in spans(absence.days, today, done):
        for part in range(_SLICES):
            told += await run.submit(
                TellAbsence(
                    member=ById(member_id),
                    idempotency_key=f"absent:{since}:{days}",
                    actor=run.actor,
                    since=since,
                    days=days,
                    activities=absence.activities,
                )
                for member_id, since in await _absent(run, absence, first, last, part)
            )
    return told


async def _absent(run: Run, absence: Absence, first: date, last: date, part: int) -> list[tuple[str, date]]:
    """Who was there for the last time on the days ``first`` to ``last``, and when, of a part of the members."""
    width = BUCKETS // _SLICES
    # The names are those that plugins register, and never a stranger's.
    names = ", ".join(f"'{name}'" for name in absence.activities)
    rows = await run.reader.query(
        f"SELECT member_id, MAX(day) AS latest FROM tally WHERE bucket >= {part * width}"
        f" AND bucket < {(part + 1) * width} AND name IN ({names}) AND amount > 0"
        f" GROUP BY member_id HAVING MAX(day) >= {day_number(first)} AND MAX(day) <= {day_number(last)}"
    )
    return [(member_id, day_of(int(latest))) for member_id, latest in rows]
