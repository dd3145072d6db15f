"""Quests in the schema."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import cast

import strawberry

from core.books.tallies import Tally, day_number
from core.engine.operations import Outcome
from core.rulebook.programme import Programme
from core.time.calendar import local_day
from graph.vocabulary import (
    ACTING,
    Decimal,
    Info,
    Member,
    MemberByInput,
    Payload,
    Points,
    Role,
    actor,
    mutation,
    perform,
)

from .models import QuestEvent, QuestResult
from .operations import TAKEN_BACK, ClaimQuest, RecordQuestEvent, objects_in
from .rules import CHANNEL, JOINED, Period, Progress, Quest, QuestSettings, resets_at

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER = "The member it is about."


@strawberry.input
class RecordQuestEventInput:
    """Something that a member did."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    event: str = strawberry.field(description="What it was, as the programme names it: product_view.")
    object: str = strawberry.field(
        description="What it was done with, 1 to 128 characters: the page's number. The same one counts once."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ClaimQuestInput:
    """A quest that a member has done."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    quest: str = strawberry.field(description="The quest's id in the programme.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class RecordQuestEventPayload(Payload):
    """What became of an event."""

    counted: bool = strawberry.field(
        default=False, description="Whether it counted: no quest counts one object twice, or more than it needs."
    )


@strawberry.type
class ClaimQuestPayload(Payload):
    """What became of a claim."""


@strawberry.enum
class QuestStatus(Enum):
    """Where a quest stands for a member, in the period of now."""

    AHEAD = strawberry.enum_value("ahead", description="It has not begun.")
    OPEN = strawberry.enum_value("open", description="There is more to do.")
    READY = strawberry.enum_value("ready", description="It is done and can be claimed.")
    DONE = strawberry.enum_value("done", description="It was paid.")
    OTHER_TIER = strawberry.enum_value("other_tier", description="It is for members of other tiers.")
    OVER = strawberry.enum_value("over", description="It has ended.")


@strawberry.type
class QuestProgress:
    """How far a quest is."""

    current: int = strawberry.field(description="How much is done, of everything that counts together.")
    required: int = strawberry.field(description="How much there is to do.")
    ratio: Decimal = strawberry.field(description="current / required, from 0 to 1, rounded down to four decimals.")


@strawberry.type(name="Quest")
class QuestType:
    """A quest, and where a member stands with it."""

    name: str = strawberry.field(description="Its id in the programme: three_orders.")
    title: str = strawberry.field(description="What it is called.")
    period: str = strawberry.field(description="How often it can be done: once, daily, weekly or monthly.")
    points: Points = strawberry.field(description="What it brings.")
    status: QuestStatus = strawberry.field(description="Where it stands now.")
    progress: QuestProgress = strawberry.field(description="How far it is in the period of now.")
    resets_at: datetime | None = strawberry.field(description="When it can be done anew; null for never.")
    closes_at: datetime | None = strawberry.field(description="When it is over; null when it has no end.")


@strawberry.type
class QuestMemberFields:
    """What a member has of quests."""

    @strawberry.field
    async def quests(self, info: Info) -> list[QuestType]:
        """The quests of the programme in force, those ahead and those that are over as well."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return []
        assert isinstance(settings, QuestSettings)
        return [await quest_of(info, member, programme, settings, quest) for quest in settings.quests]


async def quest_of(
    info: Info, member: Member, programme: Programme, settings: QuestSettings, quest: Quest
) -> QuestType:
    now, zone = info.context.now, programme.zone
    period = quest.period_of(local_day(now, zone), zone) if quest.valid.holds(now) else None
    progress = quest.progress(dict.fromkeys(quest.count, 0))
    if period is None:
        since = quest.valid.since
        status = QuestStatus.AHEAD if since is not None and now < since else QuestStatus.OVER
    else:
        progress = quest.progress(await _counted(info, member, programme, settings, quest, period))
        rows = await info.context.loaders.rows(QuestResult, member.member_id)
        paid = any(row.quest == quest.id and row.period == period.name and row.state != TAKEN_BACK for row in rows)
        status = _status(quest, member.tier_id, progress, paid=paid)
    return QuestType(
        name=quest.id,
        title=quest.title,
        period=quest.period,
        points=Points(quest.points),
        status=status,
        progress=_progress(progress),
        resets_at=None if period is None else resets_at(period, zone),
        closes_at=quest.valid.until,
    )


def _status(quest: Quest, tier: str, progress: Progress, *, paid: bool) -> QuestStatus:
    if paid:
        return QuestStatus.DONE
    if not quest.is_for(tier):
        return QuestStatus.OTHER_TIER
    return QuestStatus.READY if progress.is_reached else QuestStatus.OPEN


def _progress(progress: Progress) -> QuestProgress:
    ratio = Decimal(progress.current * 10_000 // progress.required).scaleb(-4)
    return QuestProgress(current=progress.current, required=progress.required, ratio=ratio)


async def _counted(
    info: Info, member: Member, programme: Programme, settings: QuestSettings, quest: Quest, period: Period
) -> dict[str, int]:
    """What of the quest is done: the same figures as operations use, of what is stored."""
    loaders, member_id = info.context.loaders, member.member_id
    first = 0 if period.first is None else day_number(period.first)
    last = 99_991_231 if period.last is None else day_number(period.last)
    counted: dict[str, int] = {}
    for name in quest.count:
        if name in settings.events:
            counted[name] = len(objects_in(await loaders.rows(QuestEvent, member_id, event=name), period))
        elif name == JOINED:
            counted[name] = int(local_day(member.enrolled_at, programme.zone) in period)
        else:
            tallies: list[Tally] = await loaders.rows(Tally, member_id, name=name)
            counted[name] = sum(tally.amount for tally in tallies if first <= tally.day <= last)
    return counted


@strawberry.type
class QuestMutations:
    """What can be done about quests."""

    @mutation(allow={Role.SERVICE})
    async def record_quest_event(self, info: Info, input: RecordQuestEventInput) -> RecordQuestEventPayload:
        """Record that a member did something that quests count. A quest that it completes is paid at once."""
        operation = RecordQuestEvent(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            event=input.event,
            object=input.object,
        )
        return await perform(info, operation, RecordQuestEventPayload, _counted_or_not)

    @mutation(allow=ACTING)
    async def claim_quest(self, info: Info, input: ClaimQuestInput) -> ClaimQuestPayload:
        """Claim what a quest brings, for the period of now."""
        operation = ClaimQuest(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            quest=input.quest,
        )
        return await perform(info, operation, ClaimQuestPayload)


def _counted_or_not(outcome: Outcome) -> Mapping[str, bool]:
    return {"counted": outcome.result["counted"]}
