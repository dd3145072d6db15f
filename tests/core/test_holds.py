from core.books.holds import Hold, HoldLot, HoldState
from core.units import POINTS
from tests.core.books import Books


def parts(books: Books) -> dict[int, dict[int, int]]:
    """Of each hold, how much of which lot."""
    found: dict[int, dict[int, int]] = {}
    for part in books.sheet.of(HoldLot).values():
        found.setdefault(part.hold_seq, {})[part.lot_seq] = part.amount
    return found


def hold(books: Books, amount: int) -> Hold:
    return books.ledger().hold(POINTS, amount, reference="cart", expires_at=books.day(1))


def test_holds_name_the_lots_they_set_aside_soonest_expiry_first() -> None:
    books = Books()
    autumn, spring = books.earn(50, until=200), books.earn(30, until=50)

    hold(books, 20)
    hold(books, 20)

    assert parts(books) == {1: {spring: 20}, 2: {spring: 10, autumn: 10}}
    assert (books.lot(spring).held, books.lot(autumn).held, books.account.held) == (30, 10, 40)
    books.check()


def test_resolved_hold_keeps_its_lots_by_name_and_sets_nothing_aside() -> None:
    books = Books()
    autumn, spring = books.earn(50, until=200), books.earn(30, until=50)
    first, second, third = hold(books, 20), hold(books, 20), hold(books, 5)

    captured, released = books.ledger().capture(second, 15), books.ledger().release(first)

    assert (captured.state, captured.amount, captured.captured) == (HoldState.CAPTURED, 20, 15)
    assert (released.state, released.amount, released.captured) == (HoldState.RELEASED, 20, 0)
    assert parts(books) == {1: {spring: 0}, 2: {spring: 0, autumn: 0}, 3: {autumn: 5}}
    assert books.free() == {spring: 20, autumn: 40}
    assert books.sheet.of(Hold)[POINTS, 3] == third
    books.check()


def test_states_are_stored_as_they_are_named() -> None:
    assert [str(state) for state in HoldState] == ["open", "captured", "released"]
