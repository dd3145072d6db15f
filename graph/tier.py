"""Tiers, and how far the next one is."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from core import tiers
from core.calendar import local_day
from core.figures import Totals
from core.programme import Programme
from core.tallies import day_number, fact_value
from core.windows import LIFETIME
from graph.context import Info
from graph.ids import Node, global_id

if TYPE_CHECKING:
    from core.members import TierChange as Change


@strawberry.type
class Tier(Node):
    """A tier of the programme."""

    code: str = strawberry.field(description="The tier's id in the programme document: gold.")
    name: str = strawberry.field(description="What members call it.")
    rank: int | None = strawberry.field(
        description="Its place on the ladder, 1 the lowest; null when the programme in force has it no longer."
    )

    @classmethod
    def of(cls, programme: Programme, code: str) -> "Tier":
        """A tier by its id in the document, whether the programme still has it or not."""
        for rank, tier in enumerate(programme.tiers.ladder if programme.tiers else (), 1):
            if tier.id == code:
                return cls(id=global_id("Tier", code), code=code, name=tier.name or code, rank=rank)
        return cls(id=global_id("Tier", code), code=code, name=code, rank=None)

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Tier | None":
        tier = cls.of((await info.context.version()).programme, parts[0])
        return tier if tier.rank is not None else None


@strawberry.type
class TierChange:
    """A step of a member's way through the tiers."""

    former: Tier | None = strawberry.field(description="The tier before; null at enrolment.")
    tier: Tier = strawberry.field(description="The tier from then on.")
    at: datetime = strawberry.field(description="When it changed.")

    @classmethod
    def of(cls, programme: Programme, change: "Change") -> "TierChange":
        former = None if change.former is None else Tier.of(programme, change.former)
        return cls(former=former, tier=Tier.of(programme, change.tier), at=change.at)


@strawberry.type
class Window:
    """How far back a fact is counted, in days of the programme's time zone."""

    months: int | None = strawberry.field(description="So many months, today included.")
    days: int | None = strawberry.field(description="So many days, today included.")


@strawberry.enum
class ProgressMode(Enum):
    """How the criteria of a tier belong together."""

    ALL = strawberry.enum_value("all", description="Each of them must be met.")
    ANY = strawberry.enum_value("any", description="One of them is enough.")


@strawberry.type
class CriterionProgress:
    """How far one criterion of the next tier is met."""

    fact: str = strawberry.field(description="What is counted: points_earned, spend, orders …")
    description: str = strawberry.field(description="What is counted, in words.")
    window: Window | None = strawberry.field(description="How far back it is counted; null for the whole membership.")
    current: Decimal = strawberry.field(description="What the member has.")
    required: Decimal = strawberry.field(description="What the tier asks for.")
    remaining: Decimal = strawberry.field(description="What is missing; 0 when the criterion is met.")
    ratio: float = strawberry.field(description="From 0 to 1, for a progress bar; 1 exactly when the criterion is met.")


@strawberry.type
class Progress:
    """How far the next tier is, ready for a progress bar."""

    tier: Tier = strawberry.field(description="Where the member is.")
    next_tier: Tier | None = strawberry.field(description="The next one up; null at the top.")
    mode: ProgressMode | None = strawberry.field(description="How the criteria belong together; null at the top.")
    ratio: float = strawberry.field(
        description="From 0 to 1; 1 when the next tier is reached, or there is none. The least of the criteria's where "
        "all must be met, the greatest where one is enough."
    )
    criteria: list[CriterionProgress] = strawberry.field(description="The criteria, one by one.")


async def progress_of(info: Info, member_id: str, tier_code: str) -> Progress | None:
    """The member's progress by the programme in force; None when it has no such tier, or none at all."""
    programme = (await info.context.version()).programme
    ladder = programme.tiers
    if ladder is None or tier_code not in {tier.id for tier in ladder.ladder}:
        return None
    today = local_day(info.context.now, programme.zone)
    following = ladder.above(tier_code)
    needs = tuple(ladder.needs_of(following)) if following is not None else ()
    starts = (need.window.start(today) for need in needs)
    keys = [
        Totals.key(member_id, need.fact, 0 if start is None else day_number(start))
        for need, start in zip(needs, starts, strict=True)
    ]
    totals = await info.context.loaders.ask_all(Totals(), keys)
    facts = {
        need: fact_value(need.fact, total or 0, programme.currency) for need, total in zip(needs, totals, strict=True)
    }
    progress = ladder.progress(facts, tier_code)
    return Progress(
        tier=Tier.of(programme, tier_code),
        next_tier=None if progress.next is None else Tier.of(programme, progress.next),
        mode=None if progress.mode is None else ProgressMode(progress.mode),
        ratio=float(progress.ratio),
        criteria=[_criterion(info, criterion) for criterion in progress.criteria],
    )


def _criterion(info: Info, criterion: tiers.CriterionProgress) -> CriterionProgress:
    window = criterion.window
    return CriterionProgress(
        fact=criterion.fact,
        description=info.context.laurel.plugins.facts[criterion.fact].description,
        window=None if window == LIFETIME else Window(months=window.months, days=window.days),
        current=criterion.current,
        required=criterion.required,
        remaining=criterion.remaining,
        ratio=float(criterion.ratio),
    )
