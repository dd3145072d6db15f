from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic import Field

from core.errors import Problem, ProgrammeInvalid, UnknownUnit
from core.rulebook.expiry import NEVER, ExpiryPolicy
from core.rulebook.programme import BYTES_MAX, ChannelSettings, Programme, load_programme
from tests.core.shop import CHANNELS, PROGRAMMES, document, example

SHOP = {"id": "shop", "currency": "CNY", "timezone": "Asia/Shanghai"}
ONE = {"groups": [{"id": "base", "add": "sum", "rules": [{"id": "one", "points": 1}]}]}


def load(text: str | Mapping[str, Any]) -> Programme:
    return load_programme(text, CHANNELS)


def problems(text: str | Mapping[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(ProgrammeInvalid) as refused:
        load(text)
    assert refused.value.count == len(refused.value.problems)
    return refused.value.problems


def said(text: str | Mapping[str, Any]) -> list[str]:
    return [f"{problem.path}: {problem.message}" for problem in problems(text)]


@pytest.mark.parametrize("name", sorted(path.stem for path in PROGRAMMES.glob("*.yaml")))
def test_every_example_programme_loads_and_is_named_for_its_file(name: str) -> None:
    programme = example(name)

    assert programme.id == name
    assert programme.channels
    assert len(programme.digest) == 64


def test_a_small_programme_gets_the_usual_settings() -> None:
    programme = load(SHOP)

    assert (programme.expiry, programme.claw_back, programme.lang) == (NEVER, "lots_then_debt", "rex/1")
    assert (programme.tiers, programme.starts_on, programme.point_value) == (None, None, None)
    assert programme.zone == ZoneInfo("Asia/Shanghai")
    assert programme.unit_names == ("points", "growth")
    assert programme.unit("points") == ("points", NEVER, True)
    assert programme.unit("growth") == ("growth", ExpiryPolicy(mode="per_lot", months=12), False)
    with pytest.raises(UnknownUnit):
        programme.unit("miles")
    with pytest.raises(UnknownUnit) as unknown:
        programme.unit("u" * 100_000)
    assert unknown.value.facts["unit"] == "u" * 64


def test_a_list_that_is_too_short_is_refused_and_not_left_out() -> None:
    class Pairs(ChannelSettings):
        pair: list[int] = Field(min_length=2)

    def said_of(pair: list[Any]) -> list[str]:
        with pytest.raises(ProgrammeInvalid) as refused:
            load_programme({**SHOP, "channels": {"pairs": {"pair": pair}}}, {"pairs": Pairs})
        return [f"{problem.path}: {problem.message}" for problem in refused.value.problems]

    for short in ([], [1]):
        (told,) = said_of(short)
        assert told.startswith("channels.pairs.pair: ")
    # What is wrong with its members says more.
    (told,) = said_of([1, "two"])
    assert told.startswith("channels.pairs.pair[1]: ")


def test_units_take_what_they_do_not_say_from_the_programme() -> None:
    nine = {"mode": "per_lot", "months": 9}
    programme = load(
        {**SHOP, "expiry": nine, "units": {"miles": {"spendable": False}, "growth": {"expiry": {"mode": "never"}}}}
    )

    assert programme.unit("points").expiry == ExpiryPolicy(mode="per_lot", months=9)
    assert programme.unit("miles") == ("miles", ExpiryPolicy(mode="per_lot", months=9), False)
    assert programme.unit("growth") == ("growth", NEVER, False)


def test_a_document_may_say_everything() -> None:
    programme = load(
        {
            **SHOP,
            "name": "Shop",
            "starts_on": "2026-01-01",
            "rounding": {"mode": "half_up"},
            "point_value": "0.01",
            "claw_back": "lots",
            "lists": {"core": ["nappies"]},
        }
    )

    assert (programme.name, programme.starts_on, programme.claw_back) == ("Shop", date(2026, 1, 1), "lots")
    assert (programme.point_value, programme.round(Decimal("2.5"))) == (Decimal("0.01"), 3)
    assert programme.lists == {"core": ("nappies",)}


def test_text_and_mapping_are_one_programme() -> None:
    text = (PROGRAMMES / "first-shop.yaml").read_text()
    from_text = load(text)
    from_mapping = load(yaml.safe_load(text))
    reordered = load(dict(reversed(yaml.safe_load(text).items())))

    assert from_text.digest == from_mapping.digest == reordered.digest
    assert from_text == from_mapping
    assert len({from_text, from_mapping, reordered}) == 1
    assert load(text.replace("5000", "5001")) != from_text


def test_every_problem_is_found_with_its_path_and_place() -> None:
    text = """\
id: Shop
currency: CNZ
timezone: Asia/Shanghia
roundin: {mode: floor}
expiry: {mode: fixed, months: 1.5}
channels:
  purchase:
    earn:
      pionts: {groups: [{id: a, add: sum, rules: [{id: x, points: "1"}]}]}
      points:
        groups:
        - {id: base, add: sum, rules: [{id: spend, points: "order.amuont"}]}
        - id: tier
          multiply: bst
          rules:
          - {id: gold, when: "member.teir == 'gold'", factor: 1.05}
          - {id: platinum, whenn: "true", factor: "x"}
  sign_im: {}
tiers:
  ladder:
  - {id: a}
  - {id: b, all: [{fact: points_earnd, at_least: 5}]}
"""
    groups = "channels.purchase.earn.points.groups"
    base, tier = f"{groups}[base]", f"{groups}[tier]"
    quoted = "a number with a point must be quoted, so that it is exact"

    assert [str(problem) for problem in problems(text)] == [
        "id: 'Shop' is not a name of lower-case letters, digits, - and _ (line 1, column 1)",
        "currency: no currency 'CNZ' in ISO 4217 (line 2, column 1)",
        "timezone: unknown time zone 'Asia/Shanghia', did you mean 'Asia/Shanghai'? (line 3, column 1)",
        "roundin: unknown key 'roundin', did you mean 'rounding'? (line 4, column 1)",
        "expiry.mode: 'fixed' is not 'per_lot', 'calendar', 'activity', 'renewed' or 'never' (line 5, column 10)",
        f"expiry.months: {quoted} (line 5, column 23)",
        "channels.purchase.earn.pionts: unknown unit 'pionts', did you mean 'points'? (line 9, column 7)",
        f"{base}.rules[spend].points: unknown attribute 'amuont' at 6, did you mean 'amount'? (line 12, column 52)",
        f"{tier}.multiply: 'bst' is not 'best', 'first' or 'product', did you mean 'best'? (line 14, column 11)",
        f"{tier}.rules[gold].when: unknown attribute 'teir' at 7, did you mean 'tier'? (line 16, column 24)",
        f"{tier}.rules[gold].factor: {quoted} (line 16, column 55)",
        f"{tier}.rules[platinum].whenn: unknown key 'whenn', did you mean 'when'? (line 17, column 28)",
        f'{tier}.rules[platinum].factor: not a decimal number of 0 or more, such as "1.2" (line 17, column 43)',
        "channels.sign_im: channel 'sign_im' is not installed, did you mean 'sign_in'? (line 18, column 3)",
        "tiers.ladder[b].all[0]: unknown fact 'points_earnd', did you mean 'points_earned'? (line 22, column 19)",
    ]
    assert {problem.position for problem in problems(text)} == {None, 6, 7}


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("id: [", "not YAML: expected the node content, but found '<stream end>'", 1, 6),
        ("id: 'shop", "not YAML: found unexpected end of stream", 1, 10),
        ("id: a\n\tb: c", "not YAML: found character '\\t' that cannot start any token", 2, 1),
        ("id: shop\nid: shop", "key 'id' is given twice", 2, 1),
        ("id: &x shop\nname: *x", "aliases and anchors are not allowed", 1, 5),
        ("id: shop\nname: *x", "aliases and anchors are not allowed", 2, 7),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]", "aliases and anchors are not allowed", 1, 4),
        ("[a]: 1", "a key must be plain text", 1, 1),
        ("a: 1\n---\nb: 1", "not YAML: but found another document", 2, 1),
        ("[" * 5000, "nested deeper than 20", 1, 21),
        ("{a: " * 500, "nested deeper than 20", 1, 78),
        ("", "a programme is a mapping of keys to values", None, None),
        ("- id: shop", "a programme is a mapping of keys to values", None, None),
        ("shop", "a programme is a mapping of keys to values", None, None),
        ("x" * (BYTES_MAX + 1), "larger than 256 kB", None, None),
        ("\u5e97" * (BYTES_MAX // 3 + 1), "larger than 256 kB", None, None),
    ],
)
def test_a_text_that_is_no_document_is_refused_whole(
    text: str, message: str, line: int | None, column: int | None
) -> None:
    (problem,) = problems(text)

    assert (problem.path, problem.message, problem.line, problem.column) == ("", message, line, column)


def test_control_characters_are_refused() -> None:
    (problem,) = problems("id: shop\nname: 店\x1b")

    assert (problem.line, problem.column) == (2, 8)
    assert problem.message == "not YAML: special characters are not allowed: U+001B"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"point_value": 0.01}, ["point_value: a number with a point must be quoted, so that it is exact"]),
        ({"point_value": float("nan")}, ["point_value: a number with a point must be quoted, so that it is exact"]),
        ({"point_value": object()}, ["point_value: a object cannot stand in a document"]),
        ({"currency": "cny"}, ["currency: no currency 'cny' in ISO 4217"]),
        ({"timezone": "../etc/passwd"}, ["timezone: unknown time zone '../etc/passwd'"]),
        ({"timezone": "CST8"}, None),
        ({"starts_on": 20260101}, ["starts_on: not a day, such as 2026-01-01"]),
        ({"starts_on": "2026-02-30"}, ["starts_on: not a day, such as 2026-01-01"]),
        ({"rounding": {"mode": "flor"}}, None),
        ({"lang": "rex/2"}, ["lang: 'rex/2' is not 'rex/1', did you mean 'rex/1'?"]),
        ({"expiry": {"mode": "per_lot"}}, ["expiry: mode per_lot needs months"]),
        ({"units": {"points": {"spendable": "yes"}}}, ["units.points.spendable: must be a valid boolean"]),
        ({"units": {"Miles": {}}}, None),
        ({"lists": {"core": "nappies"}}, ["lists.core: must be a valid tuple"]),
        ({"channels": ["purchase"]}, ["channels: must be a mapping of channels to their settings"]),
        ({"channels": {"lottery": {}}}, ["channels.lottery: channel 'lottery' is not installed"]),
        ({"channels": {"purchase": {}}}, ["channels.purchase.earn: is missing"]),
        ({"channels": {"purchase": None}}, None),
        ({"tiers": {}}, ["tiers.ladder: is missing"]),
        ({"tiers": {"ladder": [{"id": "a", "keep": {}}]}}, ["tiers.ladder[a].keep: unknown key 'keep'"]),
        ({"benefits": {}}, ["benefits: unknown key 'benefits'"]),
        (
            {"lists": {"order": ["a"]}, "channels": {"purchase": {"earn": {"points": ONE}}}},
            ["lists: list 'order' has the name of a fact or function"],
        ),
    ],
)
def test_wrong_values_are_refused_with_their_path(changed: dict[str, Any], expected: list[str] | None) -> None:
    found = said({**SHOP, **changed})

    assert found
    assert expected is None or found == expected


def test_a_programme_without_its_first_keys_says_which() -> None:
    assert said({}) == ["id: is missing", "currency: is missing", "timezone: is missing"]


def test_yaml_keeps_words_and_dates_as_they_are_written() -> None:
    text = (
        "id: shop\ncurrency: CNY\ntimezone: UTC\nstarts_on: 2026-01-01\nlists: {flags: [no, on, y, 12:30, 0123, 1_0]}"
    )

    assert load(text).lists == {"flags": ("no", "on", "y", "12:30", "0123", "1_0")}


def test_python_objects_in_yaml_are_refused() -> None:
    text = "id: shop\ncurrency: CNY\ntimezone: UTC\nname: !!python/object/apply:os.getcwd []"

    assert "name: the tag tag:yaml.org,2002:python/object/apply:os.getcwd is not allowed" in said(text)


@pytest.mark.parametrize("value", ["!!int abc", f"!!int {'9' * 5000}", "!!float abc", "!!bool x", "!!null x"])
def test_a_tag_that_does_not_fit_its_value_is_a_problem(value: str) -> None:
    (problem,) = problems(f"id: shop\ncurrency: CNY\ntimezone: UTC\nname: {value}")

    assert (problem.path, problem.line, problem.column) == ("name", 4, 1)
    assert "does not fit what follows" in problem.message


def test_a_number_beyond_all_numbers_is_a_problem() -> None:
    assert said(f"id: shop\ncurrency: CNY\ntimezone: UTC\npoint_value: 1e{'9' * 30}") == [
        "point_value: a number with a point must be quoted, so that it is exact"
    ]


def test_a_mapping_that_is_endless_or_huge_is_refused() -> None:
    endless: dict[str, Any] = {**SHOP}
    endless["channels"] = endless

    assert said(endless) == [": nested deeper than 20"]
    assert said({**SHOP, "name": "x" * BYTES_MAX}) == [": larger than 256 kB"]


def test_no_more_problems_are_told_than_can_be_read() -> None:
    assert len(problems({**SHOP, **{f"key{number}": 1 for number in range(500)}})) == 50


@pytest.mark.parametrize("around", ["{%s}", "channels: {%s}"])
def test_ten_thousand_problems_are_found_in_seconds(around: str) -> None:
    text = around % ", ".join(f"key{number}: {{}}" for number in range(10_000))
    begun = process_time()

    found = problems(text)

    assert len(found) == 50
    assert found[-1].message.startswith(("unknown key 'key", "channel 'key"))
    assert process_time() - begun < 6  # where each is told with the names that are near, half a minute


def test_a_rule_may_name_a_list_and_a_unit_of_the_document() -> None:
    rules = {
        "groups": [{"id": "a", "add": "sum", "rules": [{"id": "x", "when": "order.category in core", "points": 1}]}]
    }

    programme = load({**document(rules, unit="miles"), "units": {"miles": {}}})

    assert programme.unit("miles").spendable is True
    assert said({**document(rules), "lists": {}}) == [
        "channels.purchase.earn.points.groups[a].rules[x].when: unknown name 'core' at 18"
    ]
