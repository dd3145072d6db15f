"""Investment: points are staked on projects, and come back with a return, or by the rule for a failure."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import InvestmentMemberFields, InvestmentMutations, InvestmentQueries
from .operations import follow_reversal
from .refusals import REFUSALS
from .rules import InvestmentSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return InvestmentSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [InvestmentQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [InvestmentMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [InvestmentMemberFields]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
