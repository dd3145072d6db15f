"""Birthdays: a gift once a year, on the day or in the month. Double points on the day are the purchase rules' own."""

from collections.abc import Sequence

from core.errors import Refusal
from core.events import Event
from core.programme import ChannelSettings
from core.store.databases import Tables
from core.work import Work
from plugins import hookimpl

from .mutations import BirthdayMemberFields, BirthdayMutations
from .operations import remember_birthday
from .refusals import REFUSALS
from .rules import BirthdaySettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return BirthdaySettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


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
async def react(event: Event, work: Work) -> None:
    await remember_birthday(event, work)
