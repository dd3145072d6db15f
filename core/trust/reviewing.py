"""Deciding a flag: nothing was wrong and the member has what was held back, or something was and it is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from core.books.lots import REVIEW, ExtensionCause, Lot
from core.books.members import Frozen
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidInstant, InvalidValue
from core.people.membership import check_reason
from core.telling.events import FLAG_DECIDED
from core.time.calendar import day_start, local_day
from core.time.clock import instant, microseconds
from core.trust.flags import Flag, FlagAlreadyDecided, FlagNotFound, FlagState, HeldLot, Pace
from core.trust.forfeiting import Gains, forfeit, gains_of
from core.trust.freezing import CHANNEL, freeze

WAITING: Final = f"available_from >= {microseconds(REVIEW)}"
"""The condition for lots that wait for a review."""


@dataclass(frozen=True, kw_only=True)
class DecideFlag(Operation):
    """Clear a flag, which lets what it held back be spent, or confirm it, which takes it.

    With a confirmation the member can be frozen, and lose all that the operations in question gave (``forfeit``).
    Refuses FlagNotFound, FlagAlreadyDecided, MemberFrozen, MemberNotActive, InvalidInstant, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "decide_flag"

    flag: int
    state: FlagState
    reason: str
    frozen: Frozen | None = None
    until: datetime | None = None
    forfeit: bool = False

    async def perform(self, work: Work) -> dict[str, Any]:
        self._check(work)
        found: list[Flag] = await work.rows(Flag, number=self.flag)
        if not found:
            raise FlagNotFound(flag=str(self.flag))
        flag = found[0]
        if flag.state != FlagState.OPEN:
            assert flag.decided_at is not None
            assert flag.decided_by is not None
            raise FlagAlreadyDecided(flag_state=flag.state, decided_at=flag.decided_at, decided_by=flag.decided_by)
        taken = await self._take(work, flag) if self.state == FlagState.CONFIRMED else Gains()
        released = await _let_go(work, flag, extend=self.state == FlagState.CLEARED)
        if self.frozen is not None:
            freeze(work, self.frozen, self.reason, self.until)
        work.keep(
            flag._replace(state=self.state, decided_at=work.now, decided_by=self.actor, reason=self.reason.strip())
        )
        # What was looked at counts no more: it is counted anew from here on.
        if await work.rows(Pace, channel=flag.channel):
            work.keep(Pace(flag.channel, ()))
        work.put_down(f"flag.{flag.number}", flag.state, self.state)
        work.tell(
            FLAG_DECIDED,
            flag=flag.number,
            channel=flag.channel,
            state=self.state,
            released=released,
            forfeited=taken.amounts,
        )
        return {"flag": flag.number, "released": released, "forfeited": taken.amounts, "reason": self.reason}

    def _check(self, work: Work) -> None:
        check_reason(self.reason)
        if self.state == FlagState.CLEARED and (self.frozen is not None or self.forfeit):
            raise InvalidValue(field="decision", reason="who did nothing wrong is not frozen, and loses nothing")
        if self.until is not None and self.frozen is None:
            raise InvalidValue(field="until", reason="it is the end of a freeze, and nothing is frozen")
        if self.until is not None and self.until <= work.now:
            raise InvalidInstant(value=self.until.isoformat(), reason="a freeze ends in the future")

    async def _take(self, work: Work, flag: Flag) -> Gains:
        """Take back what was held back, or all that the operations in question gave."""
        held = {(lot.unit, lot.seq) for lot in flag.held_lots}
        lots: list[Lot] = await work.rows(Lot)
        if self.forfeit:
            illicit = {*flag.operations}
            lots = [lot for lot in lots if lot.operation_id in illicit or (lot.unit, lot.seq) in held]
        else:
            lots = [lot for lot in lots if (lot.unit, lot.seq) in held]
        gains = gains_of(lots)
        await forfeit(work, gains)
        return gains


async def _let_go(work: Work, flag: Flag, *, extend: bool) -> dict[str, int]:
    """Let what the flag held back be spent; the days that it waited are added to its life. What is left of it."""
    by_unit: dict[str, list[HeldLot]] = {}
    for held in flag.held_lots:
        by_unit.setdefault(held.unit, []).append(held)
    released = {}
    for unit, lots in by_unit.items():
        await work.available(unit)  # it brings all open lots
        for lot in lots:
            await work.rows(Lot, unit=unit, seq=lot.seq)
        if extend and (dates := await _later(work, unit, lots)):
            work.ledger.extend(unit, dates, ExtensionCause.REVIEW)
        released[unit] = work.ledger.let_go(unit, {lot.seq: instant(lot.available_from) for lot in lots})
    return {unit: amount for unit, amount in released.items() if amount}


async def _later(work: Work, unit: str, lots: list[HeldLot]) -> Mapping[int, datetime]:
    """When the lots expire that have waited over a midnight: as many days later."""
    zone, dates = work.programme.zone, {}
    for held in lots:
        (lot,) = await work.rows(Lot, unit=unit, seq=held.seq)
        days = (local_day(work.now, zone) - local_day(instant(held.held_at), zone)).days
        if days > 0 and lot.remaining and lot.expires_at is not None:
            dates[lot.seq] = day_start(local_day(lot.expires_at, zone) + timedelta(days=days), zone)
    return dates
