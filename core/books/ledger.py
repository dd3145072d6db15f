"""The books of one member while locked: earn, spend, hold, capture, release, expire, claw back, restore.

Pure: works on a sheet, knows no database. Whoever calls has put the lots that a verb needs on the sheet: all open lots
of the unit for ``spend``, ``hold``, ``expire`` and ``claw_back``, and every lot named for ``claw_back``, ``restore``,
``capture`` and ``release``. Each verb checks before it changes anything, and writes one entry unless it says otherwise.

Three rules hold everywhere. What is credited repays debt first. A lapsed lot gives nothing. What has expired is not
taken back a second time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from core.books.accounts import Account, Contra, Entry, chain, waits
from core.books.holds import Hold, HoldLot, HoldState
from core.books.lots import DEBT_LOT, REVIEW, Draw, Extension, Lot, LotMove, MoveKind, Part, draw, spending_order
from core.books.sheet import Sheet
from core.errors import ExceedsHold, ExceedsReversible, HoldNotOpen, InsufficientPoints, UnknownUnit


class LotTerms(NamedTuple):
    """When a lot was earned, from when it can be spent, from when no longer, and whether that is so for good."""

    earned_at: datetime
    available_from: datetime
    expires_at: datetime | None
    fixed: bool = False


class ClawBack(NamedTuple):
    """What became of a demand: ``taken`` from lots, booked as ``debt``, ``forgiven`` as expired, or none of these."""

    demanded: int
    taken: int
    debt: int
    forgiven: int

    @property
    def uncollected(self) -> int:
        return self.demanded - self.taken - self.debt - self.forgiven


class Ledger:
    """What one operation may do to one member's books, at one instant."""

    __slots__ = ("at", "channel", "member_id", "operation_id", "recorded_at", "sheet")

    def __init__(
        self, sheet: Sheet, *, member_id: str, operation_id: str, channel: str, at: datetime, recorded_at: datetime
    ) -> None:
        self.sheet = sheet
        self.member_id = member_id
        self.operation_id = operation_id
        self.channel = channel
        self.at = at
        self.recorded_at = recorded_at

    # -- reading ----------------------------------------------------------------------------------

    def open_account(self, unit: str) -> Account:
        """Begin an account at zero."""
        account = Account(unit)
        self.sheet.add(Account, (unit,), account)
        return account

    def account(self, unit: str) -> Account:
        account: Account | None = self.sheet.get(Account, (unit,))
        if account is None:
            raise UnknownUnit(unit=unit)
        return account

    def lots(self, unit: str) -> list[Lot]:
        """The lots of the unit that stand on the sheet, soonest expiry first."""
        return sorted((lot for lot in self.sheet.of(Lot).values() if lot.unit == unit), key=spending_order)

    def available(self, unit: str) -> int:
        """What can be spent at this instant."""
        return sum(lot.free(self.at) for lot in self.lots(unit))

    # -- the verbs --------------------------------------------------------------------------------

    def earn(self, unit: str, amount: int, terms: LotTerms, *, contra: str = Contra.ISSUANCE) -> Lot:
        """Credit a new lot. Debt is repaid out of it at once, also while it is pending."""
        assert amount > 0
        account = self.account(unit)
        number = account.lot_seq + 1
        repaid = min(account.debt, amount)
        left, (held, expired, clawed, forgiven) = amount - repaid, (0, 0, 0, 0)
        lot = Lot(
            unit, number, self.operation_id, self.channel, amount, left, held, expired, clawed, forgiven, *terms
        )  # fmt: skip
        after = account.post(amount, 0, owed=-repaid, lots=1)
        after = after.gain(left, lot.available_from, lot.expires_at, self.at)
        entry = self._write(after, amount, 0, contra)
        self.sheet.add(Lot, (unit, number), lot)
        if repaid:
            self._move(entry, number, MoveKind.REPAY, -repaid)
            self._move(entry, DEBT_LOT, MoveKind.REPAY, repaid)
        return lot

    def spend(self, unit: str, amount: int, *, contra: str = Contra.REDEMPTION) -> list[Draw]:
        """Debit the soonest-expiring lots. Raises InsufficientPoints."""
        draws, account = self._draw(unit, amount), self.account(unit)
        after = account.post(-amount, 0)
        # Then all of it is of what expires first, and some of that is left.
        leaves_some = account.expiring > amount and not account.is_due(self.at)
        if leaves_some:
            after = after._replace(expiring=account.expiring - amount)
        entry = self._write(after, -amount, 0, contra)
        for number, taken in draws:
            self._change(entry, self._lot(unit, number), MoveKind.SPEND, -taken)
        if not leaves_some:
            self._look_ahead(unit)
        return draws

    def hold(self, unit: str, amount: int, *, reference: str, expires_at: datetime) -> Hold:
        """Set points of the soonest-expiring lots aside. Raises InsufficientPoints."""
        draws = self._draw(unit, amount)
        account = self.account(unit)
        number = account.hold_seq + 1
        self._write(account.post(0, amount)._replace(hold_seq=number), 0, amount, Contra.HOLD)
        hold = Hold(
            unit=unit,
            seq=number,
            operation_id=self.operation_id,
            channel=self.channel,
            reference=reference,
            amount=amount,
            captured=0,
            state=HoldState.OPEN,
            placed_at=self.at,
            expires_at=expires_at,
        )
        self.sheet.add(Hold, (unit, number), hold)
        for lot_seq, taken in draws:
            lot = self._lot(unit, lot_seq)
            self.sheet.put(Lot, (unit, lot_seq), lot._replace(held=lot.held + taken))
            self.sheet.add(HoldLot, (unit, number, lot_seq), HoldLot(unit, number, lot_seq, taken))
        self._look_ahead(unit)
        return hold

    def capture(
        self,
        hold: Hold,
        amount: int | None = None,
        *,
        contra: str = Contra.REDEMPTION,
        back_until: datetime | None = None,
    ) -> Hold:
        """Spend what was set aside, or ``amount`` of it, from the very lots; the rest goes back to them.

        From ``hold.expires_at`` on a hold can be released only, whether or not a job has released it.

        A lot that has lapsed since it was set aside is captured all the same: the promise was made in time. What
        goes back into a lapsed lot follows ``back_until`` (see ``restore``). Raises HoldNotOpen, ExceedsHold.
        """
        assert amount is None or amount > 0
        hold = self._open(hold)
        if self.at >= hold.expires_at:
            raise HoldNotOpen(hold=str(hold.seq), state="timed out")
        if amount is not None and amount > hold.amount:
            raise ExceedsHold(needed=amount, held=hold.amount)
        return self._resolve(hold, hold.amount if amount is None else amount, contra, back_until)

    def release(self, hold: Hold, *, back_until: datetime | None = None) -> Hold:
        """Give everything back to the lots it was set aside from. Raises HoldNotOpen."""
        return self._resolve(self._open(hold), 0, Contra.HOLD, back_until)

    def expire(self, unit: str) -> int:
        """Write down what has lapsed, one entry for each instant of expiry, effective at that instant.

        What is held of a lapsed lot stays until its hold is resolved. Returns what was lost.
        """
        account = self.account(unit)
        lapsed = [lot for lot in self.lots(unit) if lot.lapsed(self.at) and lot.remaining > lot.held]
        lost = 0
        for instant in sorted({lot.expires_at for lot in lapsed if lot.expires_at is not None}):
            due = [lot for lot in lapsed if lot.expires_at == instant]
            amount = sum(lot.remaining - lot.held for lot in due)
            account = account.post(-amount, 0)
            entry = self._write(account, -amount, 0, Contra.BREAKAGE, effective_at=instant)
            account = self.account(unit)
            for lot in due:
                gone = lot.remaining - lot.held
                self._change(entry, lot._replace(expired=lot.expired + gone), MoveKind.EXPIRE, -gone)
            lost += amount
        self._look_ahead(unit)
        return lost

    def forfeit(self, unit: str) -> int:
        """Take all that is left of the unit and not held; what had lapsed was written down before. The amount lost.

        No demand on the lots, as with ``claw_back``: they were earned, and what counted them goes on doing so.
        """
        lots = [lot for lot in self.lots(unit) if not lot.lapsed(self.at) and lot.remaining > lot.held]
        lost = sum(lot.remaining - lot.held for lot in lots)
        if lost:
            entry = self._write(self.account(unit).post(-lost, 0), -lost, 0, Contra.BREAKAGE)
            for lot in lots:
                self._change(entry, lot, MoveKind.CLAW_BACK, lot.held - lot.remaining)
            self._look_ahead(unit)
        return lost

    def extend(self, unit: str, dates: Mapping[int, datetime], cause: str) -> int:
        """Let lots, none of which has lapsed, expire later: each at the instant given. Returns what is left of them.

        It may have passed for one that waits for a review, which lapses once it is let go at the earliest. All open
        lots of the unit stand on the sheet.
        """
        runs: list[Extension] = []
        for number in sorted(dates):
            lot, until = self._lot(unit, number), dates[number]
            assert lot.expires_at is not None
            assert lot.expires_at < until
            assert self.at < until or lot.waits_for_review
            assert not lot.lapsed(self.at)
            self.sheet.put(Lot, (unit, number), lot._replace(expires_at=until))
            last = runs[-1] if runs else None
            if last and (last.lot_last + 1, last.former, last.expires_at) == (number, lot.expires_at, until):
                runs[-1] = last._replace(lot_last=number)
            else:
                runs.append(Extension(unit, until, number, number, lot.expires_at, cause, self.operation_id))
        for run in runs:
            self.sheet.add(Extension, (unit, run.expires_at, run.lot_first), run)
        self._look_ahead(unit)
        return sum(self._lot(unit, number).remaining for number in dates)

    def hold_back(self, lot: Lot) -> None:
        """Let nobody spend of a lot until it is let go, and let it not lapse before that. Nothing was spent of it.

        All open lots of the unit stand on the sheet.
        """
        assert lot.held == 0
        self.sheet.put(Lot, (lot.unit, lot.seq), lot._replace(available_from=REVIEW))
        self._look_ahead(lot.unit)

    def let_go(self, unit: str, available: Mapping[int, datetime]) -> int:
        """Let lots that were held back be spent from these instants on, none before now; what is left of them.

        All open lots of the unit stand on the sheet.
        """
        for number, since in available.items():
            lot = self._lot(unit, number)
            assert lot.waits_for_review
            self.sheet.put(Lot, (unit, number), lot._replace(available_from=max(since, self.at)))
        self._look_ahead(unit)
        return sum(self._lot(unit, number).remaining for number in available)

    def claw_back(
        self,
        unit: str,
        amount: int,
        lot_seqs: Sequence[int],
        *,
        others: bool = True,
        debt: bool = True,
        contra: str = Contra.CLAW_BACK,
    ) -> ClawBack:
        """Take back what these lots once gave: from the lots themselves, then from ``others``, then as ``debt``.

        What had expired of a lot is forgiven first, so that nothing is taken twice, and the outcome is the same
        whether or not the loss was written down. No entry is written when nothing is taken. Raises
        ExceedsReversible when more is asked than the lots gave and is not yet clawed back.
        """
        assert amount > 0
        assert len(set(lot_seqs)) == len(lot_seqs)
        named = [self._lot(unit, number) for number in lot_seqs]
        left = sum(lot.amount - lot.clawed for lot in named)
        if amount > left:
            raise ExceedsReversible(needed=amount, left=left)
        draws: dict[int, int] = {}
        marked: list[Lot] = []
        asked, forgiven, short = amount, 0, 0
        for lot in named:
            free = lot.remaining - lot.held
            unwritten = free if lot.lapsed(self.at) else 0
            demand = min(asked, lot.amount - lot.clawed)
            pardon = min(demand, lot.expired + unwritten - lot.forgiven)
            taken = min(demand - pardon, free - unwritten)
            asked -= demand
            forgiven += pardon
            short += demand - pardon - taken
            if taken:
                draws[lot.seq] = taken
            if demand:
                marked.append(lot._replace(clawed=lot.clawed + demand, forgiven=lot.forgiven + pardon))
        if others and short:
            for lot in self._takeable(unit):
                taken = min(lot.remaining - lot.held - draws.get(lot.seq, 0), short)
                if taken > 0:
                    draws[lot.seq] = draws.get(lot.seq, 0) + taken
                    short -= taken
        owed = short if debt else 0
        taken_in_all = sum(draws.values())
        total = taken_in_all + owed
        account = self.account(unit)
        after = account.post(-total, 0, owed=owed)
        for lot in marked:
            self.sheet.put(Lot, (unit, lot.seq), lot)
        if total:
            entry = self._write(after, -total, 0, contra)
            for number, taken in draws.items():
                self._change(entry, self._lot(unit, number), MoveKind.CLAW_BACK, -taken)
            if owed:
                self._move(entry, DEBT_LOT, MoveKind.CLAW_BACK, -owed)
            self._look_ahead(unit)
        return ClawBack(amount, taken_in_all, owed, forgiven)

    def restore(
        self, unit: str, draws: Sequence[Draw], *, contra: str = Contra.REDEMPTION, back_until: datetime | None = None
    ) -> int:
        """Give back to the lots what was drawn from them, expiry dates unchanged. Returns the amount.

        What comes back into a lot that has lapsed meanwhile moves to a new lot that lasts until ``back_until``;
        without one it stays in the lapsed lot and is lost with it.
        """
        assert draws
        assert all(d.amount > 0 for d in draws)
        amount = sum(d.amount for d in draws)
        entry = self._write(self.account(unit).post(amount, 0), amount, 0, contra)
        for number, given in draws:
            self._change(entry, self._lot(unit, number), MoveKind.RESTORE, given)
        self._settle(entry, draws, back_until)
        return amount

    def send(self, unit: str, draws: Sequence[Draw], debt: int = 0) -> None:
        """Let what is left of lots, and what is owed, go to the account of another member.

        All open lots of the unit stand on the sheet, here and in ``receive``.
        """
        account = self.account(unit)
        assert 0 <= debt <= account.debt
        amount = debt - sum(d.amount for d in draws)
        after = account.post(amount, 0, owed=-debt)
        entry = self._write(after, amount, 0, Contra.MERGE)
        for number, taken in draws:
            self._change(entry, self._lot(unit, number), MoveKind.MERGE, -taken)
        if debt:
            self._move(entry, DEBT_LOT, MoveKind.MERGE, debt)
        self._look_ahead(unit)

    def receive(self, unit: str, back: Sequence[Draw], parts: Sequence[Part], debt: int = 0) -> list[Lot]:
        """Take over what another account sent: ``back`` into lots it had left, ``parts`` as lots, which are returned.

        What is owed then, that from here included, is repaid at once out of all that is there.
        """
        account = self.account(unit)
        lots = [
            Lot(
                unit=unit,
                seq=number,
                operation_id=self.operation_id,
                amount=part.amount,
                remaining=part.amount,
                held=0,
                expired=0,
                clawed=0,
                forgiven=0,
                source=part.source,
                earned_at=part.earned_at,
                available_from=part.available_from,
                expires_at=part.expires_at,
                fixed=part.fixed,
            )
            for number, part in enumerate(parts, account.lot_seq + 1)
        ]
        amount = sum(d.amount for d in back) + sum(part.amount for part in parts) - debt
        after = account.post(amount, 0, owed=debt, lots=len(lots))
        entry = self._write(after, amount, 0, Contra.MERGE)
        for lot in lots:
            self.sheet.add(Lot, (unit, lot.seq), lot)
        for number, given in back:
            self._change(entry, self._lot(unit, number), MoveKind.MERGE, given)
        if debt:
            self._move(entry, DEBT_LOT, MoveKind.MERGE, -debt)
        self._repay(entry)
        self._look_ahead(unit)
        return lots

    # -- how it is done ---------------------------------------------------------------------------

    def _repay(self, entry: Entry) -> None:
        """Repay what is owed out of whatever is there, what can be spent first."""
        unit, account = entry.unit, self.account(entry.unit)
        owed = account.debt
        for lot in self._takeable(unit) if owed else ():
            if (repaid := min(lot.remaining - lot.held, owed)) > 0:
                self._change(entry, lot, MoveKind.REPAY, -repaid)
                owed -= repaid
        if owed < account.debt:
            self._move(entry, DEBT_LOT, MoveKind.REPAY, account.debt - owed)
            self.sheet.put(Account, (unit,), account._replace(debt=owed))

    def _lot(self, unit: str, number: int) -> Lot:
        lot: Lot = self.sheet.of(Lot)[unit, number]
        return lot

    def _look_ahead(self, unit: str) -> None:
        """Let the account say how it stands, and when the first of its lots changes by itself.

        Or has changed, and nobody wrote it down.
        """
        instants, lots = [], self.lots(unit)
        for lot in lots:
            if lot.waits_for_review:
                continue
            if lot.remaining and not lot.lapsed(self.at):
                instants += [at for at in (lot.available_from, lot.expires_at) if at is not None and at > self.at]
            elif lot.remaining > lot.held and lot.expires_at is not None:
                instants.append(lot.expires_at)
        next_due, pending, expiring, expires_at = min(instants, default=None), 0, 0, None
        for lot in lots:  # what expires first comes first
            if free := lot.remaining - lot.held:
                if waits(lot.available_from, next_due):
                    pending += free
                elif lot.expires_at is not None and expires_at in (None, lot.expires_at):
                    expiring, expires_at = expiring + free, lot.expires_at
        account = self.account(unit)
        after = account._replace(next_due=next_due, pending=pending, expiring=expiring, expires_at=expires_at)
        if after != account:
            self.sheet.put(Account, (unit,), after)

    def _takeable(self, unit: str) -> list[Lot]:
        """Lots that a claw-back may take from: what can be spent first, then what is pending; never what has lapsed."""
        lots = [lot for lot in self.lots(unit) if not lot.lapsed(self.at)]
        return sorted(lots, key=lambda lot: (lot.available_from > self.at, spending_order(lot)))

    def _draw(self, unit: str, amount: int) -> list[Draw]:
        assert amount > 0
        self.account(unit)
        lots = [lot for lot in self.sheet.of(Lot).values() if lot.unit == unit]
        draws = draw(lots, amount, self.at)
        if sum(d.amount for d in draws) < amount:
            raise InsufficientPoints(unit=unit, needed=amount, available=sum(lot.free(self.at) for lot in lots))
        return draws

    def _open(self, hold: Hold) -> Hold:
        # The caller's value may be older than the sheet's; resolving the older one would spend it twice.
        hold = self.sheet.get(Hold, (hold.unit, hold.seq)) or hold
        if hold.state != HoldState.OPEN:
            raise HoldNotOpen(hold=str(hold.seq), state=hold.state)
        return hold

    def _resolve(self, hold: Hold, captured: int, contra: str, back_until: datetime | None) -> Hold:
        unit = hold.unit
        entry = self._write(self.account(unit).post(-captured, -hold.amount), -captured, -hold.amount, contra)
        reserved = [part for part in self.sheet.of(HoldLot).values() if part.unit == unit and part.hold_seq == hold.seq]
        reserved.sort(key=lambda part: spending_order(self._lot(unit, part.lot_seq)))
        wanted = captured
        back: list[Draw] = []
        for part in reserved:
            taken = min(part.amount, wanted)
            wanted -= taken
            lot = self._lot(unit, part.lot_seq)
            lot = lot._replace(held=lot.held - part.amount)
            self.sheet.put(Lot, (unit, lot.seq), lot)
            if taken:
                self._change(entry, lot, MoveKind.SPEND, -taken)
            if part.amount > taken:
                back.append(Draw(lot.seq, part.amount - taken))
            self.sheet.put(HoldLot, (unit, hold.seq, lot.seq), part._replace(amount=0))
        resolved = hold._replace(captured=captured, state=HoldState.CAPTURED if captured else HoldState.RELEASED)
        self.sheet.put(Hold, (unit, hold.seq), resolved)
        self._settle(entry, back, back_until)
        return resolved

    def _settle(self, entry: Entry, back: Sequence[Draw], back_until: datetime | None) -> None:
        """What came back into lots repays debt, and leaves lapsed lots for a new one where the policy says so."""
        unit = entry.unit
        for number, amount in back:
            account, lot = self.account(unit), self._lot(unit, number)
            repaid = min(account.debt, amount)
            # The lot may have been empty, or its loss written down before: it has to be looked at again.
            after = account._replace(debt=account.debt - repaid)
            after = after.gain(amount - repaid, lot.available_from, lot.expires_at, self.at)
            self.sheet.put(Account, (unit,), after)
            if repaid:
                # Also out of a lapsed lot. It would have paid before it lapsed, had it been there.
                self._change(entry, lot, MoveKind.REPAY, -repaid)
                self._move(entry, DEBT_LOT, MoveKind.REPAY, repaid)
            if lot.lapsed(self.at) and back_until is not None and (carried := amount - repaid):
                self._carry(entry, self._lot(unit, number), carried, back_until)

    def _carry(self, entry: Entry, lot: Lot, amount: int, until: datetime) -> None:
        """Move points from a lapsed lot to a new one that lasts ``until``."""
        account = self.account(lot.unit)
        number = account.lot_seq + 1
        after = account._replace(lot_seq=number).gain(amount, self.at, until, self.at)
        self.sheet.put(Account, (lot.unit,), after)
        self._change(entry, lot, MoveKind.CARRY, -amount)
        # All of it counts as asked back: what is asked back is asked of the lot that was earned, and only there.
        fresh = lot._replace(
            seq=number, amount=amount, remaining=amount, held=0, expired=0, clawed=amount, forgiven=0, fixed=True,
            operation_id=self.operation_id, source=self.channel, available_from=self.at, expires_at=until,
        )  # fmt: skip
        self.sheet.add(Lot, (lot.unit, number), fresh)

    def _write(
        self, account: Account, amount: int, held: int, contra: str, *, effective_at: datetime | None = None
    ) -> Entry:
        """Append the entry that led to ``account``, chained to the one before."""
        unit, seq, at = account.unit, account.seq, effective_at or self.at
        said = (unit, seq, self.operation_id, amount, held, contra, account.balance, at, self.recorded_at)
        digest = chain(account.digest, self.member_id, Entry(*said, ""))
        entry = Entry(*said, digest)
        self.sheet.add(Entry, (unit, seq), entry)
        self.sheet.put(Account, (unit,), Account(*account[:-1], digest))
        return entry

    def _change(self, entry: Entry, lot: Lot, kind: str, amount: int) -> None:
        """Change what is left of a lot, with the move that says so."""
        changed = lot._replace(remaining=lot.remaining + amount)
        assert 0 <= changed.held <= changed.remaining <= changed.amount
        self.sheet.put(Lot, (lot.unit, lot.seq), changed)
        self._move(entry, lot.seq, kind, amount)

    def _move(self, entry: Entry, lot_seq: int, kind: str, amount: int) -> None:
        key = (entry.unit, entry.seq, lot_seq, kind)
        move: LotMove | None = self.sheet.get(LotMove, key)
        if move is None:
            self.sheet.add(LotMove, key, LotMove(entry.unit, entry.seq, lot_seq, kind, amount))
        else:
            self.sheet.put(LotMove, key, move._replace(amount=move.amount + amount))
