"""Purchases: an order earns by the programme's rules, and a refund takes back what it takes from the order."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.oversight.verify import Invariant
from core.people.erasing import PersonalData
from core.rulebook.explaining import Explainer
from core.rulebook.programme import ChannelSettings
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.events import TRANSACTION_REVERSED, Event, hears
from plugins import hookimpl
from plugins.hookspecs import Importer

from .anew import ANEW
from .guest_mutations import GuestMutations, GuestQueries
from .guests import INVARIANTS
from .importer import ORDERS
from .models import PERSONAL, PurchaseOrder
from .mutations import PurchaseMemberFields, PurchaseMutations, PurchaseQueries
from .operations import RecordPurchase, follow_reversal, what_rules_saw
from .refusals import REFUSALS
from .rules import PurchaseSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return PurchaseSettings


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
    return [PurchaseQueries, GuestQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [PurchaseMutations, GuestMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [PurchaseMemberFields]


@hookimpl
def register_importers() -> Sequence[Importer]:
    return [ORDERS]


@hookimpl
def register_explainers() -> Sequence[Explainer]:
    return [Explainer((RecordPurchase.channel, RecordPurchase.kind), PurchaseOrder, what_rules_saw)]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return INVARIANTS


@hookimpl
def register_anew() -> Sequence[Anew]:
    return [ANEW]


@hookimpl
@hears(TRANSACTION_REVERSED)
async def react(event: Event, work: Work) -> None:
    await follow_reversal(event, work)
