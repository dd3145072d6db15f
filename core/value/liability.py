"""What members could still spend: by the month in which they lose it, and in money.

It is of the present and costs what is outstanding, not what ever was: an index leads to the lots of which something is
left, another to the accounts that owe. What was outstanding at an instant of the past is in ``core.value.report``,
which reads the history.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from core.books.holds import HoldState
from core.books.lots import REVIEW
from core.money import money_step
from core.rulebook.programme import Programme
from core.store.dialect import Reader
from core.time.calendar import local_day, month_start
from core.time.clock import instant, microseconds
from core.units import POINTS

_EXACT: Final = Context(prec=64)


def worth(points: int, point_value: Decimal, currency: str) -> Decimal:
    """What points are worth in the currency: exact, and rounded once, to its minor unit and a half up.

    >>> worth(1_250, Decimal("0.01"), "CNY"), worth(3, Decimal("0.005"), "CNY")
    (Decimal('12.50'), Decimal('0.02'))
    """
    return _EXACT.multiply(points, point_value).quantize(money_step(currency), ROUND_HALF_UP, _EXACT)


@dataclass(frozen=True)
class Outstanding:
    """What can be spent now, what only later, and what is set aside and may yet be spent."""

    available: int = 0
    pending: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        return self.available + self.pending + self.held

    def __add__(self, other: "Outstanding") -> "Outstanding":
        return Outstanding(self.available + other.available, self.pending + other.pending, self.held + other.held)


@dataclass(frozen=True, kw_only=True)
class Liability:
    """What is outstanding of a unit at an instant.

    ``months`` are by the first day of the month in which it is lost, in the programme's zone; None for what never is.
    ``debt`` is owed by members, and taken from nobody else: ``net`` is less than what others can spend.
    """

    at: datetime
    unit: str
    currency: str
    point_value: Decimal | None
    months: Mapping[date | None, Outstanding] = field(default_factory=dict)
    debt: int = 0

    @property
    def outstanding(self) -> Outstanding:
        return sum(self.months.values(), Outstanding())

    @property
    def net(self) -> int:
        return self.outstanding.total - self.debt

    def worth(self, points: int) -> Decimal | None:
        """In money; None for a unit other than points, or where the programme does not say what one is worth."""
        return None if self.point_value is None else worth(points, self.point_value, self.currency)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, money as text."""

        def said(points: int) -> str | None:
            value = self.worth(points)
            return None if value is None else str(value)

        def part(of: Outstanding) -> dict[str, Any]:
            return {"available": of.available, "pending": of.pending, "held": of.held, "value": said(of.total)}

        return {
            "at": self.at.isoformat(),
            "unit": self.unit,
            "currency": self.currency,
            "point_value": None if self.point_value is None else str(self.point_value),
            "months": [
                {"month": None if month is None else f"{month:%Y-%m}", **part(of)} for month, of in self.months.items()
            ],
            **part(self.outstanding),
            "debt": self.debt,
            "debt_value": said(self.debt),
            "net": self.net,
            "net_value": said(self.net),
        }


async def liability(reader: Reader, programme: Programme, at: datetime, unit: str = POINTS) -> Liability:
    """What is outstanding of a unit at this moment, which is ``at``. Raises UnknownUnit.

    What has lapsed is not, whether or not anybody has written it down; nor does a hold set anything aside whose time is
    over.
    """
    spendable = programme.unit(unit).spendable
    now = microseconds(at)
    found: dict[int | None, Outstanding] = defaultdict(Outstanding)
    # All that expires together does so at one instant, so that there are as many rows as days.
    for expires_at, available, pending, held, reviewed in await reader.query(
        f"SELECT expires_at, SUM(CASE WHEN available_from <= {now} THEN remaining - held ELSE 0 END),"
        f" SUM(CASE WHEN available_from > {now} THEN remaining - held ELSE 0 END), SUM(held),"
        f" SUM(CASE WHEN available_from >= {microseconds(REVIEW)} THEN remaining ELSE 0 END)"
        f" FROM lot WHERE unit = '{unit}' AND remaining >= 1 GROUP BY expires_at"
    ):
        if reviewed and expires_at is not None and expires_at <= now:
            # What waits for a review does not lapse: once its date is over, nobody knows when it is lost.
            found[None] += Outstanding(pending=int(reviewed))
            pending -= reviewed
        found[expires_at] += Outstanding(int(available), int(pending), int(held))
    for expires_at, amount in await reader.query(
        "SELECT l.expires_at, SUM(p.amount) FROM hold h JOIN hold_lot p ON p.bucket = h.bucket"
        " AND p.member_id = h.member_id AND p.unit = h.unit AND p.hold_seq = h.seq"
        " JOIN lot l ON l.bucket = p.bucket AND l.member_id = p.member_id AND l.unit = p.unit AND l.seq = p.lot_seq"
        f" WHERE h.state = '{HoldState.OPEN}' AND h.expires_at <= {now} AND h.unit = '{unit}' GROUP BY l.expires_at"
    ):
        # Nothing pending is ever set aside.
        found[expires_at] += Outstanding(available=int(amount), held=-int(amount))
    ((debt,),) = await reader.query(f"SELECT COALESCE(SUM(debt), 0) FROM account WHERE unit = '{unit}' AND debt > 0")
    months: dict[date | None, Outstanding] = defaultdict(Outstanding)
    for expires_at, part in found.items():
        if expires_at is not None and expires_at <= now:
            part = Outstanding(held=part.held)
        if part.total:
            lost = None if expires_at is None else month_start(local_day(instant(expires_at), programme.zone))
            months[lost] += part
    return Liability(
        at=at,
        unit=unit,
        currency=programme.currency,
        point_value=programme.point_value if unit == POINTS and spendable else None,
        months={month: months[month] for month in sorted(months, key=lambda month: month or date.max)},
        debt=int(debt),
    )
