"""Life cycle: in which stage a member's membership is, and what entering each brings."""

from collections.abc import Sequence

from core.engine.work import Work
from core.ladder.judging import Judge
from core.oversight.verify import Invariant
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import Event
from plugins import hookimpl

from .events import EVENT_TYPES
from .invariants import INVARIANTS
from .mutations import LifeCycleMemberFields
from .operations import JudgeLifeCycle, follow
from .rules import LifeCycleSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return LifeCycleSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [LifeCycleMemberFields]


@hookimpl
def register_judge() -> type[Judge]:
    return JudgeLifeCycle


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return INVARIANTS


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
