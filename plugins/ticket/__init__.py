"""Tickets: a member's question about points, answered in time, with the compensation that is right."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import TicketMemberFields, TicketMutations, TicketQueries
from .operations import follow_reversal
from .refusals import REFUSALS
from .rules import TicketSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return TicketSettings


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
    return [TicketQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [TicketMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [TicketMemberFields]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
