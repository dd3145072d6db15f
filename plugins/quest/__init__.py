"""Quests: do so many of these in a day, a week, a month or ever, and get points for it."""

from collections.abc import Sequence

from core.channels.suggestions import Suggester
from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ENROLLED, TALLIES_COUNTED, TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .anew import ANEW
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
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(MEMBER_ENROLLED, TALLIES_COUNTED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_suggestions() -> Suggester:
    return suggest


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
