"""Signing in: a visit a day earns, and an unbroken row of days earns more."""

from collections.abc import Mapping, Sequence

from core.channels.annual import Recaller
from core.engine.work import Work
from core.errors import Refusal
from core.ladder.tiers import FactKind
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .mutations import SignInMemberFields, SignInMutations
from .operations import MADE_UP, follow_reversal
from .recalling import recall
from .refusals import REFUSALS
from .rules import SIGN_INS, SignInSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return SignInSettings


@hookimpl
def register_facts() -> Mapping[str, FactKind]:
    return {SIGN_INS: FactKind("days on which the member signed in, made-up days not counted")}


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {MADE_UP: "missed days that the member has made up, each on its own day"}


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [SignInMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [SignInMemberFields]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)


@hookimpl
def register_highlights() -> Recaller:
    return recall


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
