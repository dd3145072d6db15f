"""Messages: what has happened told to members, in their language, by the carriers that reach them, when they like."""

from collections.abc import Mapping, Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Job
from core.store.databases import Tables
from core.telling.carriers import Carrier
from core.telling.destinations import Destinations
from core.telling.event_types import EventType
from core.telling.events import TALLIES_COUNTED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .keeping import JOBS
from .models import PERSONAL
from .mutations import MessageMemberFields, MessageMutations, MessageQueries
from .operations import watch
from .refusals import REFUSALS
from .rules import MessageSettings
from .sending import Messages
from .smtp import Smtp
from .webhook import MessageWebhook

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return MessageSettings


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
    return [MessageQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [MessageMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [MessageMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return JOBS


@hookimpl
@hears(TALLIES_COUNTED)
async def react(event: Event, work: Work) -> None:
    await watch(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES


@hookimpl
def register_destinations() -> type[Destinations]:
    return Messages


@hookimpl
def register_carriers() -> Mapping[str, type[Carrier]]:
    return {"smtp": Smtp, "webhook": MessageWebhook}
