"""Groups of members: who may belong is the programme's, and who belongs is kept here; chats are elsewhere."""

from collections.abc import Sequence
from datetime import timedelta

from core.engine.work import Work
from core.errors import Refusal
from core.oversight.verify import Invariant
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Every, Job
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import GroupMemberFields, GroupMutations, GroupQueries
from .operations import HEARD, follow, lapse_due
from .refusals import REFUSALS
from .rules import CHANNEL, GroupSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return GroupSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_personal_data() -> Sequence[PersonalData]:
    return PERSONAL


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [GroupQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [GroupMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [GroupMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Writes down who has left a group as the days of grace after a lost tier are over."
    return [Job(name=CHANNEL, says=says, when=Every(timedelta(minutes=15)), run=lapse_due)]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return [
        Invariant(
            "group of a member",
            "a membership was last changed by an accepted operation of its member, and none of a closed member is open",
            "SELECT g.member_id, g.name, g.state FROM group_membership g"
            " LEFT JOIN operation o ON o.bucket = g.bucket AND o.member_id = g.member_id AND o.id = g.transaction_id"
            " LEFT JOIN member m ON m.bucket = g.bucket AND m.id = g.member_id"
            " WHERE o.id IS NULL OR NOT o.accepted OR m.id IS NULL"
            " OR (m.status = 'closed' AND g.state IN ('joined', 'applied'))",
        )
    ]


@hookimpl
@hears(*HEARD)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
