"""Webhooks: events told to addresses that operators name, signed, at least once, in order for each member."""

from collections.abc import Sequence

from core.errors import Refusal
from core.store.databases import Tables
from core.telling.destinations import Destinations
from plugins import hookimpl

from .mutations import WebhookMutations, WebhookQueries
from .refusals import REFUSALS
from .sending import Webhooks

CONTRACT = 1


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [WebhookQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [WebhookMutations]


@hookimpl
def register_destinations() -> type[Destinations]:
    return Webhooks
