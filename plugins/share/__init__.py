"""Sharing: what a member shares with others earns, at once or when somebody has come by it."""

from collections.abc import Mapping, Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.ladder.tiers import FactKind
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import ShareMemberFields, ShareMutations
from .operations import follow_reversal
from .refusals import REFUSALS
from .rules import SHARES, ShareSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return ShareSettings


@hookimpl
def register_facts() -> Mapping[str, FactKind]:
    return {SHARES: FactKind("shares that were rewarded")}


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
    return [ShareMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [ShareMemberFields]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
