"""Two members who are one: all that the one has goes to the other, and can come back.

The merged member is closed and says whose it is now. What is done about an order of theirs afterwards (a refund, a
reversal) is done in their books, and what it leaves there goes on to the other in the same breath. See ``moving`` for
how points get from one lock to another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.accounts import Account
from core.books.holds import Hold, HoldState
from core.books.members import ById, Member, MemberStatus, TierCause, bucket_of
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import BalanceLimitExceeded, MemberMerged, MemberNotFound, Refusal, fact
from core.models import MergeRow, MergeStandingRow
from core.people.membership import check_reason
from core.people.moving import send_all, send_back, take
from core.telling.events import (
    MEMBER_MERGED,
    MEMBER_STATUS_CHANGED,
    MERGE_GIVEN_BACK,
    MERGE_SENT,
    MERGE_TAKEN,
    MERGE_UNDONE,
    Delivery,
)
from core.telling.outbox import Submit
from core.trust.flags import Flag, FlagsOpen, FlagState
from core.units import AMOUNT_MAX, POINTS, Points

CHANNEL: Final = "people"
MERGED: Final = "merged"
UNDONE: Final = "undone"
ACTOR: Final = "laurel"
OUTGOING: Final = frozenset({MERGE_SENT, MERGE_UNDONE})


class MergeIntoOneself(Refusal):
    """Both are the same member."""

    code = "MERGE_INTO_ONESELF"
    says = "{member} cannot be merged into itself"
    says_zh = "{member} 不能并入自身"
    member: str = fact("The member who was named twice.")


class MergeNotPossible(Refusal):
    """One of the two is not an active member."""

    code = "MERGE_NOT_POSSIBLE"
    says = "member {member} is {standing}"
    says_zh = "会员 {member} 的状态为 {standing}"
    member: str = fact("Which of the two, by Laurel's number.")
    standing: str = fact("frozen, closed or erased.")


class HoldsOpen(Refusal):
    """Points of the member are set aside. Let the holds be captured or released first."""

    code = "HOLDS_OPEN"
    says = "{open_holds} holds set {held} aside"
    says_zh = "有 {open_holds} 笔预扣占用了 {held}"
    open_holds: int = fact("How many holds are open.")
    held: Points = fact("How many points they set aside.")


class NotMerged(Refusal):
    """The member is not merged into another."""

    code = "NOT_MERGED"
    says = "the member is {status} and not merged"
    says_zh = "该会员的状态为 {status}，并未合并"
    status: str = fact("The member's status.")


@dataclass(frozen=True, kw_only=True)
class MergeMember(Operation):
    """Merge this member into the one with the id ``into``, who has everything from then on.

    Refuses MergeIntoOneself, MergeNotPossible, MemberMerged, MemberNotFound, HoldsOpen, FlagsOpen,
    BalanceLimitExceeded, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "merge"

    into: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        member = work.member
        if self.into == member.id:
            raise MergeIntoOneself(member=member.id)
        own, others = await _claim(work, self.into)
        other = await _member(work, self.into)
        if other is None:
            raise MemberNotFound(member=self.into)
        _check_standing(member)
        if others is not None and others.merged_into is not None:
            raise MemberMerged(member=other.id, merged_into=others.merged_into)
        _check_standing(other.at(work.now))
        await _check_holds(work)
        await _check_flags(work)
        sent = await send_all(
            work,
            other.id,
            first=True,
            tier=member.tier,
            tier_lock=work.tier_lock,
            tier_lock_until=member.tier_lock_until.isoformat() if work.tier_lock and member.tier_lock_until else None,
        )
        await _check_limit(work, other.id, sent)
        _stand(work, own, other.id)
        if others is None:
            work.add(MergeStandingRow, id=other.id, merged_into=None)
        work.add(
            MergeRow,
            merge_id=work.operation_id,
            other=other.id,
            outgoing=True,
            state=MERGED,
            tier_former=None,
            tier_gained=None,
            merged_at=work.now,
            undone_at=None,
        )
        work.change_member(status=str(MemberStatus.CLOSED), merged_into=other.id, frozen=None, frozen_until=None)
        work.change_member(tier_review_at=None, tier_due_at=None)
        work.tell(MEMBER_MERGED, into=other.id)
        work.tell(MEMBER_STATUS_CHANGED, former=member.status, status=str(MemberStatus.CLOSED), reason=self.reason)
        return {"into": other.id, "moved": sent, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class UndoMerge(Operation):
    """Let a merged member be one of their own again. What is left of what the other got comes back.

    Refuses NotMerged, MergeNotPossible, MemberMerged when the other was merged on, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "undo_merge"
    reaches_merged: ClassVar[bool] = True

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        member = work.member
        if member.merged_into is None:
            raise NotMerged(status=member.status)
        if member.erased_at is not None:
            raise MergeNotPossible(member=member.id, standing="erased")
        into = member.merged_into
        own, others = await _claim(work, into)
        if others is not None and others.merged_into is not None:
            raise MemberMerged(member=into, merged_into=others.merged_into)
        rows = [row for row in await work.rows(MergeRow, other=into) if row.outgoing and row.state == MERGED]
        merge = rows[-1].merge_id
        await _end(work, merge)
        _stand(work, own, None)
        work.change_member(status=str(MemberStatus.ACTIVE), merged_into=None)
        work.standing.begin(work.now)
        work.tell(MERGE_UNDONE, merge=merge, by=into)
        work.tell(MEMBER_STATUS_CHANGED, former=member.status, status=str(MemberStatus.ACTIVE), reason=self.reason)
        return {"merge": merge, "from": into, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class TakeMerged(Operation):
    """Take what another member has sent, by a merge or as one is undone. With ``first`` the merge begins."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "take"
    reaches_merged: ClassVar[bool] = True

    sender: str
    merge: str
    transfer: str
    first: bool = False
    tier: str = ""
    tier_lock: str | None = None
    tier_lock_until: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        taken = await take(work, self.sender, self.transfer)
        member = work.member
        if self.first:
            gained = self._take_tier(work)
            work.add(
                MergeRow,
                merge_id=self.merge,
                other=self.sender,
                outgoing=False,
                state=MERGED,
                tier_former=member.tier,
                tier_gained=gained,
                merged_at=work.now,
                undone_at=None,
            )
        work.tell(MERGE_TAKEN, other=self.sender, first=self.first)
        # Closed in the meantime, by nobody who knew of this.
        unwanted = self.first and member.status == MemberStatus.CLOSED and member.merged_into is None
        return {"from": self.sender, "moved": taken, "unwanted": unwanted}

    def _take_tier(self, work: Work) -> str | None:
        """Have the better of both tiers; the one that came from the other, if it is that."""
        ladder, member = work.programme_now.tiers, work.member
        if ladder is None:
            return None
        until = self.tier_lock_until
        if self.tier_lock and until is not None and until > work.now and work.tier_lock is None:
            work.lock_tier(self.tier_lock, until)
        if ladder.rank(self.tier) <= ladder.rank(member.tier):
            return None
        # Who had it has had what it brings.
        work.move_to_tier(self.tier, TierCause.MERGER, merged=True)
        return self.tier


@dataclass(frozen=True, kw_only=True)
class GiveBackMerged(Operation):
    """Send back to a member what is left of what came with them. What was spent is gone; what is held stays."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "give_back"
    reaches_merged: ClassVar[bool] = True

    to: str
    merge: str

    async def perform(self, work: Work) -> dict[str, Any]:
        sent = await send_back(work, self.to, self.merge)
        row = await _end(work, self.merge)
        if row is not None and row.tier_gained is not None and work.member.tier == row.tier_gained:
            await self._fall(work, row.tier_former or "")
        work.tell(MERGE_GIVEN_BACK, other=self.to)
        return {"to": self.to, "moved": sent}

    async def _fall(self, work: Work, former: str) -> None:
        """Leave the tier that came with the other, for the one there is ground for without them."""
        ladder = work.programme_now.tiers
        if ladder is None:
            return
        floors = (former, await work.tier_earned(), work.tier_lock or "")
        tier = max((floor for floor in floors if floor), key=ladder.rank, default="")
        if tier and ladder.rank(tier) < ladder.rank(work.member.tier):
            work.move_to_tier(tier, TierCause.MERGER)


async def deliver(event: Delivery, submit: Submit) -> None:
    """Bring what one member has sent to the other, and back what a merge that was undone had brought."""
    told: Mapping[str, Any] = event.payload
    if event.name not in OUTGOING:
        return
    if event.name == MERGE_UNDONE:
        key = f"undone:{told['merge']}"
        back = GiveBackMerged(
            member=ById(told["by"]), idempotency_key=key, actor=ACTOR, to=event.member_id, merge=told["merge"]
        )
        (await submit(back)).result  # noqa: B018 (raises when it was refused: then it is told again)
        return
    until = told.get("tier_lock_until")
    outcome = await submit(
        TakeMerged(
            member=ById(told["to"]),
            idempotency_key=f"merge:{told['transfer']}",
            actor=ACTOR,
            sender=event.member_id,
            merge=told["merge"],
            transfer=told["transfer"],
            first=told.get("first", False),
            tier=told.get("tier", ""),
            tier_lock=told.get("tier_lock"),
            tier_lock_until=datetime.fromisoformat(until) if until else None,
        )
    )
    if outcome.result["unwanted"]:
        key = f"unwanted:{told['merge']}"
        reason = "the other membership was closed before the merge had reached it"
        await submit(UndoMerge(member=ById(event.member_id), idempotency_key=key, actor=ACTOR, reason=reason))


async def _claim(work: Work, other: str) -> tuple[Any, Any]:
    """Have both members' standing to oneself, claimed in the order of their ids; None for one that has none yet."""
    rows = {id: await work.shared(MergeStandingRow, id=id) for id in sorted((work.member.id, other))}
    return rows[work.member.id], rows[other]


def _stand(work: Work, row: Any, into: str | None) -> None:
    if row is None:
        work.add(MergeStandingRow, id=work.member.id, merged_into=into)
    else:
        row.merged_into = into
        work.save(row)


async def _member(work: Work, id: str) -> Member | None:
    found: Member | None = await work.look(Member, bucket=bucket_of(id), id=id)
    return found


def _check_standing(member: Member) -> None:
    if member.erased_at is not None:
        raise MergeNotPossible(member=member.id, standing="erased")
    if member.frozen is not None:
        raise MergeNotPossible(member=member.id, standing="frozen")
    if member.status != MemberStatus.ACTIVE:
        raise MergeNotPossible(member=member.id, standing=member.status)


async def _check_holds(work: Work) -> None:
    await work.release_overdue_holds()
    holds = [hold for hold in await work.rows(Hold, "state = 'open'") if hold.state == HoldState.OPEN]
    if holds:
        raise HoldsOpen(open_holds=len(holds), held=sum(hold.amount for hold in holds if hold.unit == POINTS))


async def _check_flags(work: Work) -> None:
    """What waits for a review is let go or taken where it was held back."""
    flags = [flag for flag in await work.rows(Flag, "state = 'open'") if flag.state == FlagState.OPEN]
    if flags:
        raise FlagsOpen(open_flags=len(flags))


async def _check_limit(work: Work, other: str, sent: Mapping[str, int]) -> None:
    """What is on its way must have room where it goes."""
    accounts: list[Account] = await work.look_all(Account, bucket=bucket_of(other), member_id=other)
    for account in accounts:
        if abs(account.balance + sent.get(account.unit, 0)) > AMOUNT_MAX:
            raise BalanceLimitExceeded(unit=account.unit, balance_max=AMOUNT_MAX)


async def _end(work: Work, merge: str) -> MergeRow | None:
    row = await work.find(MergeRow, merge_id=merge)
    if row is not None:
        row.state, row.undone_at = UNDONE, work.now
        work.save(row)
    return row
