"""What the facts of expressions and the tallies of members are called, in English and in Chinese.

A channel says it of its own facts and tallies (``ChannelSettings.wording``); those that every programme has are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Both = tuple[str, str]
"""A text in English, and in Chinese."""


@dataclass(frozen=True, slots=True)
class FactWords:
    """A fact of expressions in words. All but ``name`` may be left out where nothing better is to be said.

    ``name`` is what it is called: "the number of pieces". Whole clauses are ``holds`` and ``fails`` of what is true or
    false, ``some`` of a number above 0, ``is_one`` ({value} is one of some texts), ``has`` ({value} is on the list).
    Of a number there is ``per``, which follows "1 point": for one, for {n}, and in Chinese; ``itself``, where it is
    an amount of points; and ``every``, where ({count_from} + it) is divided by {n}: "every {nth} day".
    """

    name: Both
    holds: Both | None = None
    fails: Both | None = None
    some: Both | None = None
    is_one: Both | None = None
    has: Both | None = None
    per: tuple[str, str, str] | None = None
    itself: Both | None = None
    every: Both | None = None
    count_from: int = 0
    is_money: bool = False


@dataclass(frozen=True, slots=True)
class TallyWords:
    """What is counted, in words: one, {n} of them, and in Chinese.

    ``measure`` is what is counted without a number, ``activity_zh`` what somebody does of whom one more is counted.
    """

    one: str
    several: str
    zh: str
    measure: Both | None = None
    activity_zh: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a channel speaks. ``occasion`` is what earns: "an order", "每笔订单"; facts and tallies by their names."""

    occasion: Both | None = None
    facts: Mapping[str, FactWords] = field(default_factory=dict)
    tallies: Mapping[str, TallyWords] = field(default_factory=dict)


ORDER_FACTS: Final[Mapping[str, FactWords]] = {
    "order.amount": FactWords(
        ("the amount that you pay for the order", "订单实付金额"),
        per=("for every {n} you pay", "for every {n} you pay", "每实付 {n}"),
        some=("you pay something for the order", "订单有实付金额"),
        is_money=True,
    ),
    "order.total": FactWords(
        ("the total of the order, points included", "订单总额（含积分抵扣）"),
        per=("for every {n} of the order, points included", "for every {n} of the order, points included",
             "订单总额（含积分抵扣）每 {n}"),
        is_money=True,
    ),
    "order.quantity": FactWords(
        ("the number of pieces in the order", "订单件数"), per=("for each piece", "for every {n} pieces", "每 {n} 件")
    ),
    "order.category": FactWords(
        ("the category of the order", "订单品类"), is_one=("the order is for {value}", "订单品类为{value}")
    ),
    "order.kind": FactWords(
        ("the kind of the order", "订单类型"), is_one=("the order is of the kind {value}", "订单类型为{value}")
    ),
    "order.first": FactWords(
        ("whether it is your first order", "是否首单"),
        holds=("it is your first order", "为您的首单"),
        fails=("it is not your first order", "不是首单"),
    ),
    "order.promised": FactWords(
        ("the points that the till has promised", "收银台承诺的积分"),
        itself=("the points that the till has promised", "收银台承诺的积分"),
        per=("for each point that the till has promised", "for every {n} points that the till has promised",
             "收银台每承诺 {n} 积分"),
        some=("the till has promised points", "收银台已承诺积分"),
    ),
    "order.lines": FactWords(("the articles of the order", "订单商品")),
    "order.at": FactWords(("the time of the order", "下单时间")),
    "line.amount": FactWords(
        ("the amount that you pay for the article", "商品实付金额"),
        per=("for every {n} you pay for an article", "for every {n} you pay for an article", "商品每实付 {n}"),
        some=("you pay something for the article", "商品有实付金额"),
        is_money=True,
    ),
    "line.quantity": FactWords(
        ("the number of pieces of the article", "商品件数"), per=("for each piece", "for every {n} pieces", "每 {n} 件")
    ),
    "line.category": FactWords(
        ("the category of the article", "商品品类"), is_one=("the article is {value}", "商品品类为{value}")
    ),
    "line.sku": FactWords(
        ("the number of the article", "商品编号"), is_one=("the article is number {value}", "商品编号为{value}")
    ),
    "line.tags": FactWords(
        ("the marks of the article", "商品标签"), has=("the article is marked {value}", "商品带有{value}标签")
    ),
}  # fmt: skip

MEMBER_FACTS: Final[Mapping[str, FactWords]] = {
    "member.birthday": FactWords(("your birthday", "您的生日")),
    "member.birthday_today": FactWords(
        ("whether it is your birthday", "当天是否您的生日"),
        holds=("it is your birthday", "当天为您的生日"),
        fails=("it is not your birthday", "当天不是您的生日"),
    ),
    "member.birth_month_now": FactWords(
        ("whether it is the month of your birthday", "是否您的生日当月"),
        holds=("it is the month of your birthday", "在您的生日当月"),
        fails=("it is not the month of your birthday", "不在您的生日当月"),
    ),
    "member.tags": FactWords(("your tags", "您的标签"), has=("you have the tag {value}", "您带有{value}标签")),
    "member.orders": FactWords(
        ("the number of your orders so far", "您此前的订单数"), some=("you have ordered before", "您此前下过单")
    ),
    "member.enrolled_at": FactWords(("the day on which you joined", "您的入会时间")),
    "member.tier": FactWords(("your tier", "您的等级"), is_one=("you are a {value} member", "您是{value}会员")),
}

FACTS: Final[Mapping[str, FactWords]] = {**ORDER_FACTS, **MEMBER_FACTS}

TALLIES: Final[Mapping[str, TallyWords]] = {
    "orders": TallyWords("an order", "{n} orders", "下单 {n} 笔", ("orders", "订单数"), "下单"),
    "spend": TallyWords("{n} spent", "{n} spent", "消费满 {n}", ("money spent", "消费金额"), "消费"),
    "average_order": TallyWords(
        "an average order of {n}", "an average order of {n}", "平均每单满 {n}", ("the average order", "平均订单金额")
    ),
    "points_earned": TallyWords(
        "1 point earned", "{n} points earned", "累计获得 {n} 积分", ("points earned", "获得的积分"), "获得积分"
    ),
    "growth_earned": TallyWords(
        "1 growth", "{n} growth", "成长值达 {n}", ("growth earned", "获得的成长值"), "获得成长值"
    ),
    "joined": TallyWords("joining", "joining", "入会"),
}
