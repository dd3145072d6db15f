"""Putting things right: an operator's adjustment or later expiry, a reversal, the writing down of what expired."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from core.books.accounts import Contra
from core.books.holds import Hold, HoldState
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidAmount, InvalidInstant
from core.people.membership import check_reason
from core.telling.events import POINTS_EXTENDED
from core.time.calendar import add_months, day_start
from core.units import POINTS

MONTHS_MAX: Final = 1200
"""No date is given that lies further ahead."""


@dataclass(frozen=True, kw_only=True)
class AdjustPoints(Operation):
    """Give (positive) or take (negative) points for a stated reason. Taking more than is available is refused."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "adjust"

    points: int
    reason: str
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        if self.points == 0:
            raise InvalidAmount(value="0", reason="an adjustment gives or takes something")
        if self.points > 0:
            await work.earn(self.points, unit=self.unit, contra=Contra.ADJUSTMENT)
        else:
            await work.spend(-self.points, unit=self.unit, contra=Contra.ADJUSTMENT)
        return {"points": self.points, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class ReverseTransaction(Operation):
    """Take a transaction back with a new one that mirrors it, wholly or ``points`` of it."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "reverse"
    reaches_merged: ClassVar[bool] = True

    transaction: str
    reason: str
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        moved = await work.reverse(self.transaction, self.points)
        return {"transaction": self.transaction, "reason": self.reason, "moved": moved}


@dataclass(frozen=True, kw_only=True)
class ExtendPoints(Operation):
    """Let points expire later than they were to, for a stated reason: these lots, or all that would expire sooner.

    From 00:00 of ``expires_on`` on they cannot be used. Refuses InvalidInstant, LotNotFound, LotExpired,
    NothingToExtend, UnknownUnit.
    """

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "extend"

    expires_on: date
    reason: str
    lots: tuple[int, ...] = ()
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        if self.expires_on <= work.today:
            raise InvalidInstant(value=self.expires_on.isoformat(), reason="points are extended to a day to come")
        if self.expires_on > add_months(work.today, MONTHS_MAX):
            raise InvalidInstant(value=self.expires_on.isoformat(), reason="it lies more than a hundred years ahead")
        extended = await work.extend(day_start(self.expires_on, work.programme.zone), self.lots, unit=self.unit)
        points, day = sum(extended.values()), self.expires_on.isoformat()
        work.tell(POINTS_EXTENDED, unit=self.unit, points=points, expires_on=day)
        return {"unit": self.unit, "points": points, "expires_on": day, "lots": [*extended], "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class ExpirePoints(Operation):
    """Write down what has lapsed of a unit, or of all units of a member, and release holds that have timed out."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "expire"
    reaches_merged: ClassVar[bool] = True

    unit: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        released = await work.release_overdue_holds()
        units = work.programme.unit_names if self.unit is None else (self.unit,)
        expired = {unit: await work.expire(unit) for unit in units}
        return {"expired": {unit: amount for unit, amount in expired.items() if amount}, "released": released}


@dataclass(frozen=True, kw_only=True)
class TimeOutHold(Operation):
    """Release a hold whose time is over. One that was captured or released meanwhile is left alone."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "time_out"
    reaches_merged: ClassVar[bool] = True

    hold: int
    unit: str

    async def perform(self, work: Work) -> dict[str, Any]:
        found: list[Hold] = await work.rows(Hold, unit=self.unit, seq=self.hold)
        overdue = [hold for hold in found if hold.state == HoldState.OPEN and hold.expires_at <= work.now]
        for hold in overdue:
            await work.release(hold.seq, unit=hold.unit)
        return {"unit": self.unit, "hold": self.hold, "released": len(overdue)}
