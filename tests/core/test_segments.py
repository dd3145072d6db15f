"""Segments: who belongs to one on a day, and when that can next change; against looking at each day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.books.tallies import Tally, day_number
from core.rulebook.rules import Compilation
from core.rulebook.segments import History, Segment, SegmentCriterion, Segments

JOINED: Final = date(2026, 1, 5)
KNOWN: Final = Compilation({}, countables={"orders", "sign_ins"})


def criterion(**given: Any) -> SegmentCriterion:
    return SegmentCriterion.model_validate(given, context=KNOWN)


def segment(*criteria: Mapping[str, Any], join: str = "all") -> Segment:
    return Segment.model_validate({"id": "some", join: criteria} if criteria else {"id": "some"}, context=KNOWN)


def history(*counted: tuple[str, date, int], joined: date = JOINED) -> History:
    return History(joined, "CNY", [Tally(name, day_number(day), amount) for name, day, amount in counted])


@pytest.mark.parametrize(
    ("given", "day", "holds"),
    [
        ({"fact": "orders", "at_least": 2}, date(2026, 3, 1), False),
        ({"fact": "orders", "at_least": 2}, date(2026, 3, 2), True),
        ({"fact": "orders", "window": {"days": 30}, "at_least": 2}, date(2026, 3, 30), True),
        ({"fact": "orders", "window": {"days": 30}, "at_least": 2}, date(2026, 3, 31), False),
        ({"fact": "orders", "window": {"months": 1}, "at_least": 2}, date(2026, 3, 31), True),
        ({"fact": "orders", "window": {"months": 1}, "at_least": 2}, date(2026, 4, 1), False),
        ({"fact": "orders", "below": 2}, date(2026, 3, 1), True),
        ({"fact": "orders", "below": 2}, date(2026, 3, 2), False),
        ({"fact": "spend", "at_least": "99.50"}, date(2026, 3, 1), False),
        ({"fact": "spend", "at_least": "99.50"}, date(2026, 3, 2), True),
        ({"days_since": ["orders"], "at_least": 90}, date(2026, 5, 30), False),
        ({"days_since": ["orders"], "at_least": 90}, date(2026, 5, 31), True),
        ({"days_since": ["sign_ins"], "at_least": 30}, date(2026, 2, 3), False),
        ({"days_since": ["sign_ins"], "at_least": 30}, date(2026, 2, 4), True),
        ({"as_member": True, "below": 30}, date(2026, 2, 3), True),
        ({"as_member": True, "below": 30}, date(2026, 2, 4), False),
    ],
)
def test_a_criterion_holds_on_the_very_day_and_not_one_earlier(given: Any, day: date, holds: bool) -> None:
    bought = history(
        ("orders", date(2026, 3, 1), 1),
        ("orders", date(2026, 3, 2), 1),
        ("spend", date(2026, 3, 1), 9949),
        ("spend", date(2026, 3, 2), 1),
    )

    assert criterion(**given).holds(bought, day) is holds


def test_what_came_back_was_not_done() -> None:
    bought = history(("orders", date(2026, 3, 1), 1), ("orders", date(2026, 3, 9), 1), ("orders", date(2026, 3, 9), -1))

    assert criterion(days_since=["orders"], at_least=31).holds(bought, date(2026, 4, 1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at_least": 1}, "asks for one of fact, days_since and as_member"),
        ({"fact": "orders", "as_member": True, "at_least": 1}, "asks for one of"),
        ({"fact": "order", "at_least": 1}, "nobody counts 'order', did you mean 'orders'"),
        ({"days_since": ["visits"], "at_least": 1}, "nobody counts 'visits'"),
        ({"days_since": [], "at_least": 1}, "at least 1"),
        ({"fact": "orders"}, "needs at_least, or below, or both"),
        ({"fact": "orders", "at_least": 2, "below": 2}, "nothing is both"),
        ({"fact": "orders", "below": 0}, "holds for nobody"),
        ({"fact": "orders", "at_least": 0}, "holds for nobody, or for everybody"),
        ({"fact": "orders", "at_least": "1.5"}, "counted in whole numbers"),
        ({"fact": "orders", "at_least": 1.5}, "must be quoted"),
        ({"fact": "orders", "at_least": 1, "window": {"weeks": 1}}, "a window is lifetime"),
        ({"as_member": True, "at_least": 10, "window": {"days": 1}}, "a window is of a fact"),
        ({"as_member": True, "at_least": 36_601}, "days are 36600 at most"),
        ({"fact": "orders", "at_most": 1}, "Extra inputs"),
    ],
)
def test_a_criterion_that_cannot_be_meant_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        criterion(**given)


def test_a_segment_asks_for_all_or_for_any() -> None:
    many, old = {"fact": "orders", "at_least": 5}, {"as_member": True, "at_least": 10}

    assert not segment(many, old).has(history(), date(2026, 2, 1))
    assert segment(many, old, join="any").has(history(), date(2026, 2, 1))
    assert segment().has(history(), JOINED)
    with pytest.raises(ValidationError, match="not both"):
        Segment.model_validate({"id": "some", "all": [many], "any": [old]}, context=KNOWN)


DAYS: Final = st.integers(0, 120).map(lambda days: JOINED + timedelta(days=days))
WINDOWS: Final = st.one_of(
    st.none(), st.integers(1, 60).map(lambda n: {"days": n}), st.integers(1, 3).map(lambda n: {"months": n})
)
LIMITS: Final = st.one_of(
    st.integers(1, 40).map(lambda low: {"at_least": low}),
    st.integers(1, 40).map(lambda high: {"below": high}),
    st.tuples(st.integers(1, 20), st.integers(1, 20)).map(lambda pair: {"at_least": pair[0], "below": sum(pair)}),
)
SMALL: Final = st.one_of(
    st.integers(1, 4).map(lambda low: {"at_least": low}), st.integers(1, 4).map(lambda high: {"below": high})
)
CRITERIA: Final = st.one_of(
    st.builds(lambda window, limit: {"fact": "orders", "window": window, **limit}, WINDOWS, SMALL),
    LIMITS.map(lambda limit: {"days_since": ["orders", "sign_ins"], **limit}),
    LIMITS.map(lambda limit: {"as_member": True, **limit}),
)
COUNTED: Final = st.lists(
    st.tuples(st.sampled_from(["orders", "sign_ins"]), DAYS, st.sampled_from([1, 1, 2, -1])), max_size=12
)


@given(
    st.lists(
        st.tuples(st.lists(CRITERIA, min_size=1, max_size=3), st.sampled_from(["all", "any"])), min_size=1, max_size=4
    ),
    COUNTED,
    DAYS,
)
def test_nothing_changes_before_the_day_that_is_told_and_something_does_on_it(
    made: list[tuple[list[dict[str, Any]], str]], counted: list[tuple[str, date, int]], day: date
) -> None:
    parts = [segment(*criteria, join=join) for criteria, join in made]
    together, whole = Segments(parts), history(*counted)

    def said(on: date) -> list[bool]:
        return [part.has(whole, on) for part in parts]

    look = together.look(said, whole, day)

    end = JOINED + timedelta(days=300)
    following = next((on for on in _days(day, end) if said(on) != look.now), None)
    assert look.now == said(day)
    assert look.turns_on == following


@given(st.lists(CRITERIA, min_size=1, max_size=4), COUNTED, DAYS)
def test_no_more_is_needed_than_is_said(
    made: list[dict[str, Any]], counted: list[tuple[str, date, int]], day: date
) -> None:
    part = segment(*made)
    together = Segments([part])
    since = together.since(day)
    kept = [one for one in counted if one[0] in together.names and (since is None or one[1] >= since)]
    whole, less = history(*counted), history(*kept)

    assert part.has(less, day) == part.has(whole, day)
    assert together.look(lambda on: part.has(less, on), less, day) == together.look(
        lambda on: part.has(whole, on), whole, day
    )


def _days(after: date, end: date) -> list[date]:
    return [after + timedelta(days=number) for number in range(1, (end - after).days)]
