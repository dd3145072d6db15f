"""The invariants of the ledger, each a query that must return no row.

They hold at every moment of a live database: each is one statement, which all three databases answer from one state
of the tables. Only the digests are computed again here, entry by entry, as no database has the words for it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from core.books.accounts import Entry, chain
from core.books.lots import REVIEW, Lot
from core.books.members import bucket_of
from core.key_figures.recomputing import differences
from core.oversight.audit import Record
from core.oversight.audit import chain as chain_audit
from core.store.dialect import Reader
from core.store.tables import table_of
from core.time.clock import microseconds
from core.trust.flags import Flag

OFFENDERS_MAX: Final = 5
_SLICE: Final = 20_000


class Invariant(NamedTuple):
    """Something that always holds. ``sql`` finds where it does not; None for what is computed here."""

    name: str
    says: str
    sql: str | None


class Finding(NamedTuple):
    """An invariant that is broken, in how many places, and the first of them."""

    invariant: Invariant
    places: int
    offenders: Sequence[Mapping[str, Any]]


async def verify(reader: Reader, more: Sequence[Invariant] = ()) -> list[Finding]:
    """Everything that is wrong with the books; empty when nothing is. ``more`` are the invariants of plugins."""
    findings = [await _look(reader, invariant) for invariant in (*INVARIANTS, *more)]
    return [finding for finding in findings if finding.places]


async def _look(reader: Reader, invariant: Invariant) -> Finding:
    if invariant.sql is None:
        return await _COMPUTED[invariant.name](reader, invariant)
    rows = await reader.client.execute_query_dict(f"{invariant.sql} LIMIT {OFFENDERS_MAX}")
    if len(rows) < OFFENDERS_MAX:
        places = len(rows)
    else:
        ((places,),) = await reader.query(f"SELECT COUNT(*) FROM ({invariant.sql}) offenders")
    return Finding(invariant, places, [{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value: Any) -> Any:
    # The sum of a column of integers is a decimal on PostgreSQL and MariaDB.
    return int(value) if isinstance(value, Decimal) else value


async def _broken_chains(reader: Reader, invariant: Invariant) -> Finding:
    """Entries whose digest is not the one that follows from the entry before, or that lie in another's bucket."""
    places, before, account = 0, "", ("", "")
    offenders: list[Mapping[str, Any]] = []
    async for bucket, member_id, entry in _rows(reader, Entry):
        if account != (member_id, entry.unit):
            account, before = (member_id, entry.unit), ""
        digest = chain(before, member_id, entry)
        if digest != entry.digest or bucket != bucket_of(member_id):
            places += 1
            if len(offenders) < OFFENDERS_MAX:
                offenders.append({"member_id": member_id, "unit": entry.unit, "seq": entry.seq, "digest": entry.digest})
        # From the digest as stored: one changed entry is one finding, not all that come after it.
        before = entry.digest
    return Finding(invariant, places, offenders)


async def _broken_audit(reader: Reader, invariant: Invariant) -> Finding:
    """Records of the audit log whose digest is not the one that follows from the record before, or whose number is."""
    places, number, former, of = 0, 0, "", ""
    offenders: list[Mapping[str, Any]] = []
    async for _, member_id, record in _rows(reader, Record):
        if of != member_id or number == 0:
            of, number, former = member_id, 0, ""
        number += 1
        if record.number != number or chain_audit(former, member_id, record) != record.digest:
            places += 1
            if len(offenders) < OFFENDERS_MAX:
                offenders.append({"member_id": member_id, "number": record.number, "digest": record.digest})
        number, former = record.number, record.digest
    return Finding(invariant, places, offenders)


async def _broken_reviews(reader: Reader, invariant: Invariant) -> Finding:
    """Lots that wait for a review without an open flag that says so, and the reverse."""
    lots, flags = table_of(Lot), table_of(Flag)
    # One statement, so that no decision comes between.
    rows = await reader.query(
        f"SELECT 0, member_id, unit, seq, '' FROM {lots.name} WHERE available_from >= {microseconds(REVIEW)}"
        f" UNION ALL SELECT 1, member_id, '', number, lots FROM {flags.name} WHERE state = 'open'"
    )
    waiting = {(member_id, unit, seq): 1 for kind, member_id, unit, seq, _ in rows if kind == 0}
    for kind, member_id, _, _, held in rows:
        for unit, seq, *_rest in orjson.loads(held) if kind == 1 else ():
            waiting[member_id, unit, seq] = waiting.get((member_id, unit, seq), 0) - 1
    wrong = sorted(place for place, left in waiting.items() if left)
    offenders = [{"member_id": member_id, "unit": unit, "lot": seq} for member_id, unit, seq in wrong]
    return Finding(invariant, len(wrong), offenders[:OFFENDERS_MAX])


async def _wrong_aggregates(reader: Reader, invariant: Invariant) -> Finding:
    """Daily aggregates that are not what the rows of the ledger add up to."""
    wrong = sorted((await differences(reader)).items())
    offenders = [
        {"name": name, "day": day, "unit": unit, "channel": channel, "part": part, "lacks": amount, "times": times}
        for (name, day, unit, channel, part), (amount, times) in wrong[:OFFENDERS_MAX]
    ]
    return Finding(invariant, len(wrong), offenders)


async def _rows(reader: Reader, kind: type) -> AsyncIterator[tuple[int, str, Any]]:
    """All rows of a kind by key, with the bucket and the member, a slice of buckets at a time."""
    table = table_of(kind)
    buckets: list[tuple[int]] = []
    size = 0
    counts = await reader.query(f"SELECT bucket, COUNT(*) FROM {table.name} GROUP BY bucket ORDER BY bucket")
    for bucket, rows in [*counts, (None, _SLICE)]:
        if buckets and size + rows > _SLICE:
            for row in sorted(await reader.select(table, ("bucket",), buckets)):
                yield row[0], row[1], table.read(row)
            buckets, size = [], 0
        buckets.append((bucket,))
        size += rows


_COMPUTED: Final = {
    "digests": _broken_chains,
    "audit digests": _broken_audit,
    "lots under review": _broken_reviews,
    "daily aggregates": _wrong_aggregates,
}


# -- the invariants -----------------------------------------------------------------------------------


def _of_account(sums: str, table: str, where: str = "") -> str:
    """What a table adds up to for each account, joined to the account ``a`` as ``s``."""
    return (
        f"LEFT JOIN (SELECT bucket, member_id, unit, {sums} FROM {table} {where} GROUP BY bucket, member_id, unit) s"
        " ON s.bucket = a.bucket AND s.member_id = a.member_id AND s.unit = a.unit"
    )


def _same(left: str, right: str, *more: str) -> str:
    """The condition of a join within one member."""
    columns = ("bucket", "member_id", *more)
    return " AND ".join(f"{left}.{column} = {right}.{column}" for column in columns)


def _without(table: str, other: str, condition: str) -> str:
    """Rows of one table to which none of the other belongs."""
    alias = other.split()[1]
    return f"FROM {table} LEFT JOIN {other} ON {condition} WHERE {alias}.bucket IS NULL"


_ACCOUNT = "SELECT a.member_id, a.unit"
_LOT = "SELECT l.member_id, l.unit, l.seq AS lot"
_PENDING = f"l.available_from >= COALESCE(c.next_due, {microseconds(REVIEW)})"
_MOVED = "SUM(amount) AS moved"
_LOT_MOVES = (
    "FROM lot l LEFT JOIN (SELECT bucket, member_id, unit, lot_seq, SUM(amount) AS moved,"
    " SUM(CASE WHEN kind = 'expire' THEN amount ELSE 0 END) AS expired,"
    " SUM(CASE WHEN kind IN ('spend', 'restore') THEN amount ELSE 0 END) AS spent"
    " FROM lot_move GROUP BY bucket, member_id, unit, lot_seq) m"
    f" ON {_same('m', 'l', 'unit')} AND m.lot_seq = l.seq"
)

INVARIANTS: Final[Sequence[Invariant]] = (
    # -- accounts and entries
    Invariant(
        "credited and debited",
        "an account's credited and debited are what its entries add up to",
        f"{_ACCOUNT}, a.credited, a.debited, COALESCE(s.up, 0) AS ups, COALESCE(s.down, 0) AS downs FROM account a "
        + _of_account(
            "SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS up,"
            " SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS down",
            "entry",
        )
        + " WHERE a.credited <> COALESCE(s.up, 0) OR a.debited <> COALESCE(s.down, 0)",
    ),
    Invariant(
        "entries without a gap",
        "an account's entries are numbered 1 to its seq",
        f"{_ACCOUNT}, a.seq, COALESCE(s.entries, 0) AS entries, s.newest FROM account a "
        + _of_account("COUNT(*) AS entries, MIN(seq) AS oldest, MAX(seq) AS newest", "entry")
        + " WHERE a.seq <> COALESCE(s.entries, 0) OR a.seq <> COALESCE(s.newest, 0) OR s.oldest <> 1",
    ),
    Invariant(
        "running balances",
        "an entry's balance is the one before plus its amount",
        "SELECT e.member_id, e.unit, e.seq, e.amount, e.balance, p.balance AS former FROM entry e"
        f" LEFT JOIN entry p ON {_same('p', 'e', 'unit')} AND p.seq = e.seq - 1"
        " WHERE e.balance <> e.amount + COALESCE(p.balance, 0)",
    ),
    Invariant("digests", "an entry's digest follows from its content and the digest before", None),
    Invariant(
        "newest digest",
        "an account carries the digest of its newest entry",
        f"{_ACCOUNT}, a.seq, a.digest, e.digest AS entry_digest FROM account a"
        f" LEFT JOIN entry e ON {_same('e', 'a', 'unit')} AND e.seq = a.seq WHERE a.digest <> COALESCE(e.digest, '')",
    ),
    Invariant(
        "entries of an account",
        "an entry belongs to an account",
        "SELECT e.member_id, e.unit, e.seq " + _without("entry e", "account a", _same("a", "e", "unit")),
    ),
    # -- operations
    Invariant(
        "entries of an operation",
        "an entry was made by an accepted operation of its member",
        "SELECT e.member_id, e.unit, e.seq, e.operation_id FROM entry e"
        f" LEFT JOIN operation o ON {_same('o', 'e')} AND o.id = e.operation_id WHERE o.id IS NULL OR NOT o.accepted",
    ),
    Invariant(
        "operations with entries",
        "an accepted operation that moves or holds points has an entry",
        "SELECT o.member_id, o.channel, o.kind, o.id "
        + _without("operation o", "entry e", f"{_same('e', 'o')} AND e.operation_id = o.id")
        + " AND o.accepted AND o.channel = 'ledger' AND o.kind IN ('redeem', 'hold', 'capture', 'release', 'adjust')",
    ),
    Invariant(
        "entries explained",
        "what an operation's entries say of a unit is what it gave in lots and changed in lots and debt",
        "SELECT x.member_id, x.unit, x.operation_id, SUM(x.said) AS said, SUM(x.done) AS done FROM ("
        "SELECT bucket, member_id, unit, operation_id, amount AS said, 0 AS done FROM entry"
        " UNION ALL SELECT bucket, member_id, unit, operation_id, 0, amount FROM lot"
        " UNION ALL SELECT m.bucket, m.member_id, m.unit, e.operation_id, 0, m.amount FROM lot_move m"
        f" JOIN entry e ON {_same('e', 'm', 'unit', 'seq')}"
        ") x GROUP BY x.bucket, x.member_id, x.unit, x.operation_id HAVING SUM(x.said) <> SUM(x.done)",
    ),
    Invariant(
        "reversals of transactions",
        "what a reversal takes back is an accepted operation of the same member, and no reversal itself",
        "SELECT r.member_id, r.id, r.reverses FROM operation r"
        f" LEFT JOIN operation o ON {_same('o', 'r')} AND o.id = r.reverses"
        " WHERE r.reverses IS NOT NULL"
        " AND (o.id IS NULL OR NOT o.accepted OR NOT r.accepted OR o.reverses IS NOT NULL)",
    ),
    Invariant(
        "restored at most spent",
        "reversals give back to a lot no more than the transaction took from it",
        "SELECT x.member_id, x.unit, x.lot_seq, x.transaction_id, SUM(x.amount) AS too_much FROM ("
        "SELECT m.bucket, m.member_id, m.unit, m.lot_seq, COALESCE(o.reverses, o.id) AS transaction_id, m.amount"
        f" FROM lot_move m JOIN entry e ON {_same('e', 'm', 'unit', 'seq')}"
        f" JOIN operation o ON {_same('o', 'e')} AND o.id = e.operation_id WHERE m.kind IN ('spend', 'restore')"
        ") x GROUP BY x.bucket, x.member_id, x.unit, x.lot_seq, x.transaction_id HAVING SUM(x.amount) > 0",
    ),
    # -- the audit log
    Invariant(
        "audit digests",
        "records of the audit log are numbered without a gap, each with a digest that follows from the one before",
        None,
    ),
    Invariant(
        "audited operations",
        "what the audit log says of a member was done by an accepted operation of that member",
        "SELECT a.member_id, a.number, a.operation_id FROM audit a"
        f" LEFT JOIN operation o ON {_same('o', 'a')} AND o.id = a.operation_id"
        " WHERE a.member_id <> '' AND (o.id IS NULL OR NOT o.accepted OR o.actor <> a.actor)",
    ),
    # -- lots
    Invariant(
        "balance in lots",
        "an account's balance is what is left of its lots less its debt",
        f"{_ACCOUNT}, a.credited - a.debited AS balance, COALESCE(s.remaining, 0) AS remaining, a.debt FROM account a "
        + _of_account("SUM(remaining) AS remaining", "lot")
        + " WHERE a.credited - a.debited <> COALESCE(s.remaining, 0) - a.debt",
    ),
    Invariant(
        "lots without a gap",
        "an account's lots are numbered 1 to its lot_seq",
        f"{_ACCOUNT}, a.lot_seq, COALESCE(s.lots, 0) AS lots, s.newest FROM account a "
        + _of_account("COUNT(*) AS lots, MIN(seq) AS oldest, MAX(seq) AS newest", "lot")
        + " WHERE a.lot_seq <> COALESCE(s.lots, 0) OR a.lot_seq <> COALESCE(s.newest, 0) OR s.oldest <> 1",
    ),
    Invariant(
        "lots of an account",
        "a lot belongs to an account",
        f"{_LOT} " + _without("lot l", "account a", _same("a", "l", "unit")),
    ),
    Invariant(
        "rest of a lot",
        "what is left of a lot is its amount plus its moves",
        f"{_LOT}, l.amount, l.remaining, COALESCE(m.moved, 0) AS moved {_LOT_MOVES}"
        " WHERE l.remaining <> l.amount + COALESCE(m.moved, 0)",
    ),
    Invariant(
        "loss of a lot",
        "what is noted as expired of a lot is what its moves took for expiry",
        f"{_LOT}, l.expired, COALESCE(m.expired, 0) AS moved {_LOT_MOVES} WHERE l.expired <> -COALESCE(m.expired, 0)",
    ),
    Invariant(
        "spending of a lot",
        "no lot was given back more than was spent of it",
        f"{_LOT}, m.spent AS too_much {_LOT_MOVES} WHERE m.spent > 0",
    ),
    Invariant(
        "bounds of a lot",
        "0 <= held <= remaining <= amount and 0 <= forgiven <= clawed <= amount",
        f"{_LOT}, l.amount, l.remaining, l.held, l.clawed, l.forgiven FROM lot l WHERE NOT (0 <= l.held AND"
        " l.held <= l.remaining AND l.remaining <= l.amount AND 0 <= l.forgiven AND l.forgiven <= l.clawed"
        " AND l.clawed <= l.amount AND l.amount > 0)",
    ),
    Invariant(
        "forgiven of a lot",
        "what was forgiven of a lot has expired, whether or not that was written down",
        f"{_LOT}, l.forgiven, l.expired, l.remaining FROM lot l WHERE l.forgiven > l.expired + l.remaining",
    ),
    Invariant(
        "dates of a lot",
        "each extension of a lot begins at the date where the one before ended, and the last ended at the lot's date",
        "SELECT x.member_id, x.unit, x.lot, x.former, x.until, x.due, x.expires_at FROM ("
        "SELECT l.member_id, l.unit, l.seq AS lot, l.expires_at, e.former, e.expires_at AS until,"
        " LAG(e.expires_at) OVER (PARTITION BY l.bucket, l.member_id, l.unit, l.seq ORDER BY e.expires_at) AS due,"
        " LEAD(e.expires_at) OVER (PARTITION BY l.bucket, l.member_id, l.unit, l.seq ORDER BY e.expires_at)"
        f" AS newer FROM lot_extension e JOIN lot l ON {_same('l', 'e', 'unit')}"
        " AND l.seq >= e.lot_first AND l.seq <= e.lot_last"
        ") x WHERE x.former >= x.until OR x.former <> COALESCE(x.due, x.former)"
        " OR (x.newer IS NULL AND (x.expires_at IS NULL OR x.expires_at <> x.until))",
    ),
    Invariant(
        "lots of an extension",
        "an extension is of lots that there are, and was made by an accepted operation of their member",
        "SELECT e.member_id, e.unit, e.lot_first, e.lot_last FROM lot_extension e"
        f" LEFT JOIN account a ON {_same('a', 'e', 'unit')}"
        f" LEFT JOIN operation o ON {_same('o', 'e')} AND o.id = e.operation_id"
        " WHERE a.unit IS NULL OR e.lot_first < 1 OR e.lot_last < e.lot_first OR e.lot_last > a.lot_seq"
        " OR o.id IS NULL OR NOT o.accepted",
    ),
    Invariant(
        "moves of an entry",
        "a move was made by an entry, of a lot or of debt",
        "SELECT m.member_id, m.unit, m.seq, m.lot_seq AS lot, m.kind FROM lot_move m"
        f" LEFT JOIN entry e ON {_same('e', 'm', 'unit', 'seq')}"
        f" LEFT JOIN lot l ON {_same('l', 'm', 'unit')} AND l.seq = m.lot_seq"
        " WHERE e.seq IS NULL OR (l.seq IS NULL AND m.lot_seq <> 0)",
    ),
    Invariant(
        "debt",
        "an account's debt is what was booked under lot 0 and not repaid, and never negative",
        f"{_ACCOUNT}, a.debt, COALESCE(s.moved, 0) AS moved FROM account a "
        + _of_account(_MOVED, "lot_move", "WHERE lot_seq = 0")
        + " WHERE a.debt <> -COALESCE(s.moved, 0) OR a.debt < 0",
    ),
    # -- holds
    Invariant(
        "held in entries",
        "what an account has set aside is what its entries say",
        f"{_ACCOUNT}, a.held, COALESCE(s.held, 0) AS in_entries FROM account a "
        + _of_account("SUM(held) AS held", "entry")
        + " WHERE a.held <> COALESCE(s.held, 0)",
    ),
    Invariant(
        "held in lots",
        "what an account has set aside is what its lots have set aside",
        f"{_ACCOUNT}, a.held, COALESCE(s.held, 0) AS in_lots FROM account a "
        + _of_account("SUM(held) AS held", "lot")
        + " WHERE a.held <> COALESCE(s.held, 0)",
    ),
    Invariant(
        "held in holds",
        "what an account has set aside is what its open holds are for",
        f"{_ACCOUNT}, a.held, COALESCE(s.held, 0) AS in_holds FROM account a "
        + _of_account("SUM(amount) AS held", "hold", "WHERE state = 'open'")
        + " WHERE a.held <> COALESCE(s.held, 0)",
    ),
    Invariant(
        "parts of a lot",
        "what a lot has set aside is what holds have of it",
        f"{_LOT}, l.held, COALESCE(p.held, 0) AS in_parts FROM lot l"
        " LEFT JOIN (SELECT bucket, member_id, unit, lot_seq, SUM(amount) AS held FROM hold_lot"
        " GROUP BY bucket, member_id, unit, lot_seq) p"
        f" ON {_same('p', 'l', 'unit')} AND p.lot_seq = l.seq WHERE l.held <> COALESCE(p.held, 0)",
    ),
    Invariant(
        "parts of a hold",
        "an open hold has its whole amount of lots, a resolved one nothing",
        "SELECT h.member_id, h.unit, h.seq AS hold, h.state, h.amount, COALESCE(p.held, 0) AS in_parts FROM hold h"
        " LEFT JOIN (SELECT bucket, member_id, unit, hold_seq, SUM(amount) AS held FROM hold_lot"
        " GROUP BY bucket, member_id, unit, hold_seq) p"
        f" ON {_same('p', 'h', 'unit')} AND p.hold_seq = h.seq"
        " WHERE COALESCE(p.held, 0) <> CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END",
    ),
    Invariant(
        "holds without a gap",
        "an account's holds are numbered 1 to its hold_seq",
        f"{_ACCOUNT}, a.hold_seq, COALESCE(s.holds, 0) AS holds, s.newest FROM account a "
        + _of_account("COUNT(*) AS holds, MIN(seq) AS oldest, MAX(seq) AS newest", "hold")
        + " WHERE a.hold_seq <> COALESCE(s.holds, 0) OR a.hold_seq <> COALESCE(s.newest, 0) OR s.oldest <> 1",
    ),
    Invariant(
        "end of a hold",
        "a hold is open, released, or captured in part or whole",
        "SELECT h.member_id, h.unit, h.seq AS hold, h.state, h.amount, h.captured FROM hold h WHERE NOT ("
        "(h.state = 'captured' AND 0 < h.captured AND h.captured <= h.amount)"
        " OR (h.state IN ('open', 'released') AND h.captured = 0))",
    ),
    Invariant(
        "captured in entries",
        "what holds say was captured is what entries took of what was set aside",
        f"{_ACCOUNT}, COALESCE(h.captured, 0) AS captured, COALESCE(s.taken, 0) AS taken FROM account a "
        + _of_account("SUM(amount) AS taken", "entry", "WHERE held < 0")
        + " LEFT JOIN (SELECT bucket, member_id, unit, SUM(captured) AS captured FROM hold"
        f" GROUP BY bucket, member_id, unit) h ON {_same('h', 'a', 'unit')}"
        " WHERE COALESCE(h.captured, 0) <> -COALESCE(s.taken, 0)",
    ),
    # -- reviews
    Invariant(
        "lots under review",
        "the lots that wait for a review are those that an open flag of their member holds back, each by one",
        None,
    ),
    Invariant(
        "flags without a gap",
        "a member's flags are numbered from 1, and whoever decided one gave a reason",
        "SELECT f.member_id, MAX(f.number) AS newest, COUNT(*) AS flags FROM flag f GROUP BY f.bucket, f.member_id"
        " HAVING MIN(f.number) <> 1 OR MAX(f.number) <> COUNT(*) OR SUM(CASE WHEN f.state = 'open'"
        " AND f.decided_at IS NULL AND f.decided_by IS NULL AND f.reason IS NULL THEN 0 WHEN f.state <> 'open'"
        " AND f.decided_at >= f.raised_at AND f.decided_by IS NOT NULL AND f.reason IS NOT NULL THEN 0 ELSE 1 END) > 0",
    ),
    # -- time
    Invariant(
        "spent in time",
        "no spending used a lot before it was available or after it had expired, but from a hold placed in time",
        "SELECT m.member_id, m.unit, m.seq, m.lot_seq AS lot, m.amount FROM lot_move m"
        f" JOIN entry e ON {_same('e', 'm', 'unit', 'seq')}"
        f" JOIN lot l ON {_same('l', 'm', 'unit')} AND l.seq = m.lot_seq"
        " WHERE m.kind = 'spend' AND (e.effective_at < l.available_from OR (e.effective_at >= l.expires_at"
        " AND NOT (e.held < 0 AND EXISTS (SELECT 1 FROM hold_lot p"
        f" JOIN hold h ON {_same('h', 'p', 'unit')} AND h.seq = p.hold_seq"
        f" WHERE {_same('p', 'm', 'unit', 'lot_seq')} AND h.state = 'captured'))))",
    ),
    Invariant(
        "held in time",
        "no hold set points aside of a lot that was not yet available or had expired",
        "SELECT p.member_id, p.unit, p.hold_seq AS hold, p.lot_seq AS lot FROM hold_lot p"
        f" JOIN hold h ON {_same('h', 'p', 'unit')} AND h.seq = p.hold_seq"
        f" JOIN lot l ON {_same('l', 'p', 'unit')} AND l.seq = p.lot_seq"
        " WHERE h.placed_at < l.available_from OR h.placed_at >= l.expires_at",
    ),
    Invariant(
        "expired in time",
        "a loss is effective at the instant at which its lot expired",
        "SELECT m.member_id, m.unit, m.seq, m.lot_seq AS lot, m.amount FROM lot_move m"
        f" JOIN entry e ON {_same('e', 'm', 'unit', 'seq')}"
        f" JOIN lot l ON {_same('l', 'm', 'unit')} AND l.seq = m.lot_seq"
        " WHERE m.kind = 'expire' AND (l.expires_at IS NULL OR e.effective_at <> l.expires_at)",
    ),
    Invariant(
        "next due",
        "an account is due no later than the first of its lots that has something to lose",
        f"{_ACCOUNT}, a.next_due, s.expires_at FROM account a "
        # What waits for a review does not lapse.
        + _of_account(
            "MIN(expires_at) AS expires_at",
            "lot",
            f"WHERE remaining > held AND available_from < {microseconds(REVIEW)}",
        )
        + " WHERE s.expires_at IS NOT NULL AND (a.next_due IS NULL OR a.next_due > s.expires_at)",
    ),
    Invariant(
        "balance that is said",
        "until an account is due it says of its lots what is pending, and what of the rest is lost first, and when",
        f"{_ACCOUNT}, a.pending, a.expiring, a.expires_at, s.pending AS pending_of_lots,"
        " s.expiring AS expiring_of_lots, s.expires_at AS expires_at_of_lots FROM account a"
        f" LEFT JOIN entry e ON {_same('e', 'a', 'unit')} AND e.seq = a.seq"
        " LEFT JOIN (SELECT c.bucket, c.member_id, c.unit,"
        f" SUM(CASE WHEN {_PENDING} THEN l.remaining - l.held ELSE 0 END) AS pending,"
        f" SUM(CASE WHEN NOT {_PENDING} AND l.expires_at = c.expires_at THEN l.remaining - l.held ELSE 0 END)"
        f" AS expiring, MIN(CASE WHEN NOT {_PENDING} THEN l.expires_at END) AS expires_at"
        f" FROM account c JOIN lot l ON {_same('l', 'c', 'unit')} AND l.remaining > l.held"
        f" GROUP BY c.bucket, c.member_id, c.unit) s ON {_same('s', 'a', 'unit')}"
        # Of what has changed by itself when something was written the lots say more than the account.
        " WHERE (a.next_due IS NULL OR e.seq IS NULL OR (a.next_due > e.recorded_at AND a.next_due > e.effective_at))"
        " AND (a.pending <> COALESCE(s.pending, 0) OR a.expiring <> COALESCE(s.expiring, 0)"
        " OR COALESCE(a.expires_at, 0) <> COALESCE(s.expires_at, 0))",
    ),
    # -- members
    Invariant(
        "accounts of a member",
        "an account belongs to a member, and a member has an account",
        "SELECT a.member_id, a.unit FROM account a LEFT JOIN member m ON m.bucket = a.bucket AND m.id = a.member_id"
        " WHERE m.id IS NULL UNION ALL SELECT m.id, NULL FROM member m"
        " LEFT JOIN account a ON a.bucket = m.bucket AND a.member_id = m.id WHERE a.unit IS NULL",
    ),
    Invariant(
        "tier history",
        "a member's tier changes are numbered 1 to tier_changes, and the last led to the member's tier",
        "SELECT m.id AS member_id, m.tier, m.tier_changes, COALESCE(c.changes, 0) AS changes, t.tier AS reached"
        " FROM member m"
        " LEFT JOIN (SELECT bucket, member_id, COUNT(*) AS changes, MIN(number) AS oldest, MAX(number) AS newest"
        " FROM tier_change GROUP BY bucket, member_id) c ON c.bucket = m.bucket AND c.member_id = m.id"
        " LEFT JOIN tier_change t ON t.bucket = m.bucket AND t.member_id = m.id AND t.number = m.tier_changes"
        " WHERE m.tier_changes <> COALESCE(c.changes, 0) OR m.tier_changes <> COALESCE(c.newest, 0) OR c.oldest <> 1"
        " OR t.tier <> m.tier OR t.at <> m.tier_since",
    ),
    Invariant(
        "steps of a tier history",
        "each tier change begins at the tier where the one before ended",
        "SELECT t.member_id, t.number, t.former, p.tier AS reached FROM tier_change t"
        " LEFT JOIN tier_change p ON p.bucket = t.bucket AND p.member_id = t.member_id AND p.number = t.number - 1"
        " WHERE COALESCE(t.former, '') <> COALESCE(p.tier, '')",
    ),
    Invariant(
        "causes of a tier history",
        "a tier change was made by an accepted operation of its member, the first by enrolment, reviews by a review",
        "SELECT t.member_id, t.number, t.cause, t.operation_id, o.channel, o.kind FROM tier_change t"
        f" LEFT JOIN operation o ON {_same('o', 't')} AND o.id = t.operation_id"
        " WHERE o.id IS NULL OR NOT o.accepted OR (t.number = 1) <> (t.cause = 'enrolment')"
        " OR (t.cause IN ('review', 'programme', 'operator') AND o.channel <> 'tiers')",
    ),
    Invariant(
        "grounds of a tier history",
        "where criteria decided a tier change, their figures are kept with it, and where none did there are none",
        "SELECT member_id, number, cause FROM tier_change WHERE version IS NOT NULL AND cause <> 'programme'"
        " AND (grounds IS NOT NULL) <> (cause IN ('earned', 'review', 'taken_back'))",
    ),
    Invariant(
        "dates of a tier",
        "a tier that is judged has a period that begins before and something that is due; any other has neither",
        "SELECT m.id AS member_id, m.tier, m.tier_from, m.tier_review_at, m.tier_due_at FROM member m"
        " WHERE (m.tier_review_at IS NULL) <> (m.tier_due_at IS NULL)"
        " OR (m.tier_review_at IS NOT NULL AND (m.tier_from IS NULL OR m.tier_from >= m.tier_review_at))",
    ),
    Invariant(
        "tallies of what was earned",
        "what counts as earned of a unit is what lots gave less what was asked back, but for what members gave, and"
        " what merges moved",
        f"{_ACCOUNT}, COALESCE(t.counted, 0) AS counted, COALESCE(s.earned, 0) AS earned FROM account a "
        + _of_account(
            "SUM(amount - clawed) AS earned",
            "lot l",
            "WHERE NOT EXISTS (SELECT 1 FROM entry e"
            f" WHERE {_same('e', 'l', 'unit', 'operation_id')} AND e.contra IN ('transfer', 'merge'))",
        )
        + " LEFT JOIN (SELECT bucket, member_id, REPLACE(name, '_earned', '') AS unit, SUM(amount) AS moved"
        " FROM merged_tally WHERE REPLACE(name, '_earned', '') <> name"
        " GROUP BY bucket, member_id, REPLACE(name, '_earned', '')) g"
        f" ON {_same('g', 'a', 'unit')}"
        " LEFT JOIN (SELECT bucket, member_id, REPLACE(name, '_earned', '') AS unit, SUM(amount) AS counted"
        " FROM tally WHERE REPLACE(name, '_earned', '') <> name"
        " GROUP BY bucket, member_id, REPLACE(name, '_earned', '')) t"
        f" ON {_same('t', 'a', 'unit')} WHERE COALESCE(t.counted, 0) <> COALESCE(s.earned, 0) + COALESCE(g.moved, 0)",
    ),
    # -- people
    Invariant(
        "merged members",
        "who was merged is closed and has the one merge that says so, and nobody else has such a merge",
        "SELECT m.id AS member_id, m.merged_into, m.status, COALESCE(g.merges, 0) AS merges, g.other FROM member m"
        " LEFT JOIN (SELECT bucket, member_id, COUNT(*) AS merges, MAX(other) AS other FROM member_merge"
        " WHERE outgoing AND state = 'merged' GROUP BY bucket, member_id) g"
        " ON g.bucket = m.bucket AND g.member_id = m.id"
        " WHERE (m.merged_into IS NULL AND g.merges > 0) OR (m.merged_into IS NOT NULL"
        " AND (m.status <> 'closed' OR COALESCE(g.merges, 0) <> 1 OR g.other <> m.merged_into))",
    ),
    Invariant(
        "nothing left of the merged",
        "who was merged has no points, owes none, and counts for nothing",
        "SELECT m.id AS member_id, a.unit AS what, a.credited - a.debited AS amount FROM member m"
        " JOIN account a ON a.bucket = m.bucket AND a.member_id = m.id"
        " WHERE m.merged_into IS NOT NULL AND (a.credited <> a.debited OR a.debt <> 0)"
        " UNION ALL SELECT m.id, t.name, t.amount FROM member m"
        " JOIN tally t ON t.bucket = m.bucket AND t.member_id = m.id WHERE m.merged_into IS NOT NULL AND t.amount <> 0",
    ),
    Invariant(
        "entries of merges",
        "what entries say came by merges or went is what was written down of each lot and of debt",
        f"{_ACCOUNT}, COALESCE(s.said, 0) AS said, COALESCE(g.moved, 0) AS moved FROM account a "
        + _of_account("SUM(amount) AS said", "entry", "WHERE contra = 'merge'")
        + " LEFT JOIN (SELECT bucket, member_id, unit, SUM(amount) AS moved FROM merged_lot"
        f" GROUP BY bucket, member_id, unit) g ON {_same('g', 'a', 'unit')}"
        " WHERE COALESCE(s.said, 0) <> COALESCE(g.moved, 0)",
    ),
    Invariant(
        "nothing lost between members",
        "what has arrived of what a member sent, in lots, debt and tallies, is what was sent, and no more",
        "SELECT x.transfer_id, x.what, x.day, SUM(x.amount) AS amount FROM ("
        "SELECT transfer_id, unit AS what, 0 AS day, amount, arrived FROM merged_lot"
        " UNION ALL SELECT transfer_id, name, day, amount, arrived FROM merged_tally"
        ") x GROUP BY x.transfer_id, x.what, x.day"
        " HAVING SUM(CASE WHEN x.arrived THEN 1 ELSE 0 END) > 0 AND SUM(x.amount) <> 0",
    ),
    # -- key figures
    Invariant(
        "daily aggregates",
        "what all members did on a day is what the rows of the ledger add up to",
        None,
    ),
)
