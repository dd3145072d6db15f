"""Key figures of a period: each a number, or a numerator by a denominator, both exact. Defined in docs/figures.md.

What adds up over days is read from the daily aggregates. Who of the members bought or earned does not add up, and is
counted by an index of the days that are asked about. So a question costs its periods, and not the history.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, NamedTuple

from core.books.accounts import Contra
from core.books.tallies import ORDERS, SPEND, Tally, day_number
from core.key_figures.aggregates import CREDITED, CREDITS, DEBITED, JOINED, OPERATIONS, TALLY, TIER, Daily
from core.key_figures.periods import Period, before
from core.money import money
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.store.dialect import Reader
from core.store.tables import table_of
from core.units import POINTS
from core.value.liability import worth

_EXACT: Final = Context(prec=64)
_STEP: Final = Decimal("0.000001")
_EARNED: Final = f"{POINTS}_earned"
_BENEFITS_USED: Final = "benefits_used"

_SUMS: Final = (
    "SELECT k.k0, t.name, t.unit, t.channel, t.part, SUM(t.amount) FROM {keys} {join} daily_aggregate t"
    f" ON t.name IN ('{CREDITED}', '{DEBITED}', '{CREDITS}', '{TALLY}', '{OPERATIONS}', '{JOINED}', '{TIER}')"
    " AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.name <> '{TALLY}' OR t.part IN ('{ORDERS}', '{SPEND}', '{_BENEFITS_USED}')"
    " GROUP BY k.k0, t.name, t.unit, t.channel, t.part"
)
_UNTIL: Final = (
    "SELECT k.k0, t.name, t.channel, t.part, SUM(t.amount) FROM {keys} {join} daily_aggregate t"
    f" ON t.name IN ('{TALLY}', '{JOINED}', '{TIER}') AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.name <> '{TALLY}' OR t.part = '{SPEND}' GROUP BY k.k0, t.name, t.channel, t.part"
)
# Of each member the orders of the period, and of the one before.
_BUYERS: Final = (
    "SELECT k0, SUM(CASE WHEN bought > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN bought > 1 THEN 1 ELSE 0 END),"
    " SUM(CASE WHEN formerly > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN formerly > 0 AND bought > 0 THEN 1 ELSE 0 END)"
    " FROM (SELECT k.k0 AS k0, SUM(CASE WHEN t.day >= k.k2 THEN t.amount ELSE 0 END) AS bought,"
    " SUM(CASE WHEN t.day < k.k2 THEN t.amount ELSE 0 END) AS formerly"
    f" FROM {{keys}} {{join}} tally t ON t.name = '{ORDERS}' AND t.day BETWEEN k.k1 AND k.k3"
    " GROUP BY k.k0, t.bucket, t.member_id) b GROUP BY k0"
)
_EARNERS: Final = (
    "SELECT k0, COUNT(*) FROM (SELECT k.k0 AS k0, SUM(t.amount) AS earned"
    f" FROM {{keys}} {{join}} tally t ON t.name = '{_EARNED}' AND t.day BETWEEN k.k1 AND k.k2"
    " GROUP BY k.k0, t.bucket, t.member_id) b WHERE earned > 0 GROUP BY k0"
)


class Figure(NamedTuple):
    """A number, or with a ``denominator`` a share of it."""

    numerator: Decimal
    denominator: Decimal | None = None

    @property
    def value(self) -> Decimal | None:
        """The number; of a share the quotient to a millionth, a half away from zero, and None by nothing."""
        if self.denominator is None:
            return self.numerator
        if not self.denominator:
            return None
        return _EXACT.divide(self.numerator, self.denominator).quantize(_STEP, ROUND_HALF_UP, _EXACT)


class ChannelFigures(NamedTuple):
    """What a channel gave of a unit: how often, how much, and what that is worth. ``taken_back`` is what it took."""

    channel: str
    unit: str
    fired: int
    given: int
    taken_back: int
    cost: Decimal | None


@dataclass(frozen=True)
class KeyFigures:
    """The figures of one period by name, who stands in which tier at its end, and what each channel gave."""

    period: Period
    figures: Mapping[str, Figure]
    tiers: Mapping[str, int]
    channels: Sequence[ChannelFigures]


@dataclass(frozen=True)
class Compared:
    """The figures of a period, and those of the period before where they were asked for."""

    now: KeyFigures
    before: KeyFigures | None


async def key_figures(
    reader: Reader, programme: Programme, versions: Sequence[Version], parts: Sequence[Period], *, compare: bool
) -> list[Compared]:
    """The figures of each of the periods: four statements, however many there are."""
    formers = [before(part) for part in parts]
    asked = list(dict.fromkeys([*parts, *formers] if compare else parts))
    found = await _read(reader, asked)
    ladders = [[tier.id for tier in version.programme.tiers.ladder] for version in versions if version.programme.tiers]
    made = {period: _figures(period, found[period], programme, ladders) for period in asked}
    return [
        Compared(made[part], made[former] if compare else None) for part, former in zip(parts, formers, strict=True)
    ]


Sums = dict[tuple[str, str, str, str], int]


class _Read:
    """What was read of a period: sums in it and until its end, and the members who bought and earned."""

    def __init__(self) -> None:
        self.within: Sums = {}
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


async def _read(reader: Reader, asked: Sequence[Period]) -> dict[Period, _Read]:
    found = {period: _Read() for period in asked}
    numbered = [(number, day_number(p.since), day_number(p.until)) for number, p in enumerate(asked)]
    daily, tally = table_of(Daily), table_of(Tally)
    for number, name, unit, channel, part, amount in await reader.look_up(_SUMS, daily, ("day",) * 3, numbered):
        found[asked[number]].within[name, unit, channel, part] = int(amount)
    await _read_until(reader, found)
    with_former = [(number, day_number(before(asked[number]).since), first, last) for number, first, last in numbered]
    for number, buyers, again, former, kept in await reader.look_up(_BUYERS, tally, ("day",) * 4, with_former):
        of = found[asked[number]]
        of.buyers, of.again, of.former, of.kept = int(buyers), int(again), int(former), int(kept)
    for number, earners in await reader.look_up(_EARNERS, tally, ("day",) * 3, numbered):
        found[asked[number]].earners = int(earners)
    return found


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
        "active_earners": _share(read.earners, members),
        "points_issued": _count(issued),
        "points_redeemed": _count(redeemed),
        "points_expired": _count(expired),
        "points_clawed_back": _count(-moved(Contra.CLAW_BACK)),
        "redemption_rate": _share(redeemed, issued),
        "expiry_rate": _share(expired, issued),
        "upgrade_rate": _share(up, members),
        "downgrade_rate": _share(down, members),
        "orders": _count(orders),
        "revenue": Figure(paid(revenue)),
        "average_order_value": _share(paid(revenue), orders),
        "order_frequency": _share(orders, read.buyers),
        "repurchase_rate": _share(read.again, read.buyers),
        "retention_rate": _share(read.kept, read.former),
        "lifetime_value": _share(paid(lifetime_revenue), members),
        "redemption_cost_share": _share(cost, paid(revenue) if value is not None else 0),
        "benefit_use": _share(read.sum(TALLY, part=_BENEFITS_USED), members),
        "complaints": _share(read.sum(OPERATIONS, channel="ticket", part="open"), members),
    }
    return KeyFigures(
        period=period,
        figures=figures,
        tiers={tier: count for tier, count in sorted(tiers.items()) if tier and count},
        channels=_channels(read, programme),
    )


def _channels(read: _Read, programme: Programme) -> list[ChannelFigures]:
    def of(name: str, contra: Contra) -> Mapping[tuple[str, str], int]:
        return {
            (channel, unit): amount
            for (of_name, unit, channel, part), amount in read.within.items()
            if (of_name, part) == (name, contra)
        }

    fired, given = of(CREDITS, Contra.ISSUANCE), of(CREDITED, Contra.ISSUANCE)
    taken = of(DEBITED, Contra.CLAW_BACK)
    return [
        ChannelFigures(
            channel=channel,
            unit=unit,
            fired=fired.get((channel, unit), 0),
            given=given.get((channel, unit), 0),
            taken_back=taken.get((channel, unit), 0),
            cost=None
            if programme.point_value is None or unit != POINTS
            else worth(given.get((channel, unit), 0), programme.point_value, programme.currency),
        )
        for channel, unit in sorted({*given, *taken})
    ]


def _rose(former: str, tier: str, ladders: Sequence[Sequence[str]]) -> bool | None:
    """Whether a step went up, by the newest ladder that has both tiers; None where none has, as for a first tier."""
    for ladder in reversed(ladders):
        if former in ladder and tier in ladder and former != tier:
            return ladder.index(tier) > ladder.index(former)
    return None


def _count(number: int) -> Figure:
    return Figure(Decimal(number))


def _share(numerator: Decimal | int, denominator: Decimal | int) -> Figure:
    return Figure(Decimal(numerator), Decimal(denominator))
