"""How much a purchase earns. ``price`` is pure: previews, awards and the rework of a refund all go through it."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from core.books.tallies import ORDERS, SPEND
from core.channels.orders import FACTS, MemberFacts, OrderFacts
from core.rulebook.programme import ChannelSettings, Path
from core.rulebook.rules import NO_CAPS, Activity, Award, CapRoom, Rule, RuleSet, UnitName
from core.units import POINTS
from core.wording.facts import Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "purchase"

_COUNTS_ORDERS: Final = re.compile(r"\b(first|orders)\b")


_OF_ANY_ORDER: Final = frozenset(
    {"order.kind", "order.category", "order.at", "line.category", "line.sku", "line.tags", "member.tier"}
)
"""What a condition may ask for that the smallest order can be, again and again."""


class PurchaseSettings(ChannelSettings):
    """The programme's section ``channels: purchase:``.

    ``earn`` holds a rule set for each unit that purchases bring. With ``earn_on_points_paid`` the part of an order
    that is paid with points earns like money.
    """

    called = ("Purchase", "购物")

    facts: ClassVar[Mapping[str, Any]] = FACTS
    wording: ClassVar[Wording] = Wording(occasion=("each order", "每笔订单"))
    core_rules: ClassVar[frozenset[str]] = frozenset({"earn", "earn_on_points_paid"})

    earn: dict[UnitName, RuleSet] = Field(default_factory=dict)
    earn_on_points_paid: Annotated[bool, Field(strict=True)] = False

    def adds_to(self) -> Collection[str]:
        return {*super().adds_to(), SPEND, ORDERS}

    def mints(self) -> Iterable[Path]:
        rules = self.earn.get(POINTS)
        if rules is None or rules.caps.over_time or (rules.caps.programme.is_limited and rules.caps.programme.stops):
            return
        for at, group in enumerate(rules.groups):
            for number, rule in enumerate(group.rules):
                if _is_for_any_order(rule):
                    yield ("earn", POINTS, "groups", at, "rules", number)

    @cached_property
    def counts_orders(self) -> bool:
        """Whether any rule asks how many orders there were; if none does, nobody has to read them."""
        rules = [rule for rules in self.earn.values() for group in rules.groups for rule in group.rules]
        texts = [each.text for rule in rules for each in (rule.when, rule.points) if each is not None]
        # A word in a text that only looks like the fact costs a read and no more.
        return any(_COUNTS_ORDERS.search(text) for text in texts)

    def says(self, words: Words) -> Iterable[Said]:
        yield from super().says(words)
        text = (
            words.say("What you pay with points earns like money.", "以积分支付的部分同样累计。")
            if self.earn_on_points_paid
            else words.say("What you pay with points earns nothing.", "以积分支付的部分不累计。")
        )
        yield Said(Topic.EARNING, text, ("earn_on_points_paid",))


def activity_of(order: OrderFacts, member: MemberFacts) -> Activity:
    """An order as rules see it."""
    return Activity(CHANNEL, order.at, {"order": order, "member": member}, order.lines)


def price(
    order: OrderFacts, member: MemberFacts, settings: PurchaseSettings, rooms: Mapping[str, CapRoom]
) -> dict[str, Award]:
    """What the order brings of each unit, when the caps leave so much room."""
    return awards_of(activity_of(order, member), settings, rooms)


def awards_of(activity: Activity, settings: PurchaseSettings, rooms: Mapping[str, CapRoom]) -> dict[str, Award]:
    """What an order, as rules see it, brings of each unit."""
    return {unit: rules.award(activity, rooms.get(unit, NO_CAPS)) for unit, rules in settings.earn.items()}


def _is_for_any_order(rule: Rule) -> bool:
    """Whether it brings the same for an order however small, and for as many as there are."""
    if rule.points is None or rule.points.facts or rule.valid is not None or rule.points.evaluate({}) <= 0:
        return False
    return rule.when is None or _OF_ANY_ORDER.issuperset(rule.when.facts)
