"""Cohorts: members by the month in which they joined, and what they did in each month since.

Who joined is in the daily aggregates; what each member counted and redeemed is added up where it lies, and kept for
each month in which nothing has changed since (``core.key_figures.kept``).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.books.accounts import Contra
from core.books.tallies import ORDERS, SPEND, day_number
from core.key_figures.aggregates import CREDITED, DEBITED, JOINED, Daily
from core.key_figures.kept import EARNED, Kept
from core.key_figures.periods import Granularity, Period, check, cut
from core.money import money
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.store.tables import table_of
from core.time.calendar import day_start, month_end, month_start, next_day
from core.time.clock import microseconds
from core.units import POINTS

_JOINED: Final = (
    "SELECT k.k0, SUM(t.amount) FROM {keys} {join} daily_aggregate t"
    f" ON t.name = '{JOINED}' AND t.day BETWEEN k.k1 AND k.k2 GROUP BY k.k0"
)
_DID: Final = (
    "SELECT joined, month, SUM(CASE WHEN orders > 0 THEN 1 ELSE 0 END), SUM(orders), SUM(spend), SUM(earned) FROM ("
    "SELECT {joined} AS joined, t.day {divided} 100 AS month, t.bucket AS bucket, t.member_id AS member_id,"
    f" SUM(CASE WHEN t.name = '{ORDERS}' THEN t.amount ELSE 0 END) AS orders,"
    f" SUM(CASE WHEN t.name = '{SPEND}' THEN t.amount ELSE 0 END) AS spend,"
    f" SUM(CASE WHEN t.name = '{EARNED}' THEN t.amount ELSE 0 END) AS earned"
    " FROM member m {join} tally t ON t.bucket = m.bucket AND t.member_id = m.id"
    f" AND t.name IN ('{ORDERS}', '{SPEND}', '{EARNED}') AND t.day BETWEEN {{first}} AND {{last}}"
    " WHERE m.enrolled_at >= {begin} AND m.enrolled_at < {end} GROUP BY 1, 2, 3, 4) did GROUP BY joined, month"
)
_REDEEMED: Final = (
    "SELECT {joined}, {effective}, -SUM(e.amount)"
    " FROM entry e {join} member m ON m.bucket = e.bucket AND m.id = e.member_id"
    f" WHERE e.contra = '{Contra.REDEMPTION}' AND e.unit = '{POINTS}'"
    " AND e.effective_at >= {effective_begin} AND e.effective_at < {effective_end}"
    " AND m.enrolled_at >= {begin} AND m.enrolled_at < {end} GROUP BY 1, 2"
)


# What tells whether something was redeemed.
_MOVED: Final = (
    "SELECT k.k0, t.name, SUM(t.amount), SUM(t.times) FROM {keys} {join} daily_aggregate t"
    f" ON t.name IN ('{CREDITED}', '{DEBITED}') AND t.day BETWEEN k.k1 AND k.k2"
    f" WHERE t.unit = '{POINTS}' AND t.part = '{Contra.REDEMPTION}' GROUP BY k.k0, t.name"
)


class CohortMonth(NamedTuple):
    """What members of a cohort did in a month: how many ordered, how often, what they paid, earned and redeemed."""

    month: date
    ordered: int = 0
    orders: int = 0
    revenue: Decimal = Decimal(0)
    points_earned: int = 0
    points_redeemed: int = 0


class Cohort(NamedTuple):
    """Members who joined in a month, and the months since, the first among them."""

    month: date
    members: int
    months: Sequence[CohortMonth]


async def cohorts(
    reader: Reader,
    programme: Programme,
    zones: Sequence[tuple[datetime, ZoneInfo]],
    period: Period,
    today: date,
    kept: Kept | None = None,
) -> list[Cohort]:
    """The cohorts of the months that the period touches, each until the last of them or the present one.

    ``zones`` are those that were ever in force, each with its start. Raises InvalidValue for a period that is none.
    """
    check(period, today)
    last = min(month_end(period.until), month_end(today))
    months = [part.since for part in cut(Period(month_start(period.since), last), Granularity.MONTH)]
    keys = [(at, day_number(month), day_number(month_end(month))) for at, month in enumerate(months)]
    found = {int(at): int(n) for at, n in await reader.look_up(_JOINED, table_of(Daily), ("day",) * 3, keys)}
    calendar = _Calendar(zones, months)
    did = await _did(reader, programme, calendar, Kept() if kept is None else kept, found)
    return [
        Cohort(
            month,
            found.get(at, 0),
            [did[at + after].get(at, CohortMonth(later)) for after, later in enumerate(months[at:])],
        )
        for at, month in enumerate(months)
    ]


class _Calendar:
    """Where months begin and end, as instants: in each zone for as long as it was in force. Equal if all of it is."""

    def __init__(self, zones: Sequence[tuple[datetime, ZoneInfo]], months: Sequence[date]) -> None:
        self.months = months
        self._parts: list[tuple[int, int, int]] = []
        ends = next_day(month_end(months[-1]))
        for number, (starts_at, zone) in enumerate(zones):
            # Of before the first version its zone is taken, as aggregates take it.
            since = None if number == 0 else microseconds(starts_at)
            until = microseconds(zones[number + 1][0]) if number + 1 < len(zones) else None
            begins = [microseconds(day_start(day, zone)) for day in (*months, ends)]
            for at, _ in enumerate(months):
                first = begins[at] if since is None else max(begins[at], since)
                end = begins[at + 1] if until is None else min(begins[at + 1], until)
                if first < end:
                    self._parts.append((first, end, at))

    def begin(self, month: int = 0) -> int:
        """The instant at which the month of that number begins; the first one if left out."""
        return min(first for first, _, at in self._parts if at >= month)

    def end(self, month: int | None = None) -> int:
        """The instant at which the month of that number has ended; the last one if left out."""
        return max(end for _, end, at in self._parts if month is None or at <= month)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Calendar) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(tuple(self._parts))

    def month_of(self, column: str) -> str:
        """SQL for the number of the month in which an instant lies; null in none."""
        whens = [f" WHEN {column} >= {first} AND {column} < {end} THEN {at}" for first, end, at in self._parts]
        return f"CASE{''.join(whens)} END"


Did = dict[int, CohortMonth]
"""What was done in a month, by the number of the month of joining."""


async def _did(
    reader: Reader, programme: Programme, calendar: _Calendar, kept: Kept, joined: Mapping[int, int]
) -> list[Did]:
    """What was done in each month: read from the first one in which something has changed to the last."""
    months = [Period(month, month_end(month)) for month in calendar.months]
    changed = await kept.changed(reader, months)
    moved: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
    keys = [(at, *map(day_number, month)) for at, month in enumerate(months)]
    for at, name, amount, times in await reader.look_up(_MOVED, table_of(Daily), ("day",) * 3, keys):
        moved[int(at)].append((name, int(amount), int(times)))
    about = [("cohorts", calendar, at) for at, _ in enumerate(months)]
    rests_on = [
        (
            *(changed.of(name, month) for name in (ORDERS, SPEND, EARNED)),
            tuple(sorted(moved[at])),
            tuple(joined.get(before, 0) for before in range(at + 1)),
        )
        for at, month in enumerate(months)
    ]
    found: list[Did | None] = [kept.answer(*asked) for asked in zip(about, rests_on, strict=True)]
    lacking = [at for at, did in enumerate(found) if did is None]
    if lacking:
        first, last = lacking[0], lacking[-1]
        for at, did in enumerate(await _read(reader, programme, calendar, first, last), first):
            found[at] = did
            kept.keep(about[at], rests_on[at], did)
    return [did or {} for did in found]


async def _read(reader: Reader, programme: Programme, calendar: _Calendar, first: int, last: int) -> list[Did]:
    """What was done in the months from one number to another."""
    months = calendar.months
    dialect = reader.client.capabilities.dialect
    words = {
        "joined": calendar.month_of("m.enrolled_at"),
        "effective": calendar.month_of("e.effective_at"),
        "begin": calendar.begin(),
        "end": calendar.end(),
        "effective_begin": calendar.begin(first),
        "effective_end": calendar.end(last),
        "first": day_number(months[first]),
        "last": day_number(month_end(months[last])),
        "divided": "DIV" if dialect == "mysql" else "/",
        # Look members up, and then what they counted: SQLite would begin with the table that it takes for smaller.
        "join": {"sqlite": "CROSS JOIN", "mysql": "STRAIGHT_JOIN"}.get(dialect, "JOIN"),
    }
    numbers = {month.year * 100 + month.month: at for at, month in enumerate(months)}
    did: dict[int, Did] = {at: {} for at in range(first, last + 1)}
    for joined, number, ordered, orders, spend, earned in await reader.query(_DID.format(**words)):
        at = numbers[int(number)]
        if joined is not None:
            revenue = money(int(spend), programme.currency)
            did[at][int(joined)] = CohortMonth(months[at], int(ordered), int(orders), revenue, int(earned))
    for joined, number, redeemed in await reader.query(_REDEEMED.format(**words)):
        if joined is not None and number is not None:
            at = int(number)
            before = did[at].get(int(joined), CohortMonth(months[at]))
            did[at][int(joined)] = before._replace(points_redeemed=int(redeemed))
    return [did[at] for at in range(first, last + 1)]
