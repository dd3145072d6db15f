"""Points from one member to another: taken in one transaction, given in the next, through the outbox.

What is given lives as long as it would have with the giver: points that go to and fro do not live for ever. Who cannot
take them any more gives them back, to the very lots they were taken from.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from unicodedata import category

from core.books.accounts import Contra
from core.books.ledger import LotTerms
from core.books.lots import Draw, Lot
from core.books.members import ById, Frozen, Member
from core.channels.limits import used
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidAmount, InvalidValue, NotReversible
from core.telling.events import MEMBER_ERASED, TRANSACTION_REVERSED, Delivery, Event
from core.telling.outbox import Submit
from core.units import AMOUNT_MAX, POINTS

from .models import GiftReceived, GiftSent
from .refusals import GiftLimitReached, GiftReceiverUnavailable, GiftsNotOffered, GiftToOneself, GiftTooSmall
from .rules import CHANNEL, GiftSettings

MESSAGE_MAX: Final = 200

GIVEN: Final = "points_given"
"""The tally of the points that a member has given away and that did not come back."""

GIFT_GIVEN: Final = "gift.given"
GIFT_RECALLED: Final = "gift.recalled"
GIFT_RECEIVED: Final = "gift.received"
GIFT_ANONYMOUS: Final = "gift.anonymous"
OUTGOING: Final = (GIFT_GIVEN, GIFT_RECALLED, GIFT_ANONYMOUS)

_NAME_MAX: Final = 128


@dataclass(frozen=True, kw_only=True)
class GivePoints(Operation):
    """Give points to the member with the external id ``to``.

    Refuses GiftsNotOffered, GiftReceiverUnavailable, GiftToOneself, GiftTooSmall, GiftLimitReached,
    InsufficientPoints, InvalidAmount, InvalidValue, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "give"

    to: str
    points: int
    message: str = ""

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise GiftsNotOffered(at=work.now)
        assert isinstance(settings, GiftSettings)
        self._check_request()
        work.check_may_spend()
        if self.to == work.member.external_id:
            raise GiftToOneself(receiver=self.to)
        if self.points < settings.least:
            raise GiftTooSmall(points=self.points, needed=settings.least)
        await self._check_limits(work, settings)
        receiver = await work.look(Member, external_id=self.to) if len(self.to) <= _NAME_MAX else None
        if receiver is None or not receiver.at(work.now).may(Frozen.EARNING):
            raise GiftReceiverUnavailable(receiver=self.to[:_NAME_MAX])
        parts = await _by_expiry(work, await work.spend(self.points, contra=Contra.TRANSFER))
        work.add(
            GiftSent,
            gift_id=work.operation_id,
            receiver=receiver.id,
            receiver_name=self.to,
            points=self.points,
            message=self.message,
            is_returned=False,
            given_at=work.now,
        )
        work.count(GIVEN, self.points)
        work.tell(
            GIFT_GIVEN,
            gift=work.operation_id,
            giver_name=work.member.external_id,
            receiver=receiver.id,
            parts=parts,
            message=self.message,
        )
        return {"gift": work.operation_id, "points": self.points}

    def _check_request(self) -> None:
        if not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")
        if len(self.message) > MESSAGE_MAX or any(category(letter) == "Cc" for letter in self.message):
            raise InvalidValue(field="message", reason=f"it must have at most {MESSAGE_MAX} visible characters")

    async def _check_limits(self, work: Work, settings: GiftSettings) -> None:
        left = settings.limits.left(await used(work, GIVEN, settings.limits), work.today, work.programme.zone)
        if left is not None and self.points > left.times:
            raise GiftLimitReached(period=left.period, limit_left=left.times, resets_at=left.resets_at)


@dataclass(frozen=True, kw_only=True)
class TakeGift(Operation):
    """The receiver's side of a gift: a lot for each time (ISO 8601, or None for never) at which a part expires.

    Refuses MemberNotActive, MemberFrozen, BalanceLimitExceeded: then it goes back.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "take"

    gift: str
    giver_name: str
    parts: tuple[tuple[str | None, int], ...]
    message: str

    async def perform(self, work: Work) -> dict[str, Any]:
        work.check_may_earn()
        await work.available()  # it also opens the account
        lots = []
        for expires_at, points in self.parts:
            ends = datetime.fromisoformat(expires_at) if expires_at else None
            # Not ``work.earn``, with which it would live anew, and count as earned by who only got it.
            terms = LotTerms(work.now, work.now, ends)
            lots.append(work.ledger.earn(POINTS, points, terms, contra=Contra.TRANSFER).seq)
        points = sum(points for _, points in self.parts)
        work.add(
            GiftReceived,
            gift_id=self.gift,
            giver_name=self.giver_name,
            points=points,
            message=self.message,
            lots=lots,
            received_at=work.now,
        )
        work.tell(GIFT_RECEIVED, gift=self.gift, points=points)
        return {"gift": self.gift, "points": points}


@dataclass(frozen=True, kw_only=True)
class ReturnGift(Operation):
    """The receiver could not take it: the giver has it back, in the lots it was taken from."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "return"
    reaches_merged: ClassVar[bool] = True

    gift: str

    async def perform(self, work: Work) -> dict[str, Any]:
        sent = await work.find(GiftSent, gift_id=self.gift)
        assert sent is not None, "what comes back was sent"
        points = await work.give_back(self.gift)
        sent.is_returned = True
        work.save(sent)
        work.count(GIVEN, -points, at=sent.given_at)
        return {"gift": self.gift, "points": points}


@dataclass(frozen=True, kw_only=True)
class TakeBackGift(Operation):
    """An operator gave the giver so many points of it back: they are the receiver's no more."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "take_back"
    reaches_merged: ClassVar[bool] = True

    gift: str
    points: int

    async def perform(self, work: Work) -> dict[str, Any]:
        received = await work.find(GiftReceived, gift_id=self.gift)
        if received is None:
            return {"gift": self.gift, "points": 0}  # it never came
        await work.claw_back(self.points, received.lots, contra=Contra.TRANSFER)
        received.points -= self.points
        work.save(received)
        return {"gift": self.gift, "points": self.points}


@dataclass(frozen=True, kw_only=True)
class ForgetName(Operation):
    """The other member of a gift was erased: neither their name nor what they wrote is kept here."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "forget"
    reaches_merged: ClassVar[bool] = True

    gift: str

    async def perform(self, work: Work) -> dict[str, Any]:
        sent, received = await work.find(GiftSent, gift_id=self.gift), await work.find(GiftReceived, gift_id=self.gift)
        if sent is not None:
            sent.receiver_name = ""
            work.save(sent)
        if received is not None:
            received.giver_name = received.message = ""
            work.save(received)
        return {"gift": self.gift}


async def deliver(event: Delivery, submit: Submit) -> None:
    """Bring a gift to its receiver, or back to its giver. Its id is in the keys, so each is done once."""
    if event.name not in OUTGOING:
        return
    told, by = event.payload, f"plugin {CHANNEL}"
    if event.name == GIFT_ANONYMOUS:
        for other, gift in told["gifts"]:
            key = f"forget:{event.member_id}:{gift}"
            await submit(ForgetName(member=ById(other), idempotency_key=key, actor=by, gift=gift))
        return
    receiver, gift = ById(told["receiver"]), told["gift"]
    if event.name == GIFT_RECALLED:
        key = f"recalled:{told['reversal']}"
        await submit(TakeBackGift(member=receiver, idempotency_key=key, actor=by, gift=gift, points=told["points"]))
        return
    outcome = await submit(
        TakeGift(
            member=receiver,
            idempotency_key=f"given:{gift}",
            actor=by,
            gift=gift,
            giver_name=told["giver_name"],
            parts=tuple((ends, points) for ends, points in told["parts"]),
            message=told["message"],
        )
    )
    if not outcome.accepted:
        giver = ById(event.member_id)
        await submit(ReturnGift(member=giver, idempotency_key=f"returned:{gift}", actor=by, gift=gift))


async def forget(event: Event, work: Work) -> None:
    """Let those whom an erased member has given to, or got from, forget the name as well."""
    if event.name != MEMBER_ERASED:
        return
    gifts = [(sent.receiver, sent.gift_id) for sent in await work.rows(GiftSent)]
    for received in await work.rows(GiftReceived):
        giver = await work.look(Member, external_id=received.giver_name) if received.giver_name else None
        if giver is not None:
            gifts.append((giver.id, received.gift_id))
    if gifts:
        work.tell(GIFT_ANONYMOUS, gifts=gifts)


async def follow_reversal(event: Event, work: Work) -> None:
    """What an operator gives back to the giver is taken from the receiver; from there it cannot be begun."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    if payload["kind"] != GivePoints.kind:
        raise NotReversible(transaction=payload["transaction"], reason="the giver's transaction is the one to reverse")
    sent = await work.find(GiftSent, gift_id=payload["transaction"])
    assert sent is not None, "it was sent by this transaction"
    back = sent.points if payload["whole"] else max(payload["amounts"].get(POINTS, 0), 0)
    if not back:
        return
    sent.points -= back
    work.save(sent)
    work.count(GIVEN, -back, at=sent.given_at)
    work.tell(GIFT_RECALLED, gift=sent.gift_id, receiver=sent.receiver, points=back, reversal=work.operation_id)


async def _by_expiry(work: Work, draws: list[Draw]) -> list[tuple[str | None, int]]:
    """When parts of what was drawn would have expired, with how much."""
    parts: dict[str | None, int] = defaultdict(int)
    for number, amount in draws:
        lots: list[Lot] = await work.rows(Lot, unit=POINTS, seq=number)
        ends = lots[0].expires_at
        parts[ends.isoformat() if ends else None] += amount
    return list(parts.items())
