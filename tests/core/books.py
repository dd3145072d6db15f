"""One member's books on a sheet with a stopped clock, and what must hold of them whatever was done."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from core.books.accounts import Account, Entry, chain
from core.books.holds import Hold, HoldLot, HoldState
from core.books.ledger import Ledger, LotTerms
from core.books.lots import DEBT_LOT, Lot, LotMove, MoveKind
from core.books.sheet import Sheet
from core.time.clock import StoppedClock
from core.units import POINTS

BEGIN = datetime(2030, 1, 31, 22, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MEMBER = "member"


class Books:
    """A member with one account of points; each verb is an operation of its own."""

    def __init__(self) -> None:
        self.sheet = Sheet()
        self.clock = StoppedClock(BEGIN)
        self.operations = 0
        self.ledger().open_account(POINTS)

    def ledger(self) -> Ledger:
        """The books as the next operation finds them, at this instant."""
        self.operations += 1
        at = self.clock.now()
        return Ledger(
            self.sheet,
            member_id=MEMBER,
            operation_id=f"operation {self.operations}",
            channel="test",
            at=at,
            recorded_at=at,
        )

    @property
    def account(self) -> Account:
        account: Account = self.sheet.of(Account)[(POINTS,)]
        return account

    @property
    def entries(self) -> list[Entry]:
        return sorted(self.sheet.of(Entry).values(), key=lambda entry: entry.seq)

    @property
    def available(self) -> int:
        return self.ledger().available(POINTS)

    def lot(self, number: int) -> Lot:
        lot: Lot = self.sheet.of(Lot)[POINTS, number]
        return lot

    def free(self) -> dict[int, int]:
        """What can be spent of which lot."""
        at = self.clock.now()
        return {lot.seq: lot.free(at) for lot in self.sheet.of(Lot).values() if lot.free(at)}

    def day(self, number: int) -> datetime:
        """The instant so many days after the beginning."""
        return BEGIN + timedelta(days=number)

    def wait_until(self, day: int) -> None:
        self.clock.set(self.day(day))

    def earn(self, amount: int, *, until: int | None = None, pending_until: int | None = None) -> int:
        """A lot that lasts until one day after the beginning and begins on another; its number."""
        at = self.clock.now()
        begins = at if pending_until is None else self.day(pending_until)
        lasts = None if until is None else self.day(until)
        return self.ledger().earn(POINTS, amount, LotTerms(at, begins, lasts)).seq

    def check(self) -> None:
        check_books(self.sheet, self.clock.now())


def everything(sheet: Sheet) -> tuple[Any, ...]:
    """All that a sheet says, in the order in which it would be written."""
    rows = {kind: list(rows.items()) for kind, rows in sheet.rows.items() if rows}
    return rows, list(sheet.new), list(sheet.changed), sheet.savepoint()


def next_change(lot: Lot, at: datetime) -> datetime | None:
    """When something happens to the lot by itself, or happened without being written down."""
    if lot.expires_at is not None and lot.expires_at <= at:
        return lot.expires_at if lot.remaining > lot.held else None
    if lot.remaining == 0:
        return None
    ahead = [instant for instant in (lot.available_from, lot.expires_at) if instant and instant > at]
    return min(ahead, default=None)


def check_entries(account: Account, entries: list[Entry]) -> None:
    """Gap-free, adding up, chained."""
    assert [entry.seq for entry in entries] == list(range(1, account.seq + 1))
    assert account.credited == sum(max(entry.amount, 0) for entry in entries)
    assert account.debited == sum(max(-entry.amount, 0) for entry in entries)
    balance, digest = 0, ""
    for entry in entries:
        balance += entry.amount
        digest = chain(digest, MEMBER, entry)
        assert (entry.balance, entry.digest) == (balance, digest)
        assert entry.effective_at <= entry.recorded_at
    assert (account.balance, account.digest) == (balance, digest)


def check_lots(account: Account, entries: list[Entry], lots: dict[int, Lot], moves: list[LotMove]) -> None:
    """Numbered, explained by their moves, and with debt equal to the balance."""
    moved: defaultdict[int, int] = defaultdict(int)
    expired: defaultdict[int, int] = defaultdict(int)
    by_operation: defaultdict[str, int] = defaultdict(int)
    for move in moves:
        assert move.amount
        moved[move.lot_seq] += move.amount
        by_operation[entries[move.seq - 1].operation_id] += move.amount
        if move.kind == MoveKind.EXPIRE:
            expired[move.lot_seq] -= move.amount
    assert sorted(lots) == list(range(1, account.lot_seq + 1))
    for lot in lots.values():
        assert lot.remaining == lot.amount + moved[lot.seq]
        assert lot.expired == expired[lot.seq]
        assert 0 <= lot.held <= lot.remaining <= lot.amount
        assert 0 <= lot.forgiven <= lot.clawed <= lot.amount
        by_operation[lot.operation_id] += lot.amount
    assert account.debt == -moved[DEBT_LOT] >= 0
    assert account.balance == sum(lot.remaining for lot in lots.values()) - account.debt
    # An entry says as much as the lots it made and the moves it caused; only a sweep has several.
    for entry in entries:
        by_operation[entry.operation_id] -= entry.amount
    assert not any(by_operation.values())


def check_holds(account: Account, entries: list[Entry], lots: dict[int, Lot], sheet: Sheet) -> None:
    """The same amount in the account, the entries, the lots, the open holds and their parts."""
    by_hold: defaultdict[int, int] = defaultdict(int)
    by_lot: defaultdict[int, int] = defaultdict(int)
    for part in sheet.of(HoldLot).values():
        by_hold[part.hold_seq] += part.amount
        by_lot[part.lot_seq] += part.amount
    holds: dict[int, Hold] = {hold.seq: hold for hold in sheet.of(Hold).values()}
    assert sorted(holds) == list(range(1, account.hold_seq + 1))
    for hold in holds.values():
        assert by_hold[hold.seq] == (hold.amount if hold.state == HoldState.OPEN else 0)
        assert 0 <= hold.captured <= hold.amount
        assert (hold.captured > 0) == (hold.state == HoldState.CAPTURED)
    assert all(lot.held == by_lot[lot.seq] for lot in lots.values())
    assert account.held == sum(entry.held for entry in entries) == sum(by_hold.values())


def check_time(account: Account, entries: list[Entry], lots: dict[int, Lot], sheet: Sheet, at: datetime) -> None:
    """Nothing changes by itself before ``next_due``; nothing was spent, or promised, outside of its time."""
    for lot in lots.values():
        if (due := next_change(lot, at)) is not None:
            assert account.next_due is not None
            assert account.next_due <= due
        assert not lot.expired or (lot.expires_at is not None and lot.expires_at <= at)
    captured = set()
    for part in sheet.of(HoldLot).values():
        hold, lot = sheet.of(Hold)[POINTS, part.hold_seq], lots[part.lot_seq]
        assert lot.available_from <= hold.placed_at
        assert lot.expires_at is None or hold.placed_at < lot.expires_at
        if hold.state == HoldState.CAPTURED:
            captured.add(part.lot_seq)
    for move in sheet.of(LotMove).values():
        if move.kind == MoveKind.EXPIRE:
            assert entries[move.seq - 1].effective_at == lots[move.lot_seq].expires_at
        if move.kind == MoveKind.SPEND:
            entry, lot = entries[move.seq - 1], lots[move.lot_seq]
            assert lot.available_from <= entry.effective_at
            if lot.expires_at is not None and lot.expires_at <= entry.effective_at:
                assert entry.held < 0
                assert lot.seq in captured


def check_ahead(account: Account, lots: dict[int, Lot], at: datetime) -> None:
    """The account says by itself how it stands until it is due."""
    if account.next_due is not None and account.next_due <= at:
        return
    open_lots = [lot for lot in lots.values() if lot.remaining > lot.held]
    free = sum(lot.free(at) for lot in open_lots)
    pending = sum(lot.remaining - lot.held for lot in open_lots if lot.available_from > at)
    assert account.pending == pending
    assert account.balance + account.debt - account.held - pending == free
    soonest = min((lot.expires_at for lot in open_lots if lot.free(at) and lot.expires_at is not None), default=None)
    assert account.expires_at == soonest
    assert account.expiring == sum(lot.free(at) for lot in open_lots if soonest and lot.expires_at == soonest)


def check_books(sheet: Sheet, at: datetime) -> None:
    """All of the above."""
    account: Account = sheet.of(Account)[(POINTS,)]
    entries: list[Entry] = sorted(sheet.of(Entry).values(), key=lambda entry: entry.seq)
    lots: dict[int, Lot] = {lot.seq: lot for lot in sheet.of(Lot).values()}
    check_entries(account, entries)
    check_lots(account, entries, lots, list(sheet.of(LotMove).values()))
    check_holds(account, entries, lots, sheet)
    check_time(account, entries, lots, sheet, at)
    check_ahead(account, lots, at)
