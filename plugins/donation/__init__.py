"""Donation: points are given to projects with a goal, and the brand may add to them."""

from collections.abc import Mapping, Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import DonationMemberFields, DonationMutations, DonationQueries
from .operations import DONATED, follow_reversal
from .refusals import REFUSALS
from .rules import DonationSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return DonationSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [DonationQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [DonationMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [DonationMemberFields]


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {DONATED: "Points that a member has given to projects and that were not given back."}


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
