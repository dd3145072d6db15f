from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books.lots import Draw, Lot, draw, spending_order
from core.units import POINTS

NOW = datetime(2030, 3, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
A_DAY = timedelta(days=1)


def a_lot(
    seq: int = 1,
    remaining: int = 100,
    *,
    held: int = 0,
    available_from: datetime = NOW - A_DAY,
    expires_at: datetime | None = None,
) -> Lot:
    return Lot(
        unit=POINTS,
        seq=seq,
        operation_id="operation",
        source="test",
        amount=1_000,
        remaining=remaining,
        held=held,
        expired=0,
        clawed=0,
        forgiven=0,
        earned_at=NOW - A_DAY,
        available_from=available_from,
        expires_at=expires_at,
    )


lots_of_any_kind = st.lists(
    st.builds(
        a_lot,
        seq=st.integers(1, 99),
        remaining=st.integers(50, 60),
        held=st.integers(0, 50),
        available_from=st.sampled_from([NOW - A_DAY, NOW, NOW + INSTANT]),
        expires_at=st.sampled_from([None, NOW - A_DAY, NOW, NOW + INSTANT, NOW + A_DAY]),
    ),
    max_size=8,
    unique_by=lambda lot: lot.seq,
)


@pytest.mark.parametrize(
    ("expires_at", "lapsed"),
    [(None, False), (NOW + INSTANT, False), (NOW, True), (NOW - INSTANT, True)],
)
def test_lot_has_lapsed_at_the_very_instant_of_its_expiry(expires_at: datetime | None, lapsed: bool) -> None:
    lot = a_lot(expires_at=expires_at)

    assert lot.lapsed(NOW) is lapsed
    assert lot.free(NOW) == (0 if lapsed else 100)


@pytest.mark.parametrize(("available_from", "free"), [(NOW - INSTANT, 70), (NOW, 70), (NOW + INSTANT, 0)])
def test_lot_gives_what_is_not_held_from_the_instant_it_is_available(available_from: datetime, free: int) -> None:
    assert a_lot(held=30, available_from=available_from).free(NOW) == free


def test_soonest_expiry_is_spent_first_and_what_never_expires_last() -> None:
    forever, autumn = a_lot(1), a_lot(2, expires_at=NOW + 200 * A_DAY)
    spring, also_spring = a_lot(3, expires_at=NOW + 50 * A_DAY), a_lot(4, expires_at=NOW + 50 * A_DAY)

    ordered = sorted([forever, also_spring, autumn, spring], key=spending_order)

    assert ordered == [spring, also_spring, autumn, forever]


def test_draws_name_only_the_lots_that_are_needed() -> None:
    lots = [a_lot(1), a_lot(2, 30, expires_at=NOW + A_DAY), a_lot(3, 30, held=30, expires_at=NOW + INSTANT)]

    assert draw(lots, 30, NOW) == [Draw(2, 30)]
    assert draw(lots, 31, NOW) == [Draw(2, 30), Draw(1, 1)]
    assert draw(lots, 0, NOW) == []
    assert draw([], 5, NOW) == []


def test_draws_add_up_to_less_when_the_lots_hold_less() -> None:
    assert draw([a_lot(1, 30), a_lot(2, 20)], 51, NOW) == [Draw(1, 30), Draw(2, 20)]


@given(lots=lots_of_any_kind, amount=st.integers(0, 300), data=st.data())
def test_replay_draws_on_the_same_lots_in_whatever_order_they_are_read(
    lots: list[Lot], amount: int, data: st.DataObject
) -> None:
    draws = draw(lots, amount, NOW)

    assert draw(data.draw(st.permutations(lots)), amount, NOW) == draws
    free = {lot.seq: lot.free(NOW) for lot in lots}
    assert sum(d.amount for d in draws) == min(amount, sum(free.values()))
    assert all(0 < d.amount <= free[d.lot_seq] for d in draws)
    # A later lot is touched only when the earlier ones are used up.
    in_order = [lot.seq for lot in sorted(lots, key=spending_order) if free[lot.seq]]
    assert [d.lot_seq for d in draws] == in_order[: len(draws)]
    assert all(d.amount == free[d.lot_seq] for d in draws[:-1])
