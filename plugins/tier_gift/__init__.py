"""Tier gifts: whoever reaches a tier gets points, coupons or both, in the very transaction that reached it."""

from collections.abc import Sequence

from core.engine.work import Work
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TIER_CHANGED, TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import TierGiftMemberFields
from .operations import follow
from .rules import TierGiftSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return TierGiftSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [TierGiftMemberFields]


@hookimpl
@hears(TIER_CHANGED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
