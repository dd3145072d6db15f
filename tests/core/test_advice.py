"""What is warned of before a programme is published, and how one differs from another: in both languages."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from core.advice.differences import differences
from core.advice.lint import WarningCode, lint
from core.rulebook.programme import Programme
from graph.laurel import load_document
from plugins.manager import load_plugins

ROOT: Final = Path(__file__).parents[2]
PLUGINS: Final = load_plugins()
NOW: Final = datetime(2026, 7, 1, tzinfo=UTC)


def example(name: str) -> str:
    return (ROOT / "examples" / "programmes" / f"{name}.yaml").read_text(encoding="utf-8")


def load(text: str) -> Programme:
    return load_document(PLUGINS, text)


def warned(text: str) -> list[tuple[WarningCode, str]]:
    return [(each.code, each.path_text) for each in lint(load(text), NOW)]


# -- warnings -----------------------------------------------------------------------------------------------

OF_EXAMPLES: Final = {
    # A point a yuan and ten points for one: a tenth of the money comes back.
    "course-platform": [(WarningCode.COSTS_TOO_MUCH, "channels.purchase.earn.points")],
    # A point a yuan, and 1,000 of them for 50: a twentieth of the money comes back.
    "beauty-brand": [(WarningCode.COSTS_TOO_MUCH, "channels.purchase.earn.points")],
    # Its tills tell of the lines of each order.
    "first-shop": [(WarningCode.NOTHING_WITHOUT_LINES, "channels.purchase.earn.points.groups[base]")],
    "sample-shop": [(WarningCode.NOTHING_WITHOUT_LINES, "channels.purchase.earn.points.groups[base]")],
    # In July the sale of June is over.
    "mother-baby": [(WarningCode.RULE_IS_OVER, "channels.purchase.earn.points.groups[sale].rules[sale618].valid")],
}


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "programmes").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_said_of_each_example(path: Path) -> None:
    assert warned(path.read_text(encoding="utf-8")) == OF_EXAMPLES.get(path.stem, [])


SHOP: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
point_value: "0.01"
lists: {{nothing: [], core: [milk, tea]}}
channels:
  purchase:
    earn:
      points:
        groups:
          - {{id: base, add: sum, rules: [{{id: spend, points: "{points}"}}]}}
          - {{id: more, multiply: {combine}, rules: [{rules}]}}
  {channel}
tiers:
  ladder:
    - {{id: regular}}
    - {{id: gold, {criteria}}}
"""
GOLD: Final = "all: [{fact: orders, at_least: 3}]"


def shop(
    rules: str = '{id: one, when: "order.first", factor: 2}',
    combine: str = "best",
    points: str = "order.amount",
    channel: str = "sign_in: {earn: {points: {groups: [{id: b, add: sum, rules: [{id: d, points: 1}]}]}}}",
    criteria: str = GOLD,
) -> str:
    return SHOP.format(rules=rules, combine=combine, points=points, channel=channel, criteria=criteria)


@pytest.mark.parametrize(
    ("when", "never"),
    [
        ("false", True),
        ("order.amount > 100 and order.amount < 50", True),
        ("order.amount >= 100 and order.amount <= 100", False),
        ("order.amount > 100 and order.amount <= 100", True),
        ("100 < order.amount and not (order.amount > 100)", True),
        ("order.amount > 100 or order.amount < 50", False),
        ("order.category == 'milk' and order.category == 'tea'", True),
        ("order.category == 'milk' and order.kind == 'tea'", False),
        ("order.category == 'milk' and order.category != 'milk'", True),
        ("order.category in core and order.category == 'bread'", True),
        ("order.category in core and order.category == 'milk'", False),
        ("order.category in nothing", True),
        ("not (order.category in nothing)", False),
        ("order.first and not order.first", True),
        ("order.first and not member.birthday_today", False),
        ("member.tier == 'silver'", True),
        ("member.tier == 'gold'", False),
        ("member.tier != 'gold' and member.tier != 'regular'", True),
        ("member.tier in ['silver', 'bronze']", True),
        ("member.tier in ['silver', 'gold']", False),
        ("order.at < d'2026-01-01' and order.at > d'2026-06-01'", True),
        ("order.at > d'2026-01-01' and order.at < d'2026-06-01'", False),
        ("(order.category ?? 'none') == 'none' and order.category == 'tea'", False),  # not understood, so not told
        ("order.amount * 2 > 10 and order.amount < 1", False),
    ],
)
def test_a_rule_is_told_of_whose_condition_can_never_hold(when: str, never: bool) -> None:
    found = warned(shop(f'{{id: one, when: "{when}", factor: 2}}'))

    path = "channels.purchase.earn.points.groups[more].rules[one].when"
    assert found == ([(WarningCode.RULE_NEVER_MATCHES, path)] if never else [])


@pytest.mark.parametrize(
    ("until", "over"), [("2026-06-01T00:00:00+08:00", True), ("2026-07-01T08:00:00+08:00", True),
                        ("2026-07-01T08:00:01+08:00", False)],
)  # fmt: skip
def test_a_rule_is_told_of_whose_time_is_over(until: str, over: bool) -> None:
    found = warned(shop(f'{{id: one, factor: 2, valid: {{to: "{until}"}}}}'))

    assert [code for code, _ in found] == ([WarningCode.RULE_IS_OVER] if over else [])


@pytest.mark.parametrize(
    ("combine", "first", "shadowed"),
    [
        ("first", "{id: one, factor: 2}", True),
        ("first", '{id: one, when: "order.amount > 9", factor: 2}', True),
        ("first", '{id: one, when: "order.amount > 8", factor: 2}', False),
        ("first", '{id: one, factor: 2, valid: {to: "2030-01-01T00:00:00Z"}}', False),
        ("best", "{id: one, factor: 2}", False),
        ("product", "{id: one, factor: 2}", False),
    ],
)
def test_a_rule_is_told_of_before_which_another_always_comes(combine: str, first: str, shadowed: bool) -> None:
    found = warned(shop(f'{first}, {{id: two, when: "order.amount > 9", factor: 3}}', combine))

    path = "channels.purchase.earn.points.groups[more].rules[two]"
    assert found == ([(WarningCode.RULE_IS_SHADOWED, path)] if shadowed else [])


@pytest.mark.parametrize(
    ("criteria", "out_of_reach"),
    [
        ("all: [{fact: growth_earned, at_least: 3}]", True),
        ("all: [{fact: growth_earned, at_least: 3}, {fact: orders, at_least: 3}]", True),
        ("any: [{fact: growth_earned, at_least: 3}, {fact: orders, at_least: 3}]", False),
        ("all: [{fact: points_earned, at_least: 3}]", False),
        ('all: [{fact: average_order, at_least: "3"}]', False),
        ("all: [{fact: sign_ins, at_least: 3}]", False),
    ],
)
def test_a_tier_is_told_of_that_asks_for_what_nobody_gives(criteria: str, out_of_reach: bool) -> None:
    found = warned(shop(criteria=criteria))

    assert found == ([(WarningCode.TIER_OUT_OF_REACH, "tiers.ladder[gold]")] if out_of_reach else [])


def test_growth_in_a_gift_is_growth_that_is_given() -> None:
    given = "welcome: {pack: {growth: 5}}"

    assert warned(shop(channel=given, criteria="all: [{fact: growth_earned, at_least: 3}]")) == []


POOL: Final = (
    "lottery: {{pools: [{{id: p, name: P, price: 10, "
    "prizes: [{{id: a, name: A, kind: points, weight: 1, points: {points}}}]}}]}}"
)


@pytest.mark.parametrize(
    ("channel", "path"),
    [
        ("share: {points: 10}", "channels.share.points"),
        ("share: {points: 10, limits: {day: 3}}", None),
        ("share: {points: 10, budget: {month: 1000}}", None),
        (
            POOL.format(points=11),
            "channels.lottery.pools[p]",
        ),
        (
            POOL.format(points=10),
            None,
        ),
    ],
)
def test_points_without_end_are_told_of(channel: str, path: str | None) -> None:
    assert warned(shop(channel=channel)) == ([] if path is None else [(WarningCode.MINTS_WITHOUT_LIMIT, path)])


EARNS: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
channels: {{purchase: {{earn: {{{unit}: {{{caps}groups: [{{id: base, add: sum, rules: [{{id: any, {rule}}}]}}]}}}}}}}}
{trust}"""


@pytest.mark.parametrize(
    ("rule", "caps", "trust", "told"),
    [
        ("points: 20", "", "", True),
        ('when: "order.kind == \'lesson\'", points: "4 + 1"', "", "", True),
        ("when: \"order.category == 'tea' and member.tier == ''\", points: 5", "", "", True),
        ("points: 20", "caps: {order: 10}, ", "", True),
        ("points: 20", "caps: {month: 100}, ", "", False),
        ("points: 20", "caps: {programme: {month: 10000}}, ", "", False),
        ("points: 20", "caps: {programme: {month: 10000, stops: false}}, ", "", True),
        (
            "points: 20",
            "",
            "trust: {velocity: [{channel: purchase, more_than: 5, within_minutes: 60, then: hold}]}",
            False,
        ),
        ("points: 20", "", "trust: {velocity: [{channel: purchase, more_than: 5, within_minutes: 60}]}", True),
        ("points: 0", "", "", False),
        ("points: order.amount", "", "", False),
        ('points: "10 * order.quantity"', "", "", False),
        ("when: order.first, points: 20", "", "", False),
        ("when: order.amount >= 100, points: 20", "", "", False),
        ('points: 20, valid: {to: "2027-01-01T00:00:00+08:00"}', "", "", False),
    ],
)
def test_points_for_any_order_however_small_are_told_of(rule: str, caps: str, trust: str, told: bool) -> None:
    found = warned(EARNS.format(unit="points", rule=rule, caps=caps, trust=trust))

    path = "channels.purchase.earn.points.groups[base].rules[any]"
    assert found == ([(WarningCode.MINTS_WITHOUT_LIMIT, path)] if told else [])
    assert warned(EARNS.format(unit="growth", rule=rule, caps=caps, trust=trust)) == []


OF_LINES: Final = "{id: lines, per: line, add: sum, rules: [{id: any, %spoints: %s}]}"
OF_ORDERS: Final = "{id: orders, add: sum, rules: [{id: any, when: order.lines.length == 0, points: %s}]}"


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (OF_LINES % ("", "line.amount"), True),
        (f"{OF_LINES % ('', 'line.amount')}, {OF_ORDERS % 'order.amount'}", False),
        (f"{OF_LINES % ('', 'line.amount')}, {OF_ORDERS % '5'}", True),
        (OF_LINES % ("when: line.category == 'tea', ", "line.amount"), False),
        (OF_LINES % ("", '"10 * line.quantity"'), False),
    ],
)
def test_a_shop_that_gives_nothing_without_lines_is_told_of_it(groups: str, told: bool) -> None:
    found = warned(
        "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
        f"channels: {{purchase: {{earn: {{points: {{caps: {{day: 100}}, groups: [{groups}]}}}}}}}}\n"
    )

    assert found == (
        [(WarningCode.NOTHING_WITHOUT_LINES, "channels.purchase.earn.points.groups[lines]")] if told else []
    )


@pytest.mark.parametrize(
    ("points", "band", "told"),
    [
        ("order.amount * 3", "", False),
        ("order.amount * 3.01", "", True),
        ("order.amount * 3", 'redemption_cost: {at_most: "0.02"}', True),
        ("order.amount * 4", 'redemption_cost: {at_most: "0.05"}', False),
        ("order.quantity * 100", "", False),
        ("min([order.amount * 9, 1])", "", False),
    ],
)
def test_what_costs_more_than_redemption_shall_is_told_of(points: str, band: str, told: bool) -> None:
    found = warned(f"{band}\n{shop(points=points)}")

    assert found == ([(WarningCode.COSTS_TOO_MUCH, "channels.purchase.earn.points")] if told else [])


def test_a_warning_has_a_place_and_is_said_in_both_languages() -> None:
    ladderless, _, _ = example("order-types").partition("\ntiers:")
    [first, second] = lint(load(ladderless), NOW)
    [cost] = lint(load(example("course-platform")), NOW)

    assert first.place == (24, 28)
    assert second.text("en") == "This rule can never count: “member.tier == 'platinum'” holds for nobody."
    assert second.text("zh") == "该规则永不生效：“member.tier == 'platinum'”不可能成立。"
    assert cost.text("en") == (
        "At 1 points for each CN¥1, worth CN¥0.10 each, redemption costs 10% of revenue; 3% is the most."
    )
    assert cost.text("zh") == "每 ¥1 发放 1 积分，每积分价值 ¥0.10，兑换成本占营业额的 10%，超过上限 3%。"


# -- differences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "former", "later", "path", "en", "zh"),
    [
        (
            "mother-baby", "at_least: 5000", "at_least: 6000", "tiers.ladder.gold.all.0.at_least",
            ("Gold now asks for 6,000 growth and 10 orders within 12 months "
             "instead of 5,000 growth and 10 orders within 12 months."),
            "Gold 的条件由近 12 个月内成长值达 5,000 且下单 10 笔改为近 12 个月内成长值达 6,000 且下单 10 笔。",
        ),
        (
            "mother-baby", 'factor: "1.2"', 'factor: "1.3"',
            "channels.purchase.earn.points.groups.category.rules.core20.factor",
            ("30% more points when the order is for milk powder or nappies. "
             "Until now: 20% more points when the order is for milk powder or nappies."),
            ("订单品类为 milk powder 或 nappies 时，积分多得 30%。"
             "此前：订单品类为 milk powder 或 nappies 时，积分多得 20%。"),
        ),
        (
            "coffee-shop", "price: 150", "price: 100", "channels.lottery.pools.cup.price",
            ("Draw from “The golden cup” for 100 points a time. "
             "Until now: Draw from “The golden cup” for 150 points a time."),
            "抽奖“The golden cup”：每次 100 积分。此前：抽奖“The golden cup”：每次 150 积分。",
        ),
        (
            "coffee-shop", "months: 9", "months: 6", "expiry.months",
            ("Points expire 6 months after the day on which you earn them. "
             "Until now: Points expire 9 months after the day on which you earn them."),
            "积分自获得之日起 6 个月内有效。此前：积分自获得之日起 9 个月内有效。",
        ),
        (
            "sme", "  share: {points: 10, limits: {month: 3}}\n", "", "channels.share",
            "No longer: Each share earns 10 points, 3 times a month at most.",
            "取消：每次分享得 10 积分，每月 3 次为限。",
        ),
        (
            "gym", "ticket: {due_hours: 48, ", "gift: {least: 5}\n  ticket: {due_hours: 48, ", "channels.gift",
            "New: You can give points to other members, 5 points or more at a time.",
            "新增：可向其他会员赠送积分，每次 5 积分起。",
        ),
        (
            "gym", "compensation_max: 500", "compensation_max: 600", "channels.ticket.compensation_max",
            "channels.ticket.compensation_max is now 600 instead of 500.",
            "channels.ticket.compensation_max 由 500 改为 600。",
        ),
    ],
)  # fmt: skip
def test_a_difference_is_one_sentence(name: str, former: str, later: str, path: str, en: str, zh: str) -> None:
    text = example(name)
    assert former in text
    before, after = load(text), load(text.replace(former, later, 1))

    [said] = differences(before, after, "en")
    [said_zh] = differences(before, after, "zh")

    assert (said.path, said.text) == (path, en)
    assert (said_zh.path, said_zh.text) == (path, zh)


def test_what_stands_elsewhere_on_a_list_is_no_difference_but_its_order() -> None:
    items = ["{id: a, name: A, kind: goods, price: 1}", "{id: b, name: B, kind: goods, price: 2}"]
    first, second = (load(shop(channel=f"rewards: {{items: [{', '.join(each)}]}}")) for each in (items, items[::-1]))

    [said] = differences(first, second, "en")

    assert (said.path, said.before, said.after) == ("channels.rewards.items", '["a", "b"]', '["b", "a"]')
    assert said.topic is None
    assert differences(first, first, "en") == []


def test_what_a_list_holds_is_told_where_it_is_asked_for() -> None:
    text = example("mother-baby")
    found = differences(load(text), load(text.replace("[milk_powder, nappies]", "[milk_powder]")), "en")

    assert [each.text for each in found] == [
        (
            "20% more points when the order is for milk powder. "
            "Until now: 20% more points when the order is for milk powder or nappies."
        ),
        'lists.core is now ["milk_powder"] instead of ["milk_powder", "nappies"].',
    ]
