"""What can be done about referrals, and what a friend's orders do.

The friend is paid in the transaction of their first order, the inviter after it, through the outbox: an operation is
alone for its one member. Each side can be paid once, and each is taken back once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from core.books.members import ById
from core.books.tallies import ORDERS, Tally
from core.channels.bringing import BRINGING_PAID, MEMBER_BROUGHT
from core.channels.caps import draw
from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.engine.operations import Newcomer, Operation
from core.engine.work import Work
from core.money import money
from core.rulebook.rules import Budget
from core.telling.events import MEMBER_ERASED, TRANSACTION_REVERSED, Delivery, Event
from core.telling.outbox import Submit
from core.time.calendar import day_start, month_end, next_day
from core.units import POINTS

from .models import ReferralCode, ReferralInvitation, ReferralReward
from .refusals import (
    AlreadyInvited,
    InvitationsUsedUp,
    NotANewcomer,
    ReferralCodeExpired,
    ReferralCodeMalformed,
    ReferralCodeNotFound,
    ReferralLoop,
    ReferralNotOffered,
    SelfReferral,
)
from .rules import CHANNEL, ReferralSettings, code_of, month_number, read_code

ACCEPTED: Final = "accepted"
REWARDED: Final = "rewarded"
TAKEN_BACK: Final = "taken_back"
LAPSED: Final = "lapsed"

REFERRALS: Final = "referrals"
"""The tally of friends who were brought and have bought."""

UNDONE: Final = "referral.undone"
OUTGOING: Final = (BRINGING_PAID, UNDONE)

_BUDGET: Final = f"{CHANNEL}:{POINTS}"
_SHOWN: Final = 40


@dataclass(frozen=True, kw_only=True)
class IssueReferralCode(Operation):
    """Give the member a code, or renew the one they have. Refuses ReferralNotOffered, MemberNotActive, MemberFrozen."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "issue_code"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        work.check_may_earn()
        expires_at = work.now + timedelta(days=settings.code_days) if settings.code_days else None
        number = 0
        while (row := await work.shared(ReferralCode, code=code_of(work.member.id, number))) is not None:
            if row.inviter == work.member.id:
                row.expires_at = expires_at
                work.save(row)
                return {"code": row.code}
            number += 1
        code = code_of(work.member.id, number)
        work.add(ReferralCode, code=code, inviter=work.member.id, expires_at=expires_at, invited=0, month=0, in_month=0)
        return {"code": code}


@dataclass(frozen=True, kw_only=True)
class AcceptReferral(Operation):
    """A new member was brought by whoever has the code.

    Refuses ReferralCodeMalformed, ReferralCodeNotFound, ReferralCodeExpired, SelfReferral, ReferralLoop,
    AlreadyInvited, NotANewcomer, InvitationsUsedUp, ReferralNotOffered, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "accept"

    code: str
    enrol_if_unknown: bool = False

    def newcomer(self) -> Newcomer | None:
        return Newcomer() if self.enrol_if_unknown else None

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        work.check_may_earn()
        code = read_code(self.code)
        if code is None:
            raise ReferralCodeMalformed(referral_code=self.code[:_SHOWN])
        for earlier in await work.rows(ReferralInvitation):
            raise AlreadyInvited(accepted_at=earlier.accepted_at)
        own, theirs = await self._claim(work, code)
        if theirs is None:
            raise ReferralCodeNotFound(referral_code=code)
        if theirs.inviter == work.member.id:
            raise SelfReferral(referral_code=code)
        if theirs.expires_at is not None and theirs.expires_at <= work.now:
            raise ReferralCodeExpired(referral_code=code, expired_at=theirs.expires_at)
        await _check_new(work, settings)
        if own is not None and own.invited:
            # A ring would need somebody who was invited after they had invited: so there is none.
            raise ReferralLoop(invited=own.invited)
        month = month_number(work.today)
        in_month = theirs.in_month if theirs.month == month else 0
        if settings.a_month is not None and in_month >= settings.a_month:
            resets_at = day_start(next_day(month_end(work.today)), work.programme.zone)
            raise InvitationsUsedUp(limit=settings.a_month, resets_at=resets_at)
        theirs.invited += 1
        theirs.month, theirs.in_month = month, in_month + 1
        work.save(theirs)
        work.add(
            ReferralInvitation,
            code=code,
            inviter=theirs.inviter,
            accepted_at=work.now,
            state=ACCEPTED,
            reference=None,
            points=0,
            lots=[],
        )
        work.tell(MEMBER_BROUGHT, by=theirs.inviter)
        return {"code": code}

    async def _claim(self, work: Work, code: str) -> tuple[ReferralCode | None, ReferralCode | None]:
        """The member's own code, if they have one, and the one that they accept: claimed in one order by everybody."""
        mine = code_of(work.member.id)
        rows = {each: await work.shared(ReferralCode, code=each) for each in sorted({mine, code})}
        own, number = rows[mine], 0
        while own is not None and own.inviter != work.member.id:
            # Somebody else had this code first; that happens once in some millions.
            number += 1
            own = await work.shared(ReferralCode, code=code_of(work.member.id, number))
        return own, rows[code]


@dataclass(frozen=True, kw_only=True)
class RewardInviter(Operation):
    """A friend has bought: the inviter gets what was promised when the friend did."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "reward"

    invitee: str
    points: int
    pending_days: int = 0

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        budget = settings.budget if isinstance(settings, ReferralSettings) else Budget()
        points = await draw(work, _BUDGET, budget, self.points)
        lots = [(await work.earn(points, pending_days=self.pending_days)).seq] if points else []
        work.add(
            ReferralReward,
            invitee=self.invitee,
            transaction_id=work.operation_id,
            points=points,
            lots=lots,
            rewarded_at=work.now,
            is_taken_back=False,
        )
        work.count(REFERRALS, 1)
        return {"points": points}


@dataclass(frozen=True, kw_only=True)
class TakeBackInviterReward(Operation):
    """The friend's first order came back: so does what it brought the inviter."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "take_back"
    reaches_merged: ClassVar[bool] = True

    invitee: str

    async def perform(self, work: Work) -> dict[str, Any]:
        reward = await work.find(ReferralReward, invitee=self.invitee)
        if reward is None:
            return {"points": 0}  # it was refused when it was due: the inviter was frozen, say
        taken = await work.take_back(reward.lots)
        _mark_taken_back(work, reward)
        return {"points": taken}


# -- what happens to orders ---------------------------------------------------------------------------


async def forget(event: Event, work: Work) -> None:
    """The codes of an erased member lead to nobody any more."""
    if event.name != MEMBER_ERASED:
        return
    for code in sorted(await work.look_all(ReferralCode, inviter=work.member.id)):
        row = await work.shared(ReferralCode, code=code.code)
        assert row is not None, "codes are never deleted"
        row.expires_at = work.now
        work.save(row)


async def follow(event: Event, work: Work) -> None:
    """Pay the friend for their first order, and take it back when the order comes back."""
    match event.name:
        case name if name == ORDER_PAID:
            await _reward(event, work)
        case name if name == ORDER_REFUNDED:
            await _undo(event, work)
        case name if name == TRANSACTION_REVERSED and event.payload["whole"]:
            reward = await work.find(ReferralReward, transaction_id=event.payload["transaction"])
            if reward is not None:
                _mark_taken_back(work, reward)


async def tell_inviter(event: Delivery, submit: Submit) -> None:
    """What a friend's order has done, it does to the inviter. The friend is in the key, so nothing is done twice."""
    if event.name not in OUTGOING:
        return
    invitee, points = event.member_id, event.payload["points"]
    inviter = ById(event.payload["inviter"])
    if event.name == UNDONE:
        await submit(
            TakeBackInviterReward(
                member=inviter, idempotency_key=f"undone:{invitee}", actor=f"plugin {CHANNEL}", invitee=invitee
            )
        )
    elif points:
        await submit(
            RewardInviter(
                member=inviter,
                idempotency_key=f"completed:{invitee}",
                actor=f"plugin {CHANNEL}",
                invitee=invitee,
                points=points,
                pending_days=event.payload["pending_days"],
            )
        )


def _mark_taken_back(work: Work, reward: ReferralReward) -> None:
    if not reward.is_taken_back:
        reward.is_taken_back = True
        work.save(reward)
        work.count(REFERRALS, -1, at=reward.rewarded_at)


async def _reward(event: Event, work: Work) -> None:
    settings = work.programme.channels.get(CHANNEL)
    invitation = await _invitation(work, ACCEPTED) if settings is not None else None
    if settings is None or invitation is None:
        return
    assert isinstance(settings, ReferralSettings)
    occurred_at = datetime.fromisoformat(event.payload["occurred_at"])
    waited = occurred_at - invitation.accepted_at
    # Who had bought before they were invited was a customer, even if the till tells it only now.
    late = settings.complete_days is not None and waited >= timedelta(days=settings.complete_days)
    if waited < timedelta(0) or late:
        invitation.state = LAPSED
        work.save(invitation)
        return
    if not _suffices(settings, work, event.payload["paid"]):
        return
    pending_days = settings.pending_days or 0
    points = await draw(work, _BUDGET, settings.budget, settings.invitee)
    if points:
        lot = await work.earn(points, earned_at=occurred_at, pending_days=pending_days)
        invitation.lots = [lot.seq]
    invitation.state, invitation.points = REWARDED, points
    invitation.reference = event.payload["reference"]
    work.save(invitation)
    work.tell(
        BRINGING_PAID,
        inviter=invitation.inviter,
        points=settings.inviter,
        pending_days=pending_days,
        reference=event.payload["reference"],
    )


async def _undo(event: Event, work: Work) -> None:
    payload = event.payload
    invitation = await _invitation(work, REWARDED)
    if invitation is None or invitation.reference != payload["reference"]:
        return
    if not payload["gone"]:
        settings = work.programme.channels.get(CHANNEL)
        assert isinstance(settings, ReferralSettings), "the version that judged the order judges the refund"
        if settings.partial_refund == "keep" or _suffices(settings, work, payload["paid"]):
            return
    await work.take_back(invitation.lots)
    invitation.state = TAKEN_BACK
    work.save(invitation)
    work.tell(UNDONE, inviter=invitation.inviter, points=invitation.points)


async def _invitation(work: Work, state: str) -> ReferralInvitation | None:
    """The invitation that the member accepted, if it is in that state."""
    for row in await work.rows(ReferralInvitation):
        if row.state == state:
            return await work.find(ReferralInvitation, code=row.code)
    return None


def _suffices(settings: ReferralSettings, work: Work, paid: int) -> bool:
    """Whether an order on which so much money was paid, in minor units, counts as a first order.

    What was paid with points alone does not: those of joining are had for nothing, by any number of accounts.
    """
    return paid > 0 and (
        settings.order_at_least is None or money(paid, work.programme.currency) >= settings.order_at_least
    )


# -- who may ------------------------------------------------------------------------------------------


async def _check_new(work: Work, settings: ReferralSettings) -> None:
    orders = await work.counted(ORDERS)
    # A day on which orders were counted stays, also when all of them came back.
    bought = orders > 0 or await work.rows(Tally, name=ORDERS)
    if bought or work.now - work.member.enrolled_at >= timedelta(days=settings.accept_days):
        raise NotANewcomer(enrolled_at=work.member.enrolled_at, orders=max(orders, 0))


def _offered(work: Work) -> ReferralSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise ReferralNotOffered(at=work.now)
    assert isinstance(settings, ReferralSettings)
    return settings
