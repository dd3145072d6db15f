"""Referrals: a member's code brings a friend, and the friend's first order brings points to both."""

from collections.abc import Mapping, Sequence

from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_ERASED, TRANSACTION_REVERSED, Delivery, Event, hears
from core.telling.outbox import Submit
from plugins import hookimpl

from .anew import ANEW
from .events import EVENT_TYPES
from .mutations import ReferralMemberFields, ReferralMutations
from .operations import OUTGOING, REFERRALS, follow, forget, tell_inviter
from .refusals import REFUSALS
from .rules import ReferralSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return ReferralSettings


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {REFERRALS: "friends who were brought and have bought"}


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_mutations() -> Sequence[type]:
    return [ReferralMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [ReferralMemberFields]


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(MEMBER_ERASED, ORDER_PAID, ORDER_REFUNDED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)
    await forget(event, work)


@hookimpl
def register_outgoing() -> Sequence[str]:
    return OUTGOING


@hookimpl
async def after_event(event: Delivery, submit: Submit) -> None:
    await tell_inviter(event, submit)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
