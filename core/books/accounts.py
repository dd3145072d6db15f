"""An account is one unit of one member; an entry is one line in it, a debit and a credit at once.

Values only. The programme's side of an entry (what was issued, redeemed, lost …) is its ``contra`` code and never
a row of its own: a row that all members share would have to be locked by all of them.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from core.books.lots import REVIEW
from core.errors import BalanceLimitExceeded
from core.time.clock import microseconds
from core.units import AMOUNT_MAX

_SIDE_MAX: Final = 2**63 - 1


class Contra(StrEnum):
    """The programme's side of an entry: where the amount came from or went."""

    ISSUANCE = "issuance"
    REDEMPTION = "redemption"
    BREAKAGE = "breakage"
    CLAW_BACK = "claw_back"
    ADJUSTMENT = "adjustment"
    HOLD = "hold"
    TRANSFER = "transfer"
    OPENING = "opening"
    MERGE = "merge"


class Account(NamedTuple):
    """The state of one account. ``credited`` and ``debited`` only grow; ``seq`` numbers its entries without a gap.

    ``next_due`` is an instant before which no lot changes by itself: nothing expires and nothing pending becomes
    available earlier. How it stands until then: of what is not held ``pending`` can be spent later only, and of the
    rest ``expiring`` is lost first, at ``expires_at``. ``digest`` is the newest entry's.
    """

    unit: str
    credited: int = 0
    debited: int = 0
    held: int = 0
    debt: int = 0
    seq: int = 0
    lot_seq: int = 0
    hold_seq: int = 0
    next_due: datetime | None = None
    pending: int = 0
    expiring: int = 0
    expires_at: datetime | None = None
    digest: str = ""

    @property
    def balance(self) -> int:
        return self.credited - self.debited

    def post(self, amount: int, held: int, *, owed: int = 0, lots: int = 0) -> "Account":
        """The account after an entry of ``amount`` (signed) that sets ``held`` more aside.

        It leaves ``owed`` more debt, and so many new ``lots``.
        Raises BalanceLimitExceeded when a client could no longer represent the balance, or the database its sides.
        """
        credited = self.credited + max(amount, 0)
        debited = self.debited + max(-amount, 0)
        if abs(credited - debited) > AMOUNT_MAX or max(credited, debited) > _SIDE_MAX:
            raise BalanceLimitExceeded(unit=self.unit, balance_max=AMOUNT_MAX)
        unit, _, _, held_before, debt, seq, lot_seq, hold_seq, next_due, pending, expiring, expires_at, digest = self
        return Account(
            unit, credited, debited, held_before + held, debt + owed, seq + 1, lot_seq + lots, hold_seq,
            next_due, pending, expiring, expires_at, digest,
        )  # fmt: skip

    def due(self, *instants: datetime | None) -> "Account":
        """The account knowing that something changes by itself at each of these instants."""
        soonest = self.next_due
        for at in instants:
            if at is not None and (soonest is None or at < soonest):
                soonest = at
        return self if soonest is self.next_due else self._replace(next_due=soonest)

    def is_due(self, at: datetime) -> bool:
        """Whether something has changed by itself until then, so that only the lots say how it stands."""
        return self.next_due is not None and self.next_due <= at

    def gain(self, amount: int, available_from: datetime, expires_at: datetime | None, at: datetime) -> "Account":
        """The account knowing that since ``at`` a lot of these dates has so much more that is not held."""
        after = self.due(expires_at, available_from if available_from > at else None)
        if amount == 0:
            return after
        if waits(available_from, after.next_due):
            return after._replace(pending=after.pending + amount)
        if expires_at is None or (after.expires_at is not None and after.expires_at < expires_at):
            return after
        before = after.expiring if after.expires_at == expires_at else 0
        return after._replace(expiring=before + amount, expires_at=expires_at)


def waits(available_from: datetime, next_due: datetime | None) -> bool:
    """Whether what is available from then on is pending until an account is due."""
    return available_from >= (next_due or REVIEW)


class Entry(NamedTuple):
    """One line of an account, never changed. ``digest`` chains it to the line before."""

    unit: str
    seq: int
    operation_id: str
    amount: int
    held: int
    contra: str
    balance: int
    effective_at: datetime
    recorded_at: datetime
    digest: str


def chain(before: str, member_id: str, entry: Entry) -> str:
    """The digest of ``entry`` after the digest ``before``: SHA-256 over all that the entry says, in hex."""
    unit, seq, operation_id, amount, held, contra, balance, effective_at, recorded_at, _ = entry
    said = (
        f"{before}|{member_id}|{unit}|{seq}|{operation_id}|{amount}|{held}|"
        f"{contra}|{balance}|{microseconds(effective_at)}|{microseconds(recorded_at)}"
    )
    return hashlib.sha256(said.encode()).hexdigest()
