from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books.sheet import Sheet
from tests.core.books import everything


class Row(NamedTuple):
    """A row of some table."""

    value: int


class Other(NamedTuple):
    """A row of another."""

    value: int


def test_rows_are_written_once_in_the_order_in_which_they_were_first_touched() -> None:
    sheet = Sheet()
    sheet.learn(Row, (1,), Row(10))
    sheet.learn(Row, (2,), Row(20))

    sheet.put(Row, (2,), Row(21))
    sheet.add(Other, (1,), Other(1))
    sheet.add(Row, (3,), Row(30))
    sheet.put(Row, (1,), Row(11))
    sheet.put(Row, (2,), Row(22))
    sheet.put(Row, (3,), Row(31))

    assert list(sheet.inserts()) == [(Other, (1,), Other(1)), (Row, (3,), Row(31))]
    assert list(sheet.updates()) == [(Row, (2,), Row(22)), (Row, (1,), Row(11))]


def test_what_is_learned_neither_overwrites_nor_is_written() -> None:
    sheet = Sheet()
    sheet.learn(Row, (1,), Row(10))
    sheet.put(Row, (1,), Row(11))
    sheet.learn(Row, (1,), Row(10))
    sheet.learn(Row, (2,), Row(20))

    assert sheet.of(Row) == {(1,): Row(11), (2,): Row(20)}
    assert list(sheet.updates()) == [(Row, (1,), Row(11))]
    assert list(sheet.inserts()) == []


def test_a_row_that_is_removed_is_deleted_as_it_stood_and_not_learned_again() -> None:
    sheet = Sheet()
    sheet.learn(Row, (1,), Row(10))
    savepoint = sheet.savepoint()
    sheet.put(Row, (1,), Row(11))
    sheet.remove(Row, (1,))
    sheet.add(Row, (2,), Row(11))
    sheet.learn(Row, (1,), Row(10))

    assert sheet.of(Row) == {(2,): Row(11)}
    assert list(sheet.deletes()) == [(Row, Row(11))]
    assert list(sheet.updates()) == []
    assert list(sheet.inserts()) == [(Row, (2,), Row(11))]

    sheet.rollback(savepoint)

    assert sheet.of(Row) == {(1,): Row(10)}
    assert [*sheet.deletes(), *sheet.updates(), *sheet.inserts()] == []


def test_row_that_is_not_known_is_none() -> None:
    sheet = Sheet()
    sheet.learn(Row, (1,), None)

    assert sheet.get(Row, (1,)) is None
    assert sheet.get(Other, (1,)) is None


def test_row_known_to_be_absent_can_be_added_and_taken_back() -> None:
    sheet = Sheet()
    sheet.learn(Row, (1,), None)
    before = everything(sheet)

    sheet.add(Row, (1,), Row(1))
    assert list(sheet.inserts()) == [(Row, (1,), Row(1))]
    sheet.rollback(before[-1])

    assert everything(sheet) == before


def test_row_is_never_added_twice() -> None:
    sheet = Sheet()
    sheet.add(Row, (1,), Row(1))

    with pytest.raises(AssertionError, match="there already"):
        sheet.add(Row, (1,), Row(2))
    assert list(sheet.inserts()) == [(Row, (1,), Row(1))]


def test_rollback_keeps_what_was_learned() -> None:
    sheet = Sheet()
    savepoint = sheet.savepoint()
    sheet.learn(Row, (1,), Row(10))
    sheet.put(Row, (1,), Row(11))

    sheet.rollback(savepoint)

    assert sheet.get(Row, (1,)) == Row(10)
    assert list(sheet.updates()) == []


changes = st.lists(
    st.tuples(st.sampled_from(["put", "mark", "rollback"]), st.sampled_from([Row, Other]), st.integers(0, 4)),
    max_size=40,
)


@given(changes)
def test_nested_savepoints_undo_exactly_what_came_after_them(steps: list[tuple[str, Any, int]]) -> None:
    sheet = Sheet()
    sheet.learn(Row, (0,), Row(0))
    sheet.learn(Other, (1,), Other(0))
    marks = [everything(sheet)]
    for value, (step, kind, key) in enumerate(steps):
        if step == "mark":
            marks.append(everything(sheet))
        elif step == "rollback":
            before = marks[-1] if len(marks) == 1 else marks.pop()
            sheet.rollback(before[-1])
            assert everything(sheet) == before
        elif sheet.get(kind, (key,)) is None:
            sheet.add(kind, (key,), kind(value))
        else:
            sheet.put(kind, (key,), kind(value))

    sheet.rollback(0)

    assert everything(sheet) == marks[0]
