"""Checkout: part of a basket is paid with points, which are held until it is paid or left."""

from collections.abc import Sequence

from core.channels.orders import ORDER_PAID
from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.telling.events import Event, hears
from plugins import hookimpl

from .mutations import CheckoutMutations, CheckoutQueries
from .operations import check_order
from .refusals import REFUSALS
from .rules import CheckoutSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return CheckoutSettings


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [CheckoutQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [CheckoutMutations]


@hookimpl
@hears(ORDER_PAID)
async def react(event: Event, work: Work) -> None:
    await check_order(event, work)
