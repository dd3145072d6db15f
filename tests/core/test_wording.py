"""What members read of a programme: of every document that there is, in both languages, and of single expressions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from core.rulebook.programme import Programme
from core.rulebook.rules import RuleSet
from core.wording.language import LANGUAGES, Language, next_to
from core.wording.summary import Sentence, summary
from core.wording.words import Words
from graph.laurel import load_document
from plugins.manager import load_plugins

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = sorted((ROOT / "examples" / "programmes").glob("*.yaml"))
PLUGINS: Final = load_plugins()
CASES: Final = [
    pytest.param(path, language, id=f"{path.stem}-{language}") for path in EXAMPLES for language in LANGUAGES
]

_RAW: Final = re.compile(r"\b(None|True|False)\b|Decimal\(|datetime|<[a-zA-Z]|[{}]|\b[a-z]+_[a-z_]+\b| {2}|\s[,.]")
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")


def load(text: str) -> Programme:
    return load_document(PLUGINS, text)


def sentences(programme: Programme, language: Language) -> list[Sentence]:
    return [each for chapter in summary(programme, language).chapters for each in chapter.sentences]


def rule_paths(programme: Programme) -> Iterator[tuple[str, ...]]:
    """Where every rule of the document stands, by ids."""
    for channel, settings in programme.channels.items():
        earn: Any = getattr(settings, "earn", {})
        for unit, rules in earn.items():
            if isinstance(rules, RuleSet):
                for group in rules.groups:
                    for rule in group.rules:
                        yield ("channels", channel, "earn", unit, "groups", group.id, "rules", rule.id)


@pytest.mark.parametrize(("path", "language"), CASES)
def test_every_example_is_told_without_anything_left_out(path: Path, language: Language) -> None:
    programme = load(path.read_text(encoding="utf-8"))

    told = sentences(programme, language)

    paths = {each.path for each in told}
    tiers = [tier.id for tier in programme.tiers.ladder] if programme.tiers else []
    assert {each.channel for each in told} == {None, *programme.channels}
    assert [where for where in rule_paths(programme) if where not in paths] == []
    assert [tier for tier in tiers if ("tiers", "ladder", tier) not in paths] == []


@pytest.mark.parametrize(("path", "language"), CASES)
def test_no_example_is_told_in_the_words_of_machines(path: Path, language: Language) -> None:
    told = sentences(load(path.read_text(encoding="utf-8")), language)

    assert [each.text for each in told if _RAW.search(each.text)] == []
    assert all(each.text.endswith("." if language == "en" else "。") for each in told)
    if language == "zh":
        assert [each.text for each in told if not _CHINESE.search(each.text)] == []


RULE = """id: shop
currency: CNY
timezone: Asia/Shanghai
lists: {{core: [milk_powder, nappies]}}
channels:
  purchase:
    earn:
      points:
        groups:
          - {{id: base, add: sum, rules: [{{id: one, points: "{points}"}}]}}
          - {{id: more, multiply: best, rules: [{{id: two, when: "{when}", factor: "{factor}"}}]}}
tiers:
  ladder:
    - {{id: regular, name: Regular}}
    - {{id: gold, name: 金卡, all: [{{fact: orders, at_least: 3}}]}}
    - {{id: platinum, name: Platinum, all: [{{fact: orders, at_least: 9}}]}}
"""


def rule_text(number: str, language: Language, points: str = "1", when: str = "order.first", factor: str = "2") -> str:
    programme = load(RULE.format(points=points, when=when, factor=factor))
    return next(each.text for each in sentences(programme, language) if each.path[-1] == number)


@pytest.mark.parametrize(
    ("points", "en", "zh"),
    [
        ("5", "Each order earns 5 points.", "每笔订单：得 5 积分。"),
        ("1", "Each order earns 1 point.", "每笔订单：得 1 积分。"),
        ("order.amount", "Each order earns 1 point for every CN¥1 you pay.", "每笔订单：每实付 ¥1 得 1 积分。"),
        ("order.amount / 10", "Each order earns 1 point for every CN¥10 you pay.", "每笔订单：每实付 ¥10 得 1 积分。"),
        (
            "order.amount * 1.5",
            "Each order earns 1.5 points for every CN¥1 you pay.",
            "每笔订单：每实付 ¥1 得 1.5 积分。",
        ),
        (
            "order.amount * 0.15",
            "Each order earns 15 points for every CN¥100 you pay.",
            "每笔订单：每实付 ¥100 得 15 积分。",
        ),
        ("order.amount / 3", "Each order earns 1 point for every CN¥3 you pay.", "每笔订单：每实付 ¥3 得 1 积分。"),
        (
            "order.amount / 7 * 10",
            "Each order earns 10 points for every CN¥7 you pay.",
            "每笔订单：每实付 ¥7 得 10 积分。",
        ),
        (
            "floor(order.amount / 3)",
            "Each order earns 1 point for every CN¥3 you pay, of whole multiples.",
            "每笔订单：每实付 ¥3 得 1 积分（不足不计）。",
        ),
        ("min([order.amount])", "Each order earns 1 point for every CN¥1 you pay.", "每笔订单：每实付 ¥1 得 1 积分。"),
        (
            "max([min([order.amount, 5]), 10])",
            "Each order earns as many points as “max([min([order.amount, 5]), 10])” comes to.",
            "每笔订单：得按“max([min([order.amount, 5]), 10])”计算的积分。",
        ),
        (
            "order.amount * (1 / 3)",
            "Each order earns as many points as “order.amount * (1 / 3)” comes to.",
            "每笔订单：得按“order.amount * (1 / 3)”计算的积分。",
        ),
        (
            "floor(order.amount / 10) * 3",
            "Each order earns 3 points for every CN¥10 you pay, of whole multiples.",
            "每笔订单：每实付 ¥10 得 3 积分（不足不计）。",
        ),
        (
            "min([order.amount, 300])",
            "Each order earns 1 point for every CN¥1 you pay, up to 300.",
            "每笔订单：每实付 ¥1 得 1 积分，最多 300。",
        ),
        (
            "order.first ? 20 : 0",
            "Each order earns 20 points when it is your first order, else 0 points.",
            "每笔订单：为您的首单时得 20 积分，否则得 0 积分。",
        ),
        (
            "sum([l.amount for l in order.lines if l.category in core])",
            (
                "Each order earns 1 point for every CN¥1 you pay for an article where the article is milk powder "
                "or nappies."
            ),
            "每笔订单：商品每实付 ¥1 得 1 积分（仅限商品品类为 milk powder 或 nappies）。",
        ),
        (
            "abs(order.amount - 7)",
            "Each order earns as many points as “abs(order.amount - 7)” comes to.",
            "每笔订单：得按“abs(order.amount - 7)”计算的积分。",
        ),
    ],
)  # fmt: skip
def test_an_amount_is_said_in_words_and_quoted_where_there_are_none(points: str, en: str, zh: str) -> None:
    assert (rule_text("one", "en", points=points), rule_text("one", "zh", points=points)) == (en, zh)


@pytest.mark.parametrize(
    ("when", "en", "zh"),
    [
        ("order.category in core", "the order is for milk powder or nappies", "订单品类为 milk powder 或 nappies"),
        ("member.tier == 'gold'", "you are a 金卡 member", "您是金卡会员"),
        ("member.tier != 'regular'", "you are a 金卡 or Platinum member", "您是金卡或 Platinum 会员"),
        ("not (member.tier == 'regular')", "you are a 金卡 or Platinum member", "您是金卡或 Platinum 会员"),
        ("order.amount >= 100", "the amount that you pay for the order is at least CN¥100", "订单实付金额不少于 ¥100"),
        ("order.amount > 0", "you pay something for the order", "订单有实付金额"),
        ("order.amount >= 1", "the amount that you pay for the order is at least CN¥1", "订单实付金额不少于 ¥1"),
        ("member.orders >= 1", "you have ordered before", "您此前下过单"),
        ("100 > order.amount", "the amount that you pay for the order is less than CN¥100", "订单实付金额少于 ¥100"),
        (
            "order.first and not member.birthday_today",
            "it is your first order and it is not your birthday",
            "为您的首单且当天不是您的生日",
        ),
        (
            "order.first and (member.birthday_today or member.birth_month_now)",
            "it is your first order and (it is your birthday or it is the month of your birthday)",
            "为您的首单且（当天为您的生日或在您的生日当月）",
        ),
        ("'vip' in member.tags", "you have the tag “vip”", "您带有“vip”标签"),
        (
            "any(['new' in l.tags for l in order.lines])",
            "for one article of the order the article is marked “new”",
            "订单中有一件商品带有“new”标签",
        ),
        (
            "order.at.weekday in ['Saturday', 'Sunday']",
            "the weekday of the time of the order is Saturday or Sunday",
            "下单时间的星期为星期六或星期日",
        ),
        (
            "(order.at - member.enrolled_at).days <= 30",
            "the number of days from the day on which you joined to the time of the order is at most 30",
            "您的入会时间至下单时间的天数不超过 30",
        ),
        ("order.at < d'2026-07-02'", "the time of the order is before 2 July 2026", "下单时间早于 2026年7月2日"),
        ("(order.category ?? 'none') == 'tea'", "the order is for tea", "订单品类为 tea"),
        (
            "(order.category ?? 'none') == 'none'",
            "“(order.category ?? 'none') == 'none'” holds",
            "“(order.category ?? 'none') == 'none'”成立",
        ),
        (
            "(order.kind ?? '').starts_with('big')",
            "“(order.kind ?? '').starts_with('big')” holds",
            "“(order.kind ?? '').starts_with('big')”成立",
        ),
    ],
)  # fmt: skip
def test_a_condition_is_said_in_words_and_quoted_where_there_are_none(when: str, en: str, zh: str) -> None:
    assert rule_text("two", "en", when=when) == f"Double points when {en}."
    assert rule_text("two", "zh", when=when) == next_to(zh, "时，双倍积分。")


@pytest.mark.parametrize(
    ("factor", "en", "zh"),
    [
        ("0", "No points", "不得积分"),
        ("0.5", "Only 50% of the points", "仅得 50% 的积分"),
        ("1", "The usual points", "按常规得积分"),
        ("1.05", "5% more points", "积分多得 5%"),
        ("2.00", "Double points", "双倍积分"),
        ("3", "3 times the points", "3 倍积分"),
    ],
)
def test_a_factor_is_said_as_members_say_it(factor: str, en: str, zh: str) -> None:
    assert rule_text("two", "en", factor=factor) == f"{en} when it is your first order."
    assert rule_text("two", "zh", factor=factor) == f"为您的首单时，{zh}。"


def test_which_tags_and_stages_there_are_is_not_for_everybody() -> None:
    document = next(path for path in EXAMPLES if path.stem == "mini-programme").read_text(encoding="utf-8")

    told = " ".join(each.text for language in LANGUAGES for each in sentences(load(document), language))

    assert [name for name in ("流失期", "衰退期", "新人期", "高频用户", "亲子家庭") if name in told] == []
    assert "What we offer you may depend on what you did of late." in told


def test_a_span_of_one_thing_that_a_tier_asks_for_is_not_read_of_another() -> None:
    document = next(path for path in EXAMPLES if path.stem == "sme").read_text(encoding="utf-8")

    told = [each.text for each in sentences(load(document), "en") if each.path == ("tiers", "ladder", "silver")]

    assert told == ["Silver: 501 points earned in all or 2 orders within 1 month."]


@pytest.mark.parametrize(
    ("weight", "total", "chance"),
    [(1, 4, "25%"), (1, 3, "33.3333%"), (0, 3, "0%"), (1, 10_000_000, "0.00001%"), (1, 30_000_000, "0.0000033%")],
)
def test_a_chance_that_there_is_is_never_told_as_none(weight: int, total: int, chance: str) -> None:
    assert Words(load(EXAMPLES[0].read_text(encoding="utf-8")), "en").chance(weight, total) == chance


@pytest.mark.parametrize(("language", "end"), [("en", ", word29, or 4,970 others"), ("zh", "word29 或另外 4,970 项")])
def test_of_a_long_list_the_first_words_are_named_and_the_others_counted(language: Language, end: str) -> None:
    words = ", ".join(f"word{number}" for number in range(5_000))
    programme = load(
        "id: shop\ncurrency: CNY\ntimezone: UTC\n"
        f"lists: {{long: [{words}]}}\n"
        "channels: {purchase: {earn: {points: {groups: [{id: base, add: sum, rules: ["
        '{id: some, when: "order.category in long", points: 5}]}]}}}}\n'
    )

    (told,) = (each for each in sentences(programme, language) if each.path[-1:] == ("some",))

    assert "word0" in told.text
    assert end in told.text
    assert "word30" not in told.text
