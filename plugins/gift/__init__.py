"""Gift: members give each other points, where the programme lets them."""

from collections.abc import Mapping, Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ERASED, TRANSACTION_REVERSED, Delivery, Event, hears
from core.telling.outbox import Submit
from plugins import hookimpl

from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import GiftMemberFields, GiftMutations
from .operations import GIVEN, OUTGOING, deliver, follow_reversal, forget
from .refusals import REFUSALS
from .rules import GiftSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return GiftSettings


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
    return [GiftMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [GiftMemberFields]


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {GIVEN: "Points that a member has given to other members and that did not come back."}


@hookimpl
@hears(MEMBER_ERASED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)
    await forget(event, work)


@hookimpl
def register_outgoing() -> Sequence[str]:
    return OUTGOING


@hookimpl
async def after_event(event: Delivery, submit: Submit) -> None:
    await deliver(event, submit)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
