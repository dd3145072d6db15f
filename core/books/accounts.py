"""An account is one unit of one member; an entry is one line in it, a debit and a credit at once.

Values only. The programme's side of an entry (what was issued, redeemed, lost …) is its ``contra`` code and never
a row of its own: a row that all members share would have to be locked by all of them.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

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
    available earlier. ``digest`` is the newest entry's.
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
    digest: str = ""

    @property
    def balance(self) -> int:
        return self.credited - self.debited

    def post(self, amount: int, held: int) -> "Account":
        """The account after an entry of ``amount`` (signed) that sets ``held`` more aside.

        Raises BalanceLimitExceeded when a client could no longer represent the balance, or the database its sides.
        """
        credited = self.credited + max(amount, 0)
        debited = self.debited + max(-amount, 0)
        if abs(credited - debited) > AMOUNT_MAX or max(credited, debited) > _SIDE_MAX:
            raise BalanceLimitExceeded(unit=self.unit, balance_max=AMOUNT_MAX)
        unit, _, _, held_before, debt, seq, lot_seq, hold_seq, next_due, digest = self
        return Account(unit, credited, debited, held_before + held, debt, seq + 1, lot_seq, hold_seq, next_due, digest)

    def due(self, *instants: datetime | None) -> "Account":
        """The account knowing that something changes by itself at each of these instants."""
        soonest = self.next_due
        for at in instants:
            if at is not None and (soonest is None or at < soonest):
                soonest = at
        return self if soonest is self.next_due else self._replace(next_due=soonest)


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
    said = (
        f"{before}|{member_id}|{entry.unit}|{entry.seq}|{entry.operation_id}|{entry.amount}|{entry.held}|"
        f"{entry.contra}|{entry.balance}|{microseconds(entry.effective_at)}|{microseconds(entry.recorded_at)}"
    )
    return hashlib.sha256(said.encode()).hexdigest()
