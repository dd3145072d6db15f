"""Groups in the schema."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import MemberStatus
from core.engine.operations import Outcome
from core.time.clock import microseconds
from graph.vocabulary import (
    ACTING,
    EVERYONE,
    STAFF,
    Connection,
    Info,
    Member,
    MemberByInput,
    Page,
    Payload,
    Role,
    Where,
    actor,
    may_see,
    mutation,
    oldest,
    page_of_all,
    paged,
    perform,
    query,
)

from . import operations, rules
from .models import GroupMembership
from .operations import (
    ApproveApplication,
    DeclineApplication,
    JoinGroup,
    LeaveGroup,
    RemoveFromGroup,
    settings_of,
    state_of,
)

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER = "The member it is about."
_GROUP = "The group's id in the programme."
_STANDS = "How the member stands with the group now; null when the request was refused."
_REASON = "Why, 3 to 1000 characters. The member can read it."


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class JoinGroupInput:
    """A group for a member."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    group: str = strawberry.field(description=_GROUP)
    note: str | None = strawberry.field(
        default=None, description="What the member says to an application, 1 to 500 characters."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class LeaveGroupInput:
    """A group that a member leaves."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    group: str = strawberry.field(description=_GROUP)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ApproveGroupApplicationInput:
    """An application that is granted."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    group: str = strawberry.field(description=_GROUP)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class DeclineGroupApplicationInput:
    """An application that is declined."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    group: str = strawberry.field(description=_GROUP)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class RemoveFromGroupInput:
    """A member who is put out of a group."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    group: str = strawberry.field(description=_GROUP)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class GroupEntry(Enum):
    """How one comes into a group."""

    AT_ONCE = strawberry.enum_value("at_once", description="Who asks belongs.")
    APPLICATION = strawberry.enum_value("application", description="An operator decides.")


@strawberry.enum
class GroupStatus(Enum):
    """How a member stands with a group."""

    APPLIED = strawberry.enum_value(operations.APPLIED, description="An operator is to decide.")
    JOINED = strawberry.enum_value(operations.JOINED, description="The member belongs.")
    LEFT = strawberry.enum_value(operations.LEFT, description="The member wanted to leave.")
    LAPSED = strawberry.enum_value(
        operations.LAPSED, description="The tier that it is for was lost, or the membership was closed."
    )
    DECLINED = strawberry.enum_value(operations.DECLINED, description="An operator declined; one may apply again.")
    REMOVED = strawberry.enum_value(
        operations.REMOVED, description="An operator put the member out; one may apply to be let in again."
    )
    MERGED = strawberry.enum_value(operations.MERGED, description="The member is merged into another.")


@strawberry.type
class Group:
    """A group of members, as the programme has it."""

    code: str = strawberry.field(description="Its id in the programme: salon.")
    title: str = strawberry.field(description="What it is called.")
    description: str | None = strawberry.field(description="What it is.")
    tiers: list[str] = strawberry.field(description="The tiers whose members may belong; empty for all.")
    condition: str | None = strawberry.field(description="What is asked for besides, as the programme has it.")
    entry: GroupEntry = strawberry.field(description="How one comes into it.")

    @classmethod
    def of(cls, group: rules.Group) -> "Group":
        return cls(
            code=group.id,
            title=group.title,
            description=group.description,
            tiers=list(group.tiers or ()),
            condition=group.when.text if group.when is not None else None,
            entry=GroupEntry(group.entry),
        )


@strawberry.type(name="GroupMembership")
class MembershipType:
    """How a member stands with a group."""

    code: str = strawberry.field(description="The group's id in the programme.")
    title: str = strawberry.field(description="What the group is called.")
    group: Group | None = strawberry.field(description="The group; null when the programme has it no more.")
    status: GroupStatus | None = strawberry.field(description="How it stands; null for nothing yet.")
    joined_at: datetime | None = strawberry.field(description="Since when the member belongs, or last belonged.")
    ends_at: datetime | None = strawberry.field(
        description="When the member leaves, as the tier was lost, unless it comes back before; null for never."
    )
    changed_at: datetime | None = strawberry.field(description="When it came to stand so.")
    note: str | None = strawberry.field(description="What the member said to the application.")
    reason: str | None = strawberry.field(description="Why an operator declined, or put the member out.")
    _member_id: strawberry.Private[str]
    _terms: strawberry.Private[rules.Group | None]

    @classmethod
    def of(cls, member_id: str, terms: rules.Group | None, row: Any, now: datetime) -> "MembershipType":
        """A group with the row that a member has of it, of which either may be missing."""
        status = None if row is None else state_of(row, now)
        lapsed = row is not None and status != row.state
        return cls(
            code=row.name if terms is None else terms.id,
            title=row.title if terms is None else terms.title,
            group=None if terms is None else Group.of(terms),
            status=None if status is None else GroupStatus(status),
            joined_at=None if row is None else row.joined_at,
            ends_at=row.ends_at if row is not None and status == operations.JOINED else None,
            changed_at=None if row is None else row.ends_at if lapsed else row.changed_at,
            note=None if row is None else row.note,
            reason=row.reason if row is not None and row.state in (operations.DECLINED, operations.REMOVED) else None,
            _member_id=member_id,
            _terms=terms,
        )

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Who it is."""
        return await Member.find(info, self._member_id) if may_see(info, self._member_id) else None

    @strawberry.field
    async def may_join(self, info: Info) -> bool:
        """Whether `joinGroup` would be accepted now."""
        member = await Member.find(info, self._member_id)
        if member is None or self._terms is None or self.status in (GroupStatus.APPLIED, GroupStatus.JOINED):
            return False
        value = member._value
        if value.status != MemberStatus.ACTIVE or not self._terms.takes(value.tier):
            return False
        return self._terms.holds_for(value, await member.tags_seen(info))


@strawberry.type
class JoinGroupPayload(Payload):
    """What became of joining a group."""

    membership: MembershipType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class LeaveGroupPayload(Payload):
    """What became of leaving a group."""

    membership: MembershipType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class ApproveGroupApplicationPayload(Payload):
    """What became of granting an application."""

    membership: MembershipType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class DeclineGroupApplicationPayload(Payload):
    """What became of declining an application."""

    membership: MembershipType | None = strawberry.field(default=None, description=_STANDS)


@strawberry.type
class RemoveFromGroupPayload(Payload):
    """What became of putting a member out of a group."""

    membership: MembershipType | None = strawberry.field(default=None, description=_STANDS)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class GroupQueries:
    """What can be asked about groups."""

    @query(allow=EVERYONE)
    async def groups(self, info: Info) -> list[Group]:
        """The programme's groups."""
        settings = settings_of((await info.context.version()).programme)
        return [Group.of(group) for group in settings.groups] if settings is not None else []

    @query(allow=STAFF)
    @paged
    async def group_members(
        self,
        info: Info,
        page: Page,
        group: Annotated[str, strawberry.argument(description=_GROUP)],
        status: Annotated[GroupStatus, strawberry.argument(description="How they stand with it.")] = GroupStatus.JOINED,
    ) -> Connection[MembershipType]:
        """The members who stand so with a group, who came to it first; those who have applied are its queue."""
        settings, now = settings_of((await info.context.version()).programme), info.context.now
        terms = settings.by_id.get(group) if settings is not None else None
        state, instant = str(status.value), microseconds(now)
        where = [Where("name = ?", (group,))]
        if state == operations.JOINED:
            where += [Where("state = ?", (state,)), Where("(ends_at IS NULL OR ends_at > ?)", (instant,), passing=True)]
        elif state == operations.LAPSED:
            # Whose days of grace are over has left, whether or not that was written down.
            over = "(state = ? OR (state = ? AND ends_at <= ?))"
            where.append(Where(over, (state, operations.JOINED, instant), passing=True))
        else:
            where.append(Where("state = ?", (state,)))

        def node(member_id: str, row: Any) -> MembershipType:
            return MembershipType.of(member_id, terms, row, now)

        return await page_of_all(info, GroupMembership, node, page, oldest("transaction_id", "member_id"), where)


@strawberry.type
class GroupMemberFields:
    """What a member has of groups."""

    @strawberry.field
    async def groups(self, info: Info) -> list[MembershipType]:
        """The programme's groups and how the member stands with each, and those of former programmes."""
        # Fields of Member, so they are resolved with a member as self.
        member_id, now = cast(Member, self).member_id, info.context.now
        settings = settings_of((await info.context.version()).programme)
        rows = {row.name: row for row in await info.context.loaders.rows(GroupMembership, member_id)}
        terms = settings.groups if settings is not None else ()
        shown = [MembershipType.of(member_id, group, rows.pop(group.id, None), now) for group in terms]
        return shown + [MembershipType.of(member_id, None, rows[name], now) for name in sorted(rows)]


@strawberry.type
class GroupMutations:
    """What can be done about groups."""

    @mutation(allow=ACTING)
    async def join_group(self, info: Info, input: JoinGroupInput) -> JoinGroupPayload:
        """Let a member belong to a group, or apply for it, as the programme says."""
        operation = JoinGroup(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            group=input.group,
            note=input.note,
        )
        return await perform(info, operation, JoinGroupPayload, lambda outcome: _membership(info, outcome))

    @mutation(allow=ACTING)
    async def leave_group(self, info: Info, input: LeaveGroupInput) -> LeaveGroupPayload:
        """Let a member leave a group, or take an application back."""
        operation = LeaveGroup(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            group=input.group,
        )
        return await perform(info, operation, LeaveGroupPayload, lambda outcome: _membership(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def approve_group_application(
        self, info: Info, input: ApproveGroupApplicationInput
    ) -> ApproveGroupApplicationPayload:
        """Let a member belong to a group who has applied."""
        operation = ApproveApplication(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            group=input.group,
        )
        return await perform(
            info, operation, ApproveGroupApplicationPayload, lambda outcome: _membership(info, outcome)
        )

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def decline_group_application(
        self, info: Info, input: DeclineGroupApplicationInput
    ) -> DeclineGroupApplicationPayload:
        """Decline an application, for a stated reason. The member may apply again."""
        operation = DeclineApplication(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            group=input.group,
            reason=input.reason,
        )
        return await perform(
            info, operation, DeclineGroupApplicationPayload, lambda outcome: _membership(info, outcome)
        )

    @mutation(allow={Role.OPERATOR})
    async def remove_from_group(self, info: Info, input: RemoveFromGroupInput) -> RemoveFromGroupPayload:
        """Put a member out of a group, for a stated reason. Only an operator lets them in again."""
        operation = RemoveFromGroup(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            group=input.group,
            reason=input.reason,
        )
        return await perform(info, operation, RemoveFromGroupPayload, lambda outcome: _membership(info, outcome))


async def _membership(info: Info, outcome: Outcome) -> dict[str, Any]:
    assert outcome.member_id is not None
    name = outcome.result["group"]
    settings = settings_of((await info.context.version()).programme)
    rows = await info.context.loaders.rows(GroupMembership, outcome.member_id, name=name)
    terms = settings.by_id.get(name) if settings is not None else None
    row = rows[0] if rows else None
    return {"membership": MembershipType.of(outcome.member_id, terms, row, info.context.now)}
