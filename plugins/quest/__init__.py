"""Quests: do so many of these in a day, a week, a month or ever, and get points for it."""

from collections.abc import Sequence

from core.errors import Refusal
from core.event_types import EventType
from core.events import Event
from core.programme import ChannelSettings
from core.store.databases import Tables
from core.suggestions import Suggester
from core.work import Work
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import QuestMemberFields, QuestMutations
from .operations import follow
from .refusals import REFUSALS
from .rules import QuestSettings
from .suggestions import suggest

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return QuestSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [QuestMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [QuestMemberFields]


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_suggestions() -> Suggester:
    return suggest


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
