"""Telling members what they are about to lose: once for each day and each number of days before it.

Nothing is kept but the operations themselves, whose keys say what was told.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple
from zoneinfo import ZoneInfo

from core.books.lots import Lot
from core.books.members import BUCKETS, ById, MemberStatus
from core.engine.operations import Operation
from core.engine.work import Work
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.telling.events import POINTS_EXPIRING
from core.time.calendar import day_start, local_day, next_day
from core.time.clock import instant, microseconds

_SLICES: Final = 8
"""How many parts the members are read in, so that memory does not grow with the year's end."""


@dataclass(frozen=True, kw_only=True)
class RemindOfExpiry(Operation):
    """Tell what a member will lose of a unit on a day. Nobody is told of nothing, nor whose membership is closed."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "remind"

    unit: str
    expires_on: date
    days: int

    async def perform(self, work: Work) -> dict[str, Any]:
        zone = work.programme.zone
        first, last = day_start(self.expires_on, zone), day_start(next_day(self.expires_on), zone)
        lots: list[Lot] = await work.rows(Lot, "remaining > 0", unit=self.unit)
        # What waits for a review is lost only when it was let go.
        lots = [lot for lot in lots if not lot.lapsed(work.now) and not lot.waits_for_review]
        lost = [lot for lot in lots if lot.expires_at and first <= lot.expires_at < last]
        points, day = sum(lot.remaining - lot.held for lot in lost), self.expires_on.isoformat()
        if points and work.member.status != MemberStatus.CLOSED:
            work.tell(POINTS_EXPIRING, unit=self.unit, points=points, expires_on=day, days=self.days)
        return {"unit": self.unit, "points": points, "expires_on": day, "days": self.days}


class Span(NamedTuple):
    """The days of expiry, both included, of which members are told ``days`` before."""

    days: int
    first: date
    last: date


def spans(remind_days: tuple[int, ...], today: date, done: date | None) -> Iterator[Span]:
    """What has to be told today, when all has been told that was due on the day ``done``.

    After a standstill a day is told of once, by the reminder that is nearest to it.
    """
    nearer = 0
    for days in sorted(remind_days):
        first, last = today + timedelta(days=nearer + 1), today + timedelta(days=days)
        if done is not None:
            first = max(first, done + timedelta(days=days + 1))
        if first <= last:
            yield Span(days, first, last)
        nearer = days


async def reminders_due(
    reader: Reader, programme: Programme, now: datetime, since: datetime | None, *, actor: str
) -> AsyncIterator[list[Operation]]:
    """The reminders that are due, in parts; ``since`` is when all that was due then had been told."""
    zone = programme.zone
    today, done = local_day(now, zone), None if since is None else local_day(since, zone)
    for unit in programme.all_units.values():
        for span in spans(unit.expiry.remind_days, today, done):
            for part in range(_SLICES):
                yield [
                    RemindOfExpiry(
                        member=ById(member_id),
                        idempotency_key=f"remind:{unit.name}:{day}:{span.days}",
                        actor=actor,
                        unit=unit.name,
                        expires_on=day,
                        days=span.days,
                    )
                    for member_id, day in await _losing(reader, unit.name, span, part, zone)
                ]


async def _losing(reader: Reader, unit: str, span: Span, part: int, zone: ZoneInfo) -> list[tuple[str, date]]:
    """Who loses something on the days of the span, and on which, of one part of the members."""
    since, until = microseconds(day_start(span.first, zone)), microseconds(day_start(next_day(span.last), zone))
    width = BUCKETS // _SLICES
    rows = await reader.query(
        f"SELECT DISTINCT member_id, expires_at FROM lot WHERE expires_at >= {since} AND expires_at < {until}"
        f" AND bucket >= {part * width} AND bucket < {(part + 1) * width} AND unit = '{unit}' AND remaining > held"
    )
    return sorted({(member_id, local_day(instant(expires_at), zone)) for member_id, expires_at in rows})
