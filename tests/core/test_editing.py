"""Editing a document in places: what is not touched stays, byte for byte."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.drafts.editing import Document
from core.drafts.edits import (
    apply_edits,
    change_list,
    groups_of,
    insert_at,
    put_group,
    put_rule,
    put_tier,
    remove_at,
    remove_group,
    remove_rule,
    remove_tier,
    set_at,
    set_caps,
    set_expiry,
    set_keeping,
    set_list,
    set_or_remove,
)
from core.drafts.refusals import EditInvalid
from core.errors import InvalidValue, ProgrammeInvalid

EXAMPLES = sorted(Path("examples/programmes").glob("*.yaml"))
POINTS = groups_of("purchase", "points")

TEXT = """# The shop on the corner
id: corner   # never changes
currency: CNY
timezone: Asia/Shanghai
starts_on: 2026-01-01
expiry: {mode: per_lot, months: 12, remind_days: [30]}  # a year
lists:
  core: [tea, coffee]

# What members climb
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: growth_earned, at_least: 5000}]}  # the top

channels:
  purchase:
    earn:
      points:
        groups:
          # a point a yuan
          - {id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}
          - id: category
            multiply: best
            rules:
              - {id: core20, when: "order.category in core", factor: "1.2"}   # a fifth more
              # and nothing for the rest

  # what they spend it on
  lottery:
    pools:
      - id: wheel
        price: 10
        prizes: [{id: mug, weight: 1}]
"""


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_document_that_nothing_is_done_to_stays_byte_for_byte(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert Document(text).text == text


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (
            lambda d: put_rule(
                d, POINTS, "category", {"id": "milk", "factor": Decimal("2.0"), "when": "a == 'b'"}, None
            ),
            "   # a fifth more\n",
            '   # a fifth more\n              - {id: milk, factor: "2.0", when: "a == \'b\'"}\n',
        ),
        (
            lambda d: put_rule(d, POINTS, "category", {"id": "milk", "factor": Decimal(2)}, 0),
            "            rules:\n",
            '            rules:\n              - {id: milk, factor: "2"}\n',
        ),
        (
            lambda d: put_rule(d, POINTS, "category", {"id": "core20", "factor": Decimal("1.5")}, None),
            '{id: core20, when: "order.category in core", factor: "1.2"}',
            '{id: core20, factor: "1.5"}',
        ),
        (
            lambda d: set_caps(d, "purchase", "points", {"day": 500, "month": None}),
            "\n  # what they spend it on",
            "        caps: {day: 500}\n\n  # what they spend it on",
        ),
        (lambda d: set_list(d, "core", ["tea", "a, b"]), "[tea, coffee]", '[tea, "a, b"]'),
        (lambda d: change_list(d, "core", ["milk", "tea"], ["coffee"]), "[tea, coffee]", "[tea, milk]"),
        (
            lambda d: put_tier(d, {"id": "silver", "all": [{"fact": "orders", "at_least": 3}]}, "regular"),
            "    - {id: regular}\n",
            "    - {id: regular}\n    - {id: silver, all: [{fact: orders, at_least: 3}]}\n",
        ),
        (
            lambda d: remove_tier(d, "gold", "regular"),
            "    - {id: gold, all: [{fact: growth_earned, at_least: 5000}]}  # the top\n",
            "  replaces: {gold: regular}\n",
        ),
        (
            lambda d: set_keeping(d, {"review": {"months": 12}, "ratio": Decimal("0.8")}),
            "  # the top\n",
            '  # the top\n  keep: {review: {months: 12}, ratio: "0.8"}\n',
        ),
        (
            lambda d: set_expiry(d, {"mode": "calendar", "end_of": "year"}, None, None),
            "{mode: per_lot, months: 12, remind_days: [30]}",
            "{mode: calendar, remind_days: [30], end_of: year}",
        ),
        (lambda d: set_at(d, ("channels", "lottery", "pools", "wheel", "price"), 5), "price: 10", "price: 5"),
        (
            lambda d: insert_at(d, ("channels", "lottery", "pools", "wheel", "prizes"), {"id": "tee", "weight": 2}, 0),
            "[{id: mug, weight: 1}]",
            "[{id: tee, weight: 2}, {id: mug, weight: 1}]",
        ),
        (lambda d: set_at(d, ("starts_on",), date(2026, 2, 1)), "2026-01-01", "2026-02-01"),
        (lambda d: set_at(d, ("id",), "yes"), "id: corner   #", "id: yes   #"),
        (lambda d: set_or_remove(d, ("point_value",), Decimal("0.01")), None, 'point_value: "0.01"\n'),
        (lambda d: remove_group(d, POINTS, "base"), None, None),
        (lambda d: remove_rule(d, POINTS, "category", "core20"), None, None),
        (
            lambda d: put_group(
                d, POINTS, {"id": "week", "multiply": "best"}, [{"id": "all", "factor": Decimal(2)}], None
            ),
            None,
            None,
        ),
    ],
)
def test_an_edit_changes_what_it_says_and_nothing_else(
    edit: Callable[[Document], None], before: str | None, after: str | None
) -> None:
    done = apply_edits(TEXT, [edit])

    if before is not None and after is not None:
        assert closed_up(done) == closed_up(TEXT.replace(before, after, 1))
    else:
        assert done != TEXT
        if after is not None:
            assert after in done
    comments = [line.partition("#")[2] for line in TEXT.split("\n") if "#" in line]
    gone = [comment for comment in comments if comment not in done]
    # What was written behind what is gone goes with it.
    assert gone in ([], [" a fifth more"], [" the top"])


def closed_up(text: str) -> str:
    """Without what is between a value and the comment behind it: a comment keeps its column where it can."""
    return re.sub(r"(?<=\S) +#", " #", text)


def test_a_group_is_put_in_and_taken_out() -> None:
    group = {"id": "week", "multiply": "best"}
    rule = {"id": "all", "factor": Decimal(2), "valid": {"to": datetime(2026, 6, 8, tzinfo=UTC)}}
    with_it = apply_edits(TEXT, [lambda d: put_group(d, POINTS, group, [rule], 1)])

    assert Document(with_it).members(POINTS) == ["base", "week", "category"]
    assert 'valid: {to: "2026-06-08T00:00:00+00:00"}' in with_it
    assert apply_edits(with_it, [lambda d: remove_group(d, POINTS, "week")]) == TEXT
    moved = apply_edits(with_it, [lambda d: put_group(d, POINTS, group | {"multiply": "first"}, [], 2)])
    assert Document(moved).members(POINTS) == ["base", "category", "week"]
    assert Document(moved).scalar((*POINTS, "week", "multiply")) == "first"


def test_texts_that_look_like_something_else_are_quoted() -> None:
    values = [
        "true",
        "null",
        "12",
        "1.5",
        "-",
        "a: b",
        "# a",
        "",
        "茶",
        "Tea and more",
        "x\ny",
        "'",
        '"',
        "~",
        "2026-01-01",
    ]
    done = apply_edits("id: x\n", [lambda d: set_at(d, ("list",), values)])

    assert Document(done).members(("list",)) == values
    assert done == (
        'id: x\nlist: ["true", "null", "12", "1.5", "-", "a: b", "# a", "", 茶, Tea and more, "x\\ny", "\'", '
        '"\\"", "~", "2026-01-01"]\n'
    )


@pytest.mark.parametrize(
    ("edit", "place", "reason"),
    [
        (
            lambda d: put_rule(d, POINTS, "catgory", {"id": "x"}, None),
            "channels.purchase.earn.points.groups",
            "no group 'catgory' in channels.purchase.earn.points.groups, did you mean 'category'?",
        ),
        (
            lambda d: remove_rule(d, POINTS, "category", "core"),
            "channels.purchase.earn.points.groups[category].rules",
            "no rule 'core' in channels.purchase.earn.points.groups[category].rules, did you mean 'core20'?",
        ),
        (
            lambda d: set_caps(d, "purchas", "points", {"day": 1}),
            "channels",
            "no channel 'purchas' in channels, did you mean 'purchase'?",
        ),
        (
            lambda d: put_tier(d, {"id": "x"}, "golden"),
            "tiers.ladder",
            "no tier 'golden' in tiers.ladder, did you mean 'gold'?",
        ),
        (lambda d: put_tier(d, {"id": "gold"}, "gold"), "tiers.ladder", "tier 'gold' cannot stand above itself"),
        (
            lambda d: remove_tier(d, "gold", "regul"),
            "tiers.ladder",
            "no tier 'regul' in tiers.ladder, did you mean 'regular'?",
        ),
        (lambda d: change_list(d, "core", [], ["te"]), "lists.core", "no key 'te' in lists.core, did you mean 'tea'?"),
        (lambda d: change_list(d, "cor", ["x"], []), "lists", "no list 'cor' in lists, did you mean 'core'?"),
        (lambda d: remove_at(d, ("currncy",)), "", "no key 'currncy' in the document, did you mean 'currency'?"),
        (lambda d: set_at(d, ("id", "x"), 1), "id", "is neither a list nor a mapping of keys"),
        (
            lambda d: insert_at(d, ("channels", "lottery", "pools"), {"id": "x"}, 9),
            "channels.lottery.pools",
            "has 1 members, so that position 9 is not there",
        ),
        (lambda d: insert_at(d, ("id",), 1, None), "id", "is no list"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_nearest(
    edit: Callable[[Document], None], place: str, reason: str
) -> None:
    with pytest.raises(EditInvalid) as refused:
        apply_edits(TEXT, [lambda d: set_at(d, ("id",), "other"), edit])

    assert (refused.value.edit, refused.value.place, refused.value.reason) == (2, place, reason)


def test_a_text_that_is_no_yaml_of_ours_is_not_edited_in_parts() -> None:
    for text in ("id: [", "- a\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n"):
        with pytest.raises(ProgrammeInvalid):
            apply_edits(text, [lambda d: set_at(d, ("id",), "x")])


@pytest.mark.parametrize("count", [0, 101])
def test_there_are_so_many_edits_and_no_more(count: int) -> None:
    with pytest.raises(InvalidValue):
        apply_edits(TEXT, [lambda d: set_at(d, ("id",), "x")] * count)
