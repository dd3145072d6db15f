"""The figures of one run, out of the books of its scratch database, or of the real ones."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any, Final, NamedTuple

import orjson

from core.books.lots import REVIEW
from core.books.members import BUCKETS
from core.books.tallies import SPEND, day_number
from core.money import money
from core.rulebook.language import NUMBERS
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.time.calendar import day_start, local_day, month_end, month_start, next_day
from core.time.clock import microseconds
from core.units import POINTS
from core.value.liability import worth
from core.value.report import report

_MOMENT: Final = timedelta(microseconds=1)
_EXACT: Final = Context(prec=64)
_SHARE_STEP: Final = Decimal("0.000001")
_PARTS: Final = 64
_PAGE: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class UnitRun:
    """One unit of all members: what moved in the range, and what is outstanding at its end.

    ``liability`` is what is outstanding, less what is owed, in money.
    """

    issued: int
    redeemed: int
    given_back: int
    clawed_back: int
    expired: int
    adjusted: int
    outstanding: int
    debt: int
    liability: Decimal | None


@dataclass(frozen=True, kw_only=True)
class RuleRun:
    """A rule, how often it was hit by operations of the range, and what it gave, before rounding and caps."""

    channel: str
    unit: str
    group: str
    rule: str
    times: int
    gave: Decimal


@dataclass(frozen=True, kw_only=True)
class SourceRun:
    """What operations of a kind brought in the range."""

    channel: str
    kind: str
    unit: str
    times: int
    issued: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of the range under a programme."""

    members: int
    orders: int
    revenue: int
    units: Mapping[str, UnitRun]
    cost: Decimal | None
    share: Decimal | None
    tiers: Mapping[str, int]
    months: Mapping[str, Mapping[str, int]]
    rules: Sequence[RuleRun] = field(default_factory=tuple)
    sources: Sequence[SourceRun] = field(default_factory=tuple)

    def to_json(self, currency: str) -> dict[str, Any]:
        """As plain JSON, money and decimals as text."""
        made = asdict(self)
        made["revenue"] = str(money(self.revenue, currency))
        made["cost"] = _text(self.cost)
        made["share"] = _text(self.share)
        for unit in made["units"].values():
            unit["liability"] = _text(unit["liability"])
        for rule in made["rules"]:
            rule["gave"] = _text(rule["gave"])
        return made


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


async def figures(reader: Reader, programme: Programme, units: Sequence[str], since: datetime, until: datetime) -> Run:
    """The figures of what was effective from ``since`` on and before ``until``."""
    zone, at = programme.zone, until - _MOMENT
    before = await report(reader, since - _MOMENT, zone, units)
    after = await report(reader, at, zone, units)
    found: dict[str, UnitRun] = {}
    for unit in units:
        then, now = before.units[unit], after.units[unit]
        outstanding = now.available + now.pending + now.held
        value = programme.point_value if unit == POINTS and programme.unit(unit).spendable else None
        found[unit] = UnitRun(
            issued=now.earned - then.earned,
            redeemed=now.redeemed - then.redeemed,
            given_back=now.given_back - then.given_back,
            clawed_back=now.clawed_back - then.clawed_back,
            expired=now.expired - then.expired,
            adjusted=now.adjusted - then.adjusted,
            outstanding=outstanding,
            debt=now.debt,
            liability=None if value is None else worth(outstanding - now.debt, value, programme.currency),
        )
    first, last = day_number(local_day(since, zone)), day_number(local_day(at, zone))
    ((revenue,),) = await reader.query(
        f"SELECT COALESCE(SUM(amount), 0) FROM tally WHERE name = '{SPEND}' AND day >= {first} AND day <= {last}"
    )
    cost = share = None
    if POINTS in found and programme.point_value is not None:
        net = found[POINTS].redeemed - found[POINTS].given_back
        cost = worth(net, programme.point_value, programme.currency)
        if revenue > 0:
            exact = _EXACT.divide(_EXACT.multiply(net, programme.point_value), money(int(revenue), programme.currency))
            share = exact.quantize(_SHARE_STEP, ROUND_HALF_UP, _EXACT)
    return Run(
        members=after.members,
        orders=after.orders - before.orders,
        revenue=int(revenue),
        units=found,
        cost=cost,
        share=share,
        tiers=after.tiers,
        months=await _months(reader, programme, since, until),
        rules=[rule async for rule in _rules(reader, since, until)],
        sources=await _sources(reader, since, until),
    )


async def _months(reader: Reader, programme: Programme, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    """What was issued in each month of the programme, by its first day and the unit."""
    found: dict[str, dict[str, int]] = {}
    month: date = month_start(local_day(since, programme.zone))
    while (begins := day_start(month, programme.zone)) < until:
        ends = min(day_start(next_day(month_end(month)), programme.zone), until)
        rows = await reader.query(
            "SELECT unit, SUM(amount) FROM entry WHERE contra = 'issuance'"
            f" AND effective_at >= {microseconds(max(begins, since))} AND effective_at < {microseconds(ends)}"
            " GROUP BY unit ORDER BY unit"
        )
        found[f"{month:%Y-%m}"] = {unit: int(amount) for unit, amount in rows}
        month = next_day(month_end(month))
    return found


async def _sources(reader: Reader, since: datetime, until: datetime) -> list[SourceRun]:
    rows = await reader.query(
        "SELECT o.channel, o.kind, e.unit, COUNT(*), SUM(e.amount) FROM operation o"
        " JOIN entry e ON e.bucket = o.bucket AND e.member_id = o.member_id AND e.operation_id = o.id"
        " WHERE e.contra = 'issuance' AND e.amount > 0"
        f" AND o.effective_at >= {microseconds(since)} AND o.effective_at < {microseconds(until)}"
        " GROUP BY o.channel, o.kind, e.unit ORDER BY o.channel, o.kind, e.unit"
    )
    return [
        SourceRun(channel=channel, kind=kind, unit=unit, times=int(times), issued=int(issued))
        for channel, kind, unit, times, issued in rows
    ]


# -- rule by rule -------------------------------------------------------------------------------------


class _Hit(NamedTuple):
    group: str
    rules: str
    gave: Decimal


async def _rules(reader: Reader, since: datetime, until: datetime) -> AsyncIterator[RuleRun]:
    """What each rule gave, by the traces that awards leave."""
    times: dict[tuple[str, str, str, str], int] = defaultdict(int)
    gave: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    async for channel, result in _results(reader, since, until):
        trace = result.get("trace")
        if not isinstance(trace, dict):
            continue
        for unit, steps in trace.items():
            for hit in _hits(steps):
                place = channel, unit, hit.group, hit.rules
                times[place] += 1
                gave[place] = _EXACT.add(gave[place], hit.gave)
    for place in sorted(times):
        channel, unit, group, rule = place
        yield RuleRun(channel=channel, unit=unit, group=group, rule=rule, times=times[place], gave=_plain(gave[place]))


def _plain(value: Decimal) -> Decimal:
    """Without the zeros at its end.

    >>> _plain(Decimal("1500.00")), _plain(Decimal("0.50"))
    (Decimal('1500'), Decimal('0.5'))
    """
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize(_EXACT)


def _hits(steps: Iterable[Any]) -> list[_Hit]:
    """What the rules of an award gave. Rules that only together say what a group gave are told together.

    >>> _hits([["base", [["spend", "10.5"]], "10.5"], ["tier", [["gold", "2"]], "21.0"], ["rounding", [], "21"]])
    [_Hit(group='base', rules='spend', gave=Decimal('10.5')), _Hit(group='tier', rules='gold', gave=Decimal('10.5'))]
    """
    hits: list[_Hit] = []
    before = Decimal(0)
    with localcontext(NUMBERS):
        for group, rules, after_text in steps:
            if group in {"rounding", "caps"}:
                continue
            after = Decimal(after_text)
            values = [(rule, Decimal(value)) for rule, value in rules]
            if len(values) == 1:
                hits.append(_Hit(group, values[0][0], after - before))
            elif values and sum((value for _, value in values), Decimal(0)) == after - before:
                hits += [_Hit(group, rule, value) for rule, value in values]
            elif values:
                hits.append(_Hit(group, " + ".join(rule for rule, _ in values), after - before))
            before = after
    return hits


async def _results(reader: Reader, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """The results of accepted operations, some at a time, by the key of their table."""
    where = f"effective_at >= {microseconds(since)} AND effective_at < {microseconds(until)} AND accepted = 1"
    last: tuple[Any, ...] | None = None
    while True:
        further = "" if last is None else " AND (bucket, member_id, channel, idempotency_key) > (?, ?, ?, ?)"
        rows = await reader.query(
            f"SELECT bucket, member_id, channel, idempotency_key, result FROM operation WHERE {where}{further}"
            f" ORDER BY bucket, member_id, channel, idempotency_key LIMIT {_PAGE}",
            list(last or ()),
        )
        if not rows:
            return
        for row in rows:
            yield row[2], orjson.loads(row[4])
        last = tuple(rows[-1][:4])


# -- member by member ---------------------------------------------------------------------------------


class Stood(NamedTuple):
    """What a member had of a unit at an instant."""

    member_id: str
    external_id: str
    unit: str
    balance: int


async def balances(reader: Reader, until: datetime) -> AsyncIterator[Sequence[Stood]]:
    """What each member had just before ``until``, a part of the members at a time.

    What had expired is gone, whether or not anybody has written it down since; what is owed counts below zero.
    """
    stored = microseconds(until - _MOMENT)
    width = BUCKETS // _PARTS
    for part in range(_PARTS):
        within = f"bucket >= {part * width} AND {{0}}.bucket < {(part + 1) * width}"
        entries = await reader.query(
            "SELECT e.member_id, m.external_id, e.unit, SUM(e.amount) FROM entry e"
            " JOIN member m ON m.bucket = e.bucket AND m.id = e.member_id"
            f" WHERE e.{within.format('e')} AND e.effective_at <= {stored}"
            " GROUP BY e.member_id, m.external_id, e.unit"
        )
        lapsed = await reader.query(
            "SELECT l.member_id, l.unit, SUM(l.amount + COALESCE(m.moved, 0)) FROM lot l"
            " JOIN operation o ON o.bucket = l.bucket AND o.member_id = l.member_id AND o.id = l.operation_id"
            " LEFT JOIN (SELECT m.bucket, m.member_id, m.unit, m.lot_seq, SUM(m.amount) AS moved FROM lot_move m"
            " JOIN entry e ON e.bucket = m.bucket AND e.member_id = m.member_id AND e.unit = m.unit AND e.seq = m.seq"
            f" WHERE m.{within.format('m')} AND e.effective_at <= {stored}"
            " GROUP BY m.bucket, m.member_id, m.unit, m.lot_seq) m"
            " ON m.bucket = l.bucket AND m.member_id = l.member_id AND m.unit = l.unit AND m.lot_seq = l.seq"
            f" WHERE l.{within.format('l')} AND l.expires_at IS NOT NULL AND l.expires_at <= {stored}"
            f" AND l.available_from < {microseconds(REVIEW)} AND o.effective_at <= {stored}"
            " GROUP BY l.member_id, l.unit"
        )
        gone = {(member, unit): int(amount) for member, unit, amount in lapsed}
        yield [
            Stood(member, external, unit, int(amount) - gone.get((member, unit), 0))
            for member, external, unit, amount in entries
        ]


async def tiers(reader: Reader, until: datetime) -> AsyncIterator[Sequence[tuple[str, str, str]]]:
    """Id, external id and tier of each member just before ``until``, a part at a time."""
    stored = microseconds(until - _MOMENT)
    width = BUCKETS // _PARTS
    for part in range(_PARTS):
        rows = await reader.query(
            "SELECT t.member_id, m.external_id, t.tier FROM tier_change t JOIN (SELECT bucket, member_id,"
            f" MAX(number) AS number FROM tier_change WHERE bucket >= {part * width} AND"
            f" bucket < {(part + 1) * width} AND at <= {stored} GROUP BY bucket, member_id) newest"
            " ON newest.bucket = t.bucket AND newest.member_id = t.member_id AND newest.number = t.number"
            " JOIN member m ON m.bucket = t.bucket AND m.id = t.member_id"
        )
        yield [(member, external, tier) for member, external, tier in rows]
