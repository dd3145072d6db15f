"""Ambassadors: members who are given a commission on the orders of those whom they have brought."""

from collections.abc import Sequence

from core.engine.work import Work
from core.errors import Refusal
from core.oversight.verify import Invariant
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import Delivery, Event, hears
from core.telling.outbox import Submit
from plugins import hookimpl

from .events import EVENT_TYPES
from .models import PERSONAL
from .mutations import AmbassadorMemberFields, AmbassadorMutations, AmbassadorQueries
from .operations import HEARD, OUTGOING, follow, pay_ambassador
from .refusals import REFUSALS
from .rules import AmbassadorSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return AmbassadorSettings


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
    return [AmbassadorQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [AmbassadorMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [AmbassadorMemberFields]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return [
        Invariant(
            "ambassador and commissions",
            "an ambassador's orders and points are those of the commissions that stand",
            "SELECT a.member_id, a.orders, a.points, COALESCE(c.orders, 0) AS counted, COALESCE(c.points, 0) AS summed"
            " FROM ambassador a LEFT JOIN (SELECT bucket, member_id, SUM(points) AS points,"
            " SUM(CASE WHEN state = 'taken_back' THEN 0 ELSE 1 END) AS orders FROM ambassador_commission"
            " GROUP BY bucket, member_id) c ON c.bucket = a.bucket AND c.member_id = a.member_id"
            " WHERE a.orders <> COALESCE(c.orders, 0) OR a.points <> COALESCE(c.points, 0)",
        ),
        Invariant(
            "ambassador of a commission",
            "a commission was given by an accepted operation of an ambassador, and no more of it stands than was given",
            "SELECT c.member_id, c.friend, c.reference, c.points, c.given FROM ambassador_commission c"
            " LEFT JOIN ambassador a ON a.bucket = c.bucket AND a.member_id = c.member_id"
            " LEFT JOIN operation o ON o.bucket = c.bucket AND o.member_id = c.member_id AND o.id = c.transaction_id"
            " WHERE a.member_id IS NULL OR o.id IS NULL OR NOT o.accepted OR c.points < 0 OR c.points > c.given"
            " OR c.friend = c.member_id",
        ),
    ]


@hookimpl
@hears(*HEARD)
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_outgoing() -> Sequence[str]:
    return OUTGOING


@hookimpl
async def after_event(event: Delivery, submit: Submit) -> None:
    await pay_ambassador(event, submit)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
