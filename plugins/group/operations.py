"""How members come into groups and leave them, and what a lost tier does to it.

Who has to leave after some days of grace has left at that very instant, for everybody who looks, whether or not the
job has written it down.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.members import ById, MemberStatus, bucket_of
from core.channels.tags import tags_of
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue, MemberNotActive
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.scheduling.jobs import Run
from core.store.dialect import in_words_of
from core.telling.events import (
    MEMBER_MERGED,
    MEMBER_STATUS_CHANGED,
    MERGE_GIVEN_BACK,
    MERGE_TAKEN,
    MERGE_UNDONE,
    TIER_CHANGED,
    Event,
)
from core.time.clock import microseconds

from .events import GROUP_APPLIED, GROUP_DECLINED, GROUP_ENDING, GROUP_JOINED, GROUP_LEFT
from .models import GroupMembership
from .refusals import (
    AlreadyInGroup,
    GroupApplicationPending,
    GroupConditionNotMet,
    GroupNotFound,
    GroupsNotOffered,
    GroupTierMissing,
    NoGroupApplication,
    NotInGroup,
)
from .rules import CHANNEL, Group, GroupSettings

APPLIED: Final = "applied"
JOINED: Final = "joined"
LEFT: Final = "left"
LAPSED: Final = "lapsed"
DECLINED: Final = "declined"
REMOVED: Final = "removed"
MERGED: Final = "merged"

HEARD: Final = (
    TIER_CHANGED,
    MEMBER_STATUS_CHANGED,
    MEMBER_MERGED,
    MERGE_UNDONE,
    MERGE_TAKEN,
    MERGE_GIVEN_BACK,
)
"""What ``follow`` looks at."""

NOTE_MAX: Final = 500
_SHOWN: Final = 64
_BATCH: Final = 500


@dataclass(frozen=True, kw_only=True)
class JoinGroup(Operation):
    """Belong to a group at once, or apply for it, as the programme says.

    Refuses GroupsNotOffered, GroupNotFound, GroupTierMissing, GroupConditionNotMet, AlreadyInGroup,
    GroupApplicationPending, MemberNotActive, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "join"

    group: str
    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        group = _group(work, self.group)
        if self.note is not None and not 1 <= len(self.note) <= NOTE_MAX:
            raise InvalidValue(field="note", reason=f"it must have 1 to {NOTE_MAX} characters")
        row = await work.find(GroupMembership, name=group.id)
        if row is not None and state_of(row, work.now) == JOINED:
            raise AlreadyInGroup(group=group.id, joined_at=row.joined_at or row.changed_at)
        if row is not None and row.state == APPLIED:
            raise GroupApplicationPending(group=group.id, applied_at=row.changed_at)
        _check_may_belong(work, group)
        if not group.holds_for(work.member, await tags_of(work)):
            assert group.when is not None
            raise GroupConditionNotMet(group=group.id, condition=group.when.text)
        # Who was removed is let in again by an operator alone, also when they ask a second time.
        if group.entry == "application" or (row is not None and row.reason is not None):
            await _write(work, group, state=APPLIED, note=self.note, reason=row.reason if row is not None else None)
            work.tell(GROUP_APPLIED, group=group.id, title=group.title)
        else:
            await _join(work, group)
        return {"group": group.id}


@dataclass(frozen=True, kw_only=True)
class LeaveGroup(Operation):
    """Leave a group, or take an application back. Refuses NotInGroup."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "leave"

    group: str

    async def perform(self, work: Work) -> dict[str, Any]:
        row = await work.find(GroupMembership, name=self.group)
        if row is None or state_of(row, work.now) not in (APPLIED, JOINED):
            raise NotInGroup(group=self.group[:_SHOWN])
        await _end(work, row.name, LEFT)
        return {"group": row.name}


@dataclass(frozen=True, kw_only=True)
class ApproveApplication(Operation):
    """Let a member belong who has applied. Refuses NoGroupApplication, GroupTierMissing, MemberNotActive."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "approve"

    group: str

    async def perform(self, work: Work) -> dict[str, Any]:
        group = _group(work, self.group)
        await _check_applied(work, group.id)
        _check_may_belong(work, group)
        await _join(work, group)
        return {"group": group.id}


@dataclass(frozen=True, kw_only=True)
class DeclineApplication(Operation):
    """Decline an application, for a stated reason. Refuses NoGroupApplication, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "decline"

    group: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        row = await _check_applied(work, self.group)
        await _change(work, row.name, state=DECLINED, reason=self.reason)
        work.tell(GROUP_DECLINED, group=row.name, title=row.title)
        return {"group": row.name, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class RemoveFromGroup(Operation):
    """Put a member out of a group, for a stated reason. Refuses NotInGroup, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "remove"

    group: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        row = await work.find(GroupMembership, name=self.group)
        if row is None or state_of(row, work.now) != JOINED:
            raise NotInGroup(group=self.group[:_SHOWN])
        await _end(work, row.name, REMOVED, reason=self.reason)
        return {"group": row.name, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class LapseMembership(Operation):
    """Write down that the days of grace are over."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "lapse"

    group: str

    async def perform(self, work: Work) -> dict[str, Any]:
        row = await work.find(GroupMembership, name=self.group)
        if row is not None and row.state == JOINED and state_of(row, work.now) == LAPSED:
            await _end(work, row.name, LAPSED, at=row.ends_at)
        return {"group": self.group}


def state_of(row: Any, now: datetime) -> str:
    """How it stands now: who had to leave by now has left, whether or not that was written down."""
    over = row.state == JOINED and row.ends_at is not None and row.ends_at <= now
    return LAPSED if over else str(row.state)


def settings_of(programme: Programme) -> GroupSettings | None:
    """The programme's groups; None when it has none."""
    settings = programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, GroupSettings)
    return settings


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Let who loses the tier leave, and who gets it back stay; and nobody be in a group who is no member any more."""
    match event.name:
        case name if name == TIER_CHANGED:
            await _judge(work)
        case name if name == MEMBER_STATUS_CHANGED and event.payload["status"] == MemberStatus.CLOSED:
            await _end_all(work, LAPSED)
        case name if name == MEMBER_MERGED:
            await _end_all(work, MERGED)
        case name if name == MERGE_UNDONE:
            for row in await work.rows(GroupMembership, state=MERGED):
                if row.ends_at is not None and row.ends_at <= work.now:
                    await _change(work, row.name, state=LAPSED, ends_at=None, changed_at=row.ends_at)
                    continue
                await _change(work, row.name, state=JOINED)
                work.tell(GROUP_JOINED, group=row.name, title=row.title)
        case name if name == MERGE_TAKEN and event.payload["first"]:
            await _take_over(work, event.payload["other"])
        case name if name == MERGE_GIVEN_BACK:
            for row in await work.rows(GroupMembership, merged_from=event.payload["other"]):
                if state_of(row, work.now) == JOINED:
                    await _end(work, row.name, LEFT)


async def _end_all(work: Work, state: str) -> None:
    for row in await work.rows(GroupMembership):
        stood = state_of(row, work.now)
        if stood == JOINED:
            await _end(work, row.name, state)
        elif stood == APPLIED:
            await _end(work, row.name, LAPSED)


async def _judge(work: Work) -> None:
    settings, tier = settings_of(work.programme_now), work.member.tier
    for row in await work.rows(GroupMembership):
        group = settings.by_id.get(row.name) if settings is not None else None
        state = state_of(row, work.now)
        # What the programme has no more stands as it is: nobody says who may belong.
        if group is None or group.tier_lost == "stay" or state not in (APPLIED, JOINED):
            continue
        if group.takes(tier):
            if row.ends_at is not None:
                await _change(work, row.name, ends_at=None)
        elif state == APPLIED or group.grace_days is None:
            await _end(work, row.name, LAPSED)
        elif row.ends_at is None:
            ends_at = group.ends_at(work.now, work.programme_now)
            await _change(work, row.name, ends_at=ends_at)
            work.tell(GROUP_ENDING, group=row.name, title=row.title, ends_at=ends_at.isoformat())


async def _take_over(work: Work, other: str) -> None:
    """Belong to the groups of who was merged into the member, where a member of this tier may."""
    settings = settings_of(work.programme_now)
    for row in await work.look_all(GroupMembership, bucket=bucket_of(other), member_id=other):
        group = settings.by_id.get(row.name) if settings is not None else None
        own = await work.find(GroupMembership, name=row.name)
        free = own is None or (state_of(own, work.now) in (LEFT, LAPSED) and own.reason is None)
        if row.state == MERGED and group is not None and free and group.takes(work.member.tier):
            await _join(work, group, merged_from=other)


# -- when nobody asks ---------------------------------------------------------------------------------


async def lapse_due(run: Run) -> int:
    """Write down whose days of grace are over."""
    sql = (
        "SELECT member_id, name, ends_at FROM group_membership WHERE state = ? AND ends_at <= ?"
        f" ORDER BY ends_at, member_id, name LIMIT {_BATCH}"
    )
    done = 0
    while rows := await run.reader.query(in_words_of(run.reader, sql), (JOINED, microseconds(run.now))):
        done += await run.submit(
            LapseMembership(
                member=ById(member_id),
                idempotency_key=f"lapse:{name}:{ends_at}",
                actor=run.actor,
                group=name,
            )
            for member_id, name, ends_at in rows
        )
        if len(rows) < _BATCH:
            break
    return done


# -- rows ---------------------------------------------------------------------------------------------


def _group(work: Work, name: str) -> Group:
    settings = settings_of(work.programme)
    if settings is None:
        raise GroupsNotOffered(at=work.now)
    group = settings.by_id.get(name)
    if group is None:
        raise GroupNotFound(group=name[:_SHOWN], groups=", ".join(settings.by_id))
    return group


def _check_may_belong(work: Work, group: Group) -> None:
    member = work.member
    if member.status != MemberStatus.ACTIVE:
        raise MemberNotActive(status=member.status)
    if not group.takes(member.tier):
        raise GroupTierMissing(group=group.id, tier=member.tier, tiers=", ".join(group.tiers or ()))


async def _check_applied(work: Work, name: str) -> GroupMembership:
    row = await work.find(GroupMembership, name=name)
    if row is None or row.state != APPLIED:
        raise NoGroupApplication(group=name[:_SHOWN])
    return row


async def _join(work: Work, group: Group, merged_from: str = "") -> None:
    await _write(work, group, state=JOINED, joined_at=work.now, merged_from=merged_from)
    work.tell(GROUP_JOINED, group=group.id, title=group.title)


async def _end(work: Work, name: str, state: str, *, reason: str | None = None, at: datetime | None = None) -> None:
    row = await work.find(GroupMembership, name=name)
    assert row is not None, "it was just read"
    belonged = row.state == JOINED
    # Who had to leave by then has to when the merge is undone.
    ends_at = row.ends_at if state == MERGED else None
    await _change(work, name, state=state, reason=reason or row.reason, ends_at=ends_at, changed_at=at or work.now)
    if belonged:
        work.tell(GROUP_LEFT, group=name, title=row.title, why=state)


async def _write(work: Work, group: Group, **values: Any) -> None:
    """How it stands with the group from now on, and nothing of what was before."""
    blank = {"note": None, "reason": None, "joined_at": None, "ends_at": None, "merged_from": ""}
    stamp = {"title": group.title, "changed_at": work.now, "transaction_id": work.operation_id}
    row = await work.find(GroupMembership, name=group.id)
    if row is None:
        work.add(GroupMembership, name=group.id, **{**blank, **stamp, **values})
    else:
        work.save(row.update_from_dict({**blank, **stamp, **values}))


async def _change(work: Work, name: str, **values: Any) -> None:
    row = await work.find(GroupMembership, name=name)
    assert row is not None, "it was just read"
    work.save(row.update_from_dict({"changed_at": work.now, **values, "transaction_id": work.operation_id}))
