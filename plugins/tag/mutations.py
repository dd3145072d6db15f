"""Tags in the schema: what members have, and what is given by hand."""

from datetime import datetime
from enum import Enum
from functools import partial
from typing import cast

import strawberry

from core.books.members import MemberTag
from core.books.tallies import Tally
from core.channels.tags import BY_HAND, PREDICTED
from core.ladder.judging import Judgement, due_at
from core.rulebook.segments import History
from core.time.calendar import day_start, local_day
from graph.vocabulary import (
    STAFF,
    Info,
    Member,
    MemberByInput,
    MemberStatus,
    Payload,
    Role,
    actor,
    field,
    mutation,
    perform,
)

from .operations import TagMember, UntagMember
from .rules import CHANNEL, TagSettings

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_REASON = "Why, 3 to 1000 characters. It is kept with the transaction."


@strawberry.enum
class TagSource(Enum):
    """Who has given a tag."""

    RULE = strawberry.enum_value(CHANNEL, description="The tag's rule, which takes it away as well.")
    PREDICTED = strawberry.enum_value(
        PREDICTED, description="What is predicted of the member: see `prediction`. Rules do not see it."
    )
    BY_HAND = strawberry.enum_value(BY_HAND, description="Somebody, for a reason that stands with the transaction.")


@strawberry.type(name="MemberTag")
class MemberTagType:
    """A tag that a member has."""

    tag: str = strawberry.field(description="The tag's id in the programme: frequent.")
    name: str = strawberry.field(description="What the programme calls it.")
    source: TagSource = strawberry.field(description="Who has given it. A tag can be given by both.")
    since: datetime = strawberry.field(description="Since when the member has it.")
    until: datetime | None = strawberry.field(
        description="When it ends by itself, if nothing more is counted; null when it does not."
    )


@strawberry.type
class TagMemberFields:
    """The tags of a member."""

    @field(allow=STAFF)
    async def tags(self, info: Info) -> list[MemberTagType] | None:
        """The tags that the member has at this very moment; none where the programme has no tags.

        What is due is seen here whether or not it has been written down. The brand's own stand among `attributes`.
        """
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        version = await info.context.version()
        settings = version.programme.channels.get(CHANNEL)
        if settings is None or member.status == MemberStatus.CLOSED:
            return []
        assert isinstance(settings, TagSettings)
        loaders, now, zone = info.context.loaders, info.context.now, version.programme.zone
        rows: list[MemberTag] = await loaders.rows(MemberTag, member.member_id)
        held = {(row.tag, row.source): row for row in rows if row.holds(now)}
        judgements: list[Judgement] = await loaders.rows(Judgement, member.member_id)
        judged = next((row for row in judgements if row.channel == CHANNEL), None)
        due = due_at(CHANNEL, member.enrolled_at, judged, info.context.laurel.programmes, now)
        today, ends = local_day(now, zone), dict[tuple[str, str], datetime | None]()
        since = dict[tuple[str, str], datetime]()
        if settings.by_rule:
            first = settings.segments.since(today)
            where = f"day >= {first.year * 10_000}" if first else ""
            tallies: list[Tally] = await loaders.rows(Tally, member.member_id, where)
            history = History(local_day(member.enrolled_at, zone), version.programme.currency, tallies)
            for tag in settings.by_rule:
                if tag.has(history, today):
                    turn = settings.one(tag).look(partial(tag.has, history), history, today).turns_on
                    ends[tag.id, CHANNEL] = None if turn is None else day_start(turn, zone)
                    row = held.get((tag.id, CHANNEL))
                    since[tag.id, CHANNEL] = row.since if row else (due if due is not None and due <= now else now)
        for (id, source), row in held.items():
            if source != CHANNEL:
                since[id, source], ends[id, source] = row.since, row.until
        return [
            MemberTagType(
                tag=tag.id,
                name=tag.name or tag.id,
                source=source,
                since=since[tag.id, str(source.value)],
                until=ends[tag.id, str(source.value)],
            )
            for tag in settings.tags
            for source in TagSource
            if (tag.id, str(source.value)) in ends and (source is TagSource.PREDICTED) == (tag.predicted is not None)
        ]


@strawberry.input
class TagMemberInput:
    """A tag for a member."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tag: str = strawberry.field(description="The tag, by its id in the programme: vip.")
    until: datetime | None = strawberry.field(
        default=None, description="When it ends by itself; for ever if left out. Not in the past."
    )
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class TagMemberPayload(Payload):
    """What became of giving a tag."""


@strawberry.input
class UntagMemberInput:
    """A tag that a member is to have no longer."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    tag: str = strawberry.field(description="The tag, by its id in the programme.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class UntagMemberPayload(Payload):
    """What became of taking a tag away."""


@strawberry.type
class TagMutations:
    """What can be done about tags."""

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def tag_member(self, info: Info, input: TagMemberInput) -> TagMemberPayload:
        """Give a member a tag by hand, for good or until an instant; of one given by hand before the end changes.

        TAG_NOT_FOUND, TAG_IS_PREDICTED, TAG_ALREADY_GIVEN, TAGS_NOT_OFFERED, INVALID_INSTANT,
        MEMBER_NOT_ACTIVE when the membership is closed.
        """
        operation = TagMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            tag=input.tag,
            until=input.until,
            reason=input.reason,
        )
        return await perform(info, operation, TagMemberPayload)

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def untag_member(self, info: Info, input: UntagMemberInput) -> UntagMemberPayload:
        """Take away a tag that was given by hand; what a rule gives stays. TAG_NOT_GIVEN, TAGS_NOT_OFFERED."""
        operation = UntagMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            tag=input.tag,
            reason=input.reason,
        )
        return await perform(info, operation, UntagMemberPayload)
