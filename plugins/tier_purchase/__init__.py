"""Tier purchase: a tier is bought or kept with points, where the programme sells any."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import TierPurchaseMemberFields, TierPurchaseMutations
from .operations import follow_reversal
from .refusals import REFUSALS
from .rules import TierPurchaseSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return TierPurchaseSettings


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [TierPurchaseMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [TierPurchaseMemberFields]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
