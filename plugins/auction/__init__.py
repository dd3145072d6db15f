"""Auction: bids set points aside, the highest wins, and all others are given back."""

from collections.abc import Sequence
from datetime import timedelta

from core.channels.orders import ORDER_PAID
from core.engine.work import Work
from core.errors import Refusal
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Every, Job
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import MEMBER_STATUS_CHANGED, TRANSACTION_REVERSED, Delivery, Event, hears
from core.telling.outbox import Submit
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import AuctionMemberFields, AuctionMutations, AuctionQueries
from .operations import OUTBID, check_order, close_auctions, follow_closing, follow_reversal, release_outbid
from .refusals import REFUSALS
from .rules import AuctionSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return AuctionSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [AuctionQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [AuctionMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [AuctionMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Lets the highest bid win when an auction is over."
    return [Job(name="auction_close", says=says, when=Every(timedelta(minutes=1)), run=close_auctions)]


@hookimpl
@hears(MEMBER_STATUS_CHANGED, ORDER_PAID, TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await check_order(event, work)
    await follow_reversal(event, work)
    await follow_closing(event, work)


@hookimpl
def register_outgoing() -> Sequence[str]:
    return [OUTBID]


@hookimpl
async def after_event(event: Delivery, submit: Submit) -> None:
    await release_outbid(event, submit)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
