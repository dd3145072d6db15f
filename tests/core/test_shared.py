"""Shared rows: one operation at a time, and a refusal puts back what it changed."""

import pytest

from core.engine.shared import Claim, SharedRows

STOCK = (int, ("mug",))


def claimed(rows: SharedRows, holder: str) -> bool:
    return rows.claim(Claim(STOCK, holder))


def test_a_row_belongs_to_one_operation_until_it_ends() -> None:
    rows = SharedRows()

    assert claimed(rows, "first")
    assert claimed(rows, "first")
    assert not claimed(rows, "second")

    rows.keep("first")
    assert claimed(rows, "second")


def test_an_accepted_change_is_what_the_next_operation_sees() -> None:
    rows = SharedRows()
    claimed(rows, "first")
    rows.learn(STOCK, 2)
    rows.put("first", STOCK, 1)
    rows.keep("first")

    claimed(rows, "second")

    assert rows.knows(STOCK)
    assert rows.get(STOCK) == 1
    assert list(rows.updates()) == [(int, 1)]


def test_a_refused_operation_leaves_the_row_as_the_one_before_left_it() -> None:
    rows = SharedRows()
    claimed(rows, "first")
    rows.learn(STOCK, 2)
    rows.put("first", STOCK, 1)
    rows.keep("first")

    claimed(rows, "second")
    rows.put("second", STOCK, 0)
    rows.put("second", STOCK, -1)
    rows.undo("second")

    assert rows.get(STOCK) == 1
    assert claimed(rows, "third")


def test_a_row_that_was_not_there_is_inserted_once_with_its_last_value() -> None:
    rows = SharedRows()
    for holder, value in (("first", 10), ("second", 9)):
        claimed(rows, holder)
        if not rows.knows(STOCK):
            rows.learn(STOCK, None)
        rows.put(holder, STOCK, value)
        rows.keep(holder)

    assert list(rows.inserts()) == [(int, 9)]
    assert list(rows.updates()) == []


def test_a_new_row_of_a_refused_operation_is_not_inserted() -> None:
    rows = SharedRows()
    claimed(rows, "first")
    rows.learn(STOCK, None)
    rows.put("first", STOCK, 10)
    rows.undo("first")

    assert rows.get(STOCK) is None
    assert list(rows.inserts()) == []


def test_what_was_not_claimed_cannot_be_changed() -> None:
    rows = SharedRows()
    claimed(rows, "first")
    rows.learn(STOCK, 2)

    with pytest.raises(RuntimeError, match="without having been claimed"):
        rows.put("second", STOCK, 1)
