"""Any sequence of verbs, at any time, against the model that counts points one by one.

``HYPOTHESIS_PROFILE=deep`` looks twenty times as far. The last test breaks the ledger on purpose, in one
way at a time, and expects the machine to notice.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.books import ledger as ledger_module
from core.books import lots as lots_module
from core.books.accounts import Account, chain
from core.books.holds import Hold, HoldState
from core.books.ledger import ClawBack, Ledger, LotTerms
from core.books.lots import Draw, Lot, LotMove, MoveKind
from core.errors import ExceedsHold, ExceedsReversible, HoldNotOpen, InsufficientPoints, Refusal
from core.units import POINTS
from tests.core.books import INSTANT, Books, check_books, everything, next_change
from tests.core.model import Fate, Model, Refused

T = TypeVar("T")

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
FAST_SETTINGS = settings(
    max_examples=1_000,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
DEEP_SETTINGS = settings(FAST_SETTINGS, max_examples=12_000, stateful_step_count=60)
SABOTAGE_SETTINGS = settings(
    FAST_SETTINGS, max_examples=500, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False
)

amounts = st.integers(1, 12)
picks = st.integers(0, 23)
"""Which of several, counted round."""
policies = st.sampled_from([(False, False), (True, False), (True, True), (True, True)])
back_untils = st.none() | st.integers(-1, 6)


# -- the machine --------------------------------------------------------------------------------------


class LedgerMachine(RuleBasedStateMachine):
    """One account and the model of it, through all verbs and a moving clock."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.sheet, self.clock = self.books.sheet, self.books.clock
        self.model = Model()
        self.spent: dict[int, int] = defaultdict(int)
        """What was drawn from which lot and not yet restored."""

    def lots(self) -> list[Lot]:
        return list(self.sheet.of(Lot).values())

    def can_spend(self) -> bool:
        return bool(self.model.spendable(self.clock.now()))

    def do(self, verb: Callable[[Ledger], T]) -> T:
        """Do it, take it back, and do it again: the sheet must not tell the difference."""
        ledger, before = self.books.ledger(), everything(self.sheet)
        verb(ledger)
        self.sheet.rollback(before[-1])
        assert everything(self.sheet) == before
        return verb(ledger)

    def refuse(self, verb: Callable[[Ledger], object], *kinds: type[Refusal]) -> None:
        """It must be refused, and leave the sheet as it was even before anyone rolls back."""
        before = everything(self.sheet)
        try:
            verb(self.books.ledger())
        except kinds:
            assert everything(self.sheet) == before
        else:
            raise AssertionError(f"not refused with {kinds}")

    def note_spending(self) -> dict[int, int]:
        """What the newest entry drew from which lot."""
        seq = self.sheet.of(Account)[(POINTS,)].seq
        moves = [m for m in self.sheet.of(LotMove).values() if m.seq == seq and m.kind == MoveKind.SPEND]
        for move in moves:
            self.spent[move.lot_seq] -= move.amount
        return {move.lot_seq: -move.amount for move in moves}

    def after(self, days: int | None) -> datetime | None:
        return None if days is None else self.clock.now() + timedelta(days=days)

    @rule(amount=amounts, pending=st.sampled_from([0, 0, 0, 1, 3]), lasts=st.none() | st.integers(-1, 6))
    def earn(self, amount: int, pending: int, lasts: int | None) -> None:
        now = self.clock.now()
        terms = LotTerms(now, now + timedelta(days=pending), self.after(lasts))
        self.model.earn(amount, (terms.available_from, terms.expires_at))
        self.do(lambda ledger: ledger.earn(POINTS, amount, terms))

    @precondition(can_spend)
    @rule(amount=amounts)
    def spend(self, amount: int) -> None:
        try:
            drawn = self.model.spend(amount, self.clock.now())
        except Refused:
            self.refuse(lambda ledger: ledger.spend(POINTS, amount), InsufficientPoints)
        else:
            assert dict(self.do(lambda ledger: ledger.spend(POINTS, amount))) == drawn
            assert self.note_spending() == drawn

    @precondition(can_spend)
    @rule(amount=amounts, lasts=st.integers(1, 6))
    def hold(self, amount: int, lasts: int) -> None:
        until = self.clock.now() + timedelta(days=lasts)

        def verb(ledger: Ledger) -> Hold:
            return ledger.hold(POINTS, amount, reference="cart", expires_at=until)

        try:
            number = self.model.hold(amount, self.clock.now(), until)
        except Refused:
            self.refuse(verb, InsufficientPoints)
        else:
            assert self.do(verb).seq == number

    @precondition(lambda self: self.model.holds_until)
    @rule(pick=picks, part=st.none() | amounts, back=back_untils)
    def capture(self, pick: int, part: int | None, back: int | None) -> None:
        number, until = self.one_hold(pick), self.after(back)
        hold: Hold = self.sheet.of(Hold)[POINTS, number]

        def verb(ledger: Ledger) -> Hold:
            return ledger.capture(hold, part, back_until=until)

        captured = hold.amount if part is None else part
        try:
            self.model.resolve(number, captured, self.clock.now(), until)
        except Refused:
            self.refuse(verb, HoldNotOpen, ExceedsHold)
        else:
            assert self.do(verb).captured == captured
            assert sum(self.note_spending().values()) == captured

    @precondition(lambda self: self.model.holds_until)
    @rule(pick=picks, back=back_untils)
    def release(self, pick: int, back: int | None) -> None:
        number, until = self.one_hold(pick), self.after(back)
        hold: Hold = self.sheet.of(Hold)[POINTS, number]
        try:
            self.model.resolve(number, 0, self.clock.now(), until)
        except Refused:
            self.refuse(lambda ledger: ledger.release(hold, back_until=until), HoldNotOpen)
        else:
            assert self.do(lambda ledger: ledger.release(hold, back_until=until)).state == HoldState.RELEASED

    def one_hold(self, pick: int) -> int:
        """Mostly an open one."""
        is_open = [number for number, until in self.model.holds_until.items() if until]
        numbers = is_open * 4 + list(self.model.holds_until)
        return numbers[pick % len(numbers)]

    @precondition(lambda self: self.model.lots)
    @rule(amount=amounts, chosen=st.lists(picks, min_size=1, max_size=3), policy=policies)
    def claw_back(self, amount: int, chosen: list[int], policy: tuple[bool, bool]) -> None:
        numbers = list({pick % len(self.model.lots) + 1: None for pick in chosen})
        others, debt = policy

        def verb(ledger: Ledger) -> ClawBack:
            return ledger.claw_back(POINTS, amount, numbers, others=others, debt=debt)

        try:
            expected = self.model.claw_back(amount, numbers, self.clock.now(), others=others, debt=debt)
        except Refused:
            self.refuse(verb, ExceedsReversible)
        else:
            clawed = self.do(verb)
            assert (clawed.taken, clawed.debt, clawed.forgiven) == expected
            assert clawed.uncollected == amount - sum(expected)
            assert not (debt and clawed.uncollected)

    @precondition(lambda self: any(lot.asked_back < lot.gave for lot in self.model.lots))
    @rule(pick=picks)
    def claw_a_lot_back(self, pick: int) -> None:
        """All that is left to ask, as a refund of the whole order does."""
        lots = [lot for lot in self.model.lots if lot.asked_back < lot.gave]
        lot = lots[pick % len(lots)]
        amount = lot.gave - lot.asked_back
        expected = self.model.claw_back(amount, [lot.number], self.clock.now(), others=True, debt=True)
        clawed = self.do(lambda ledger: ledger.claw_back(POINTS, amount, [lot.number]))
        assert (clawed.taken, clawed.debt, clawed.forgiven) == expected

    @precondition(lambda self: any(self.spent.values()))
    @rule(parts=st.lists(st.tuples(picks, amounts), min_size=1, max_size=3), back=back_untils)
    def restore(self, parts: list[tuple[int, int]], back: int | None) -> None:
        left = {number: amount for number, amount in self.spent.items() if amount}
        chosen = {list(left)[pick % len(left)]: amount for pick, amount in parts}
        draws = [Draw(number, min(amount, left[number])) for number, amount in chosen.items()]
        until = self.after(back)
        self.model.restore(dict(draws), self.clock.now(), until)
        given = self.do(lambda ledger: ledger.restore(POINTS, draws, back_until=until))
        assert given == sum(d.amount for d in draws)
        for number, amount in draws:
            self.spent[number] -= amount

    @precondition(lambda self: any(next_change(lot, self.clock.now()) for lot in self.lots()))
    @rule()
    def expire(self) -> None:
        self.do(lambda ledger: ledger.expire(POINTS))

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))

    @rule(pick=picks, step=st.sampled_from([-INSTANT, timedelta(0), INSTANT]))
    def wait_until_something_happens(self, pick: int, step: timedelta) -> None:
        """Go to an instant at which a lot or hold begins or ends, or to the one before or after."""
        lots = [instant for lot in self.model.lots for instant in (lot.available_from, lot.expires_at)]
        instants = [i + step for i in (*lots, *self.model.holds_until.values()) if i]
        if ahead := sorted({instant for instant in instants if instant > self.clock.now()}):
            self.clock.set(ahead[pick % len(ahead)])

    @invariant()
    def the_books_are_in_order(self) -> None:
        check_books(self.sheet, self.clock.now())

    @invariant()
    def the_ledger_agrees_with_the_model(self) -> None:
        now, ledger = self.clock.now(), self.books.ledger()
        account, lots = ledger.account(POINTS), ledger.lots(POINTS)
        assert ledger.available(POINTS) == len(self.model.spendable(now))
        assert {lot.seq: lot.free(now) for lot in lots if lot.free(now)} == self.model.free_by_lot(now)
        assert (account.held, account.debt) == (self.model.held(), self.model.debt)
        terms = {lot.seq: (lot.available_from, lot.expires_at) for lot in lots}
        assert terms == {lot.number: (lot.available_from, lot.expires_at) for lot in self.model.lots}

    @invariant()
    def writing_losses_down_changes_nothing_that_can_be_seen(self) -> None:
        now, ledger, before = self.clock.now(), self.books.ledger(), everything(self.sheet)
        balance = ledger.account(POINTS).balance
        balance -= ledger.expire(POINTS)
        check_books(self.sheet, now)
        assert balance == ledger.account(POINTS).balance == self.model.balance(now)
        assert sum(lot.expired for lot in ledger.lots(POINTS)) == sum(
            point.fate is Fate.EXPIRED for point in self.model.points
        )
        self.the_ledger_agrees_with_the_model()

        swept = everything(self.sheet)
        assert ledger.expire(POINTS) == 0
        assert everything(self.sheet) == swept
        self.sheet.rollback(before[-1])
        assert everything(self.sheet) == before


@pytest.mark.timeout(0 if DEEP else 600)
def test_ledger_agrees_with_a_model_that_counts_points_one_by_one() -> None:
    run_state_machine_as_test(LedgerMachine, settings=DEEP_SETTINGS if DEEP else FAST_SETTINGS)


# -- would it notice? -----------------------------------------------------------------------------------


def reverse_lot_order(patch: pytest.MonkeyPatch) -> None:
    right = lots_module.spending_order

    def wrong(lot: Lot) -> tuple[float, int]:
        expires_at, seq = right(lot)
        return -expires_at.timestamp(), -seq

    patch.setattr(lots_module, "spending_order", wrong)
    patch.setattr(ledger_module, "spending_order", wrong)


def move_expiry_boundary(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lot, "lapsed", lambda lot, at: lot.expires_at is not None and at > lot.expires_at)


def move_availability_boundary(patch: pytest.MonkeyPatch) -> None:
    right = Lot.free
    patch.setattr(Lot, "free", lambda lot, at: 0 if at == lot.available_from else right(lot, at))


def reuse_sequence_number(patch: pytest.MonkeyPatch) -> None:
    right = Account.post

    def wrong(account: Account, amount: int, held: int, *, owed: int = 0, lots: int = 0) -> Account:
        after = right(account, amount, held, owed=owed, lots=lots)
        return after._replace(seq=max(1, account.seq)) if amount < 0 else after

    patch.setattr(Account, "post", wrong)


def forget_debt_on_earning(patch: pytest.MonkeyPatch) -> None:
    right = Ledger.earn

    def wrong(ledger: Ledger, unit: str, amount: int, terms: LotTerms) -> Lot:
        account = ledger.account(unit)
        ledger.sheet.put(Account, (unit,), account._replace(debt=0))
        lot = right(ledger, unit, amount, terms)
        ledger.sheet.put(Account, (unit,), ledger.account(unit)._replace(debt=account.debt))
        return lot

    patch.setattr(Ledger, "earn", wrong)


def let_what_comes_back_lie(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "_settle", lambda ledger, entry, back, back_until: None)


def forget_what_is_due(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Account, "due", lambda account, *instants: account)


def take_what_has_lapsed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "_takeable", Ledger.lots)


def chain_to_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger_module, "chain", lambda before, member_id, entry: chain("", member_id, entry))


@pytest.mark.parametrize(
    "sabotage",
    [
        reverse_lot_order,
        move_expiry_boundary,
        move_availability_boundary,
        reuse_sequence_number,
        forget_debt_on_earning,
        let_what_comes_back_lie,
        forget_what_is_due,
        take_what_has_lapsed,
        chain_to_nothing,
    ],
)
def test_machine_notices_a_broken_ledger(
    sabotage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    with pytest.raises((AssertionError, Refusal)):
        run_state_machine_as_test(LedgerMachine, settings=SABOTAGE_SETTINGS)
