"""What each channel gave in a period, and each of its rules, in the schema."""

from decimal import Decimal
from enum import Enum

import strawberry

from core.key_figures.rules import OTHER, ChannelFigures, RuleFigures
from core.rulebook.rules import Less
from graph.money import Money
from graph.scalars import CurrencyCode, Points


def _cost(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount=amount, currency=CurrencyCode(currency))


@strawberry.type
class ChannelGave:
    """What a channel gave of a unit in the period."""

    channel: str = strawberry.field(description="The channel.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    fired: Points = strawberry.field(description="How often it gave.")
    given: Points = strawberry.field(description="How much it gave.")
    taken_back: Points = strawberry.field(description="How much it took back, as for refunds.")
    cost: Money | None = strawberry.field(
        description="What was given in money, rounded once; null for other units, and where a point has no value."
    )

    @classmethod
    def of(cls, found: ChannelFigures, currency: str) -> "ChannelGave":
        return cls(
            channel=found.channel,
            unit=found.unit,
            fired=Points(found.fired),
            given=Points(found.given),
            taken_back=Points(found.taken_back),
            cost=_cost(found.cost, currency),
        )


@strawberry.enum
class RuleRest(Enum):
    """What is no rule, and yet belongs to what a channel gave."""

    ORDER = strawberry.enum_value(Less.ORDER, description="What the cap of an order took.")
    DAY = strawberry.enum_value(Less.DAY, description="What the cap of a member's day took.")
    MONTH = strawberry.enum_value(Less.MONTH, description="What the cap of a member's month took.")
    LIFETIME = strawberry.enum_value(Less.LIFETIME, description="What the cap of a member's lifetime took.")
    PROGRAMME = strawberry.enum_value(Less.PROGRAMME, description="What the cap for all members together took.")
    BUDGET = strawberry.enum_value(Less.BUDGET, description="What a campaign's budget did not have any more.")
    BEFORE = strawberry.enum_value(Less.BEFORE, description="What the same thing had brought before.")
    OTHER = strawberry.enum_value(
        OTHER, description="What was given without rules, or before it was kept what each rule gave."
    )


@strawberry.type
class RuleGave:
    """What a rule gave of a unit, or what took some of it away; `docs/figures.md` says how it is shared."""

    channel: str = strawberry.field(description="The channel that gave.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    of: str | None = strawberry.field(
        description="Whose rule it is, as `campaign:sale618`; null for the channel's own."
    )
    group: str | None = strawberry.field(description="The group of the rule; null with a `rest`.")
    rule: str | None = strawberry.field(description="The rule; null with a `rest`.")
    rest: RuleRest | None = strawberry.field(description="What it is instead of a rule; null for a rule.")
    fired: Points = strawberry.field(description="In how many awards it counted; of OTHER nobody counts it.")
    given: Points = strawberry.field(description="How much it gave; below zero is what it took away.")
    cost: Money | None = strawberry.field(
        description="What was given in money, rounded once; null for other units, and where a point has no value."
    )

    @classmethod
    def of_figures(cls, found: RuleFigures, currency: str) -> "RuleGave":
        return cls(
            channel=found.channel,
            unit=found.unit,
            of=found.of or None,
            group=found.group or None,
            rule=found.rule or None,
            rest=RuleRest(found.rest) if found.rest else None,
            fired=Points(found.fired),
            given=Points(found.given),
            cost=_cost(found.cost, currency),
        )
