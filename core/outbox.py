"""The outbox: events told after the commit that wrote them, at least once, in order for each member.

Any number of processes may deliver. One takes the oldest events of some members under a lease, tells them, and deletes
what was heard. What was not heard stays, holds back the later events of its member, and is told again when the lease
has run out; so is what a killed process had taken.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from tortoise.expressions import Q, Subquery

from core.clock import Clock
from core.errors import Unavailable
from core.events import Delivery
from core.models import OutboxRow
from core.operations import Operation, Outcome

log = logging.getLogger("laurel.outbox")

Submit = Callable[[Operation], Awaitable[Outcome]]
Consumer = Callable[[Delivery, Submit], Awaitable[None]]

BATCH_MAX: Final = 200
LEASE: Final = timedelta(seconds=30)


class Deliverer:
    """Tells the consumers, by name, what is in the outbox. Enter it to deliver in the background.

    ``pause`` is how long, in seconds, it waits when there is nothing to tell.
    """

    def __init__(self, consumers: Mapping[str, Consumer], submit: Submit, clock: Clock, *, pause: float = 0.5) -> None:
        self._consumers = consumers
        self._submit = submit
        self._clock = clock
        self._pause = pause
        self._closing = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._consumers:
            self._runner = asyncio.create_task(self._run(), name="deliverer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner

    async def drain(self) -> int:
        """Deliver until nothing can be delivered at present; how many events were heard."""
        heard = 0
        while fresh := await self.deliver():
            heard += fresh
        return heard

    async def deliver(self) -> int:
        """Take some events and tell them; how many were heard."""
        heard = 0
        for rows in await self._take():
            for row in rows:
                if not await self._tell(row):
                    break  # what comes after it must not overtake it
                await OutboxRow.filter(bucket=row.bucket, member_id=row.member_id, id=row.id).delete()
                heard += 1
        return heard

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if await self.drain():
                    continue
            except Exception:
                # The database is away, or a table is: that is told by whoever needs it; here it is tried again.
                log.exception("the outbox could not be read")
            try:
                await asyncio.wait_for(self._closing.wait(), self._pause)
            except TimeoutError:
                continue

    async def _take(self) -> Sequence[Sequence[OutboxRow]]:
        """The oldest events, by member, that nobody else is telling; they are ours until the lease has run out."""
        now = self._clock.now()
        # Somebody tells an earlier event of these members, and a later one must not overtake it. Left out before the
        # oldest are counted, as they would stand before all others until their lease has run out.
        held_back = Subquery(OutboxRow.filter(leased_until__gt=now).values("member_id"))
        rows = await OutboxRow.exclude(member_id__in=held_back).order_by("id").limit(BATCH_MAX)
        by_member: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            by_member[row.member_id].append(row)
        taken = []
        free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        for member_id, events in by_member.items():
            ours = OutboxRow.filter(free, bucket=events[0].bucket, member_id=member_id, id__in=[e.id for e in events])
            if await ours.update(leased_until=now + LEASE) == len(events):
                taken.append(events)
        return taken

    async def _tell(self, row: OutboxRow) -> bool:
        """Tell one event to every consumer; whether all have heard it."""
        delivery = Delivery(row.id, row.member_id, row.name, row.payload, row.recorded_at)
        for name, consumer in self._consumers.items():
            try:
                await consumer(delivery, self._submit)
            except Unavailable as away:
                log.warning("%s has not heard %s %s: %s", name, row.name, row.id, away)
                return False
            except Exception:
                log.exception("%s has not heard %s %s", name, row.name, row.id)
                return False
        return True
