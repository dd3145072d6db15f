"""The programme's figures at an instant, now or in the past, out of what the ledger says was effective by then.

What had expired by then counts as expired, whether or not anybody has written it down since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.books.lots import REVIEW
from core.books.tallies import ORDERS, day_number
from core.store.dialect import Reader
from core.time.calendar import day_start, local_day, next_day
from core.time.clock import microseconds


@dataclass(frozen=True, kw_only=True)
class UnitFigures:
    """One unit of all members together.

    What came in is what went out and what is there: earned + adjusted + given_back + transferred = redeemed +
    clawed_back + expired + available + pending + held - debt. ``given_back`` is what returned of redemptions,
    ``transferred`` what has come from other members less what has left for them (below zero while some of it is on its
    way), ``pending`` cannot be spent yet.
    """

    earned: int = 0
    adjusted: int = 0
    redeemed: int = 0
    given_back: int = 0
    transferred: int = 0
    clawed_back: int = 0
    expired: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures. ``orders`` are counted by whole days, without those that cost nothing or were refunded wholly."""

    at: datetime
    members: int
    orders: int
    units: Mapping[str, UnitFigures]
    tiers: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a day, as a report "at" that day sees it.

    >>> end_of_day(date(2026, 1, 31), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-01-31T15:59:59.999999+00:00'
    """
    return day_start(next_day(day), zone) - timedelta(microseconds=1)


async def report(reader: Reader, at: datetime, zone: ZoneInfo, units: Sequence[str]) -> Report:
    """The figures of these units at that instant.

    What was set aside and has been captured or released since is taken to have lain in lots that had not expired:
    from which lots it was set aside is not kept.
    """
    # A whole number needs no placeholder, which each database would write in another way.
    stored = microseconds(at)
    ((members,),) = await reader.query(f"SELECT COUNT(*) FROM member WHERE enrolled_at <= {stored}")
    today = day_number(local_day(at, zone))
    ((orders,),) = await reader.query(
        f"SELECT COALESCE(SUM(amount), 0) FROM tally WHERE name = '{ORDERS}' AND day <= {today}"
    )
    tiers = await reader.query(
        "SELECT t.tier, COUNT(*) FROM tier_change t JOIN (SELECT bucket, member_id, MAX(number) AS number"
        f" FROM tier_change WHERE at <= {stored} GROUP BY bucket, member_id) newest"
        " ON newest.bucket = t.bucket AND newest.member_id = t.member_id AND newest.number = t.number"
        " GROUP BY t.tier ORDER BY t.tier"
    )
    entries = await _entries(reader, stored)
    lots = await _lots(reader, stored)
    return Report(
        at=at,
        members=members,
        orders=int(orders),
        units={unit: _figures(entries.get(unit, {}), lots.get(unit, {})) for unit in units},
        tiers={tier: count for tier, count in tiers if tier},
    )


Sums = dict[str, int]


def _figures(entries: Sums, lots: Sums) -> UnitFigures:
    held = entries.get("held", 0)
    lapsed_held = lots.get("lapsed_held", 0)
    return UnitFigures(
        earned=entries.get("earned", 0),
        adjusted=entries.get("adjusted", 0),
        redeemed=entries.get("redeemed", 0),
        given_back=entries.get("given_back", 0),
        transferred=entries.get("transferred", 0),
        clawed_back=entries.get("clawed_back", 0),
        expired=entries.get("expired", 0) + lots.get("lapsed", 0) - lapsed_held,
        available=lots.get("live", 0) - (held - lapsed_held),
        pending=lots.get("pending", 0),
        held=held,
        debt=entries.get("debt", 0),
    )


async def _entries(reader: Reader, stored: int) -> dict[str, Sums]:
    """What came and went by then, and what was owed and set aside, by unit."""
    rows = await reader.query(
        "SELECT unit, contra, SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END),"
        " SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END), SUM(held)"
        f" FROM entry WHERE effective_at <= {stored} GROUP BY unit, contra"
    )
    found: dict[str, Sums] = {}
    for unit, contra, ups, downs, held in rows:
        of_unit = found.setdefault(unit, {"held": 0})
        up, down = int(ups), int(downs)
        of_unit["held"] += int(held)
        match contra:
            case "issuance":
                of_unit["earned"] = up - down
            case "redemption":
                of_unit["redeemed"], of_unit["given_back"] = down, up
            case "transfer":
                of_unit["transferred"] = up - down
            case "adjustment":
                of_unit["adjusted"] = up - down
            case "claw_back":
                of_unit["clawed_back"] = down - up
            case "breakage":
                of_unit["expired"] = down - up
    debts = await reader.query(
        "SELECT m.unit, -SUM(m.amount) FROM lot_move m JOIN entry e ON e.bucket = m.bucket"
        " AND e.member_id = m.member_id AND e.unit = m.unit AND e.seq = m.seq"
        f" WHERE m.lot_seq = 0 AND e.effective_at <= {stored} GROUP BY m.unit"
    )
    for unit, debt in debts:
        found[unit]["debt"] = int(debt)
    return found


async def _lots(reader: Reader, stored: int) -> dict[str, Sums]:
    """What was left of the lots made by then, by unit: ``live``, ``pending`` and ``lapsed``, and held of the latter."""
    rows = await reader.query(
        "SELECT l.unit, SUM(CASE WHEN lapsed THEN remaining ELSE 0 END),"
        " SUM(CASE WHEN pending AND NOT lapsed THEN remaining ELSE 0 END),"
        " SUM(CASE WHEN pending OR lapsed THEN 0 ELSE remaining END) FROM ("
        " SELECT l.unit, l.amount + COALESCE(m.moved, 0) AS remaining,"
        f" (l.expires_at IS NOT NULL AND l.expires_at <= {stored} AND l.available_from < {microseconds(REVIEW)})"
        f" AS lapsed, (l.available_from > {stored}) AS pending"
        " FROM lot l JOIN operation o ON o.bucket = l.bucket AND o.member_id = l.member_id AND o.id = l.operation_id"
        " LEFT JOIN (SELECT m.bucket, m.member_id, m.unit, m.lot_seq, SUM(m.amount) AS moved FROM lot_move m"
        " JOIN entry e ON e.bucket = m.bucket AND e.member_id = m.member_id AND e.unit = m.unit AND e.seq = m.seq"
        f" WHERE e.effective_at <= {stored} GROUP BY m.bucket, m.member_id, m.unit, m.lot_seq) m"
        " ON m.bucket = l.bucket AND m.member_id = l.member_id AND m.unit = l.unit AND m.lot_seq = l.seq"
        f" WHERE o.effective_at <= {stored}) l GROUP BY l.unit"
    )
    found: dict[str, Sums] = {
        unit: {"lapsed": int(lapsed), "pending": int(pending), "live": int(live)}
        for unit, lapsed, pending, live in rows
    }
    kept = await reader.query(
        "SELECT p.unit, SUM(p.amount) FROM hold_lot p"
        " JOIN hold h ON h.bucket = p.bucket AND h.member_id = p.member_id AND h.unit = p.unit AND h.seq = p.hold_seq"
        " JOIN lot l ON l.bucket = p.bucket AND l.member_id = p.member_id AND l.unit = p.unit AND l.seq = p.lot_seq"
        f" WHERE h.placed_at <= {stored} AND l.expires_at <= {stored} GROUP BY p.unit"
    )
    for unit, amount in kept:
        found[unit]["lapsed_held"] = int(amount)
    return found
