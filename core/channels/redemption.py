"""Spending that belongs to no channel: redeem at once, or hold first and capture or release later."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from core.books.holds import Hold
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import HoldNotFound, InvalidValue
from core.units import POINTS

HOLD_SECONDS_DEFAULT = 15 * 60
HOLD_SECONDS_MAX = 90 * 24 * 3600
REFERENCE_MAX = 200


@dataclass(frozen=True, kw_only=True)
class RedeemPoints(Operation):
    """Spend points for something outside of Laurel, named by ``reference``."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "redeem"

    points: int
    reference: str = ""
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.spend(self.points, unit=self.unit)
        return {"points": self.points, "reference": self.reference}


@dataclass(frozen=True, kw_only=True)
class HoldPoints(Operation):
    """Set points aside for ``seconds``; after that the hold is released by itself."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "hold"

    points: int
    seconds: int = HOLD_SECONDS_DEFAULT
    reference: str = ""
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        if not 0 < self.seconds <= HOLD_SECONDS_MAX:
            raise InvalidValue(field="seconds", reason=f"a hold lasts 1 to {HOLD_SECONDS_MAX} seconds")
        if len(self.reference) > REFERENCE_MAX or "\0" in self.reference:
            raise InvalidValue(field="reference", reason=f"it must have at most {REFERENCE_MAX} characters, and no NUL")
        until = work.now + timedelta(seconds=self.seconds)
        hold = await work.hold(self.points, unit=self.unit, until=until, reference=self.reference)
        return {"hold": hold.seq, "unit": self.unit, "points": self.points, "reference": self.reference}


@dataclass(frozen=True, kw_only=True)
class CaptureHold(Operation):
    """Spend what a hold set aside, or ``points`` of it; the rest goes back to its lots."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "capture"

    hold: int
    points: int | None = None
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        await _check_ours(work, self.unit, self.hold)
        hold = await work.capture(self.hold, self.points, unit=self.unit)
        return {"hold": hold.seq, "unit": self.unit, "points": hold.captured}


@dataclass(frozen=True, kw_only=True)
class ReleaseHold(Operation):
    """Give back what a hold set aside."""

    channel: ClassVar[str] = "ledger"
    kind: ClassVar[str] = "release"

    hold: int
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        await _check_ours(work, self.unit, self.hold)
        hold = await work.release(self.hold, unit=self.unit)
        return {"hold": hold.seq, "unit": self.unit, "points": hold.amount}


async def _check_ours(work: Work, unit: str, number: int) -> None:
    """Raise HoldNotFound for a hold of a channel, which alone resolves it: a bid, say, is not taken back."""
    for hold in await work.rows(Hold, unit=unit, seq=number):
        if hold.channel != HoldPoints.channel:
            raise HoldNotFound(hold=str(number))
