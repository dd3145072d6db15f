"""Leaderboards: members by what was counted of them in a day, week, month or quarter, and prizes for the first."""

from collections.abc import Sequence
from datetime import timedelta

from core.engine.work import Work
from core.errors import Refusal
from core.oversight.verify import Invariant
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Every, Job
from core.store.databases import Tables
from core.telling.event_types import EventType
from core.telling.events import Event
from plugins import hookimpl

from .closing import run_boards
from .events import EVENT_TYPES
from .mutations import LeaderboardMemberFields, LeaderboardMutations, LeaderboardQueries
from .operations import follow
from .refusals import REFUSALS
from .rules import LeaderboardSettings

CONTRACT = 1


@hookimpl
def register_settings() -> type[ChannelSettings]:
    return LeaderboardSettings


@hookimpl
def register_models() -> Tables:
    return Tables((f"{__name__}.models",), f"{__name__}.migrations")


@hookimpl
def register_refusals() -> Sequence[type[Refusal]]:
    return REFUSALS


@hookimpl
def register_queries() -> Sequence[type]:
    return [LeaderboardQueries]


@hookimpl
def register_mutations() -> Sequence[type]:
    return [LeaderboardMutations]


@hookimpl
def register_member_fields() -> Sequence[type]:
    return [LeaderboardMemberFields]


@hookimpl
def register_jobs() -> Sequence[Job]:
    says = "Gives the prizes of leaderboards whose period has closed, and scores whom nobody has scored yet."
    return [Job(name="leaderboard", says=says, when=Every(timedelta(minutes=5)), run=run_boards)]


@hookimpl
def register_invariants() -> Sequence[Invariant]:
    return [
        Invariant(
            "leaderboard prize of an operation",
            "a prize was given by an accepted operation of its member, for a place of the board as it closed",
            "SELECT w.member_id, w.board, w.period FROM leaderboard_win w LEFT JOIN operation o ON o.bucket = w.bucket"
            " AND o.member_id = w.member_id AND o.id = w.transaction_id"
            " WHERE o.id IS NULL OR NOT o.accepted OR w.place < 1 OR w.score < 1",
        )
    ]


@hookimpl
async def react(event: Event, work: Work) -> None:
    await follow(event, work)


@hookimpl
def register_event_types() -> Sequence[EventType]:
    return EVENT_TYPES
