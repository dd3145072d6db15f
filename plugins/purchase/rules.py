"""How much a purchase earns. ``price`` is pure: previews, awards and the rework of a refund all go through it."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from core.books.tallies import ORDERS, SPEND
from core.channels.orders import FACTS, MemberFacts, OrderFacts
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import NO_CAPS, Activity, Award, CapRoom, RuleSet, UnitName
from core.wording.facts import Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "purchase"

_COUNTS_ORDERS: Final = re.compile(r"\b(first|orders)\b")


class PurchaseSettings(ChannelSettings):
    """The programme's section ``channels: purchase:``.

    ``earn`` holds a rule set for each unit that purchases bring. With ``earn_on_points_paid`` the part of an order
    that is paid with points earns like money.
    """

    facts: ClassVar[Mapping[str, Any]] = FACTS
    wording: ClassVar[Wording] = Wording(occasion=("each order", "每笔订单"))
    core_rules: ClassVar[frozenset[str]] = frozenset({"earn", "earn_on_points_paid"})

    earn: dict[UnitName, RuleSet] = Field(default_factory=dict)
    earn_on_points_paid: Annotated[bool, Field(strict=True)] = False

    def adds_to(self) -> Collection[str]:
        return {*super().adds_to(), SPEND, ORDERS}

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


def price(
    order: OrderFacts, member: MemberFacts, settings: PurchaseSettings, rooms: Mapping[str, CapRoom]
) -> dict[str, Award]:
    """What the order brings of each unit, when the caps leave so much room."""
    activity = Activity(CHANNEL, order.at, {"order": order, "member": member}, order.lines)
    return {unit: rules.award(activity, rooms.get(unit, NO_CAPS)) for unit, rules in settings.earn.items()}
