"""What members have, as their accounts say, and what they did, added up by the database.

Where lots have to be asked, they say in SQL what ``core.books.lots.Lot`` and ``core.books.holds.without_overdue`` say
of values: a lot that has lapsed is gone, and a hold whose time is over sets nothing aside, whether or not a job has
written it down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from core.books.accounts import Account
from core.books.lots import REVIEW
from core.books.members import bucket_of
from core.books.tallies import Tally
from core.store.dialect import Lookup, Reader
from core.store.tables import Row, table_of
from core.time.clock import instant, microseconds

_OVERDUE: Final = (
    "SELECT COALESCE(SUM(p.amount), 0) FROM hold_lot p {join} hold h"
    " ON h.bucket = p.bucket AND h.member_id = p.member_id AND h.unit = p.unit AND h.seq = p.hold_seq"
    " WHERE p.bucket = t.bucket AND p.member_id = t.member_id AND p.unit = t.unit AND p.lot_seq = t.seq"
    " AND p.amount > 0 AND h.state = 'open' AND h.expires_at <= k.k3"
)
_SAID: Final = """
SELECT a.bucket, a.member_id, a.unit, k.k3, a.credited - a.debited, a.debt, a.held, a.next_due, a.pending, a.expiring,
       a.expires_at
FROM {keys} {join} account a ON a.bucket = k.k0 AND a.member_id = k.k1 AND a.unit = k.k2
"""
# The open lots as they are, and of each what can be spent now or later.
_ADDED_UP: Final = f"""
SELECT bucket, member_id, unit, instant, debt, SUM(held), SUM(free), SUM(later), MIN(soonest),
       SUM(CASE WHEN expires_at = soonest THEN free ELSE 0 END)
FROM (
  SELECT s.*, MIN(CASE WHEN free > 0 THEN expires_at END)
                OVER (PARTITION BY bucket, member_id, unit, instant) AS soonest
  FROM (
    SELECT l.*, CASE WHEN begun = 1 THEN remaining - held ELSE 0 END AS free,
           CASE WHEN begun = 0 THEN remaining - held ELSE 0 END AS later
    FROM (
      SELECT a.bucket, a.member_id, a.unit, k.k3 AS instant, a.debt, t.expires_at,
             COALESCE(t.remaining, 0) AS remaining,
             CASE WHEN t.held > 0 THEN t.held - ({_OVERDUE}) ELSE 0 END AS held,
             CASE WHEN t.available_from >= {microseconds(REVIEW)} THEN 0
                  WHEN t.expires_at <= k.k3 THEN NULL WHEN t.available_from <= k.k3 THEN 1 ELSE 0 END AS begun
      FROM {{keys}} {{join}} account a ON a.bucket = k.k0 AND a.member_id = k.k1 AND a.unit = k.k2
      LEFT JOIN lot t ON t.bucket = a.bucket AND t.member_id = a.member_id AND t.unit = a.unit AND t.remaining > 0
    ) l
  ) s
) u GROUP BY bucket, member_id, unit, instant, debt
"""
# Each by itself: grouped after a join, what is summed up is sorted by its key, which takes longer than to read it.
_TOTALS: Final = (
    "SELECT k.k0, k.k1, k.k2, k.k3, (SELECT CAST(SUM(t.amount) AS {integer}) FROM tally t"
    " WHERE t.bucket = k.k0 AND t.member_id = k.k1 AND t.name = k.k2 AND t.day >= k.k3) FROM {keys}"
)

_BY: Final = ("bucket", "member_id", "unit", "expires_at")
"""The columns that have the types of a key."""

BalanceKey = tuple[int, str, str, int]
TallyKey = tuple[int, str, str, int]


class Balance(NamedTuple):
    """What a member has of one unit: ``expiring`` of it is lost at ``expires_at``, before everything else."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    expiring: int = 0
    expires_at: datetime | None = None

    @classmethod
    def said(cls, account: Account, now: datetime) -> "Balance | None":
        """What an account says by itself; None where only its lots do."""
        if account.held or account.is_due(now):
            return None
        available = account.balance + account.debt - account.pending
        return cls(available, account.pending, 0, account.debt, account.expiring, account.expires_at)

    @property
    def total(self) -> int:
        return self.available + self.pending + self.held - self.debt


NOTHING: Final = Balance()


@dataclass(frozen=True, slots=True, eq=False)
class Balances:
    """The question of what members have of a unit now; nothing is known where nothing ever happened.

    An account says it by itself unless something has changed by itself or is held; its lots are added up then.
    """

    @staticmethod
    def key(member_id: str, unit: str, now: datetime) -> BalanceKey:
        return bucket_of(member_id), member_id, unit, microseconds(now)

    async def answer(self, reader: Reader, keys: Sequence[BalanceKey]) -> Mapping[BalanceKey, Balance]:
        return await self.settle(reader, self.told(await reader.find(self.lookup(keys))))

    @staticmethod
    def lookup(keys: Sequence[BalanceKey]) -> Lookup:
        """What is to be looked up."""
        return Lookup(table_of(Account), _BY, keys, sql=_SAID)

    @staticmethod
    def told(rows: Sequence[Row]) -> dict[BalanceKey, Balance | None]:
        """The answers that are in what was found; None is one that only the lots can give."""
        return {
            (bucket, member_id, unit, now): None
            if held or (next_due is not None and next_due <= now)
            else Balance(
                balance + debt - pending,
                pending,
                0,
                debt,
                expiring,
                None if expires_at is None else instant(expires_at),
            )
            for bucket, member_id, unit, now, balance, debt, held, next_due, pending, expiring, expires_at in rows
        }

    @staticmethod
    async def settle(reader: Reader, told: Mapping[BalanceKey, Balance | None]) -> Mapping[BalanceKey, Balance]:
        """All answers, those of the lots among them."""
        said = {key: balance for key, balance in told.items() if balance is not None}
        if len(said) < len(told):
            keys = [key for key, balance in told.items() if balance is None]
            rows = await reader.find(Lookup(table_of(Account), _BY, keys, sql=_ADDED_UP))
            said |= {
                (bucket, member_id, unit, now): Balance(
                    # A sum of integers is a decimal on PostgreSQL and MariaDB.
                    available=int(free),
                    pending=int(later),
                    held=int(held),
                    debt=debt,
                    expiring=int(expiring),
                    expires_at=None if soonest is None else instant(soonest),
                )
                for bucket, member_id, unit, now, debt, held, free, later, soonest, expiring in rows
            }
        return said


BALANCES: Final = Balances()


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """The question of what a tally adds up to since a day."""

    @staticmethod
    def keys(member_id: str, facts: Iterable[tuple[str, int]]) -> list[TallyKey]:
        """The keys of some tallies of a member, each with the first day that counts."""
        bucket = bucket_of(member_id)
        return [(bucket, member_id, name, first_day) for name, first_day in facts]

    async def answer(self, reader: Reader, keys: Sequence[TallyKey]) -> Mapping[TallyKey, int]:
        return self.told(await reader.find(self.lookup(keys)))

    @staticmethod
    def lookup(keys: Sequence[TallyKey]) -> Lookup:
        """What is to be looked up."""
        return Lookup(table_of(Tally), ("bucket", "member_id", "name", "day"), keys, sql=_TOTALS)

    @staticmethod
    def told(rows: Sequence[Row]) -> Mapping[TallyKey, int]:
        """The answers that are in what was found."""
        return {
            (bucket, member_id, name, day): total for bucket, member_id, name, day, total in rows if total is not None
        }


TOTALS: Final = Totals()
