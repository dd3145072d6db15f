"""How members become ambassadors, and what the orders of those whom they brought give them.

Who has brought whom is recorded by referrals, once for all channels (``core.channels.bringing``). The friend's order is
told of in its own transaction, and the ambassador is given the commission in one of theirs, through the outbox. An
order that has brought the ambassador a referral's bonus gives no commission: nothing is paid for twice.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar, Final

from core.books.members import ById, MemberStatus, bucket_of
from core.channels import caps
from core.channels.bringing import BRINGING_PAID, MEMBER_BROUGHT
from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue, MemberNotActive
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.telling.events import (
    MEMBER_STATUS_CHANGED,
    TALLIES_COUNTED,
    TIER_CHANGED,
    TRANSACTION_REVERSED,
    Delivery,
    Event,
)
from core.telling.outbox import Submit
from core.units import POINTS

from .events import (
    AMBASSADOR_APPLIED,
    AMBASSADOR_APPOINTED,
    AMBASSADOR_DECLINED,
    AMBASSADOR_ENDED,
    COMMISSION_GIVEN,
    COMMISSION_TAKEN_BACK,
)
from .models import Ambassador, AmbassadorCommission, AmbassadorFriend
from .refusals import (
    AlreadyAmbassador,
    AmbassadorApplicationPending,
    AmbassadorsNotOffered,
    AmbassadorTierMissing,
    NoAmbassadorApplication,
    NotAnAmbassador,
)
from .rules import CHANNEL, AmbassadorSettings

APPLIED: Final = "applied"
ACTIVE: Final = "active"
DECLINED: Final = "declined"
WITHDRAWN: Final = "withdrawn"
ENDED: Final = "ended"
LAPSED: Final = "lapsed"

GIVEN: Final = "given"
REDUCED: Final = "reduced"
TAKEN_BACK: Final = "taken_back"

FRIEND_PAID: Final = "ambassador.friend_paid"
FRIEND_REFUNDED: Final = "ambassador.friend_refunded"
OUTGOING: Final = (FRIEND_PAID, FRIEND_REFUNDED)
HEARD: Final = (
    MEMBER_BROUGHT,
    ORDER_PAID,
    BRINGING_PAID,
    TALLIES_COUNTED,
    ORDER_REFUNDED,
    TRANSACTION_REVERSED,
    TIER_CHANGED,
    MEMBER_STATUS_CHANGED,
)
"""What ``follow`` looks at."""

NOTE_MAX: Final = 500


@dataclass(frozen=True, kw_only=True)
class ApplyAsAmbassador(Operation):
    """Be an ambassador at once, or apply for it, as the programme says.

    Refuses AmbassadorsNotOffered, AmbassadorTierMissing, AlreadyAmbassador, AmbassadorApplicationPending,
    MemberNotActive, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "apply"

    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        if self.note is not None and not 1 <= len(self.note) <= NOTE_MAX:
            raise InvalidValue(field="note", reason=f"it must have 1 to {NOTE_MAX} characters")
        row = await work.find(Ambassador)
        if row is not None and row.state == ACTIVE:
            raise AlreadyAmbassador(appointed_at=row.appointed_at or row.changed_at)
        if row is not None and row.state == APPLIED:
            raise AmbassadorApplicationPending(applied_at=row.changed_at)
        _check_may_be(work, settings)
        # Whom an operator has dismissed is let in again by an operator alone, also when they ask a second time.
        if settings.entry == "application" or (row is not None and row.reason is not None):
            await _write(work, state=APPLIED, note=self.note)
            work.tell(AMBASSADOR_APPLIED)
        else:
            await _appoint(work, self.note)
        return {}


@dataclass(frozen=True, kw_only=True)
class WithdrawAsAmbassador(Operation):
    """Be no ambassador any more, or take an application back. Refuses NotAnAmbassador."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "withdraw"

    async def perform(self, work: Work) -> dict[str, Any]:
        row = await work.find(Ambassador)
        if row is None or row.state not in (APPLIED, ACTIVE):
            raise NotAnAmbassador(member=work.member.id)
        await _end(work, WITHDRAWN)
        return {}


@dataclass(frozen=True, kw_only=True)
class ApproveAmbassador(Operation):
    """Let a member be an ambassador who has applied.

    Refuses AmbassadorsNotOffered, NoAmbassadorApplication, AmbassadorTierMissing, MemberNotActive.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "approve"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        row = await _applied(work)
        _check_may_be(work, settings)
        await _appoint(work, row.note)
        return {}


@dataclass(frozen=True, kw_only=True)
class DeclineAmbassador(Operation):
    """Decline an application, for a stated reason. Refuses NoAmbassadorApplication, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "decline"

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        await _applied(work)
        await _write(work, state=DECLINED, reason=self.reason)
        work.tell(AMBASSADOR_DECLINED)
        return {"reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class EndAmbassador(Operation):
    """Let a member be no ambassador any more, for a stated reason. Refuses NotAnAmbassador, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "end"

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        row = await work.find(Ambassador)
        if row is None or row.state != ACTIVE:
            raise NotAnAmbassador(member=work.member.id)
        await _end(work, ENDED, self.reason)
        return {"reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class GiveCommission(Operation):
    """A friend has paid an order: the ambassador gets what the version says that judged it."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "commission"

    friend: str
    order: str
    paid: int
    version: int

    async def perform(self, work: Work) -> dict[str, Any]:
        work.judge_by(self.version)
        settings, row = settings_of(work.programme), await work.find(Ambassador)
        if settings is None or row is None or row.state != ACTIVE:
            return {"points": 0}  # withdrawn since
        tier = work.member.tier
        worth = settings.commission(self.paid, tier, work.programme)
        if not worth:
            return {"points": 0}
        room = await caps.room(work, CHANNEL, POINTS, settings.caps, work.today)
        points = min([worth, *(left for left in room if left is not None)])
        pending = settings.pending_days or 0
        lots = [(await work.earn(points, pending_days=pending)).seq] if points else []
        await caps.use(work, CHANNEL, POINTS, settings.caps, points)
        work.add(
            AmbassadorCommission,
            friend=self.friend,
            reference=self.order,
            transaction_id=work.operation_id,
            version=self.version,
            tier=tier,
            given=points,
            points=points,
            lots=lots,
            state=GIVEN,
            given_at=work.now,
        )
        row.orders += 1
        row.points += points
        work.save(row)
        work.tell(COMMISSION_GIVEN, points=points, pending_days=pending)
        return {"points": points}


@dataclass(frozen=True, kw_only=True)
class ReduceCommission(Operation):
    """A friend's order came back, or a part of it: so much of it is still paid for. So goes the commission."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "reduce"
    reaches_merged: ClassVar[bool] = True

    friend: str
    order: str
    paid: int

    async def perform(self, work: Work) -> dict[str, Any]:
        row = await work.find(AmbassadorCommission, friend=self.friend, reference=self.order)
        if row is None or row.state == TAKEN_BACK:
            return {"points": 0}  # the order has given nothing, or an operator has taken it back
        work.judge_by(row.version)
        settings = settings_of(work.programme)
        assert settings is not None, "it was given by that version"
        left = min(settings.commission(self.paid, row.tier, work.programme), row.points)
        taken = await work.take_back(row.lots, keep=left)
        await _stands(work, row, left, gone=self.paid <= 0)
        return {"points": taken}


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Tell of what friends pay and send back, and let nobody be an ambassador who may not."""
    match event.name:
        case name if name == MEMBER_BROUGHT:
            if settings_of(work.programme_now) is not None:
                by = event.payload["by"]
                work.add(AmbassadorFriend, ambassador=by, brought_at=work.now, waiting=None, paid=0, version=0)
        case name if name == ORDER_PAID:
            await _wait(event, work)
        case name if name == BRINGING_PAID and event.payload["points"]:
            await _waited(work, event.payload["reference"])
        case name if name == TALLIES_COUNTED:
            await _tell(work)
        case name if name == ORDER_REFUNDED:
            for friend in await work.rows(AmbassadorFriend):
                told = {"order": event.payload["reference"], "paid": event.payload["paid"]}
                work.tell(FRIEND_REFUNDED, ambassador=friend.ambassador, **told)
        case name if name == TRANSACTION_REVERSED and event.payload["channel"] == CHANNEL:
            await _reversed(event, work)
        case name if name == TIER_CHANGED:
            settings, row = settings_of(work.programme_now), await work.find(Ambassador)
            ends = settings is not None and settings.tier_lost == "end" and not settings.takes(work.member.tier)
            if ends and row is not None and row.state in (APPLIED, ACTIVE):
                await _end(work, LAPSED)
        case name if name == MEMBER_STATUS_CHANGED and event.payload["status"] == MemberStatus.CLOSED:
            row = await work.find(Ambassador)
            if row is not None and row.state in (APPLIED, ACTIVE):
                await _end(work, LAPSED)
        case _:
            pass


async def pay_ambassador(event: Delivery, submit: Submit) -> None:
    """What a friend's order has done, it does to the ambassador. Friend and order make the key: nothing twice."""
    if event.name not in OUTGOING:
        return
    friend, told = event.member_id, event.payload
    ambassador, by = ById(told["ambassador"]), f"plugin {CHANNEL}"
    if event.name == FRIEND_PAID:
        # The ambassador can read the key, and is not to know whose order it was, or which.
        order = f"{friend}:{told['order']}"
        key = f"paid:{sha256(order.encode()).hexdigest()}"
        await submit(
            GiveCommission(
                member=ambassador, idempotency_key=key, actor=by,
                friend=friend, order=told["order"], paid=told["paid"], version=told["version"],
            )
        )  # fmt: skip
    else:
        await submit(
            ReduceCommission(
                member=ambassador, idempotency_key=f"refunded:{event.id}", actor=by,
                friend=friend, order=told["order"], paid=told["paid"],
            )
        )  # fmt: skip


async def _wait(event: Event, work: Work) -> None:
    """An order of a friend, of which is told when it is known whether it has brought a bonus."""
    settings = settings_of(work.programme)
    if settings is None or event.payload["paid"] <= 0:
        return
    for row in await work.rows(AmbassadorFriend):
        if not settings.counts(row.brought_at, datetime.fromisoformat(event.payload["occurred_at"])):
            continue
        # Nobody else is told, however many members have friends.
        theirs = await work.look_all(Ambassador, bucket=bucket_of(row.ambassador), member_id=row.ambassador)
        if any(each.state == ACTIVE for each in theirs):
            friend = await work.find(AmbassadorFriend, ambassador=row.ambassador)
            assert friend is not None, "it was just read"
            friend.waiting, friend.paid = event.payload["reference"], event.payload["paid"]
            friend.version = work.version.number
            work.save(friend)


async def _waited(work: Work, reference: str) -> None:
    """The order has brought the one who brought the member a bonus, and nothing else."""
    for row in await work.rows(AmbassadorFriend, waiting=reference):
        friend = await work.find(AmbassadorFriend, ambassador=row.ambassador)
        assert friend is not None, "it was just read"
        friend.waiting = None
        work.save(friend)


async def _tell(work: Work) -> None:
    # What an operation counts is told of after all that has happened in it, so a bonus is known by now.
    if settings_of(work.programme) is None or not any(event.name == ORDER_PAID for event in work.events):
        return
    for row in await work.rows(AmbassadorFriend):
        if row.waiting is None:
            continue
        friend = await work.find(AmbassadorFriend, ambassador=row.ambassador)
        assert friend is not None, "it was just read"
        told = {"order": friend.waiting, "paid": friend.paid, "version": friend.version}
        work.tell(FRIEND_PAID, ambassador=friend.ambassador, **told)
        friend.waiting = None
        work.save(friend)


async def _reversed(event: Event, work: Work) -> None:
    """What an operator takes back of a commission stands no more."""
    for found in await work.rows(AmbassadorCommission, transaction_id=event.payload["transaction"]):
        row = await work.find(AmbassadorCommission, friend=found.friend, reference=found.reference)
        assert row is not None, "it was just read"
        whole = event.payload["whole"]
        left = 0 if whole else max(row.points + min(event.payload["amounts"].get(POINTS, 0), 0), 0)
        await _stands(work, row, left, gone=whole)


# -- rows ---------------------------------------------------------------------------------------------


def settings_of(programme: Programme) -> AmbassadorSettings | None:
    """How the programme has ambassadors; None when it has none."""
    settings = programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, AmbassadorSettings)
    return settings


def _offered(work: Work) -> AmbassadorSettings:
    settings = settings_of(work.programme)
    if settings is None:
        raise AmbassadorsNotOffered(at=work.now)
    return settings


def _check_may_be(work: Work, settings: AmbassadorSettings) -> None:
    member = work.member
    if member.status != MemberStatus.ACTIVE:
        raise MemberNotActive(status=member.status)
    if not settings.takes(member.tier):
        raise AmbassadorTierMissing(tier=member.tier, tiers=", ".join(settings.tiers or ()))


async def _applied(work: Work) -> Ambassador:
    row = await work.find(Ambassador)
    if row is None or row.state != APPLIED:
        raise NoAmbassadorApplication(member=work.member.id)
    return row


async def _appoint(work: Work, note: str | None) -> None:
    await _write(work, state=ACTIVE, note=note, reason=None, appointed_at=work.now)
    work.tell(AMBASSADOR_APPOINTED)


async def _end(work: Work, state: str, reason: str | None = None) -> None:
    row = await work.find(Ambassador)
    assert row is not None, "it was just read"
    was = row.state
    await _write(work, state=state, reason=reason or row.reason)
    if was == ACTIVE:
        work.tell(AMBASSADOR_ENDED, why=state)


async def _write(work: Work, **values: Any) -> None:
    stamp = {"changed_at": work.now, "transaction_id": work.operation_id}
    row = await work.find(Ambassador)
    if row is None:
        blank = {"note": None, "reason": None, "appointed_at": None, "orders": 0, "points": 0}
        work.add(Ambassador, **{**blank, **stamp, **values})
    else:
        work.save(row.update_from_dict({**stamp, **values}))


async def _stands(work: Work, row: AmbassadorCommission, points: int, *, gone: bool) -> None:
    """So much of a commission stands; ``gone``: nothing of the order is left."""
    lost, was = row.points - points, row.state
    if not lost and not gone:
        return
    row.points, row.state = points, TAKEN_BACK if gone else REDUCED
    work.save(row)
    owner = await work.find(Ambassador)
    assert owner is not None, "who was given a commission is there"
    owner.points -= lost
    owner.orders -= gone and was != TAKEN_BACK
    work.save(owner)
    work.tell(COMMISSION_TAKEN_BACK, points=lost)
