"""Reviews: paid once they are approved, more with a picture, and once for each thing that is reviewed."""

from collections.abc import Mapping, Sequence

from core.errors import Refusal
from core.ladder.tiers import FactKind
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import ReviewMemberFields, ReviewMutations, ReviewQueries
from .refusals import REFUSALS
from .rules import REVIEWS, ReviewSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return ReviewSettings


@hookimpl
def register_facts() -> Mapping[str, FactKind]:
    return {REVIEWS: FactKind("reviews that were approved and still stand")}


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
    return [ReviewQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [ReviewMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [ReviewMemberFields]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
