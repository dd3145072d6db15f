"""Reviews of tiers: what is due is done before anything else is done to the member, or by a job for who does nothing.

So it makes no difference when the job runs, how often, or whether at all: each step is an operation of its own,
effective at the instant at which it was due, judged by the programme that was in force then, and with a key made of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.members import ById, Member, MemberStatus, TierCause
from core.engine.operations import DueOperation, Operation
from core.engine.work import Work
from core.errors import InvalidInstant, InvalidValue, MemberNotActive, TierNotFound
from core.people.membership import check_reason
from core.rulebook.programmes import Programmes, Version
from core.time.clock import microseconds

CHANNEL: Final = "tiers"


@dataclass(frozen=True, kw_only=True)
class ReviewTier(DueOperation):
    """Do what is due for a member's tier: warn, judge, or end the days of grace."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "review"

    due: datetime

    async def perform(self, work: Work) -> dict[str, Any]:
        if work.member.tier_due_at != self.due:
            return {"step": "none", "tier": work.member.tier}  # the member has risen since, say
        return await work.standing.review()


@dataclass(frozen=True, kw_only=True)
class AdoptLadder(DueOperation):
    """Let a new version's ladder hold for a member: a tier that it has, and a date if it judges tiers."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "adopt"

    async def perform(self, work: Work) -> dict[str, Any]:
        return await work.standing.adopt()


@dataclass(frozen=True, kw_only=True)
class SetTier(Operation):
    """Put a member into a tier by hand; ``until`` an instant nothing lowers it, and then it is judged.

    Refuses TierNotFound, InvalidInstant, InvalidValue, MemberNotActive.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "set"

    tier: str
    reason: str
    until: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        ladder, member = work.standing.ladder, work.member
        if member.status == MemberStatus.CLOSED:
            raise MemberNotActive(status=member.status)
        if ladder is None or ladder.rank(self.tier) < 0:
            tiers = ", ".join(tier.id for tier in ladder.ladder) if ladder else ""
            raise TierNotFound(tier=self.tier[:64], tiers=tiers)
        if self.until is not None and self.until <= work.now:
            raise InvalidInstant(value=self.until.isoformat(), reason="a lock ends in the future")
        lock = None if self.until is None else self.tier
        if (member.tier, work.tier_lock, self.until) == (self.tier, lock, member.tier_lock_until if lock else None):
            raise InvalidValue(field="tier", reason=f"the member is {self.tier} already, and as long")
        work.lock_tier(lock, self.until)
        if member.tier != self.tier:
            work.move_to_tier(self.tier, TierCause.OPERATOR)
        if self.until is not None:
            work.standing.begin(work.now, self.until)
        elif member.tier_due_at is not None and member.tier_due_at == member.tier_lock_until:
            # The lock that is taken away was what set the date.
            work.standing.begin(work.now)
        return {"former": member.tier, "tier": self.tier, "reason": self.reason}


def due_first(member: Member, programmes: Programmes, now: datetime, actor: str = "laurel") -> Operation | None:
    """What is to be done about the member's tier before anything else; None when nothing is due."""
    due = member.tier_due_at
    if due is not None and due <= now:
        return review(member.id, member.tier_changes, due, actor)
    if member.tier and (version := programmes.latest(now)) is not None:
        ladder = version.programme.tiers
        if ladder is not None and ladder.rank(member.tier) < 0:
            return adoption(member.id, version, max(version.starts_at, member.tier_since), actor)
    return None


def review(member_id: str, tier_changes: int, due: datetime, actor: str) -> Operation:
    # The number of steps, as a replay of what happened before may set a date once more that has been.
    key = f"review:{tier_changes}:{microseconds(due)}"
    return ReviewTier(member=ById(member_id), idempotency_key=key, actor=actor, at=due, due=due)


def adoption(member_id: str, version: Version, at: datetime, actor: str) -> Operation:
    return AdoptLadder(member=ById(member_id), idempotency_key=f"adopt:{version.number}", actor=actor, at=at)
