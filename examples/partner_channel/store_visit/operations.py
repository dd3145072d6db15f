"""What can be done: record a store visit."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from core.channels.awards import earn_by_rules
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import day_start, next_day

from .models import StoreVisitDay
from .refusals import StoreVisitNotOffered, StoreVisitRecorded
from .rules import CHANNEL, EventFacts, MemberFacts, StoreVisitSettings


@dataclass(frozen=True, kw_only=True)
class RecordStoreVisit(Operation):
    """A store visit of today. Refuses StoreVisitNotOffered, StoreVisitRecorded, MemberNotActive, MemberFrozen."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "record"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise StoreVisitNotOffered(at=work.now)
        assert isinstance(settings, StoreVisitSettings)
        work.check_may_earn()
        # The programme's day, whatever the clocks of the server and of the member say.
        today = work.today
        row = await work.find(StoreVisitDay, day=today)
        if row is None:
            work.add(StoreVisitDay, day=today, taken_back=False)
        elif row.taken_back:
            row.taken_back = False
            work.save(row)
        else:
            raise StoreVisitRecorded(day=today, resets_at=day_start(next_day(today), work.programme.zone))
        facts = {"event": EventFacts(work.now), "member": MemberFacts(work.member.tier)}
        awarded = await earn_by_rules(work, CHANNEL, settings.earn, facts)
        work.tell("store_visit.recorded", day=today.isoformat())
        return {
            "day": today.isoformat(),
            "awards": awarded.points,
            "trace": awarded.trace,
            "seen": awarded.seen,
        }


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes it back, it is as if it had never been."""
    if event.name != TRANSACTION_REVERSED or event.payload["channel"] != CHANNEL or not event.payload["whole"]:
        return
    (reversed_,) = await work.rows(Recorded, id=event.payload["transaction"])
    row = await work.find(StoreVisitDay, day=date.fromisoformat(reversed_.result["day"]))
    assert row is not None, "a transaction of this channel has its day"
    row.taken_back = True
    work.save(row)
