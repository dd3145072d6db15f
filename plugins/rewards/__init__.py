"""Rewards: a store in the programme, with stock, codes, limits and prices by tier."""

from collections.abc import Mapping, Sequence

from core.channels.suggestions import Suggester
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
from .mutations import RewardsMemberFields, RewardsMutations, RewardsQueries
from .operations import REDEEMED, follow_reversal
from .refusals import REFUSALS
from .rules import RewardsSettings
from .suggestions import suggest

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return RewardsSettings


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
    return [RewardsQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [RewardsMutations]


@hookimpl
def register_capabilities() -> Mapping[str, str]:
    return {"stock": "Adds pieces and voucher codes to the stock of rewards."}


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [RewardsMemberFields]


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {REDEEMED: "Rewards that a member has redeemed and that were not cancelled."}


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_suggestions() -> Suggester:
    return suggest


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
