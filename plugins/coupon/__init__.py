"""Coupons: given for an occasion or by an operator, used once with an order, gone at an instant."""

from collections.abc import Mapping, Sequence

from core.channels.coupons import COUPON_GRANTED, COUPONS_REVOKED
from core.channels.orders import ORDER_REFUNDED
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
from .mutations import CouponMemberFields, CouponMutations, CouponQueries
from .operations import USED, follow
from .refusals import REFUSALS
from .rules import CouponSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return CouponSettings


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
    return [CouponQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [CouponMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [CouponMemberFields]


@hookimpl
def register_countables() -> Mapping[str, str]:
    return {USED: "Coupons that a member has used with an order."}


@hookimpl
@hears(COUPONS_REVOKED, COUPON_GRANTED, ORDER_REFUNDED, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
