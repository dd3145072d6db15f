"""The outbox tells every event after its commit, in order for each member, until it is heard."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from core.books.members import bucket_of
from core.engine.operations import Operation, Outcome
from core.errors import Overloaded
from core.models import OutboxRow
from core.telling.destinations import RETRIES, Destinations, NotHeard
from core.telling.events import Delivery
from core.telling.outbox import BATCH_MAX, LEASE, Deliverer, Submit, revive
from core.time.clock import StoppedClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def submit(operation: Operation) -> Outcome:
    raise AssertionError(f"nobody submits {operation}")


async def put(member: str, number: int, consumer: str = "listener") -> None:
    await OutboxRow.create(
        bucket=bucket_of(member),
        member_id=member,
        id=f"{number:04d} {consumer}",
        name="order.paid",
        payload={"number": number},
        recorded_at=NOON,
        consumer=consumer,
        event_id=f"{number:04d}",
    )


class Listener:
    """Hears events, and cannot hear those in ``deaf_to``."""

    def __init__(self, *deaf_to: int, error: type[Exception] = ValueError) -> None:
        self.heard: list[tuple[str, int]] = []
        self.deaf_to = set(deaf_to)
        self.error = error
        self.first = asyncio.Event()

    async def __call__(self, event: Delivery, submit: Submit) -> None:
        await asyncio.sleep(0)
        if event.payload["number"] in self.deaf_to:
            raise self.error("it was too loud")
        self.heard.append((event.member_id, event.payload["number"]))
        self.first.set()


async def test_events_are_told_in_order_and_are_gone_then(connected: TortoiseContext) -> None:
    for number in range(5):
        await put("ann", number)
    listener = Listener()

    heard = await Deliverer({"listener": listener}, submit, StoppedClock(NOON)).drain()

    assert heard == 5
    assert listener.heard == [("ann", number) for number in range(5)]
    assert await OutboxRow.all().count() == 0


@pytest.mark.parametrize("error", [ValueError, Overloaded])
async def test_what_is_not_heard_holds_back_its_member_only_and_is_told_again(
    connected: TortoiseContext, error: type[Exception]
) -> None:
    for number in range(3):
        await put("ann", number)
    await put("bob", 7)
    listener, clock = Listener(1, error=error), StoppedClock(NOON)
    deliverer = Deliverer({"listener": listener}, submit, clock)

    await deliverer.drain()
    assert listener.heard == [("ann", 0), ("bob", 7)]

    listener.deaf_to.clear()
    await deliverer.drain()
    assert listener.heard == [("ann", 0), ("bob", 7)], "nobody tells it again before the lease has run out"

    clock.advance(LEASE)
    await deliverer.drain()
    assert listener.heard == [("ann", 0), ("bob", 7), ("ann", 1), ("ann", 2)]
    assert await OutboxRow.all().count() == 0


async def test_however_much_is_held_back_the_others_are_told(connected: TortoiseContext) -> None:
    for number in range(BATCH_MAX + 1):
        await put("ann", number)
    await put("bob", BATCH_MAX + 1)
    listener = Listener(0)
    deliverer = Deliverer({"listener": listener}, submit, StoppedClock(NOON))

    await deliverer.drain()
    await deliverer.drain()

    assert listener.heard == [("bob", BATCH_MAX + 1)]


async def test_two_who_deliver_at_once_tell_nothing_twice(connected: TortoiseContext) -> None:
    for number in range(60):
        await put(f"member-{number % 6}", number)
    listener, clock = Listener(), StoppedClock(NOON)
    deliverers = [Deliverer({"listener": listener}, submit, clock) for _ in range(4)]

    await asyncio.gather(*(deliverer.drain() for deliverer in deliverers))

    assert sorted(number for _, number in listener.heard) == list(range(60))
    for member in {member for member, _ in listener.heard}:
        numbers = [number for who, number in listener.heard if who == member]
        assert numbers == sorted(numbers)


async def test_what_a_killed_process_had_taken_is_told_when_its_lease_has_run_out(connected: TortoiseContext) -> None:
    await put("ann", 1)
    await OutboxRow.all().update(leased_until=NOON + LEASE)
    listener, clock = Listener(), StoppedClock(NOON)
    deliverer = Deliverer({"listener": listener}, submit, clock)

    assert await deliverer.drain() == 0
    clock.advance(LEASE + timedelta(seconds=1))
    assert await deliverer.drain() == 1


async def test_no_consumer_waits_for_another(connected: TortoiseContext) -> None:
    for consumer in ("deaf", "listener"):
        await put("ann", 1, consumer)
    deaf, listener = Listener(1), Listener()
    deliverer = Deliverer({"deaf": deaf, "listener": listener}, submit, StoppedClock(NOON))

    await deliverer.drain()

    assert (deaf.heard, listener.heard) == ([], [("ann", 1)])
    assert [row.consumer for row in await OutboxRow.all()] == ["deaf"]


async def test_an_event_written_before_it_had_a_consumer_is_told_to_all(connected: TortoiseContext) -> None:
    await put("ann", 1, "")
    one, other = Listener(), Listener()

    assert await Deliverer({"one": one, "other": other}, submit, StoppedClock(NOON)).drain() == 1

    assert one.heard == other.heard == [("ann", 1)]


class Shops(Destinations):
    """Two places: one that takes everything, and one that takes nothing for as long as ``error`` says why."""

    def __init__(self, clock: StoppedClock, error: NotHeard) -> None:
        super().__init__({}, clock, {})
        self.error: NotHeard | None = error
        self.taken: list[tuple[str, str]] = []
        self.given_up: list[str] = []

    async def wanted(self) -> Mapping[str, Collection[str]]:
        return {"open": ["order.paid"], "closed": ["order.paid"]}

    async def carry(self, place: str, event: Delivery) -> None:
        if place == "closed" and self.error:
            raise self.error
        self.taken.append((place, event.id))

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        self.given_up.append(event.id)


async def _shops(error: NotHeard) -> tuple[Shops, Deliverer, StoppedClock]:
    clock = StoppedClock(NOON)
    shops = Shops(clock, error)
    deliverer = Deliverer({}, submit, clock, destinations={"shops": shops})
    await deliverer.refresh()
    for number, member in enumerate(("ann", "ann", "bob"), 1):
        for place in ("open", "closed"):
            await put(member, number, f"shops:{place}")
    await deliverer.drain()
    return shops, deliverer, clock


async def test_a_place_that_is_away_is_tried_later_and_loses_nothing(connected: TortoiseContext) -> None:
    shops, deliverer, clock = await _shops(NotHeard("it is shut", whole_place=True))

    assert sorted(shops.taken) == [("open", "0001"), ("open", "0002"), ("open", "0003")]
    waiting = await OutboxRow.all().order_by("id")
    assert [(row.tries, row.error) for row in waiting].count((1, "it is shut")) >= 1

    shops.error = None
    assert await deliverer.drain() == 0, "it rests"
    clock.advance(RETRIES[0])
    await deliverer.drain()
    taken = [event for place, event in shops.taken if place == "closed"]
    assert sorted(taken) == ["0001", "0002", "0003"]
    assert taken.index("0001") < taken.index("0002")


async def test_what_a_place_will_not_take_is_given_up_after_days_and_can_be_revived(connected: TortoiseContext) -> None:
    shops, deliverer, clock = await _shops(NotHeard("what is this?"))
    for pause in RETRIES:
        assert shops.given_up == []
        clock.advance(pause)
        await deliverer.drain()

    # The second of the same member had to wait for the first, and has its own three days now.
    assert sorted(shops.given_up) == ["0001", "0003"]
    dead = await OutboxRow.filter(dead=True).order_by("id")
    assert [(row.tries, row.error) for row in dead] == [(len(RETRIES) + 1, "what is this?")] * 2

    shops.error = None
    assert await revive("shops:closed") == 2
    clock.advance(RETRIES[-1])
    await deliverer.drain()
    assert sorted(event for place, event in shops.taken if place == "closed") == ["0001", "0002", "0003"]
    assert not await OutboxRow.exists()


async def test_it_delivers_in_the_background_until_it_is_left(connected: TortoiseContext) -> None:
    listener = Listener()
    async with Deliverer({"listener": listener}, submit, StoppedClock(NOON), pause=0.01):
        await put("ann", 1)
        async with asyncio.timeout(60):
            await listener.first.wait()

    assert listener.heard == [("ann", 1)]
