"""Welcome: whoever joins gets a pack, in the very transaction of joining."""

from collections.abc import Sequence

from core.engine.work import Work
from core.rulebook.programme import ChannelSettings
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ENROLLED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .operations import welcome
from .rules import WelcomeSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return WelcomeSettings


@hookimpl
@hears(MEMBER_ENROLLED)
async def react(event: Event, work: Work) -> None:
    await welcome(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
