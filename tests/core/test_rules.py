import json
import timeit
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidAmount, ProgrammeInvalid
from core.rulebook.programme import load_programme
from core.rulebook.rules import Activity, Award, CapRoom, Caps, RuleSet
from tests.core.shop import CHANNELS, JULY, SignInSettings, document, earn, example, line, purchase, rule_set

BASE = {"id": "base", "add": "sum", "rules": [{"id": "spend", "points": "order.amount"}]}
JUNE_18 = datetime.fromisoformat("2026-06-18T12:00:00+08:00")


def group(how: str, *rules: Mapping[str, Any], name: str = "more", per: str = "order") -> dict[str, Any]:
    verb, _, combine = how.partition(" ")
    return {"id": name, "per": per, verb: combine, "rules": list(rules)}


def problems(*groups: Mapping[str, Any], **settings: Any) -> list[str]:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(document({"groups": list(groups), **settings}), CHANNELS)
    prefix = "channels.purchase.earn.points"
    return [
        f"{problem.path}: {problem.message}".removeprefix(prefix).removeprefix(".")
        for problem in refused.value.problems
    ]


# -- what each rule brought ---------------------------------------------------------------------------

PRODUCT = group(
    "multiply product", {"id": "half", "factor": "1.5"}, {"id": "off", "when": "false", "factor": "9"},
    {"id": "third", "factor": "1.3"}, name="times",
)  # fmt: skip
BY_LINE = [
    group("add sum", {"id": "spend", "points": "line.amount"}, name="base", per="line"),
    group(
        "multiply best",
        {"id": "tea", "when": "line.category == 'tea'", "factor": "2"},
        {"id": "cake", "when": "line.category == 'cake'", "factor": "3"},
        name="kinds",
        per="line",
    ),
    group("add sum", {"id": "gift", "points": "0.7"}, name="gifts"),
]


@pytest.mark.parametrize(
    ("groups", "shares"),
    [
        ([BASE], [("base", "spend", 10)]),
        # 10.40, 15.60, 20.28: each has what the rounded total became more by it.
        ([BASE, PRODUCT], [("base", "spend", 10), ("times", "half", 5), ("times", "third", 5)]),
        # Less than a point, and yet it made one of the rest of the other.
        ([BASE, group("add sum", {"id": "bit", "points": "0.6"})], [("base", "spend", 10), ("more", "bit", 1)]),
        ([BASE, group("add sum", {"id": "off", "points": "-3"})], [("base", "spend", 10), ("more", "off", -3)]),
        # No total is below zero.
        ([BASE, group("add sum", {"id": "off", "points": "-30"})], [("base", "spend", 10), ("more", "off", -10)]),
        ([BASE, group("multiply best", {"id": "a", "factor": "2"}, {"id": "b", "factor": "3"})],
         [("base", "spend", 10), ("more", "b", 21)]),
    ],
)  # fmt: skip
def test_each_rule_has_by_how_much_it_changed_the_rounded_total(groups: list[Any], shares: list[Any]) -> None:
    award = rule_set(*groups).award(purchase("10.40"))

    assert list(award.shares) == shares
    assert sum(points for *_, points in award.shares) == award.uncapped


@pytest.mark.parametrize("per", ["line", "order"])
def test_where_a_share_is_larger_than_can_be_kept_there_are_none(per: str) -> None:
    amount = "order.amount" if per == "order" else "line.amount"
    huge = group("add sum", {"id": "huge", "points": f"{amount} * 100000000000000 * 1000000"}, name="base", per=per)
    tiny = group("multiply product", *({"id": f"r{at}", "factor": "0.00001"} for at in range(4)))

    award = rule_set(huge, tiny).award(purchase("10.00", lines=[line("10.00", "tea")]))

    assert (award.points, award.uncapped, award.shares) == (10, 10, ())


def test_rules_of_lines_have_what_they_brought_over_all_lines() -> None:
    award = rule_set(*BY_LINE).award(
        purchase(lines=[line("2.30", "tea"), line("4.40", "cake"), line("1.50", "tea"), line("0.90", "milk")])
    )

    # 9.10 and 3.80 more of tea and 8.80 more of cakes are 21.70, and with the gift 22.40.
    assert award.shares == (
        ("base", "spend", 9), ("kinds", "tea", 3), ("kinds", "cake", 9), ("gifts", "gift", 1),
    )  # fmt: skip
    assert award.uncapped == 22


@given(
    st.lists(st.decimals("0", "999", places=2), min_size=1, max_size=5),
    st.lists(st.decimals("0", "9", places=3), min_size=1, max_size=4),
    st.sampled_from(["floor", "ceil", "half_up", "half_even"]),
)
def test_shares_add_up_however_they_are_rounded(amounts: list[Decimal], factors: list[Decimal], mode: str) -> None:
    rules = [{"id": f"r{number}", "factor": str(factor)} for number, factor in enumerate(factors)]
    parts = [
        BY_LINE[0],
        group("multiply product", *rules, name="one", per="line"),
        group("multiply product", *rules, name="two"),
        BY_LINE[2],
    ]
    programme = load_programme({**document({"groups": parts}), "rounding": {"mode": mode}}, CHANNELS)
    award = earn(programme).award(purchase(lines=[line(str(amount)) for amount in amounts]))

    assert sum(points for *_, points in award.shares) == award.uncapped


# -- the golden cases of the source documents -------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "category", "tier", "at", "points"),
    [
        ("299.90", "milk_powder", "gold", "2026-07-02T12:00:00+08:00", 377),
        ("299.90", "toys", "regular", "2026-07-02T12:00:00+08:00", 299),
        ("299.90", "toys", "platinum", "2026-06-18T12:00:00+08:00", 362),
        # 299.90 x 1.2 x 1.1 x 1.05: the sale comes on top of the category.
        ("299.90", "nappies", "gold", "2026-06-18T12:00:00+08:00", 415),
        # The sale's first instant, its last, and the one after.
        ("100.00", "toys", "regular", "2026-06-01T00:00:00+08:00", 110),
        ("100.00", "toys", "regular", "2026-05-31T23:59:59+08:00", 100),
        ("100.00", "toys", "regular", "2026-06-20T23:59:59+08:00", 110),
        ("100.00", "toys", "regular", "2026-06-21T00:00:00+08:00", 100),
        ("5000.00", "milk_powder", "platinum", "2026-07-02T12:00:00+08:00", 5000),
        ("0.00", "toys", "regular", "2026-07-02T12:00:00+08:00", 0),
    ],
)
def test_mother_and_baby_shop_multiplies_category_sale_and_tier(
    amount: str, category: str, tier: str, at: str, points: int
) -> None:
    rules = earn(example("mother-baby"))

    award = rules.award(purchase(amount, category, tier=tier, at=datetime.fromisoformat(at)))

    assert award.points == points


@pytest.mark.parametrize(
    ("amount", "kind", "tier", "points"),
    [
        ("100.00", None, "regular", 100),
        ("100.00", "mother_baby", "regular", 120),
        ("100.00", "big_sale", "regular", 110),
        ("100.00", "mother_baby", "gold", 126),
        ("100.00", "mother_baby", "platinum", 132),
        ("99.99", "big_sale", "platinum", 120),
    ],
)
def test_order_types_follow_the_worked_calculation(amount: str, kind: str | None, tier: str, points: int) -> None:
    assert earn(example("order-types")).award(purchase(amount, kind=kind, tier=tier)).points == points


def test_three_cups_and_a_cake_bring_thirty_points() -> None:
    lines = [line("75.00", "coffee", quantity=2), line("30.00", "tea"), line("28.00", "cake")]

    assert earn(example("coffee-shop")).award(purchase(lines=lines)).points == 30


@pytest.mark.parametrize(("tier", "points"), [("bronze", 238), ("silver", 119)])
def test_small_business_doubles_new_goods_and_bronze(tier: str, points: int) -> None:
    lines = [line("58.30"), line("30.50", tags=["new"])]

    assert earn(example("sme")).award(purchase(lines=lines, tier=tier)).points == points


def test_gold_doubles_on_the_birthday_in_the_small_business() -> None:
    rules = earn(example("sme"))

    assert rules.award(purchase(lines=[line("50.00")], tier="gold", today=True)).points == 100
    assert rules.award(purchase(lines=[line("50.00")], tier="silver", today=True)).points == 50


@pytest.mark.parametrize(
    ("amount", "points"), [("99.99", 99), ("100.00", 110), ("199.99", 209), ("200.00", 225), ("1000.00", 1025)]
)
def test_a_ladder_of_order_steps_gives_the_highest_step_once(amount: str, points: int) -> None:
    steps = group(
        "add first",
        {"id": "from_200", "when": "order.amount >= 200", "points": 25},
        {"id": "from_100", "when": "order.amount >= 100", "points": 10},
    )

    assert rule_set(BASE, steps).award(purchase(amount)).points == points


def test_the_ladder_may_round_half_up_and_give_the_210_of_the_table() -> None:
    steps = group("add first", {"id": "from_100", "when": "order.amount >= 100", "points": 10})
    programme = load_programme({**document({"groups": [BASE, steps]}), "rounding": {"mode": "half_up"}}, CHANNELS)

    assert earn(programme).award(purchase("199.99")).points == 210


@pytest.mark.parametrize(("streak", "points"), [(0, 5), (5, 5), (6, 55), (13, 55)])
def test_every_seventh_day_of_a_streak_brings_fifty_more(streak: int, points: int) -> None:
    daily = {"id": "daily", "points": "5"}
    week = {"id": "week", "when": "(streak + 1) % 7 == 0", "points": "50"}
    section = {"earn": {"groups": [{"id": "base", "add": "sum", "rules": [daily, week]}]}}
    programme = load_programme({**document({"groups": [BASE]}), "channels": {"sign_in": section}}, CHANNELS)
    settings = programme.channels["sign_in"]
    assert isinstance(settings, SignInSettings)

    assert settings.earn.award(Activity("sign_in", JULY, {"streak": streak})).points == points


@pytest.mark.parametrize(("streak", "points"), [(0, 5), (9, 14), (10, 15), (30, 15)])
def test_sign_in_at_the_coffee_shop_grows_to_fifteen(streak: int, points: int) -> None:
    section = {
        "earn": {"groups": [{"id": "base", "add": "sum", "rules": [{"id": "day", "points": "min([5 + streak, 15])"}]}]}
    }
    programme = load_programme({**document({"groups": [BASE]}), "channels": {"sign_in": section}}, CHANNELS)
    settings = programme.channels["sign_in"]
    assert isinstance(settings, SignInSettings)

    assert settings.earn.award(Activity("sign_in", JULY, {"streak": streak})).points == points


def test_promised_points_are_taken_as_they_are() -> None:
    assert earn(example("x5")).award(purchase("812.40", promised=81)).points == 81


def test_only_goods_earn_in_online_retail() -> None:
    lines = [line("10.60", "goods"), line("5.60", "goods"), line("18.00", "postage")]

    assert earn(example("online-retail")).award(purchase(lines=lines)).points == 16


# -- how rules combine ------------------------------------------------------------------------------

RULES_ADD = ({"id": "a", "points": 5}, {"id": "b", "points": 7}, {"id": "c", "when": "order.first", "points": 100})
RULES_MULTIPLY = (
    {"id": "a", "factor": "1.5"},
    {"id": "b", "factor": 2},
    {"id": "c", "when": "order.first", "factor": 9},
)


@pytest.mark.parametrize(
    ("how", "rules", "points"),
    [
        ("add sum", RULES_ADD, 112),
        ("add best", RULES_ADD, 107),
        ("add first", RULES_ADD, 105),
        ("multiply best", RULES_MULTIPLY, 200),
        ("multiply first", RULES_MULTIPLY, 150),
        ("multiply product", RULES_MULTIPLY, 300),
    ],
)
def test_a_group_combines_its_rules_as_it_says(how: str, rules: tuple[dict[str, Any], ...], points: int) -> None:
    assert rule_set(BASE, group(how, *rules)).award(purchase("100")).points == points


@pytest.mark.parametrize("how", ["add sum", "add best", "add first"])
def test_a_group_without_a_hit_changes_nothing(how: str) -> None:
    never = group(how, {"id": "never", "when": "order.first", "points": 5})

    assert rule_set(BASE, never).award(purchase("100")).points == 100


def test_groups_run_from_the_top() -> None:
    plus = group("add sum", {"id": "ten", "points": 10}, name="plus")
    times = group("multiply best", {"id": "double", "factor": 2}, name="times")

    assert rule_set(BASE, plus, times).award(purchase("100")).points == 220
    assert rule_set(BASE, times, plus).award(purchase("100")).points == 210


def test_lines_are_priced_one_by_one_then_summed_then_the_order_is() -> None:
    rules = rule_set(
        group("add sum", {"id": "spend", "points": "line.amount"}, name="base", per="line"),
        group(
            "multiply best", {"id": "core", "when": "line.category in core", "factor": "1.2"}, name="cat", per="line"
        ),
        group("multiply best", {"id": "gold", "when": "member.tier == 'gold'", "factor": "1.05"}, name="tier"),
    )

    award = rules.award(purchase(lines=[line("10.40", "nappies"), line("10.40", "toys")], tier="gold"))

    # 12.48 + 10.40 = 22.88, and a twentieth more; rounded once, not line by line.
    assert award.points == 24
    assert award.trace == (
        ("base", (("spend", "20.80"),), "20.80"),
        ("cat", (("core", "1.2"),), "22.880"),
        ("tier", (("gold", "1.05"),), "24.02400"),
        ("rounding", (("floor", "24.02400"),), "24"),
    )


def test_an_order_without_lines_earns_nothing_by_line() -> None:
    rules = rule_set(group("add sum", {"id": "spend", "points": "line.amount"}, name="base", per="line"))

    assert rules.award(purchase("100")).points == 0


def test_a_line_rule_sees_the_order_and_the_member_too() -> None:
    both = {"id": "both", "when": "order.first and member.tier == 'gold'", "points": "line.quantity"}
    rules = rule_set(group("add sum", both, name="base", per="line"))

    assert rules.award(purchase(lines=[line("1", quantity=4)], first=True, tier="gold")).points == 4
    assert rules.award(purchase(lines=[line("1", quantity=4)], tier="gold")).points == 0


def test_a_first_order_is_worth_double() -> None:
    double = group("multiply best", {"id": "first", "when": "order.first", "factor": 2})

    assert rule_set(BASE, double).award(purchase("88.80", first=True)).points == 177


# -- numbers ----------------------------------------------------------------------------------------


def test_a_float_would_have_lost_a_point() -> None:
    rules = rule_set(BASE, group("multiply best", {"id": "more", "factor": "1.15"}))

    assert int(100 * 1.15) == 114
    assert rules.award(purchase("100")).points == 115


@pytest.mark.parametrize(
    ("mode", "amount", "points"),
    [
        ("floor", "2.99", 2),
        ("ceil", "2.01", 3),
        ("ceil", "2.00", 2),
        ("half_up", "2.50", 3),
        ("half_up", "2.49", 2),
        ("half_even", "2.50", 2),
        ("half_even", "3.50", 4),
    ],
)
def test_rounding_follows_the_programmes_mode(mode: str, amount: str, points: int) -> None:
    programme = load_programme({**document({"groups": [BASE]}), "rounding": {"mode": mode}}, CHANNELS)

    assert earn(programme).award(purchase(amount)).points == points
    assert programme.round(Decimal(amount)) == points


def test_a_negative_total_is_no_award() -> None:
    minus = group("add sum", {"id": "fee", "points": "-200"})

    award = rule_set(BASE, minus).award(purchase("100"))

    assert (award.points, award.uncapped) == (0, 0)


@pytest.mark.parametrize("amount", ["90071992547409.91", "9007199254740991"])
def test_an_award_beyond_any_balance_is_refused(amount: str) -> None:
    rules = rule_set(BASE, group("multiply best", {"id": "more", "factor": 999999999999999}))

    with pytest.raises(InvalidAmount, match="more than can be counted"):
        rules.award(purchase(amount))


# -- caps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "room", "points", "cut"),
    [
        ("49", CapRoom(), 49, ()),
        ("50", CapRoom(), 50, ()),
        ("51", CapRoom(), 50, (("order", 1),)),
        ("80", CapRoom(day=30), 30, (("order", 30), ("day", 20))),
        ("40", CapRoom(day=0), 0, (("day", 40),)),
        ("80", CapRoom(40, 30, 20), 20, (("order", 30), ("day", 10), ("month", 10), ("lifetime", 10))),
        ("80", CapRoom(day=100, month=45), 45, (("order", 30), ("month", 5))),
    ],
)
def test_caps_cut_in_order_day_month_and_lifetime(
    amount: str, room: CapRoom, points: int, cut: tuple[tuple[str, int], ...]
) -> None:
    award = rule_set(BASE, caps={"order": 50}).award(purchase(amount), room)

    assert (award.points, award.uncapped, award.cut) == (points, int(amount), cut)
    assert sum(taken for _, taken in award.cut) == award.uncapped - award.points
    assert (award.trace[-1][0] == "caps") == bool(cut)


def test_room_is_what_was_not_earned_yet() -> None:
    caps = Caps(day=100, lifetime=1000)

    assert caps.room(day=30, month=70, lifetime=70) == CapRoom(day=70, month=None, lifetime=930)
    assert caps.room(day=120, lifetime=0) == CapRoom(day=0, month=None, lifetime=1000)


@given(
    st.lists(st.decimals("0", "10000", places=2), max_size=6),
    st.integers(0, 3),
    st.integers(0, 5000),
)
def test_what_is_left_of_an_order_is_never_worth_more_than_all_of_it(
    amounts: list[Decimal], returned: int, room: int
) -> None:
    rules = RULES_BY_LINE
    lines = [line(str(amount), "nappies") for amount in amounts]

    whole = rules.award(purchase(lines=lines), CapRoom(day=room))
    left = rules.award(purchase(lines=lines[returned:]), CapRoom(day=room))

    assert left.points <= whole.points <= min(whole.uncapped, room, 5000)
    assert rules.award(purchase(lines=lines), CapRoom(day=room)) == whole


RULES_BY_LINE: RuleSet = rule_set(
    group("add sum", {"id": "spend", "points": "line.amount"}, name="base", per="line"),
    group("multiply best", {"id": "core", "when": "line.category in core", "factor": "1.2"}, name="cat", per="line"),
    caps={"order": 5000, "day": 8000},
    pending={"days": 14},
)


def test_points_may_be_pending_for_some_days() -> None:
    assert RULES_BY_LINE.pending is not None
    assert RULES_BY_LINE.pending.days == 14
    assert rule_set(BASE).pending is None


def test_a_trace_goes_into_json_and_back() -> None:
    award: Award = earn(example("first-shop")).award(
        purchase(lines=[line("9999.99", "nappies", tags=["new"])], tier="gold", first=True), CapRoom(day=10)
    )

    assert json.loads(json.dumps(award.trace)) == [
        ["base", [["spend", "9999.99"]], "9999.99"],
        ["category", [["core20", "1.2"]], "11999.988"],
        ["new_products", [["double", "2"]], "23999.976"],
        ["tier", [["gold", "1.05"]], "25199.97480"],
        ["birthday", [], "25199.97480"],
        ["welcome", [["first_order", "20"]], "25219.97480"],
        ["rounding", [["floor", "25219.97480"]], "25219"],
        ["caps", [["order", "20219"], ["day", "4990"]], "10"],
    ]


# -- what cannot be published -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "settings", "expected"),
    [
        (
            [group("multiply best", {"id": "a", "factor": 2})],
            {},
            ": the first group has nothing to multiply; it must add",
        ),
        (
            [BASE, group("add sum", {"id": "a", "points": "line.amount"}, per="line")],
            {},
            ": a group per line cannot follow one per order",
        ),
        ([BASE, BASE], {}, ": id 'base' is used twice"),
        ([{**BASE, "multiply": "best"}], {}, "groups[base]: needs either add or multiply"),
        ([{"id": "base", "rules": BASE["rules"]}], {}, "groups[base]: needs either add or multiply"),
        ([group("add sum", {"id": "a", "points": 1}, name="caps")], {}, "groups[caps]: 'caps' is a name of the trace"),
        (
            [group("add product", {"id": "a", "points": 1})],
            {},
            "groups[more].add: 'product' is not 'sum', 'best' or 'first'",
        ),
        (
            [group("add sum", {"id": "a", "factor": 2})],
            {},
            "groups[more]: rule 'a': a group that adds has rules with points, and no factor",
        ),
        (
            [BASE, group("multiply best", {"id": "a", "points": 2, "factor": 2})],
            {},
            "groups[more]: rule 'a': a group that multiplies has rules with factor, and no points",
        ),
        (
            [group("add sum", {"id": "a", "points": 1}, {"id": "a", "points": 2})],
            {},
            "groups[more]: id 'a' is used twice",
        ),
        (
            [group("add sum", {"id": "a", "points": "line.amount"})],
            {},
            "groups[more].rules[a].points: unknown name 'line' at 0",
        ),
        (
            [group("add sum", {"id": "a", "points": "sum([l.amount for l in order.lines])"}, per="line")],
            {},
            "groups[more].rules[a].points: at most 0 loops over lines here at 14",
        ),
        (
            [group("add sum", {"id": "a", "points": 1, "when": "member.teir == 'gold'"})],
            {},
            "groups[more].rules[a].when: unknown attribute 'teir' at 7, did you mean 'tier'?",
        ),
        (
            [group("add sum", {"id": "a", "points": 1, "when": 1})],
            {},
            "groups[more].rules[a].when: an expression is quoted text",
        ),
        (
            [BASE, group("multiply best", {"id": "a", "factor": 1.05})],
            {},
            "groups[more].rules[a].factor: a number with a point must be quoted, so that it is exact",
        ),
        (
            [BASE, group("multiply best", {"id": "a", "factor": "-1"})],
            {},
            'groups[more].rules[a].factor: not a decimal number of 0 or more, such as "1.2"',
        ),
        (
            [group("add sum", {"id": "a", "points": 1, "valid": {"from": "2026-06-01"}})],
            {},
            "groups[more].rules[a].valid.from: not an instant with its offset, such as 2026-06-01T00:00:00+08:00",
        ),
        (
            [
                group(
                    "add sum",
                    {"id": "a", "points": 1, "valid": {"from": "2026-06-02T00:00Z", "to": "2026-06-01T00:00Z"}},
                )
            ],
            {},
            "groups[more].rules[a].valid: ends before it begins",
        ),
        ([BASE], {"caps": {"order": "5000"}}, "caps.order: must be a valid integer"),
        ([BASE], {"caps": {"order": -1}}, "caps.order: must be greater than or equal to 0"),
        ([BASE], {"caps": {"week": 1}}, "caps.week: unknown key 'week'"),
        ([BASE], {"cap": {"day": 1}}, "cap: unknown key 'cap', did you mean 'caps'?"),
        ([BASE], {"pending": {"days": 0}}, "pending.days: must be greater than or equal to 1"),
        ([], {}, "groups: Tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(
    groups: list[dict[str, Any]], settings: dict[str, Any], expected: str
) -> None:
    assert problems(*groups, **settings) == [expected]


def test_a_channel_without_lines_has_no_groups_per_line() -> None:
    section = {"earn": {"groups": [group("add sum", {"id": "a", "points": 5}, per="line")]}}

    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme({**document({"groups": [BASE]}), "channels": {"sign_in": section}}, CHANNELS)

    assert [str(p) for p in refused.value.problems] == ["channels.sign_in.earn.groups[more]: this channel has no lines"]


def test_pricing_an_order_is_a_matter_of_microseconds() -> None:
    rules = earn(example("mother-baby"))
    order = purchase("299.90", "milk_powder", tier="gold")

    best = min(timeit.repeat(lambda: rules.award(order), number=200, repeat=5)) / 200

    assert best < 0.000_1
