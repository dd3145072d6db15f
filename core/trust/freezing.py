"""Stopping a member from earning or spending, for a while or for good, and letting them go on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from core.books.holds import Hold, HoldState
from core.books.members import Frozen, MemberStatus
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidInstant, MemberFrozen, MemberNotActive, MemberNotFrozen
from core.people.membership import check_reason
from core.telling.events import MEMBER_STATUS_CHANGED

CHANNEL = "trust"


@dataclass(frozen=True, kw_only=True)
class FreezeMember(Operation):
    """Stop a member from earning, spending or both; from the instant ``until`` on it is over by itself.

    Refuses MemberFrozen, MemberNotActive, InvalidInstant, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "freeze"

    frozen: Frozen
    reason: str
    until: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        if self.until is not None and self.until <= work.now:
            raise InvalidInstant(value=self.until.isoformat(), reason="a freeze ends in the future")
        freeze(work, self.frozen, self.reason, self.until)
        return {"frozen": self.frozen, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class UnfreezeMember(Operation):
    """Let a member earn and spend again. Refuses MemberNotFrozen, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "unfreeze"

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        member = work.member
        if member.frozen is None and member.status != MemberStatus.FROZEN:
            raise MemberNotFrozen(status=member.status)
        _change(work, MemberStatus.ACTIVE, self.reason, frozen=None, frozen_until=None)
        return {"frozen": member.frozen or Frozen.BOTH, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class CloseMembership(Operation):
    """End a membership for good. Open holds are released; what is left is lost, unless the programme keeps it.

    Refuses MemberNotActive when it is closed already, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "close"

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        forfeited = await close(work, self.reason)
        return {"forfeited": forfeited, "reason": self.reason}


def freeze(work: Work, frozen: Frozen, reason: str, until: datetime | None = None) -> None:
    """Raises MemberFrozen, MemberNotActive."""
    member = work.member
    if member.status == MemberStatus.CLOSED:
        raise MemberNotActive(status=member.status)
    if member.frozen is not None or member.status == MemberStatus.FROZEN:
        raise MemberFrozen(frozen=member.frozen or Frozen.BOTH, frozen_until=member.frozen_until)
    # Who may still do one of both is active.
    status = MemberStatus.FROZEN if frozen == Frozen.BOTH else member.status
    _change(work, status, reason, frozen=str(frozen), frozen_until=until)


async def close(work: Work, reason: str) -> dict[str, int]:
    """Close the membership; what was lost, by unit. Raises MemberNotActive when it is closed already."""
    if work.member.status == MemberStatus.CLOSED:
        raise MemberNotActive(status=work.member.status)
    holds: list[Hold] = await work.rows(Hold, "state = 'open'")
    for hold in holds:
        if hold.state == HoldState.OPEN:
            await work.release(hold.seq, unit=hold.unit)
    lost: dict[str, int] = {}
    if work.programme.trust.on_closing == "forfeit":
        lost = {unit: await work.forfeit(unit) for unit in work.programme.unit_names}
    _change(work, MemberStatus.CLOSED, reason, frozen=None, frozen_until=None)
    return {unit: amount for unit, amount in lost.items() if amount}


def _change(work: Work, status: MemberStatus | str, reason: str, **changes: Any) -> None:
    former = work.member.status
    work.change_member(status=str(status), **changes)
    if former != status:
        work.tell(MEMBER_STATUS_CHANGED, former=former, status=str(status), reason=reason)
