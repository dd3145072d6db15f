"""An explanation never disagrees with the award that it explains."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.rulebook.explaining import Explained, Fact, Seen, Verdict, explain, keep, kept
from core.rulebook.programme import load_programme
from core.rulebook.rules import NO_CAPS, CapRoom, RuleSet
from core.units import POINTS
from tests.core.shop import CHANNELS, JULY, document, earn, line, purchase

LATER = (JULY + timedelta(days=1)).isoformat()
CONDITIONS = st.sampled_from(
    [None, "order.amount > 100", "member.tier == 'gold'", "order.first", "order.category == 'toys'"]
)
LINE_CONDITIONS = st.sampled_from([None, "line.amount > 50", "line.category == 'toys' and member.tier == 'gold'"])
WINDOWS = st.sampled_from([None, {"from": LATER}, {"to": JULY.isoformat()}, {"from": JULY.isoformat()}])
POINTS_OF = st.sampled_from(["order.amount", "7", "order.amount * 0.1"])
LINE_POINTS = st.sampled_from(["line.amount", "3"])
PROGRAMME = load_programme(
    document({"groups": [{"id": "b", "add": "sum", "rules": [{"id": "r", "points": "1"}]}]}), CHANNELS
)
FACTORS = st.sampled_from(["1.2", "1.05", "2", "0.5"])


@st.composite
def groups(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Groups that may follow one another: those per line first, and the first of all adds."""
    made: list[dict[str, Any]] = []
    lines = draw(st.integers(0, 2))
    for number in range(draw(st.integers(max(lines, 1), lines + 3))):
        per_line, adds = number < lines, number == 0 or draw(st.booleans())
        how = draw(st.sampled_from(["sum", "best", "first"] if adds else ["best", "first", "product"]))
        amounts = LINE_POINTS if per_line else POINTS_OF
        rules = []
        for rule in range(draw(st.integers(1, 3))):
            said: dict[str, Any] = {"id": f"r{rule}"}
            said |= {"points": draw(amounts)} if adds else {"factor": draw(FACTORS)}
            for name, value in (
                ("when", draw(LINE_CONDITIONS if per_line else CONDITIONS)),
                ("valid", draw(WINDOWS)),
            ):
                if value is not None:
                    said[name] = value
            rules.append(said)
        made.append(
            {"id": f"g{number}", "per": "line" if per_line else "order", ("add" if adds else "multiply"): how}
            | {"rules": rules}
        )
    return made


def explained(rules: RuleSet, seen: Seen) -> Explained:
    (found,) = explain(PROGRAMME, seen._replace(rules={POINTS: rules}))
    return found


@settings(deadline=None, max_examples=60)  # each compiles a programme
@given(
    groups(),
    st.lists(st.tuples(st.decimals("0", "900", places=2), st.sampled_from(["toys", None])), max_size=4),
    st.sampled_from(["regular", "gold"]),
    st.booleans(),
    st.sampled_from([NO_CAPS, CapRoom(day=50), CapRoom(month=10, programme=4)]),
)
def test_every_step_leads_to_the_award(
    said: list[dict[str, Any]], lines: list[tuple[Decimal, str | None]], tier: str, first: bool, room: CapRoom
) -> None:
    rules = earn(load_programme(document({"groups": said, "caps": {"order": 400}}), CHANNELS))
    activity = purchase(lines=[line(str(amount), category) for amount, category in lines], tier=tier, first=first)

    found = explained(rules, Seen("", activity, {}, {POINTS: room}))

    award = rules.award(activity, room)
    assert found.award == award
    steps = award.trace[: len(said)]
    assert [(step.group, str(step.after)) for step in found.steps] == [(group, total) for group, _, total in steps]
    for step, (_, hits, _) in zip(found.steps, steps, strict=True):
        counted = {rule.rule for rule in step.rules if rule.verdict == Verdict.APPLIED}
        assert counted == {rule for rule, _ in hits}
    assert str(found.exact) == {group: hits for group, hits, _ in award.trace}["rounding"][0][1]


@pytest.mark.parametrize(
    ("combines", "second", "verdict"),
    [
        ("sum", {"when": "order.amount > 200"}, Verdict.CONDITION_NOT_MET),
        ("sum", {"valid": {"from": LATER}}, Verdict.NOT_YET_VALID),
        ("sum", {"valid": {"to": JULY.isoformat()}}, Verdict.NO_LONGER_VALID),
        ("first", {}, Verdict.ANOTHER_CAME_FIRST),
        ("best", {}, Verdict.ANOTHER_WAS_BETTER),
        ("sum", {}, Verdict.APPLIED),
    ],
)
def test_a_rule_says_why_it_did_not_count(combines: str, second: dict[str, Any], verdict: Verdict) -> None:
    said = [
        {
            "id": "base",
            "add": combines,
            "rules": [{"id": "a", "points": "9"}, {"id": "b", "points": "order.amount * 0.01"} | second],
        }
    ]
    rules = earn(load_programme(document({"groups": said}), CHANNELS))

    found = explained(rules, Seen("", purchase("120.50"), {}))

    (step,) = found.steps
    assert step.rules[1].verdict == verdict
    assert step.rules[1].facts == (Fact("order.amount", "120.50"),)


def test_what_rules_saw_is_kept_as_it_was() -> None:
    activity = purchase("120.50", "toys", tier="gold")

    seen = kept(PROGRAMME, "purchase", {"seen": keep(activity)})

    assert seen is not None
    assert seen.activity.bindings == activity.bindings
    assert seen.activity.at == activity.at == datetime.fromisoformat(keep(activity)["at"])


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"seen": {"at": "2026-07-02T04:00:00Z", "facts": {"order": {"amount": "1"}}, "rooms": {}}},
        {"seen": {"at": "2026-07-02T04:00:00Z", "facts": {"parcel": 1}, "rooms": {}}},
    ],
)
def test_what_a_channel_has_no_longer_is_not_explained(stored: dict[str, Any]) -> None:

    assert kept(PROGRAMME, "purchase", stored) is None
