"""A lot is what is left of one accrual, with one expiry. What to draw on, and what is lost when.

Lots are spent soonest-to-expire first. A lot past its expiry cannot be spent from that very instant, whether or
not a job has written the loss down.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple

DEBT_LOT: Final = 0
"""The lot number under which moves of debt are recorded: what was clawed back and could not be taken."""

REVIEW: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""From when a lot is available that waits for a review: until somebody has looked it cannot be spent, nor lapse."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class MoveKind(StrEnum):
    """Why the rest of a lot changed."""

    SPEND = "spend"
    EXPIRE = "expire"
    RESTORE = "restore"
    CLAW_BACK = "claw_back"
    REPAY = "repay"
    CARRY = "carry"
    MERGE = "merge"


class ExtensionCause(StrEnum):
    """Why a lot expires later than it was to."""

    ACTIVITY = "activity"
    OPERATOR = "operator"
    REVIEW = "review"


class Lot(NamedTuple):
    """What is left of one accrual.

    ``remaining`` includes ``held``. ``expired`` is what was written down as lost, ``clawed`` what refunds and
    reversals have asked back so far, ``forgiven`` how much of that was not taken because it had expired. A ``fixed``
    lot has an expiry of its own, which no activity moves.
    """

    unit: str
    seq: int
    operation_id: str
    source: str
    amount: int
    remaining: int
    held: int
    expired: int
    clawed: int
    forgiven: int
    earned_at: datetime
    available_from: datetime
    expires_at: datetime | None
    fixed: bool = False

    @property
    def waits_for_review(self) -> bool:
        return self.available_from >= REVIEW

    def lapsed(self, at: datetime) -> bool:
        return self.expires_at is not None and at >= self.expires_at and not self.waits_for_review

    def free(self, at: datetime) -> int:
        """What can be spent of it at that instant."""
        if at < self.available_from or self.lapsed(at):
            return 0
        return self.remaining - self.held


class LotMove(NamedTuple):
    """A signed change of what is left of a lot, made by the entry ``seq`` of its unit; never changed."""

    unit: str
    seq: int
    lot_seq: int
    kind: str
    amount: int


class Extension(NamedTuple):
    """The lots ``lot_first`` to ``lot_last`` of a unit expire at ``expires_at``, and no longer at ``former``.

    Never changed. The dates of a lot only ever grow, so they put its extensions in order.
    """

    unit: str
    expires_at: datetime
    lot_first: int
    lot_last: int
    former: datetime
    cause: str
    operation_id: str


class Part(NamedTuple):
    """What is to be a lot of another account, with all that it was: where it is from, and its dates."""

    amount: int
    source: str
    earned_at: datetime
    available_from: datetime
    expires_at: datetime | None
    fixed: bool


class Draw(NamedTuple):
    """How much to take from which lot."""

    lot_seq: int
    amount: int


def spending_order(lot: Lot) -> tuple[datetime, int]:
    """Soonest expiry first. The lot number breaks ties, so that a replay draws on the same lots again."""
    return lot.expires_at or _NEVER, lot.seq


def draw(lots: Iterable[Lot], amount: int, at: datetime) -> list[Draw]:
    """Take ``amount`` from what is free at that instant, soonest expiry first.

    The draws add up to less than ``amount`` when the lots hold less.
    """
    draws: list[Draw] = []
    for lot in sorted(lots, key=spending_order):
        if amount == 0:
            break
        if taken := min(lot.free(at), amount):
            draws.append(Draw(lot.seq, taken))
            amount -= taken
    return draws
