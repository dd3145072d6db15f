"""Tiers, and how far the next one is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

import strawberry

from core.books.figures import TOTALS, Totals
from core.books.members import Member as MemberValue
from core.books.members import TierChange as Change
from core.books.tallies import day_number, fact_step, fact_value
from core.errors import TierNotFound
from core.ladder import tiers
from core.ladder.benefits import brought_by, gained
from core.ladder.standing import judged_on, outlook
from core.ladder.tiers import Need, Number
from core.rulebook.programme import Programme
from core.time import windows
from core.time.calendar import local_day
from graph.benefit import Benefit
from graph.context import Info
from graph.ids import Node, global_id
from graph.selections import selected
from graph.transaction import Transaction


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
        ladder = programme.tiers
        rank = -1 if ladder is None else ladder.rank(code)
        if ladder is None or rank < 0:
            return _tier(code, code, None)
        return _tier(code, ladder.ladder[rank].name or code, rank + 1)

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Tier | None":
        tier = cls.of((await info.context.version()).programme, parts[0])
        return tier if tier.rank is not None else None

    @strawberry.field
    async def benefits(self, info: Info) -> list[Benefit]:
        """What its members have by the programme in force, whichever channel it is of."""
        programme = (await info.context.version()).programme
        return [Benefit.of(programme, benefit) for benefit in brought_by(programme, self.code)]


@lru_cache(maxsize=1_024)
def _tier(code: str, name: str, rank: int | None) -> Tier:
    """A tier, made once: a page of members has few of them."""
    return Tier(id=global_id("Tier", code), code=code, name=name, rank=rank)


@strawberry.enum
class TierChangeCause(Enum):
    """Why a member came to a tier."""

    ENROLMENT = strawberry.enum_value("enrolment", description="The member joined.")
    EARNED = strawberry.enum_value("earned", description="The criteria were met.")
    REVIEW = strawberry.enum_value("review", description="The tier before was judged and not kept.")
    TAKEN_BACK = strawberry.enum_value(
        "taken_back", description="What the tier before was reached or kept with was taken back."
    )
    OPERATOR = strawberry.enum_value("operator", description="An operator set it; the transaction says why.")
    CHANNEL = strawberry.enum_value(
        "channel", description="A channel did: it was bought, say, or brought along from elsewhere."
    )
    MERGER = strawberry.enum_value("merger", description="Another membership was merged into this one, or no longer.")
    PROGRAMME = strawberry.enum_value(
        "programme", description="A new version of the programme has not the tier before."
    )


@strawberry.type
class TierChange:
    """A step of a member's way through the tiers."""

    former: Tier | None = strawberry.field(description="The tier before; null at enrolment.")
    tier: Tier = strawberry.field(description="The tier from then on.")
    at: datetime = strawberry.field(description="When it changed.")
    cause: TierChangeCause = strawberry.field(description="Why.")
    _member_id: strawberry.Private[str]
    _value: strawberry.Private[Change]

    @classmethod
    def of(cls, programme: Programme, member_id: str, change: Change) -> "TierChange":
        former = None if change.former is None else Tier.of(programme, change.former)
        return cls(
            former=former,
            tier=Tier.of(programme, change.tier),
            at=change.at,
            cause=TierChangeCause(change.cause),
            _member_id=member_id,
            _value=change,
        )

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """What did it: the order that brought the tier, the review with its figures, the operator's request."""
        return await Transaction.find(info, self._member_id, self._value.operation_id)


@strawberry.type
class Window:
    """How far back a fact is counted, in days of the programme's time zone."""

    months: int | None = strawberry.field(description="So many months, today included.")
    days: int | None = strawberry.field(description="So many days, today included.")

    @staticmethod
    @lru_cache(maxsize=1_024)
    def of(window: windows.Window) -> "Window | None":
        """A window; None for the whole membership."""
        return None if window == windows.LIFETIME else Window(months=window.months, days=window.days)


@strawberry.enum
class ProgressMode(Enum):
    """How the criteria of a tier belong together."""

    ALL = strawberry.enum_value("all", description="Each of them must be met.")
    ANY = strawberry.enum_value("any", description="One of them is enough.")


@strawberry.type
class CriterionProgress:
    """How far one criterion of a tier is met."""

    fact: str = strawberry.field(description="What is counted: points_earned, spend, orders …")
    description: str = strawberry.field(description="What is counted, in words.")
    window: Window | None = strawberry.field(description="How far back it is counted; null for the whole membership.")
    since: date | None = strawberry.field(
        description="The first day that counts, in the programme's time zone; null for the whole membership."
    )
    until: date = strawberry.field(
        description="The last day that counts: today, or the day before the tier is judged; later in days of grace."
    )
    current: Decimal = strawberry.field(description="What the member has.")
    required: Decimal = strawberry.field(description="What is enough.")
    remaining: Decimal = strawberry.field(description="What is missing; 0 when the criterion is met.")
    ratio: float = strawberry.field(description="From 0 to 1, for a progress bar; 1 exactly when the criterion is met.")

    @classmethod
    def found(cls, asked: Mapping[str, Any], of_member: tiers.CriterionProgress) -> "CriterionProgress":
        """What was found of a member, beside what is asked of everybody: the other fields by their names."""
        made = cls.__new__(cls)
        _, _, current, required, remaining, ratio = of_member
        made.__dict__.update(asked, current=current, required=required, remaining=remaining, ratio=float(ratio))
        return made


@strawberry.type
class NextAction:
    """Something to do that brings a tier nearer."""

    fact: str = strawberry.field(description="What it is counted as: spend, orders, points_earned …")
    description: str = strawberry.field(description="What is counted, in words.")
    remaining: Decimal = strawberry.field(description="How much more of it is needed: 200 to spend, 2 orders.")
    channels: list[str] = strawberry.field(description="The channels of the programme where it can be had, by name.")


@strawberry.type
class Progress:
    """How far a tier is, ready for a progress bar."""

    tier: Tier = strawberry.field(description="Where the member is.")
    next_tier: Tier | None = strawberry.field(
        description="The one it is about: the next one up, null at the top, or the one that was asked for."
    )
    mode: ProgressMode | None = strawberry.field(
        description="How the criteria belong together; null at the top, and where nothing is asked for."
    )
    ratio: float = strawberry.field(
        description="From 0 to 1; 1 when the tier is reached, or there is none. The least of the criteria's where "
        "all must be met, the greatest where one is enough."
    )
    criteria: list[CriterionProgress] = strawberry.field(description="The criteria, one by one.")
    next_actions: list[NextAction] = strawberry.field(
        description="What is missing, and where it can be had, the nearest first. Each of them is needed where all "
        "criteria must be met; the first one is enough where any is. Empty when the tier is reached."
    )

    @strawberry.field
    async def brings(self, info: Info) -> list[Benefit]:
        """What that tier has that the member's has not, or not on these terms; empty at the top."""
        if self.next_tier is None:
            return []
        programme = (await info.context.version()).programme
        return [Benefit.of(programme, each) for each in gained(programme, self.tier.code, self.next_tier.code)]


@strawberry.enum
class KeepingState(Enum):
    """How it stands with keeping a tier."""

    SAFE = strawberry.enum_value("safe", description="What was counted so far is enough.")
    AT_RISK = strawberry.enum_value("at_risk", description="As things stand the tier will not be kept.")
    GRACE = strawberry.enum_value("grace", description="It was not kept, and can still be saved.")
    LOCKED = strawberry.enum_value(
        "locked", description="It would not be kept, but nothing lowers it for the time being."
    )


@strawberry.type
class Keeping:
    """What keeps the member's tier, until when, and where the member stands if nothing more happens."""

    tier: Tier = strawberry.field(description="The member's tier.")
    state: KeepingState = strawberry.field(description="How it stands.")
    judged_at: datetime = strawberry.field(
        description="When the tier is judged, by what was counted until the day before; in days of grace, when it was."
    )
    lost_at: datetime = strawberry.field(
        description="When it is lost, if it is not kept: when it is judged, or after the days of grace."
    )
    days_left: int = strawberry.field(
        description="How many days are left, today included, until it is judged; in days of grace, until it is lost."
    )
    locked_until: datetime | None = strawberry.field(
        description="Until then nothing puts the member below it; null when it is not locked."
    )
    projected_tier: Tier = strawberry.field(
        description="Where the member stands when it is lost or kept, if nothing more is counted."
    )
    mode: ProgressMode | None = strawberry.field(description="How the criteria belong together.")
    ratio: float = strawberry.field(description="From 0 to 1; 1 when what is asked for to keep the tier is met.")
    criteria: list[CriterionProgress] = strawberry.field(
        description="The criteria by which the tier is kept, at the part of the thresholds that the programme asks for."
    )
    next_actions: list[NextAction] = strawberry.field(
        description="What is missing, and where it can be had, the nearest first; empty when it is enough."
    )


async def progress_of(info: Info, members: Sequence[MemberValue], towards: str | None = None) -> list[Progress | None]:
    """The progress of members by the programme in force; None of whom it has not the tier, or where it has none.

    Raises TierNotFound when the programme has not the tier that it is about.
    """
    programme = (await info.context.version()).programme
    ladder = programme.tiers
    if towards is not None and (ladder is None or ladder.rank(towards) < 0):
        raise TierNotFound(tier=towards[:64], tiers=", ".join(tier.id for tier in ladder.ladder) if ladder else "")
    if ladder is None:
        return [None] * len(members)
    ways = _ways(programme, local_day(info.context.now, programme.zone), towards)
    keys = [
        key
        for member in members
        if (way := ways.get(member.tier)) is not None
        for key in Totals.keys(member.id, way.asked)
    ]
    totals = iter(await info.context.loaders.ask_all(TOTALS, keys))
    asked = selected(info)
    lists, acts = "criteria" in asked, "nextActions" in asked
    told: list[Progress | None] = []
    for member in members:
        way = ways.get(member.tier)
        if way is None:
            told.append(None)
            continue
        figures = [(total or 0) * step for step, total in zip(way.steps, totals, strict=False)]
        criteria: list[CriterionProgress] = []
        actions: list[NextAction] = []
        if lists or acts:
            found = way.way.progress(figures)
            ratio = found.ratio
            if lists:
                criteria = [*map(CriterionProgress.found, way.criteria, found.criteria)]
            if acts:
                actions = [*_next_actions(info, programme, found)]
        else:
            ratio = way.way.ratio(figures)
        progress = Progress(
            tier=way.tier,
            next_tier=way.next_tier,
            mode=way.mode,
            ratio=float(ratio),
            criteria=criteria,
            next_actions=actions,
        )
        told.append(progress)
    return told


@lru_cache(maxsize=64)
def _ways(programme: Programme, on: date, towards: str | None) -> Mapping[str, "_Way"]:
    """The ways of a day by the tier where they begin: to the next one up, or ``towards`` one of the ladder."""
    ladder = programme.tiers
    if ladder is None:
        return {}
    return {tier.id: _Way.of(programme, ladder.way(tier.id, towards=towards), on) for tier in ladder.ladder}


class _Way(NamedTuple):
    """A way from a tier, with all of the answer that is the same for everybody on it on a day.

    ``asked`` are the facts that are counted, each with the first day that counts, and ``steps`` what one of each is.
    """

    way: tiers.Way
    tier: Tier
    next_tier: Tier | None
    mode: ProgressMode | None
    asked: Sequence[tuple[str, int]]
    steps: Sequence[Decimal]
    criteria: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, programme: Programme, way: tiers.Way, on: date) -> "_Way":
        return cls(
            way=way,
            tier=Tier.of(programme, way.tier),
            next_tier=None if way.next is None else Tier.of(programme, way.next),
            mode=None if way.mode is None else ProgressMode(way.mode),
            asked=[(need.fact, _first_day(need, on)) for need in way.needs],
            steps=[fact_step(need.fact, programme.currency) for need in way.needs],
            criteria=[
                {
                    "fact": need.fact,
                    "description": description,
                    "window": Window.of(need.window),
                    "since": _since(need.window, on),
                    "until": on,
                }
                for need, description in way.criteria
            ],
        )


@lru_cache(maxsize=256)
def facts_counted(programme: Programme, on: date, tier: str | None = None) -> Sequence[tuple[str, int]]:
    """The facts that the way up from a tier asks for on a day, each with the first day that counts.

    Of a tier that is not known, or that the programme has not, those of any way.
    """
    way = None if tier is None else _ways(programme, on, None).get(tier)
    if way is not None:
        return way.asked
    ladder = programme.tiers
    return [(need.fact, _first_day(need, on)) for need in ladder.needs()] if ladder is not None else []


async def keeping_of(info: Info, member: MemberValue) -> Keeping | None:
    """How it stands with keeping the member's tier; None when nobody will judge it."""
    programme, now = (await info.context.version()).programme, info.context.now
    on, ladder = judged_on(programme, member), programme.tiers
    if on is None or ladder is None:
        return None
    [facts] = await _counted(info, programme, [(member.id, _begins(ladder.needs(keeping=True), on))])
    stands = outlook(programme, member, facts, now)
    ends = stands.lost_at if stands.in_grace else stands.review_at
    kept = ladder.rank(stands.held) >= ladder.rank(member.tier)
    if kept:
        state = KeepingState.SAFE
    elif stands.projected == member.tier:
        state = KeepingState.LOCKED
    else:
        state = KeepingState.GRACE if stands.in_grace else KeepingState.AT_RISK
    last = local_day(ends - timedelta(microseconds=1), programme.zone)
    today = local_day(now, programme.zone)
    return Keeping(
        tier=Tier.of(programme, member.tier),
        state=state,
        judged_at=stands.review_at,
        lost_at=stands.lost_at,
        days_left=max((last - today).days + 1, 0),
        locked_until=stands.locked_until,
        projected_tier=Tier.of(programme, stands.projected),
        mode=None if stands.progress.mode is None else ProgressMode(stands.progress.mode),
        ratio=float(stands.progress.ratio),
        criteria=[_criterion(info, criterion, on, max(on, last)) for criterion in stands.progress.criteria],
        next_actions=list(_next_actions(info, programme, stands.progress)) if not kept else [],
    )


async def _counted(
    info: Info, programme: Programme, asked: Sequence[tuple[str, Mapping[Need, int]]]
) -> list[Mapping[Need, Number]]:
    """What was counted of members since the first days that count, by need."""
    keys = [
        key
        for member_id, begins in asked
        for key in Totals.keys(member_id, [(need.fact, day) for need, day in begins.items()])
    ]
    totals = iter(await info.context.loaders.ask_all(TOTALS, keys))
    return [
        {need: fact_value(need.fact, next(totals) or 0, programme.currency) for need in begins} for _, begins in asked
    ]


@lru_cache(maxsize=1_024)
def _begins(needs: frozenset[Need], on: date) -> Mapping[Need, int]:
    """The first day that counts of each need, by windows that end on a day: the same for all members of a tier."""
    return {need: _first_day(need, on) for need in needs}


def _first_day(need: Need, on: date) -> int:
    start = _since(need.window, on)
    return 0 if start is None else day_number(start)


@lru_cache(maxsize=1_024)
def _since(window: windows.Window, on: date) -> date | None:
    return window.start(on)


def _criterion(info: Info, criterion: tiers.CriterionProgress, on: date, until: date) -> CriterionProgress:
    window = criterion.window
    return CriterionProgress(
        fact=criterion.fact,
        description=info.context.laurel.plugins.facts[criterion.fact].description,
        window=Window.of(window),
        since=_since(window, on),
        until=until,
        current=criterion.current,
        required=criterion.required,
        remaining=criterion.remaining,
        ratio=float(criterion.ratio),
    )


def _next_actions(info: Info, programme: Programme, progress: tiers.Progress) -> Iterator[NextAction]:
    """What is missing of the criteria, the nearest first; where one is enough and met, nothing is."""
    if progress.ratio >= 1:
        return
    kinds = info.context.laurel.plugins.facts
    for criterion in sorted(progress.criteria, key=lambda one: -one.ratio):
        if not criterion.remaining:
            continue
        counted = (kinds[criterion.fact].quotient_of or (criterion.fact,))[0]
        yield NextAction(
            fact=criterion.fact,
            description=kinds[criterion.fact].description,
            remaining=criterion.remaining,
            channels=[name for name, channel in programme.channels.items() if counted in channel.adds_to()],
        )
