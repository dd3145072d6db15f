"""The channel store_visit: points for a store visit, once a day."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.events import Event
from plugins import hookimpl

from .mutations import StoreVisitMutations
from .operations import follow_reversal
from .refusals import REFUSALS
from .rules import StoreVisitSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return StoreVisitSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [StoreVisitMutations]


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)
