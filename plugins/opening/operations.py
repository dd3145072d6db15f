"""What a row asks for: a member is enrolled as they stood, or is given a lot that they had."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from core.books.accounts import Contra
from core.books.ledger import LotTerms
from core.engine.operations import Operation
from core.engine.work import FUTURE_TOLERANCE, Work
from core.errors import InvalidInstant, InvalidValue
from core.people.membership import EnrolMember
from core.suggest import did_you_mean
from core.time.calendar import day_start
from core.units import POINTS

CHANNEL = "opening"


@dataclass(frozen=True, kw_only=True)
class OpenMember(EnrolMember):
    """Enrol somebody in the tier that they had. Refuses MemberAlreadyEnrolled, InvalidInstant, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "member"

    tier: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        result = await super().perform(work)
        if self.tier is not None and self.tier != work.member.tier:
            ladder = work.programme.tiers
            known = [tier.id for tier in ladder.ladder] if ladder else []
            if self.tier not in known:
                raise InvalidValue(field="tier", reason=f"there is no {self.tier!r}{did_you_mean(self.tier, known)}")
            work.move_to_tier(self.tier)
        return result


@dataclass(frozen=True, kw_only=True)
class OpenBalance(Operation):
    """Give a member a lot that they had elsewhere, usable until 00:00 of ``expires_on``, or for ever.

    It counts as earned on the day on which it was, so that windows hold what they held. Refuses MemberNotFound,
    UnknownUnit, InvalidAmount, InvalidInstant.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "balance"

    points: int
    earned_at: datetime
    expires_on: date | None = None
    unit: str = POINTS

    async def perform(self, work: Work) -> dict[str, Any]:
        if self.earned_at > work.now + FUTURE_TOLERANCE:
            raise InvalidInstant(value=self.earned_at.isoformat(), reason="it lies in the future")
        if self.expires_on is not None and self.expires_on <= work.today:
            raise InvalidInstant(value=self.expires_on.isoformat(), reason="these points have expired")
        ends = None if self.expires_on is None else day_start(self.expires_on, work.programme.zone)
        terms = LotTerms(earned_at=self.earned_at, available_from=self.earned_at, expires_at=ends)
        lot = await work.earn(self.points, unit=self.unit, terms=terms, contra=Contra.OPENING)
        return {"unit": self.unit, "lot": lot.seq, "points": self.points}
