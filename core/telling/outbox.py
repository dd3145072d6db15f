"""The outbox: events told after the commit that wrote them, at least once, in order for each member and consumer.

An event lies in the outbox once for each of its consumers (``core.telling.routes``), so that none waits for another.
Any number of processes may deliver. One takes the oldest events of some members under a lease, tells them, and deletes
what was heard. What was not heard stays, holds back the later events of its member for that consumer, and is told again
later; so is what a killed process had taken.

A consumer is a plugin, which is told again until it hears, or a place outside (``core.telling.destinations``), which is
given up after some days, or at once where another attempt is of no use: the event is dead then, holds nobody back, and
waits for ``revive``. A place may also put something in the outbox itself, for another one (``put``).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from core.books.members import bucket_of, new_id
from core.engine.operations import Operation, Outcome
from core.errors import Unavailable
from core.models import OutboxRow
from core.store import Store
from core.store.dialect import in_words_of
from core.telling.destinations import RETRIES, Destinations, NotHeard, NotYet
from core.telling.events import Delivery
from core.telling.routes import Routes
from core.time.clock import Clock

log = logging.getLogger("laurel.outbox")

Submit = Callable[[Operation], Awaitable[Outcome]]
Consumer = Callable[[Delivery, Submit], Awaitable[None]]

BATCH_MAX: Final = 200
LANES_MAX: Final = 16
"""How many members' events one consumer is told side by side."""
LEASE: Final = timedelta(seconds=30)
CARRY_SECONDS: Final = 12.0
"""The longest that carrying one event may take; a lease that is nearer to its end is not used any more."""
REFRESH: Final = timedelta(seconds=5)
"""How soon every process knows of a new place outside."""

_ERROR_MAX: Final = 500
_OF_OLD: Final = ""
"""The consumer of rows that were written before there was one row for each."""


class _Told(Enum):
    HEARD = "heard"
    LATER = "later"
    GIVEN_UP = "given up"


class Deliverer:
    """Tells the consumers what is in the outbox. Enter it to deliver in the background.

    ``consumers`` and ``destinations`` are plugins, by name; a place of a plugin's destinations is the consumer
    ``<plugin>:<place>``. ``routes`` are told which places there are. ``pause`` is how long, in seconds, it waits when
    there is nothing to tell. Leases go by the ``machine``'s clock, as who has one works in real time.
    """

    def __init__(
        self,
        consumers: Mapping[str, Consumer],
        submit: Submit,
        clock: Clock,
        *,
        destinations: Mapping[str, Destinations] | None = None,
        routes: Routes | None = None,
        pause: float = 0.5,
        machine: Clock | None = None,
    ) -> None:
        self._consumers = consumers
        self._submit = submit
        self._clock = clock
        self._machine = machine or clock
        self._destinations = destinations or {}
        self._routes = routes or Routes()
        self._pause = pause
        self._places: Sequence[str] = ()
        self._refreshed: datetime | None = None
        self._resting: dict[str, datetime] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for each in self._destinations.values():
            await self._opened.enter_async_context(each)
        await self.refresh()
        if self._consumers or self._destinations:
            self._runner = asyncio.create_task(self._run(), name="deliverer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self._opened.aclose()

    async def stop(self) -> None:
        """Deliver no more in the background; ``drain`` still does."""
        if self._runner is not None:
            self._closing.set()
            await self._runner
            self._runner = None
            self._closing.clear()

    async def refresh(self) -> None:
        """Ask which places there are, and which events they want, from now on."""
        places: dict[str, Collection[str]] = {}
        for plugin, each in self._destinations.items():
            places |= {f"{plugin}:{place}": events for place, events in (await each.wanted()).items()}
        self._places = tuple(places)
        self._routes.replace(places)
        self._refreshed = self._machine.now()

    async def drain(self) -> int:
        """Deliver until nothing can be delivered at present; how many events were heard."""
        heard = 0
        while fresh := await self.deliver():
            heard += fresh
        return heard

    async def deliver(self) -> int:
        """Take some events of every consumer and tell them; how many were heard."""
        return sum(await asyncio.gather(*(self._deliver_to(consumer) for consumer in self._awake())))

    # -- in the background --------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if self._refreshed is None or self._machine.now() - self._refreshed >= REFRESH:
                    await self.refresh()
            except Exception:
                # The database is away, or a table is: that is told by whoever needs it; here it is tried again.
                log.exception("the places that events go to could not be read")
            for consumer in await self._addressed(self._awake()):
                # A task for each, so that a slow one delays nobody else.
                if consumer not in self._telling or self._telling[consumer].done():
                    self._telling[consumer] = asyncio.create_task(self._keep_telling(consumer))
            try:
                await asyncio.wait_for(self._closing.wait(), self._pause)
            except TimeoutError:
                continue
        await asyncio.gather(*self._telling.values())

    async def _addressed(self, consumers: Sequence[str]) -> Sequence[str]:
        """Those of the consumers for whom there is anything, found with one statement; all of them where it fails."""
        if not consumers:
            return consumers
        exists = "EXISTS (SELECT 1 FROM outbox WHERE consumer = ? AND dead = ?)"
        values = [value for consumer in consumers for value in (consumer, False)]
        try:
            reader = Store().reader()
            sql = f"SELECT {', '.join(f'{exists} AS c{at}' for at, _ in enumerate(consumers))}"
            [found] = await reader.query(in_words_of(reader, sql), values)
        except Exception:
            return consumers  # whoever takes what is there says what is wrong
        return [consumer for consumer, is_there in zip(consumers, found, strict=True) if is_there]

    async def _keep_telling(self, consumer: str) -> None:
        try:
            while not self._closing.is_set() and self._is_awake(consumer) and await self._deliver_to(consumer):
                pass
        except Exception:
            log.exception("the outbox could not be read")

    def _awake(self) -> list[str]:
        """The consumers that can be told something now."""
        of_old = (_OF_OLD,) if self._consumers else ()
        return [name for name in (*of_old, *self._consumers, *self._places) if self._is_awake(name)]

    def _is_awake(self, consumer: str) -> bool:
        rests = self._resting.get(consumer)
        return rests is None or rests <= self._clock.now()

    # -- one consumer -------------------------------------------------------------------------------

    async def _deliver_to(self, consumer: str) -> int:
        """Take some events of a consumer and tell them; how many were heard."""
        self._resting.pop(consumer, None)
        lanes = await self._take(consumer)
        if not lanes:
            return 0
        ends = asyncio.get_running_loop().time() + LEASE.total_seconds() - CARRY_SECONDS
        room = asyncio.Semaphore(LANES_MAX)
        untold: list[str] = []

        async def tell(rows: Sequence[OutboxRow]) -> int:
            heard = 0
            async with room:
                for at, row in enumerate(rows):
                    if consumer in self._resting or self._closing.is_set() or asyncio.get_running_loop().time() > ends:
                        untold.extend(later.id for later in rows[at:])
                        break
                    told = await self._tell(row)
                    if told is _Told.LATER:
                        # What comes after it must not overtake it.
                        untold.extend(later.id for later in rows[at + 1 :])
                        break
                    if told is _Told.HEARD:
                        await _of([row]).delete()
                        heard += 1
            return heard

        heard = sum(await asyncio.gather(*(tell(rows) for rows in lanes)))
        if untold:
            await OutboxRow.filter(consumer=consumer, id__in=untold).update(leased_until=None)
        return heard

    async def _take(self, consumer: str) -> Sequence[Sequence[OutboxRow]]:
        """The oldest events, by member, that nobody else is telling; they are ours until the lease has run out."""
        now = self._machine.now()
        waiting = OutboxRow.filter(consumer=consumer, dead=False)
        # Somebody tells an earlier event of these members, or it waits for its retry, and a later one must not overtake
        # it. Left out before the oldest are counted, as they would stand before all others until then.
        held_back = Subquery(waiting.filter(leased_until__gt=now).values("member_id"))
        rows = await waiting.exclude(member_id__in=held_back).order_by("id").limit(BATCH_MAX)
        by_member: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            by_member[row.member_id].append(row)
        free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        return [
            events
            for events in by_member.values()
            if await _of(events).filter(free).update(leased_until=now + LEASE) == len(events)
        ]

    async def _tell(self, row: OutboxRow) -> _Told:
        """Tell one event to its consumer."""
        event = Delivery(row.event_id or row.id, row.member_id, row.name, row.payload, row.recorded_at)
        plugin, _, place = row.consumer.partition(":")
        try:
            if place:
                async with asyncio.timeout(CARRY_SECONDS):
                    await self._destinations[plugin].carry(place, event)
            else:
                for name in [row.consumer] if row.consumer else self._consumers:
                    await self._consumers[name](event, self._submit)
        except NotHeard as error:
            return await self._not_heard(row, event, error)
        except NotYet as wait:
            await _of([row]).update(leased_until=self._machine.now() + (wait.until - self._clock.now()))
            return _Told.LATER
        except TimeoutError:
            return await self._not_heard(row, event, NotHeard("no answer in time", whole_place=True))
        except Unavailable as away:
            log.warning("%s has not heard %s %s: %s", row.consumer, row.name, row.id, away)
            return _Told.LATER
        except Exception as defect:
            log.exception("%s has not heard %s %s", row.consumer, row.name, row.id)
            return await self._not_heard(row, event, NotHeard(repr(defect))) if place else _Told.LATER
        return _Told.HEARD

    async def _not_heard(self, row: OutboxRow, event: Delivery, error: NotHeard) -> _Told:
        """Wait for the next retry, or give it up after the last."""
        plugin, _, place = row.consumer.partition(":")
        failure = {"tries": row.tries + 1, "error": str(error)[:_ERROR_MAX]}
        if error.for_good or row.tries >= len(RETRIES):
            log.warning("%s has not taken %s %s, which is given up: %s", row.consumer, row.name, row.id, error)
            await _of([row]).update(dead=True, leased_until=None, **failure)
            await self._destinations[plugin].give_up(place, event, error)
            return _Told.GIVEN_UP
        wait = RETRIES[row.tries]
        await _of([row]).update(leased_until=self._machine.now() + wait, **failure)
        if error.whole_place:
            self._resting[row.consumer] = self._clock.now() + wait
        return _Told.LATER


def _of(rows: Sequence[OutboxRow]) -> QuerySet[OutboxRow]:
    """These rows, which are one member's."""
    return OutboxRow.filter(bucket=rows[0].bucket, member_id=rows[0].member_id, id__in=[row.id for row in rows])


async def settled(deliverer: Deliverer, machine: Clock, *, patience: float) -> int:
    """Deliver until nobody has anything to deliver at present, nor is delivering; how many events were heard here.

    What waits for its retry waits on, and what another has not delivered after ``patience`` seconds is left to it.
    """
    heard, give_up = 0, asyncio.get_running_loop().time() + patience
    while await OutboxRow.filter(dead=False).exists():
        heard += await deliverer.drain()
        now = machine.now()
        # A lease is short, and a retry follows a failure: a fresh one is of somebody who tells.
        told = OutboxRow.filter(dead=False, tries=0, leased_until__gt=now, leased_until__lte=now + LEASE)
        if not await told.exists() or asyncio.get_running_loop().time() > give_up:
            break
        await asyncio.sleep(0.02)
    return heard


async def hasten(by: timedelta, machine: Clock) -> None:
    """Let what waits for its time be due so much sooner, as the programme's clock was moved. Leases are left alone."""
    later = OutboxRow.filter(leased_until__gt=machine.now() + LEASE)
    for row in await later.only("bucket", "member_id", "id", "leased_until"):
        due: datetime | None = row.leased_until
        if due is not None:
            await _of([row]).filter(leased_until=due).update(leased_until=due - by)


async def put(consumer: str, event: Delivery) -> None:
    """Let a place outside carry something that no route leads to it; in the transaction that is open."""
    await OutboxRow.create(
        bucket=bucket_of(event.member_id),
        member_id=event.member_id,
        id=new_id(),
        name=event.name,
        payload=event.payload,
        recorded_at=event.recorded_at,
        consumer=consumer,
        event_id=event.id,
    )


async def tell_of_programme(routes: Routes, name: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put an event that is of no member into the outbox, in the unit of work that is open."""
    consumers = routes.to(name)
    event_id = new_id() if consumers else ""
    for consumer in consumers:
        await OutboxRow.create(
            bucket=0,
            member_id="",
            id=new_id(),
            name=name,
            payload=dict(payload),
            recorded_at=now,
            consumer=consumer,
            event_id=event_id,
        )


async def revive(consumer: str, events: Collection[str] | None = None) -> int:
    """Let dead events of a consumer be tried again from the start: those of these ids, or all; how many there were."""
    dead = OutboxRow.filter(consumer=consumer, dead=True)
    if events is not None:
        dead = dead.filter(event_id__in=list(events))
    return await dead.update(dead=False, tries=0, leased_until=None)


async def forget(consumer: str) -> int:
    """Drop what waits for a consumer that is no more; how many events that were."""
    return await OutboxRow.filter(consumer=consumer).delete()
