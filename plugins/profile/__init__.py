"""Joining, and completing the profile: what is rewarded once in a member's life."""

from collections.abc import Mapping, Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ENROLLED, TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .mutations import ProfileMemberFields, ProfileMutations
from .operations import SECTIONS, WHOLES, follow_reversal, welcome
from .refusals import REFUSALS
from .rules import ProfileSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return ProfileSettings


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {SECTIONS: "sections of the profile completed", WHOLES: "1 once all of the profile is completed"}


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [ProfileMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [ProfileMemberFields]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(MEMBER_ENROLLED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await welcome(event, work)
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
