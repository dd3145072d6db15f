"""Lottery: draws from pools of prizes, with odds that are published and seeds that are committed to and revealed."""

from collections.abc import Mapping, Sequence

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
from .mutations import LotteryMemberFields, LotteryMutations, LotteryQueries
from .operations import DRAWS, follow_reversal
from .refusals import REFUSALS
from .rules import LotterySettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return LotterySettings


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
    return [LotteryQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [LotteryMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [LotteryMemberFields]


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {DRAWS: "Draws that a member has made in the lottery."}


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
