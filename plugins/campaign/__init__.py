"""Campaigns: for a while orders bring more, out of a budget; what comes back of the order, comes back of the bonus."""

from collections.abc import Sequence

from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.engine.work import Work
from core.rulebook.explaining import Explainer
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .models import CampaignBonus
from .mutations import CampaignMemberFields, CampaignQueries
from .operations import follow_order, what_rules_saw
from .rules import CampaignSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return CampaignSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_queries() -> Sequence[type]:
    return [CampaignQueries]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [CampaignMemberFields]


@hookimpl
def register_explainers() -> Sequence[Explainer]:
    return [Explainer(("purchase", "record"), CampaignBonus, what_rules_saw)]


@hookimpl
@hears(ORDER_PAID, ORDER_REFUNDED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_order(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
