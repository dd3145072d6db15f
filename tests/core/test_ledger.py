"""The ledger's promises one by one, and the defects that others have shipped."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations

import pytest

from core.books.accounts import Contra
from core.books.holds import Hold, HoldState
from core.books.ledger import ClawBack, LotTerms
from core.books.lots import Draw
from core.errors import (
    BalanceLimitExceeded,
    ExceedsHold,
    ExceedsReversible,
    HoldNotOpen,
    InsufficientPoints,
    UnknownUnit,
)
from core.units import AMOUNT_MAX, GROWTH, POINTS
from tests.core.books import BEGIN, INSTANT, Books, everything


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books()
    yield books
    books.check()


def spend(books: Books, amount: int) -> list[Draw]:
    return books.ledger().spend(POINTS, amount)


def hold(books: Books, amount: int, *, until: int = 1_000) -> Hold:
    return books.ledger().hold(POINTS, amount, reference="cart 7", expires_at=books.day(until))


def claw_back(books: Books, amount: int, *lots: int, others: bool = True, debt: bool = True) -> ClawBack:
    return books.ledger().claw_back(POINTS, amount, lots, others=others, debt=debt)


def restore(books: Books, *draws: Draw, back_until: int | None = None) -> int:
    until = None if back_until is None else books.day(back_until)
    return books.ledger().restore(POINTS, draws, back_until=until)


def sweep(books: Books) -> int:
    return books.ledger().expire(POINTS)


def is_refused(books: Books, verb: Callable[[], object], refusal: type[Exception], **facts: object) -> None:
    """Assert that the verb is refused with these facts, and that nothing at all was written."""
    before = everything(books.sheet)
    with pytest.raises(refusal) as caught:
        verb()
    assert {name: getattr(caught.value, name) for name in facts} == facts
    assert everything(books.sheet) == before


# -- earning and spending -------------------------------------------------------------------------------


def test_spending_draws_on_the_soonest_expiring_lot(books: Books) -> None:
    forever, autumn, spring = books.earn(10), books.earn(10, until=200), books.earn(10, until=50)

    draws = spend(books, 25)

    assert draws == [Draw(spring, 10), Draw(autumn, 10), Draw(forever, 5)]
    assert books.free() == {forever: 5}


def test_of_lots_that_expire_together_the_older_is_spent_first(books: Books) -> None:
    first, second = books.earn(10, until=50), books.earn(10, until=50)

    assert spend(books, 11) == [Draw(first, 10), Draw(second, 1)]


def test_spending_more_than_is_available_is_refused_with_what_is_available(books: Books) -> None:
    books.earn(10)
    books.earn(90, pending_until=7)

    is_refused(books, lambda: spend(books, 11), InsufficientPoints, unit=POINTS, needed=11, available=10)
    is_refused(books, lambda: hold(books, 11), InsufficientPoints, unit=POINTS, needed=11, available=10)


def test_last_points_are_spent_once(books: Books) -> None:
    books.earn(10)
    spend(books, 10)

    is_refused(books, lambda: spend(books, 1), InsufficientPoints, needed=1, available=0)


def test_entry_says_what_was_moved_and_what_it_was_for(books: Books) -> None:
    books.earn(100)
    books.ledger().spend(POINTS, 30, contra=Contra.ADJUSTMENT)

    said = [(e.seq, e.amount, e.held, e.contra, e.balance, e.operation_id) for e in books.entries]
    assert said == [
        (1, 100, 0, Contra.ISSUANCE, 100, "operation 2"),
        (2, -30, 0, Contra.ADJUSTMENT, 70, "operation 3"),
    ]


def test_units_do_not_mix() -> None:
    books = Books()
    ledger = books.ledger()
    ledger.open_account(GROWTH)
    ledger.earn(GROWTH, 50, LotTerms(BEGIN, BEGIN, None))

    assert (ledger.available(POINTS), ledger.available(GROWTH)) == (0, 50)
    is_refused(books, lambda: spend(books, 1), InsufficientPoints, unit=POINTS, available=0)


def test_a_unit_without_an_account_is_refused(books: Books) -> None:
    terms = LotTerms(BEGIN, BEGIN, None)

    is_refused(books, lambda: books.ledger().earn("miles", 1, terms), UnknownUnit, unit="miles")
    is_refused(books, lambda: books.ledger().spend("miles", 1), UnknownUnit, unit="miles")


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_not_positive_is_a_defect_of_the_caller(books: Books, amount: int) -> None:
    lot, terms = books.earn(10), LotTerms(BEGIN, BEGIN, None)
    draws, held = spend(books, 5), hold(books, 5)

    for verb in (
        lambda: books.ledger().earn(POINTS, amount, terms),
        lambda: spend(books, amount),
        lambda: hold(books, amount),
        lambda: books.ledger().capture(held, amount),
        lambda: claw_back(books, amount, lot),
        lambda: restore(books, draws[0], Draw(lot, amount)),
    ):
        is_refused(books, verb, AssertionError)


def test_balance_beyond_what_clients_can_represent_is_refused(books: Books) -> None:
    books.earn(AMOUNT_MAX)

    is_refused(books, lambda: books.earn(1), BalanceLimitExceeded, unit=POINTS, balance_max=AMOUNT_MAX)
    assert books.available == AMOUNT_MAX


def test_claw_back_beyond_the_limit_leaves_nothing_behind(books: Books) -> None:
    small, large = books.earn(1), books.earn(AMOUNT_MAX - 1)
    spend(books, AMOUNT_MAX)
    another = books.earn(AMOUNT_MAX)
    spend(books, AMOUNT_MAX)
    claw_back(books, AMOUNT_MAX, another)

    is_refused(books, lambda: claw_back(books, 1, small), BalanceLimitExceeded, balance_max=AMOUNT_MAX)
    is_refused(books, lambda: claw_back(books, 1, large), BalanceLimitExceeded, balance_max=AMOUNT_MAX)


# -- time ------------------------------------------------------------------------------------------------


AROUND = pytest.mark.parametrize("step", [-INSTANT, 0 * INSTANT, INSTANT], ids=["before", "at", "after"])
SWEPT = pytest.mark.parametrize("swept", [True, False], ids=["swept", "not swept"])


@AROUND
@SWEPT
def test_lot_cannot_be_spent_from_the_instant_it_expires(books: Books, step: timedelta, swept: bool) -> None:
    books.earn(100, until=30)
    books.clock.set(books.day(30) + step)
    if swept:
        sweep(books)

    if step < 0 * INSTANT:
        assert books.available == 100
        assert spend(books, 100) == [Draw(1, 100)]
    else:
        assert books.available == 0
        is_refused(books, lambda: spend(books, 1), InsufficientPoints, available=0)
        is_refused(books, lambda: hold(books, 1), InsufficientPoints, available=0)


@AROUND
def test_pending_points_can_be_spent_from_the_instant_they_become_available(books: Books, step: timedelta) -> None:
    books.earn(100, pending_until=14)
    assert books.account.next_due == books.day(14)

    books.clock.set(books.day(14) + step)

    if step < 0 * INSTANT:
        assert (books.available, books.account.balance) == (0, 100)
        is_refused(books, lambda: spend(books, 1), InsufficientPoints, available=0)
    else:
        assert books.available == 100
        assert spend(books, 100) == [Draw(1, 100)]


@AROUND
def test_sweep_writes_a_loss_down_from_the_instant_of_expiry(books: Books, step: timedelta) -> None:
    books.earn(100, until=30)
    books.clock.set(books.day(30) + step)

    assert sweep(books) == (0 if step < 0 * INSTANT else 100)
    assert books.account.next_due == (books.day(30) if step < 0 * INSTANT else None)


def test_earlier_spending_counts_against_the_lot_that_expires(books: Books) -> None:
    """Earn 100, spend 80, earn 50, the first lot expires: that is 50, and not 30 short."""
    books.earn(100, until=30)
    spend(books, 80)
    books.earn(50, until=60)
    books.wait_until(30)

    assert sweep(books) == 20
    assert (books.available, books.account.balance) == (50, 50)


def test_sweep_writes_an_entry_for_each_instant_of_expiry(books: Books) -> None:
    books.earn(10, until=30)
    books.earn(20, until=40)
    books.earn(30, until=30)
    books.earn(40, until=50)
    books.wait_until(45)

    assert sweep(books) == 60
    assert [(e.amount, e.effective_at, e.recorded_at) for e in books.entries if e.amount < 0] == [
        (-40, books.day(30), books.day(45)),
        (-20, books.day(40), books.day(45)),
    ]
    assert books.account.next_due == books.day(50)


def test_sweeping_twice_loses_nothing_more(books: Books) -> None:
    books.earn(100, until=30)
    books.wait_until(31)
    assert sweep(books) == 100
    before = everything(books.sheet)

    assert sweep(books) == 0
    assert everything(books.sheet) == before


def test_lot_that_has_lapsed_when_it_is_earned_gives_nothing(books: Books) -> None:
    books.wait_until(10)
    books.earn(100, until=9)

    assert books.available == 0
    assert sweep(books) == 100


# -- holds -----------------------------------------------------------------------------------------------


def test_held_points_are_not_available_and_still_belong_to_the_member(books: Books) -> None:
    books.earn(100)
    held = hold(books, 70)

    assert (books.available, books.account.balance, books.account.held) == (30, 100, 70)
    assert held == Hold(POINTS, 1, "operation 3", "test", "cart 7", 70, 0, HoldState.OPEN, BEGIN, books.day(1_000))


@SWEPT
def test_hold_and_release_never_changes_an_expiry_date(books: Books, swept: bool) -> None:
    spring, autumn = books.earn(50, until=50), books.earn(100, until=200)
    before = books.lot(spring), books.lot(autumn)
    held = hold(books, 120)
    if swept:
        sweep(books)
    books.wait_until(10)

    assert books.ledger().release(held).state == HoldState.RELEASED
    assert (books.lot(spring), books.lot(autumn)) == before


def test_order_and_cancel_never_changes_an_expiry_date(books: Books) -> None:
    spring, autumn = books.earn(50, until=50), books.earn(100, until=200)
    before = books.lot(spring), books.lot(autumn)
    draws = spend(books, 120)
    books.wait_until(10)

    assert restore(books, *draws) == 120
    assert (books.lot(spring), books.lot(autumn)) == before


def test_what_comes_back_into_an_empty_lot_expires_with_it(books: Books) -> None:
    """The sweep in between finds nothing ahead; what comes back has to be found by the next."""
    books.earn(100, until=30)
    draws = spend(books, 100)
    sweep(books)
    restore(books, *draws)

    assert books.account.next_due == books.day(30)


def test_capture_takes_from_the_very_lots_and_gives_the_rest_back(books: Books) -> None:
    spring, autumn = books.earn(50, until=50), books.earn(100, until=200)
    held = hold(books, 120)
    sooner = books.earn(10, until=20)

    captured = books.ledger().capture(held, 60)

    assert (captured.state, captured.captured) == (HoldState.CAPTURED, 60)
    assert books.free() == {autumn: 90, sooner: 10}
    assert books.lot(spring).remaining == 0
    assert books.account.held == 0


@pytest.mark.parametrize("resolved_before", ["captured", "released"])
@pytest.mark.parametrize("known", ["as it was", "as it is"])
def test_hold_is_resolved_exactly_once(books: Books, resolved_before: str, known: str) -> None:
    books.earn(100)
    held = hold(books, 40)
    first = books.ledger()
    resolved = first.capture(held) if resolved_before == "captured" else first.release(held)
    again = held if known == "as it was" else resolved

    for verb in (
        lambda: books.ledger().capture(again),
        lambda: books.ledger().capture(again, 10),
        lambda: books.ledger().capture(again, 41),
        lambda: books.ledger().release(again),
    ):
        is_refused(books, verb, HoldNotOpen, hold="1", state=resolved_before)
    assert books.available == (60 if resolved_before == "captured" else 100)


def test_capturing_more_than_is_held_is_refused(books: Books) -> None:
    books.earn(100)
    held = hold(books, 40)

    is_refused(books, lambda: books.ledger().capture(held, 41), ExceedsHold, needed=41, held=40)
    assert books.ledger().capture(held, 40).captured == 40


@AROUND
def test_hold_can_be_captured_until_its_time_is_over_and_released_at_any_time(books: Books, step: timedelta) -> None:
    books.earn(100)
    held = hold(books, 40, until=1)
    books.clock.set(books.day(1) + step)

    if step < 0 * INSTANT:
        assert books.ledger().capture(held).captured == 40
    else:
        is_refused(books, lambda: books.ledger().capture(held), HoldNotOpen, hold="1", state="timed out")
        assert books.ledger().release(held).state == HoldState.RELEASED
        assert books.available == 100


@SWEPT
def test_what_was_held_in_time_is_captured_after_its_lot_has_lapsed(books: Books, swept: bool) -> None:
    books.earn(100, until=30)
    held = hold(books, 60)
    books.wait_until(31)
    if swept:
        assert sweep(books) == 40

    books.ledger().capture(held)

    assert sweep(books) == (0 if swept else 40)
    assert (books.available, books.account.balance, books.lot(1).expired) == (0, 0, 40)


@SWEPT
def test_what_is_released_into_a_lapsed_lot_is_lost_with_it(books: Books, swept: bool) -> None:
    books.earn(100, until=30)
    held = hold(books, 60)
    books.wait_until(31)
    if swept:
        assert sweep(books) == 40

    books.ledger().release(held)

    assert books.available == 0
    assert books.account.next_due == books.day(30)
    assert sweep(books) == (60 if swept else 100)
    assert books.account.balance == 0


@SWEPT
@pytest.mark.parametrize("captured", [0, 25])
def test_what_comes_back_into_a_lapsed_lot_lasts_as_long_as_the_policy_gives_it(
    books: Books, swept: bool, captured: int
) -> None:
    books.earn(100, until=30)
    held = hold(books, 60)
    books.wait_until(31)
    if swept:
        sweep(books)

    if captured:
        books.ledger().capture(held, captured, back_until=books.day(45))
    else:
        books.ledger().release(held, back_until=books.day(45))

    fresh = books.lot(2)
    assert books.free() == {2: 60 - captured}
    assert (fresh.earned_at, fresh.available_from, fresh.expires_at) == (BEGIN, books.day(31), books.day(45))
    sweep(books)
    assert books.account.balance == 60 - captured
    assert books.account.next_due == books.day(45)


def test_what_was_given_more_time_is_not_asked_back_twice(books: Books) -> None:
    earned = books.earn(100, until=30)
    draws = spend(books, 100)
    books.wait_until(31)
    restore(books, *draws, back_until=45)

    is_refused(books, lambda: claw_back(books, 1, 2), ExceedsReversible, needed=1, left=0)
    assert claw_back(books, 100, earned) == ClawBack(demanded=100, taken=100, debt=0, forgiven=0)
    assert books.account.balance == 0


# -- claw-backs and debt ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "debt", "outcome", "balance"),
    [
        pytest.param(False, False, ClawBack(100, 40, 0, 0), 20, id="lot only"),
        pytest.param(True, False, ClawBack(100, 60, 0, 0), 0, id="lots"),
        pytest.param(True, True, ClawBack(100, 60, 40, 0), -40, id="lots then debt"),
    ],
)
def test_claw_back_goes_as_far_as_the_policy_lets_it(
    books: Books, others: bool, debt: bool, outcome: ClawBack, balance: int
) -> None:
    bought = books.earn(100, until=30)
    spend(books, 60)
    books.earn(20, until=60)

    assert claw_back(books, 100, bought, others=others, debt=debt) == outcome
    assert outcome.uncollected == 100 - outcome.taken - outcome.debt
    assert (books.account.balance, books.account.debt) == (balance, outcome.debt)


def test_claw_back_takes_what_can_be_spent_before_what_is_pending(books: Books) -> None:
    bought = books.earn(50)
    spend(books, 50)
    pending, forever, spring = books.earn(10, until=20, pending_until=5), books.earn(10), books.earn(10, until=90)

    assert claw_back(books, 25, bought).taken == 25
    assert {n: books.lot(n).remaining for n in (spring, forever, pending)} == {spring: 0, forever: 0, pending: 5}


def test_claw_back_leaves_what_is_held_alone(books: Books) -> None:
    bought = books.earn(100)
    held = hold(books, 70)

    assert claw_back(books, 100, bought) == ClawBack(demanded=100, taken=30, debt=70, forgiven=0)
    books.ledger().release(held)
    assert (books.available, books.account.debt, books.account.balance) == (0, 0, 0)


def test_claw_back_beyond_what_the_lots_gave_is_refused(books: Books) -> None:
    first, second = books.earn(100), books.earn(50)
    claw_back(books, 30, first)

    is_refused(books, lambda: claw_back(books, 71, first), ExceedsReversible, needed=71, left=70)
    is_refused(books, lambda: claw_back(books, 121, first, second), ExceedsReversible, needed=121, left=120)
    assert claw_back(books, 120, first, second).taken == 120


def test_claw_back_that_takes_nothing_writes_no_entry(books: Books) -> None:
    bought = books.earn(100)
    spend(books, 100)
    before = books.account

    assert claw_back(books, 100, bought, others=False, debt=False).uncollected == 100
    assert books.account == before
    is_refused(books, lambda: claw_back(books, 1, bought), ExceedsReversible, needed=1, left=0)


@SWEPT
@pytest.mark.parametrize("spent", [0, 30, 100])
@pytest.mark.parametrize("day", [10, 31])
@pytest.mark.parametrize("parts", sorted(set(permutations([50, 33, 17]))))
def test_partial_claw_backs_add_up_to_the_whole(
    books: Books, spent: int, day: int, swept: bool, parts: tuple[int, ...]
) -> None:
    whole = Books()
    for each in (books, whole):
        each.earn(100, until=30)
        if spent:
            spend(each, spent)
        each.earn(45)
        each.wait_until(day)
        if swept:
            sweep(each)

    at_once = claw_back(whole, 100, 1)
    one_by_one = [claw_back(books, part, 1) for part in parts]

    assert tuple(map(sum, zip(*one_by_one, strict=True))) == at_once
    sweep(books)
    sweep(whole)
    assert books.free() == whole.free()
    assert books.account.balance == whole.account.balance


@SWEPT
@pytest.mark.parametrize(("asked", "outcome"), [(20, ClawBack(20, 0, 0, 20)), (100, ClawBack(100, 50, 10, 40))])
def test_what_has_expired_is_not_taken_a_second_time(books: Books, swept: bool, asked: int, outcome: ClawBack) -> None:
    bought = books.earn(100, until=30)
    spend(books, 60)
    books.earn(50)
    books.wait_until(30)
    if swept:
        assert sweep(books) == 40

    assert claw_back(books, asked, bought) == outcome
    assert sweep(books) == (0 if swept else 40)
    assert books.available == 50 - outcome.taken
    assert books.account.balance == 50 - outcome.taken - outcome.debt


def test_what_was_clawed_back_does_not_expire_as_well(books: Books) -> None:
    bought = books.earn(100, until=30)
    claw_back(books, 70, bought)
    books.wait_until(30)

    assert sweep(books) == 30
    assert books.account.balance == 0


@pytest.mark.parametrize("terms", [{}, {"until": 60}, {"pending_until": 14}, {"until": 0}])
def test_next_earning_repays_debt(books: Books, terms: dict[str, int]) -> None:
    bought = books.earn(100)
    spend(books, 100)
    claw_back(books, 100, bought)
    assert (books.account.debt, books.account.balance) == (100, -100)

    first, second = books.earn(70, **terms), books.earn(50, **terms)

    assert (books.account.debt, books.account.balance) == (0, 20)
    assert (books.lot(first).remaining, books.lot(second).remaining) == (0, 20)


# -- order of events ---------------------------------------------------------------------------------------


@SWEPT
@pytest.mark.parametrize("day", [10, 31], ids=["in time", "lapsed"])
@pytest.mark.parametrize("back_until", [None, 45])
@pytest.mark.parametrize(("clawed", "restored"), [(100, 80), (100, 30), (60, 80), (10, 80), (20, 10)])
def test_refund_and_cancellation_give_the_same_in_both_orders(
    books: Books, day: int, swept: bool, back_until: int | None, clawed: int, restored: int
) -> None:
    other_way = Books()
    for each in (books, other_way):
        each.earn(100, until=30)
        spend(each, 80)
        each.wait_until(day)
        if swept:
            sweep(each)

    claw_back(books, clawed, 1)
    restore(books, Draw(1, restored), back_until=back_until)
    restore(other_way, Draw(1, restored), back_until=back_until)
    claw_back(other_way, clawed, 1)

    for each in (books, other_way):
        sweep(each)
        each.check()
    assert books.free() == other_way.free()
    assert (books.account.balance, books.account.debt) == (other_way.account.balance, other_way.account.debt)


@pytest.mark.parametrize("clawed_on", [10, 31])
def test_holding_points_does_not_change_what_a_refund_takes(books: Books, clawed_on: int) -> None:
    never_held = Books()
    for each in (books, never_held):
        each.earn(100, until=30)
    held = hold(books, 100)
    for each in (books, never_held):
        each.wait_until(clawed_on)
        claw_back(each, 60, 1)
        each.wait_until(31)

    books.ledger().release(held)

    for each in (books, never_held):
        sweep(each)
    assert (books.account.balance, books.account.debt) == (0, 0)
    assert (never_held.account.balance, never_held.account.debt) == (0, 0)


def test_refused_operation_is_undone_with_everything_it_had_done(books: Books) -> None:
    books.earn(100, until=30)
    held = hold(books, 50)
    before = everything(books.sheet)

    ledger = books.ledger()
    ledger.earn(POINTS, 7, LotTerms(BEGIN, BEGIN, None))
    ledger.capture(held, 20)
    ledger.claw_back(POINTS, 90, [1])
    books.sheet.rollback(before[-1])

    assert everything(books.sheet) == before
