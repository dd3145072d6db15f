"""Badges: who has done so much of something has it to show, and may get something for it."""

from collections.abc import Sequence
from datetime import timedelta

from core.channels.annual import Recaller
from core.engine.work import Work
from core.oversight.verify import Invariant
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Every, Job
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import Event
from plugins import hookimpl

from .events import EVENT_TYPES
from .mutations import BadgeMemberFields
from .operations import follow, give_earned
from .recalling import recall
from .rules import BadgeSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return BadgeSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [BadgeMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Gives badges that are new to the members who had earned them before."
    return [Job(name="badge", says=says, when=Every(timedelta(minutes=5)), run=give_earned)]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return [
        Invariant(
            "badge of an operation",
            "a badge was given by an accepted operation of its member",
            "SELECT b.member_id, b.badge, b.level FROM badge_held b LEFT JOIN operation o ON o.bucket = b.bucket"
            " AND o.member_id = b.member_id AND o.id = b.transaction_id WHERE o.id IS NULL OR NOT o.accepted",
        )
    ]


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_highlights() -> Recaller:
    return recall


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
