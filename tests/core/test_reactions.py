"""What reactions are told, and what they may do about it: events, counts, and lots with a life of their own."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.channels.orders import ORDER_PAID
from core.engine.operations import Operation
from core.engine.work import Work
from core.rulebook.programme import ChannelSettings, load_programme
from core.rulebook.programmes import Programmes
from core.rulebook.rules import Activity
from core.telling.events import MEMBER_ENROLLED, TALLIES_COUNTED, Event, hears, of_channel
from core.time.clock import StoppedClock
from tests.core.committing import PROGRAMME, Give, open_desk, publish, rules

NOON = datetime(2026, 7, 2, 4, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class GiveForDays(Operation):
    """Earn a lot that is to be used soon, and take back all of it but ``keep``."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "give_for_days"

    days: int
    keep: int = 10

    async def perform(self, work: Work) -> dict[str, Any]:
        lot = await work.earn(10, days=self.days)
        taken = [await work.take_back([lot.seq], keep=self.keep) for _ in range(2)]
        return {"taken": taken, "left": await work.left_of([lot.seq])}


async def test_what_was_counted_is_told_with_its_days_and_not_kept(connected: TortoiseContext) -> None:
    told: list[Any] = []

    async def look(event: Event, work: Work) -> None:
        if event.name == TALLIES_COUNTED:
            told.append(event.payload["days"])

    clock = StoppedClock(NOON)
    async with open_desk(clock=clock, settings=rules(clock, reactions=[look])) as desk:
        ann = await desk.enrol("ann")
        outcome = await desk.accepted(
            Give(**desk.request(ann), points=5, earned_at=datetime(2026, 6, 30, 20, tzinfo=UTC))
        )

        assert told == [{"points_earned": [20260701]}]
        assert "events" not in outcome.result


async def test_a_reaction_is_called_for_what_it_hears_and_in_its_order(connected: TortoiseContext) -> None:
    called: list[str] = []

    async def all_of_them(event: Event, work: Work) -> None:
        called.append(f"all: {event.name}")

    @hears(MEMBER_ENROLLED)
    async def newcomers(event: Event, work: Work) -> None:
        called.append(f"newcomers: {event.name}")

    clock = StoppedClock(NOON)
    async with open_desk(clock=clock, settings=rules(clock, reactions=[newcomers, all_of_them])) as desk:
        ann = await desk.enrol("ann")
        await desk.accepted(Give(**desk.request(ann), points=5))

    assert called == ["newcomers: member.enrolled", "all: member.enrolled", "all: tallies.counted"]


class Fair(ChannelSettings):
    """The section of a channel that only some programmes have."""


async def test_a_reaction_of_a_channel_is_called_from_the_first_version_on_that_has_it(
    connected: TortoiseContext,
) -> None:
    called: list[str] = []

    @hears(TALLIES_COUNTED)
    async def look(event: Event, work: Work) -> None:
        called.append(work.operation.idempotency_key)

    clock = StoppedClock(NOON)
    programmes = Programmes(lambda document: load_programme(document, {"fair": Fair}))
    settings = replace(rules(clock, reactions=[of_channel(look, "fair")]), programmes=programmes)
    async with open_desk(clock=clock, settings=settings) as desk:
        ann = await desk.enrol("ann")
        await desk.accepted(Give(**desk.request(ann, "before"), points=5))
        await publish(PROGRAMME + "channels: {fair: {}}\n", number=2, starts_at=NOON + timedelta(days=1))
        await desk.accepted(Give(**desk.request(ann, "on its way"), points=5))
        await publish(number=3, starts_at=NOON + timedelta(days=2))
        clock.set(NOON + timedelta(days=3))
        await desk.accepted(Give(**desk.request(ann, "left out again"), points=5))

    assert called == ["on its way", "left out again"]


async def test_a_reaction_is_called_where_a_version_is_not_understood(connected: TortoiseContext) -> None:
    called: list[str] = []

    async def look(event: Event, work: Work) -> None:
        called.append(event.name)

    clock = StoppedClock(NOON)
    await publish(PROGRAMME + "channels: {gone: {}}\n", number=2, starts_at=datetime(2019, 1, 1, tzinfo=UTC))
    async with open_desk(clock=clock, settings=rules(clock, reactions=[of_channel(look, "fair")])) as desk:
        await desk.enrol("ann")

    assert called == [MEMBER_ENROLLED]


async def test_what_a_reaction_counts_is_told_again_and_never_without_end(connected: TortoiseContext) -> None:
    async def once(event: Event, work: Work) -> None:
        if event.name == TALLIES_COUNTED and not await work.counted("seen"):
            work.count("seen", 1)

    async def forever(event: Event, work: Work) -> None:
        if event.name == TALLIES_COUNTED:
            work.count("seen", 1)

    clock = StoppedClock(NOON)
    async with open_desk(clock=clock, settings=rules(clock, reactions=[once])) as desk:
        ann = await desk.enrol("ann")
        await desk.give(ann, 5)
    async with open_desk(clock=clock, programme="", settings=rules(clock, reactions=[forever])) as desk:
        with pytest.raises(RuntimeError, match="count without end"):
            await desk.submit(Give(**desk.request(ann), points=5))
        assert await desk.lots(ann) == [5]


async def test_an_activity_is_for_reactions_and_not_kept(connected: TortoiseContext) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Pay(Operation):
        channel: ClassVar[str] = "test"
        kind: ClassVar[str] = "pay"

        async def perform(self, work: Work) -> dict[str, Any]:
            work.tell(ORDER_PAID, Activity("test", work.now, {"order": 7}), reference="A1")
            return {}

    seen: list[Any] = []

    async def look(event: Event, work: Work) -> None:
        if event.activity is not None:
            seen.append(event.activity.bindings)

    clock = StoppedClock(NOON)
    async with open_desk(clock=clock, settings=rules(clock, reactions=[look])) as desk:
        outcome = await desk.accepted(Pay(**desk.request(await desk.enrol("ann"))))

        assert seen == [{"order": 7}]
        assert outcome.result["events"] == [{"name": "order.paid", "reference": "A1"}]


@pytest.mark.parametrize(
    ("days", "until"),
    [
        (1, datetime(2026, 7, 2, 16, tzinfo=UTC)),
        (14, datetime(2026, 7, 15, 16, tzinfo=UTC)),
        (3660, datetime(2027, 7, 1, 16, tzinfo=UTC)),  # no longer than the programme says
    ],
)
async def test_a_gift_can_be_made_to_be_used_soon(connected: TortoiseContext, days: int, until: datetime) -> None:
    async with open_desk(clock=StoppedClock(NOON)) as desk:
        ann = await desk.enrol("ann")
        await desk.accepted(GiveForDays(**desk.request(ann), days=days))

        (lot,) = await desk.rows(Lot, ann)
        assert lot.expires_at == until


@pytest.mark.parametrize(("keep", "taken"), [(10, [0, 0]), (12, [0, 0]), (4, [6, 0]), (0, [10, 0])])
async def test_what_is_left_of_a_lot_is_taken_back_once(
    connected: TortoiseContext, keep: int, taken: list[int]
) -> None:
    async with open_desk(clock=StoppedClock(NOON)) as desk:
        ann = await desk.enrol("ann")
        outcome = await desk.accepted(GiveForDays(**desk.request(ann), days=9, keep=keep))

        assert outcome.result == {"taken": taken, "left": 10 - sum(taken)}
