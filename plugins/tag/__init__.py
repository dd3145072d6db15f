"""Tags: short names for what members are like, given by rules over what they did of late, or by hand."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.ladder.judging import Judge
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.telling.event_types import EventType
from core.telling.events import Event
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .mutations import TagMemberFields, TagMutations
from .operations import JudgeTags, follow
from .refusals import REFUSALS
from .rules import TagSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return TagSettings


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [TagMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [TagMemberFields]


@hookimpl
def register_judge() -> type[Judge]:
    return JudgeTags


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
