"""Key figures of a period: each a number, or a numerator by a denominator, both exact. Defined in docs/figures.md.

What adds up over days is read from the daily aggregates. Who of the members bought or earned does not add up: it is
counted from each member's sums of months (``core.key_figures.kept``), of which those are read that have changed. So a
question costs what is new in its periods, and not the history.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, NamedTuple

from core.books.accounts import Contra
from core.books.tallies import ORDERS, SPEND, day_number
from core.key_figures.aggregates import CREDITED, DEBITED, JOINED, OPERATIONS, RULE, TALLY, TIER, Daily
from core.key_figures.kept import EARNED, Kept, Totals
from core.key_figures.periods import Period, before
from core.key_figures.rules import ChannelFigures, RuleFigures, cost_of, rules_of
from core.money import money
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.store.dialect import Reader
from core.store.tables import table_of
from core.units import POINTS

_EXACT: Final = Context(prec=64)
_STEP: Final = Decimal("0.000001")
_BENEFITS_USED: Final = "benefits_used"

_SUMS: Final = (
    "SELECT k.k0, t.name, t.unit, t.channel, t.part, SUM(t.amount), SUM(t.times)"
    " FROM {keys} {join} daily_aggregate t"
    f" ON t.name IN ('{CREDITED}', '{DEBITED}', '{RULE}', '{TALLY}', '{OPERATIONS}', '{JOINED}', '{TIER}')"
    " AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.name <> '{TALLY}' OR t.part IN ('{ORDERS}', '{SPEND}', '{_BENEFITS_USED}')"
    " GROUP BY k.k0, t.name, t.unit, t.channel, t.part"
)
_UNTIL: Final = (
    "SELECT k.k0, t.name, t.channel, t.part, SUM(t.amount) FROM {keys} {join} daily_aggregate t"
    f" ON t.name IN ('{TALLY}', '{JOINED}', '{TIER}') AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.name <> '{TALLY}' OR t.part = '{SPEND}' GROUP BY k.k0, t.name, t.channel, t.part"
)


class Figure(NamedTuple):
    """A number, or with a ``denominator`` a share of it."""

    numerator: Decimal
    denominator: Decimal | None = None

    @classmethod
    def share(cls, numerator: Decimal | int, denominator: Decimal | int) -> "Figure":
        return cls(Decimal(numerator), Decimal(denominator))

    @property
    def value(self) -> Decimal | None:
        """The number; of a share the quotient to a millionth, a half away from zero, and None by nothing."""
        if self.denominator is None:
            return self.numerator
        if not self.denominator:
            return None
        return _EXACT.divide(self.numerator, self.denominator).quantize(_STEP, ROUND_HALF_UP, _EXACT)


@dataclass(frozen=True)
class KeyFigures:
    """The figures of one period by name, who stands in which tier at its end, and what each channel gave."""

    period: Period
    figures: Mapping[str, Figure]
    tiers: Mapping[str, int]
    channels: Sequence[ChannelFigures]
    rules: Sequence[RuleFigures]


@dataclass(frozen=True)
class Compared:
    """The figures of a period, and those of the period before where they were asked for."""

    now: KeyFigures
    before: KeyFigures | None


async def key_figures(
    reader: Reader,
    programme: Programme,
    versions: Sequence[Version],
    parts: Sequence[Period],
    *,
    compare: bool,
    kept: Kept | None = None,
) -> list[Compared]:
    """The figures of each of the periods, by what was ``kept`` of former questions."""
    formers = [before(part) for part in parts]
    asked = list(dict.fromkeys([*parts, *formers] if compare else parts))
    found = await _read(reader, asked, Kept() if kept is None else kept)
    ladders = [[tier.id for tier in version.programme.tiers.ladder] for version in versions if version.programme.tiers]
    made = {period: _figures(period, found[period], programme, ladders) for period in asked}
    return [
        Compared(made[part], made[former] if compare else None) for part, former in zip(parts, formers, strict=True)
    ]


Place = tuple[str, str, str, str]
"""Name, unit, channel and part of an aggregate."""


class _Read:
    """What was read of a period: sums in it and until its end, and the members who bought and earned."""

    def __init__(self) -> None:
        self.within: dict[Place, int] = {}
        self.times: dict[Place, int] = {}
        self.until: Mapping[tuple[str, str, str], int] = {}
        self.buyers = self.again = self.former = self.kept = self.earners = 0

    def sum(self, name: str, *, unit: str | None = None, channel: str | None = None, part: str | None = None) -> int:
        return sum(
            amount
            for (of_name, of_unit, of_channel, of_part), amount in self.within.items()
            if of_name == name
            and (unit is None or of_unit == unit)
            and (channel is None or of_channel == channel)
            and (part is None or of_part == part)
        )


async def _read(reader: Reader, asked: Sequence[Period], kept: Kept) -> dict[Period, _Read]:
    found = {period: _Read() for period in asked}
    numbered = [(number, day_number(p.since), day_number(p.until)) for number, p in enumerate(asked)]
    for number, *place, amount, times in await reader.look_up(_SUMS, table_of(Daily), ("day",) * 3, numbered):
        name, unit, channel, part = place
        found[asked[number]].within[name, unit, channel, part] = int(amount)
        found[asked[number]].times[name, unit, channel, part] = int(times)
    await _read_until(reader, found)
    await _read_members(reader, found, kept)
    return found


async def _read_members(reader: Reader, found: Mapping[Period, "_Read"], kept: Kept) -> None:
    """How many members ordered, ordered again, had ordered in the period before, and earned."""
    changed = await kept.changed(reader, [day for period in found for day in (period, before(period))])
    rests_on = {
        period: (changed.of(ORDERS, period), changed.of(ORDERS, before(period)), changed.of(EARNED, period))
        for period in found
    }
    answers = {period: kept.answer(period, rests_on[period]) for period in found}
    unknown = [period for period, answer in answers.items() if answer is None]
    if unknown:
        with_former = [day for period in unknown for day in (period, before(period))]
        orders = await kept.sums(reader, changed, ORDERS, with_former)
        earned = await kept.sums(reader, changed, EARNED, unknown)
        for period, counted in (await asyncio.to_thread(_counted, unknown, orders, earned)).items():
            answers[period] = counted
            kept.keep(period, rests_on[period], counted)
    for period, read in found.items():
        read.buyers, read.again, read.former, read.kept, read.earners = answers[period]


def _counted(periods: Sequence[Period], orders: Totals, earned: Totals) -> dict[Period, tuple[int, int, int, int, int]]:
    counted = {}
    for period in periods:
        bought, formerly = orders.of(period), orders.of(before(period))
        counted[period] = (
            sum(1 for times in bought if times > 0),
            sum(1 for times in bought if times > 1),
            sum(1 for times in formerly if times > 0),
            sum(1 for times, former in zip(bought, formerly, strict=True) if times > 0 and former > 0),
            sum(1 for points in earned.of(period) if points > 0),
        )
    return counted


async def _read_until(reader: Reader, found: Mapping[Period, _Read]) -> None:
    """All that was until the end of each period: what lies between two ends is read once."""
    ends = sorted({period.until for period in found})
    firsts = [0, *(day_number(end) + 1 for end in ends[:-1])]
    keys = [(number, first, day_number(end)) for number, (first, end) in enumerate(zip(firsts, ends, strict=True))]
    between: defaultdict[int, list[tuple[tuple[str, str, str], int]]] = defaultdict(list)
    for number, name, channel, part, amount in await reader.look_up(_UNTIL, table_of(Daily), ("day",) * 3, keys):
        between[number].append(((name, channel, part), int(amount)))
    running: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    by_end: dict[date, Mapping[tuple[str, str, str], int]] = {}
    for number, end in enumerate(ends):
        for place, amount in between[number]:
            running[place] += amount
        by_end[end] = dict(running)
    for period, read in found.items():
        read.until = by_end[period.until]


def _figures(period: Period, read: _Read, programme: Programme, ladders: Sequence[Sequence[str]]) -> KeyFigures:
    def moved(contra: Contra) -> int:
        """What entries credited of points by a contra, less what they debited."""
        return read.sum(CREDITED, unit=POINTS, part=contra) - read.sum(DEBITED, unit=POINTS, part=contra)

    def paid(minor: int) -> Decimal:
        return money(minor, programme.currency)

    members = sum(amount for (name, _, _), amount in read.until.items() if name == JOINED)
    lifetime_revenue = sum(amount for (name, _, _), amount in read.until.items() if name == TALLY)
    tiers: defaultdict[str, int] = defaultdict(int)
    for (name, _, step), amount in read.until.items():
        if name == TIER:
            former, _, tier = step.partition(">")
            tiers[former] -= amount
            tiers[tier] += amount
    up = down = 0
    for (name, _, _, step), amount in read.within.items():
        if name == TIER:
            former, _, tier = step.partition(">")
            rose = _rose(former, tier, ladders)
            up += amount if rose is True else 0
            down += amount if rose is False else 0
    issued = read.sum(CREDITED, unit=POINTS, part=Contra.ISSUANCE)
    redeemed, expired = -moved(Contra.REDEMPTION), -moved(Contra.BREAKAGE)
    orders, revenue = read.sum(TALLY, part=ORDERS), read.sum(TALLY, part=SPEND)
    value = programme.point_value
    cost = Decimal(0) if value is None else _EXACT.multiply(redeemed, value)
    figures = {
        "members": _count(members),
        "new_members": _count(read.sum(JOINED)),
        "active_earners": Figure.share(read.earners, members),
        "points_issued": _count(issued),
        "points_redeemed": _count(redeemed),
        "points_expired": _count(expired),
        "points_clawed_back": _count(-moved(Contra.CLAW_BACK)),
        "redemption_rate": Figure.share(redeemed, issued),
        "expiry_rate": Figure.share(expired, issued),
        "upgrade_rate": Figure.share(up, members),
        "downgrade_rate": Figure.share(down, members),
        "orders": _count(orders),
        "revenue": Figure(paid(revenue)),
        "average_order_value": Figure.share(paid(revenue), orders),
        "order_frequency": Figure.share(orders, read.buyers),
        "repurchase_rate": Figure.share(read.again, read.buyers),
        "retention_rate": Figure.share(read.kept, read.former),
        "lifetime_value": Figure.share(paid(lifetime_revenue), members),
        "redemption_cost_share": Figure.share(cost, paid(revenue) if value is not None else 0),
        "benefit_use": Figure.share(read.sum(TALLY, part=_BENEFITS_USED), members),
        "complaints": Figure.share(read.sum(OPERATIONS, channel="ticket", part="open"), members),
    }
    channels = _channels(read, programme)
    return KeyFigures(
        period=period,
        figures=figures,
        tiers={tier: count for tier, count in sorted(tiers.items()) if tier and count},
        channels=channels,
        rules=rules_of(channels, read.within, read.times, programme),
    )


def _channels(read: _Read, programme: Programme) -> list[ChannelFigures]:
    given, taken = (
        {(channel, unit) for (name, unit, channel, part) in read.within if (name, part) == wanted}
        for wanted in ((CREDITED, Contra.ISSUANCE), (DEBITED, Contra.CLAW_BACK))
    )
    return [
        ChannelFigures(
            channel=channel,
            unit=unit,
            fired=read.times.get((CREDITED, unit, channel, Contra.ISSUANCE), 0),
            given=(of_rules := read.within.get((CREDITED, unit, channel, Contra.ISSUANCE), 0)),
            taken_back=read.within.get((DEBITED, unit, channel, Contra.CLAW_BACK), 0),
            cost=cost_of(of_rules, unit, programme),
        )
        for channel, unit in sorted(given | taken)
    ]


def _rose(former: str, tier: str, ladders: Sequence[Sequence[str]]) -> bool | None:
    """Whether a step went up, by the newest ladder that has both tiers; None where none has, as for a first tier."""
    for ladder in reversed(ladders):
        if former in ladder and tier in ladder and former != tier:
            return ladder.index(tier) > ladder.index(former)
    return None


def _count(number: int) -> Figure:
    return Figure(Decimal(number))
