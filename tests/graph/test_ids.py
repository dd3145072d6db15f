import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.ids import InvalidCursor, InvalidId, cursor, global_id, parts_of, read_cursor, read_id

PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":"), max_size=20), min_size=1)


@given(PARTS)
def test_an_id_is_read_as_it_was_made(parts: list[str]) -> None:
    assert read_id(global_id("Hold", *parts)) in (("Hold", *parts), ())


@given(st.text())
def test_any_text_is_an_id_or_is_not(text: str) -> None:
    assert isinstance(read_id(text), tuple)


@pytest.mark.parametrize(
    "id", ["", "x", "Hold:1:points:1", global_id("Member", "1"), global_id("Hold", "1"), "=" * 999]
)
def test_an_id_of_another_thing_is_refused(id: str) -> None:
    with pytest.raises(InvalidId):
        parts_of(id, "Hold", 3)


def test_an_id_with_padding_is_another_text_and_refused() -> None:
    assert read_id(global_id("Member", "12")) == ("Member", "12")
    assert read_id(global_id("Member", "12") + "=") == ()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=50))
def test_a_cursor_is_read_as_it_was_made(key: str) -> None:
    assert read_cursor("operation:1", cursor("operation:1", key)) == key


@given(st.text())
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor("operation:1", text)


def test_every_single_change_of_a_cursor_is_noticed() -> None:
    made = cursor("operation:1", "01a20385-4ce9-71a6-bfc3-cf13caec3862")
    for at in range(len(made)):
        changed = made[:at] + ("A" if made[at] != "A" else "B") + made[at + 1 :]
        with pytest.raises(InvalidCursor):
            read_cursor("operation:1", changed)


def test_the_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        read_cursor("operation:2", cursor("operation:1", "7"))
