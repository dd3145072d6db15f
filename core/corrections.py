"""Putting things right: an operator's adjustment, the reversal of a transaction, the writing down of what expired."""

from dataclasses import dataclass
from typing import Any, ClassVar

from core.accounts import Contra
from core.errors import InvalidAmount
from core.membership import check_reason
from core.operations import Operation
from core.units import POINTS
from core.work import Work


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

    transaction: str
    reason: str
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        moved = await work.reverse(self.transaction, self.points)
        return {"transaction": self.transaction, "reason": self.reason, "moved": moved}


@dataclass(frozen=True, kw_only=True)
class ExpirePoints(Operation):
    """Write down what has lapsed in all units of a member, and release holds that have timed out."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "expire"

    async def perform(self, work: Work) -> dict[str, Any]:
        released = await work.release_overdue_holds()
        expired = {unit: await work.expire(unit) for unit in work.programme.unit_names}
        return {"expired": {unit: amount for unit, amount in expired.items() if amount}, "released": released}
