"""What can be done about quests, and how they follow what is counted.

A quest is settled whenever something it counts has changed, for the period of the day on which it was counted: paid
when it is reached, taken back when it is not reached any more. So a refund undoes what the order did.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from core.books.tallies import day_number, day_of
from core.channels.caps import draw
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.telling.events import MEMBER_ENROLLED, TALLIES_COUNTED, TRANSACTION_REVERSED, Event
from core.time.calendar import local_day

from .models import QuestEvent, QuestResult
from .refusals import (
    QuestAlreadyDone,
    QuestEventNotFound,
    QuestNotForTier,
    QuestNotFound,
    QuestNotReached,
    QuestNotYetOpen,
    QuestOver,
    QuestsNotOffered,
)
from .rules import CHANNEL, JOINED, Period, Progress, Quest, QuestSettings, resets_at

OBJECT_MAX: Final = 128

PAID: Final = "paid"
TAKEN_BACK: Final = "taken_back"
REVERSED: Final = "reversed"

_SHOWN: Final = 64


@dataclass(frozen=True, kw_only=True)
class RecordQuestEvent(Operation):
    """The member did something that quests count, with one object: it counts once in each quest's period.

    Refuses QuestsNotOffered, QuestEventNotFound, MemberNotActive, MemberFrozen, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "event"

    event: str
    object: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        work.check_may_earn()
        if self.event not in settings.events:
            raise QuestEventNotFound(event=self.event[:_SHOWN])
        if not 0 < len(self.object) <= OBJECT_MAX:
            raise InvalidValue(field="object", reason=f"it must have 1 to {OBJECT_MAX} characters")
        today, seen = work.today, await work.rows(QuestEvent, event=self.event)
        quests = [(quest, period) for quest, period in _concerned(work, settings, [self.event], [today])]
        # What no quest needs any more is not kept, however often a member opens a page.
        counts = any(
            self.object not in (objects := objects_in(seen, period)) and len(objects) < quest.count[self.event]
            for quest, period in quests
        )
        if counts:
            work.add(QuestEvent, event=self.event, day=day_number(today), object=self.object)
            for quest, period in quests:
                await _settle(work, settings, quest, period)
        return {"event": self.event, "object": self.object, "counted": counts}


@dataclass(frozen=True, kw_only=True)
class ClaimQuest(Operation):
    """The member asks for what a quest brings.

    Refuses QuestsNotOffered, QuestNotFound, QuestNotYetOpen, QuestOver, QuestNotForTier, QuestNotReached,
    QuestAlreadyDone, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "claim"

    quest: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings, zone = _offered(work), work.programme.zone
        work.check_may_earn()
        quest = settings.find(self.quest)
        if quest is None:
            raise QuestNotFound(quest=self.quest[:_SHOWN])
        since, until = quest.valid.since, quest.valid.until
        if since is not None and work.now < since:
            raise QuestNotYetOpen(quest=quest.id, opens_at=since)
        if until is not None and work.now >= until:
            raise QuestOver(quest=quest.id, closed_at=until)
        period = quest.period_of(work.today, zone)
        assert period is not None, "a quest that is open has a period today"
        if not quest.is_for(work.member.tier):
            raise QuestNotForTier(quest=quest.id, tier=work.member.tier)
        row = await work.find(QuestResult, quest=quest.id, period=period.name)
        if row is not None and row.state != TAKEN_BACK:
            raise QuestAlreadyDone(quest=quest.id, period=period.name, resets_at=resets_at(period, zone))
        progress = await _progress(work, settings, quest, period)
        if not progress.is_reached:
            raise QuestNotReached(quest=quest.id, current=progress.current, required=progress.required)
        return {"quest": quest.id, "points": await _pay(work, quest, period, row)}


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Settle the quests that count what has just been counted."""
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        return
    assert isinstance(settings, QuestSettings)
    match event.name:
        case name if name == TALLIES_COUNTED:
            days: dict[str, list[int]] = event.payload["days"]
            for quest in settings.quests:
                numbers = {number for name in quest.count for number in days.get(name, ())}
                for period in _periods(work, quest, map(day_of, sorted(numbers))):
                    await _settle(work, settings, quest, period)
        case name if name == MEMBER_ENROLLED:
            joined_on = local_day(work.member.enrolled_at, work.programme.zone)
            for quest, period in _concerned(work, settings, [JOINED], [joined_on]):
                await _settle(work, settings, quest, period)
        case name if name == TRANSACTION_REVERSED and event.payload["channel"] == CHANNEL and event.payload["whole"]:
            for found in await work.rows(QuestResult, transaction_id=event.payload["transaction"]):
                row = await work.find(QuestResult, quest=found.quest, period=found.period)
                assert row is not None
                row.state = REVERSED
                work.save(row)


# -- settling -----------------------------------------------------------------------------------------


async def _settle(work: Work, settings: QuestSettings, quest: Quest, period: Period) -> None:
    row = await work.find(QuestResult, quest=quest.id, period=period.name)
    progress = await _progress(work, settings, quest, period)
    if row is not None and row.state == PAID and not progress.is_reached:
        await work.take_back(row.lots)
        row.state = TAKEN_BACK
        work.save(row)
        work.tell("quest.undone", quest=quest.id, period=period.name, points=row.points)
    elif progress.is_reached and not quest.claim and (row is None or row.state == TAKEN_BACK):
        member = work.member
        if quest.is_for(member.tier) and work.may_earn:
            await _pay(work, quest, period, row)


async def _pay(work: Work, quest: Quest, period: Period, row: QuestResult | None) -> int:
    """Pay what the quest brings, or what its budget has of that; how much."""
    points = await draw(work, f"{CHANNEL}:{quest.id}", quest.budget, quest.points)
    lots = [(await work.earn(points)).seq] if points else []
    if row is None:
        work.add(
            QuestResult,
            quest=quest.id,
            period=period.name,
            transaction_id=work.operation_id,
            state=PAID,
            points=points,
            lots=lots,
            paid_at=work.now,
        )
    else:
        row.transaction_id, row.state = work.operation_id, PAID
        row.points, row.lots, row.paid_at = points, lots, work.now
        work.save(row)
    work.tell("quest.completed", quest=quest.id, period=period.name, points=points)
    return points


async def _progress(work: Work, settings: QuestSettings, quest: Quest, period: Period) -> Progress:
    counted: dict[str, int] = {}
    for name in quest.count:
        if name in settings.events:
            counted[name] = len(objects_in(await work.rows(QuestEvent, event=name), period))
        elif name == JOINED:
            counted[name] = int(local_day(work.member.enrolled_at, work.programme.zone) in period)
        else:
            counted[name] = await work.counted(name, since=period.first, until=period.last)
    return quest.progress(counted)


def _concerned(
    work: Work, settings: QuestSettings, names: Iterable[str], days: Iterable[date]
) -> list[tuple[Quest, Period]]:
    """The quests that count one of these, with their periods of those days."""
    wanted, on = set(names), list(days)
    quests = [quest for quest in settings.quests if wanted & quest.count.keys()]
    return [(quest, period) for quest in quests for period in _periods(work, quest, on)]


def _periods(work: Work, quest: Quest, days: Iterable[date]) -> list[Period]:
    found = (quest.period_of(day, work.programme.zone) for day in days)
    return list(dict.fromkeys(period for period in found if period is not None))


def objects_in(rows: Iterable[Any], period: Period) -> set[str]:
    """The objects of events that lie in the period."""
    return {row.object for row in rows if day_of(row.day) in period}


def _offered(work: Work) -> QuestSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise QuestsNotOffered(at=work.now)
    assert isinstance(settings, QuestSettings)
    return settings
