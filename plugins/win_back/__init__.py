"""Win-back: a member who comes back after a long time finds a gift."""

from collections.abc import Sequence

from core.engine.work import Work
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TALLIES_COUNTED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import WinBackMemberFields
from .operations import follow
from .rules import WinBackSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return WinBackSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [WinBackMemberFields]


@hookimpl
@hears(TALLIES_COUNTED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
