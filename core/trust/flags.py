"""A flag: a member was active in a channel more often than the programme expects, and somebody is to look at it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from core.errors import NotFound, Refusal, fact

OPERATIONS_MAX: Final = 500
"""How much one flag is about at most; what comes then is about another one."""


class FlagState(StrEnum):
    """Where a flag stands."""

    OPEN = "open"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"


class HeldLot(NamedTuple):
    """A lot that cannot be spent while its flag is open. Instants are in microseconds since 1970."""

    unit: str
    seq: int
    available_from: int
    held_at: int


class Flag(NamedTuple):
    """Something to be looked at, numbered from 1 for each member.

    ``id`` is the operation's that raised it, ``operations`` are those in question, and ``lots`` what they gave that
    cannot be spent until it is decided; each is written as a list, see ``held_lots``.
    """

    number: int
    id: str
    channel: str
    more_than: int
    within_minutes: int
    holds: bool
    state: str
    operations: Sequence[str]
    lots: Sequence[Sequence[str | int]]
    raised_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None

    @property
    def held_lots(self) -> list[HeldLot]:
        return [HeldLot(*lot) for lot in self.lots]  # type: ignore[arg-type]


class Pace(NamedTuple):
    """When a member was active in a channel of late: instants in microseconds, each with its operation, in order."""

    channel: str
    recent: Sequence[Sequence[int | str]]


class FlagNotFound(NotFound):
    """No such flag."""

    code = "FLAG_NOT_FOUND"
    says = "no flag {flag}"
    says_zh = "没有标记 {flag}"
    flag: str = fact("The flag that was asked for.")


class FlagsOpen(Refusal):
    """Somebody has to look at the member first."""

    code = "FLAGS_OPEN"
    says = "{open_flags} flags of the member are open"
    says_zh = "该会员有 {open_flags} 条待处理的标记"
    open_flags: int = fact("How many flags are open.")


class FlagAlreadyDecided(Refusal):
    """Somebody has looked already."""

    code = "FLAG_ALREADY_DECIDED"
    says = "the flag was {flag_state} at {decided_at}"
    says_zh = "该标记已于 {decided_at} 处理，结果为 {flag_state}"
    flag_state: str = fact("What was decided: cleared or confirmed.")
    decided_at: datetime = fact("When.")
    decided_by: str = fact("By whom: operator:eve.")
