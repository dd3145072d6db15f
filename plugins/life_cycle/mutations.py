"""The life cycle in the schema. There is nothing to ask for: stages are entered by what members do, and by time."""

from datetime import datetime
from enum import Enum
from typing import Any, cast

import strawberry

from core.books.tallies import Tally
from core.ladder.judging import Judgement, due_at
from core.rulebook.segments import History
from core.time.calendar import day_start, local_day
from graph.vocabulary import (
    STAFF,
    Connection,
    Info,
    Member,
    MemberStatus,
    Page,
    Points,
    Transaction,
    field,
    newest,
    page_of_member,
    paged,
    selects,
)

from .models import LifeCycleEntry
from .rules import CHANNEL, Cause, LifeCycleSettings


@strawberry.enum
class LifeCycleCause(Enum):
    """Why a member came to a stage."""

    ENROLMENT = strawberry.enum_value(Cause.ENROLMENT.value, description="The member joined.")
    COUNTED = strawberry.enum_value(Cause.COUNTED.value, description="By what the member did, or what came back.")
    TIME = strawberry.enum_value(Cause.TIME.value, description="As time went by.")
    PROGRAMME = strawberry.enum_value(
        Cause.PROGRAMME.value,
        description="The programme began to tell stages apart, or does so by other rules; or the member came over from "
        "elsewhere. It brings nothing.",
    )


@strawberry.type
class LifeCyclePart:
    """So much of a unit."""

    unit: str = strawberry.field(description="points, growth, or a unit of the programme's own.")
    amount: Points = strawberry.field(description="How much of it.")


@strawberry.type(name="LifeCycleEntry")
class LifeCycleEntryType:
    """A stage that a member has entered."""

    stage: str = strawberry.field(description="The stage's id in the programme: dormant.")
    former: str | None = strawberry.field(description="The stage before; null for the first.")
    entered_at: datetime = strawberry.field(description="When it was entered.")
    cause: LifeCycleCause = strawberry.field(description="Why.")
    pack: list[LifeCyclePart] = strawberry.field(description="How much of each unit that has brought.")
    coupons: list[str] = strawberry.field(description="The coupons that came with it, by their ids in the programme.")
    is_taken_back: bool = strawberry.field(
        description="Whether the gift went again, as what the stage was entered with came back."
    )
    _member_id: strawberry.Private[str]
    _operation_id: strawberry.Private[str]

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """What did it: the order, the refund, or the day on which it was judged."""
        return await Transaction.find(info, self._member_id, self._operation_id)


@strawberry.type
class LifeCycleTurn:
    """A stage that is ahead."""

    stage: str = strawberry.field(description="The stage's id in the programme.")
    name: str = strawberry.field(description="What the programme calls it.")
    at: datetime = strawberry.field(description="When it is entered, if nothing more is counted.")


@strawberry.type
class LifeCycle:
    """In which stage a membership is, at this very moment."""

    stage: str = strawberry.field(description="The stage's id in the programme: new, growing, mature …")
    name: str = strawberry.field(description="What the programme calls it.")
    since: datetime = strawberry.field(description="Since when the member is in it.")
    next: LifeCycleTurn | None = strawberry.field(
        description="The stage that follows if nothing more is counted; null when none does."
    )
    _member_id: strawberry.Private[str]

    @strawberry.field
    @paged
    async def entries(self, info: Info, page: Page) -> Connection[LifeCycleEntryType]:
        """The stages that the member has entered, the newest first, as they were written down."""
        member_id = self._member_id

        def node(row: Any) -> LifeCycleEntryType:
            return LifeCycleEntryType(
                stage=row.stage,
                former=row.former,
                entered_at=row.entered_at,
                cause=LifeCycleCause(row.cause),
                pack=[LifeCyclePart(unit=unit, amount=Points(amount)) for unit, amount in row.pack.items()],
                coupons=row.coupons,
                is_taken_back=row.is_taken_back,
                _member_id=member_id,
                _operation_id=row.operation_id,
            )

        return await page_of_member(info, LifeCycleEntry, member_id, node, page, newest("number"))


@strawberry.type
class LifeCycleMemberFields:
    """What there is to know of a member's life cycle."""

    @field(allow=STAFF)
    async def life_cycle(self, info: Info) -> LifeCycle | None:
        """In which stage the membership is; null when the programme knows no stages.

        What is due is seen here whether or not it has been written down.
        """
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        version = await info.context.version()
        settings = version.programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, LifeCycleSettings)
        loaders, now, zone = info.context.loaders, info.context.now, version.programme.zone
        entries = sorted(await loaders.rows(LifeCycleEntry, member.member_id), key=lambda entry: entry.number)
        rows: list[Judgement] = await loaders.rows(Judgement, member.member_id)
        judged = next((row for row in rows if row.channel == CHANNEL), None)
        last = entries[-1] if entries else None
        stage, since = (last.stage, last.entered_at) if last else ("", member.enrolled_at)
        following, is_open = None, member.status != MemberStatus.CLOSED
        due = due_at(CHANNEL, member.enrolled_at, judged, info.context.laurel.programmes, now) if is_open else None
        is_overdue = due is not None and due <= now
        if is_overdue or (is_open and selects(info, "next")):
            first = settings.segments.since(local_day(now, zone))
            where = f"day >= {first.year * 10_000}" if first else ""
            tallies: list[Tally] = await loaders.rows(Tally, member.member_id, where)
            history = History(local_day(member.enrolled_at, zone), version.programme.currency, tallies)
            at = due if due is not None and is_overdue else now
            for turn in settings.turns(history, local_day(at, zone)):
                at = max(day_start(turn.day, zone), at)
                if at > now:
                    following = LifeCycleTurn(stage=turn.stage, name=_name(settings, turn.stage), at=at)
                    break
                if turn.stage != stage:
                    stage, since = turn.stage, at
        return LifeCycle(
            stage=stage,
            name=_name(settings, stage),
            since=since,
            next=following,
            _member_id=member.member_id,
        )


def _name(settings: LifeCycleSettings, stage: str) -> str:
    found = settings.stage(stage)
    return (found.name if found else None) or stage
