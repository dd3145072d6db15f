"""Benefits: what the members of a tier have, each so often in a period, with a record of every use."""

from collections.abc import Mapping, Sequence
from datetime import time

from core.channels.orders import ORDER_REFUNDED
from core.channels.suggestions import Suggester
from core.engine.work import Work
from core.errors import Refusal
from core.oversight.verify import Invariant
from core.rulebook.explaining import Explainer
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Daily, Job
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ENROLLED, TIER_CHANGED, Event, hears
from plugins import hookimpl

from .events import EVENT_TYPES
from .invariants import INVARIANTS
from .models import BenefitUse
from .mutations import BenefitMemberFields, BenefitMutations, BenefitQueries
from .operations import TALLY, CollectBenefit, UseBenefit, collect_due, follow
from .refusals import REFUSALS
from .rules import CHANNEL, BenefitSettings
from .suggestions import suggest
from .telling import tell

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return BenefitSettings


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {TALLY: "Benefits that a member has used."}


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [BenefitQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [BenefitMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [BenefitMemberFields]


@hookimpl
def register_capabilities() -> Mapping[str, str]:
    return {"use": "Uses benefits of members, and gives uses back."}


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Gives the coupons of benefits that nobody has collected, where the programme says so."
    return [Job(name=CHANNEL, says=says, when=Daily(time(0, 10)), run=collect_due)]


@hookimpl
def register_explainers() -> Sequence[Explainer]:
    return [Explainer((CHANNEL, kind.kind), BenefitUse, says=tell) for kind in (UseBenefit, CollectBenefit)]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return INVARIANTS


@hookimpl
@hears(MEMBER_ENROLLED, ORDER_REFUNDED, TIER_CHANGED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_suggestions() -> Suggester:
    return suggest


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
