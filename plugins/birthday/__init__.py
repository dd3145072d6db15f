"""Birthdays: a gift once a year, on the day or in the month. Double points on the day are the purchase rules' own."""

from collections.abc import Sequence
from datetime import time

from core.engine.work import Work
from core.errors import Refusal
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Daily, Job
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ENROLLED, MEMBER_UPDATED, Event, hears
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import BirthdayMemberFields, BirthdayMutations
from .operations import give_gifts, remember_birthday
from .refusals import REFUSALS
from .rules import CHANNEL, BirthdaySettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return BirthdaySettings


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
def register_mutations() -> Sequence[type]:
    return [BirthdayMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [BirthdayMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Gives birthday gifts that nobody has claimed, where the programme says so."
    return [Job(name=CHANNEL, says=says, when=Daily(time(0, 5)), run=give_gifts)]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(MEMBER_ENROLLED, MEMBER_UPDATED)
async def react(event: Event, work: Work) -> None:
    await remember_birthday(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
