"""What can be done in the store: redeem a reward, fulfil, deliver or cancel the order.

The stock is a row that members share, claimed after everything that can be refused without it. It says which codes are
given next, by number; what a number's code is stands elsewhere and never changes, so that nobody reads it here.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.channels.limits import used
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import ExceedsReversible, InvalidValue
from core.people.membership import check_reason
from core.telling.events import TRANSACTION_REVERSED, Event

from .models import RewardOrder, RewardStock
from .refusals import (
    RewardNotFound,
    RewardOrderNotFound,
    RewardOrderNotOpen,
    RewardPriceChanged,
    RewardsNotOffered,
    RewardSoldOut,
)
from .rules import CHANNEL, Item, RewardsSettings, check_member, check_open, check_stock

QUANTITY_MAX: Final = 50
NOTE_MAX: Final = 200

REQUESTED: Final = "requested"
FULFILLED: Final = "fulfilled"
DELIVERED: Final = "delivered"
CANCELLED: Final = "cancelled"

REDEEMED: Final = "rewards_redeemed"
"""The tally of all rewards together."""

REWARD_REDEEMED: Final = "reward.redeemed"
REWARD_CANCELLED: Final = "reward.cancelled"


@dataclass(frozen=True, kw_only=True)
class RedeemReward(Operation):
    """Spend points on ``quantity`` pieces of a reward. ``points`` is what the caller says that they come to.

    Refuses RewardNotFound, RewardNotYetOpen, RewardClosed, RewardOfOtherTier, RewardLimitReached, RewardPriceChanged,
    RewardSoldOut, InsufficientPoints, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "redeem"

    reward: str
    quantity: int = 1
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        item = settings.by_id.get(self.reward)
        if item is None:
            raise RewardNotFound(reward=self.reward[:64])
        if not 0 < self.quantity <= QUANTITY_MAX:
            raise InvalidValue(field="quantity", reason=f"it must be 1 to {QUANTITY_MAX}")
        member, programme = work.member, work.programme
        work.check_may_spend()
        check_open(item, work.now)
        left = item.limits.left(await used(work, item.tally, item.limits), work.today, programme.zone)
        check_member(item, member.tier, self.quantity, left)
        price = settings.price(item, member.tier, programme)
        points = price * self.quantity
        if self.points is not None and self.points != points:
            raise RewardPriceChanged(reward=item.id, price_expected=self.points, price=points)
        await work.spend(points)
        codes = await self._take(item, work) if item.counted else []
        # A code is handed over with the answer; all else somebody has to hand over.
        status = FULFILLED if item.codes else REQUESTED
        work.count(item.tally, self.quantity)
        work.count(REDEEMED, self.quantity)
        work.add(
            RewardOrder,
            order_id=work.operation_id,
            reward=item.id,
            name=item.name,
            kind=item.kind,
            quantity=self.quantity,
            price=price,
            points=points,
            counted=item.counted,
            codes=codes,
            status=status,
            note=None,
            requested_at=work.now,
            fulfilled_at=work.now if status == FULFILLED else None,
            delivered_at=None,
            cancelled_at=None,
        )
        work.tell(REWARD_REDEEMED, order=work.operation_id, reward=item.id, quantity=self.quantity, points=points)
        return {"order": work.operation_id, "reward": item.id, "quantity": self.quantity, "points": points}

    async def _take(self, item: Item, work: Work) -> list[int]:
        """Take the pieces from the stock; the numbers of the codes that they are, if they are any."""
        stock = await work.shared(RewardStock, reward=item.id)
        check_stock(item, self.quantity, stock.stock_left if stock else 0)
        assert stock is not None
        taken: list[int] = []
        for _ in range(self.quantity if item.codes else 0):
            number, *stock.returned = stock.returned or [stock.next_code]
            if number == stock.next_code:
                stock.next_code += 1
            if number > stock.last_code:
                # The stock was counted before the reward had codes.
                raise RewardSoldOut(reward=item.id, asked=self.quantity, stock_left=len(taken))
            taken.append(number)
        stock.stock_left -= self.quantity
        work.save(stock)
        return taken


@dataclass(frozen=True, kw_only=True)
class FulfilReward(Operation):
    """The reward is on its way, or ready. ``note`` says how: the number of the parcel."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "fulfil"
    reaches_merged: ClassVar[bool] = True

    order: str
    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        order = await _open_order(work, self.order, REQUESTED)
        order.status, order.fulfilled_at = FULFILLED, work.now
        order.note = _note(self.note, order.note)
        work.save(order)
        return {"order": self.order, "status": order.status}


@dataclass(frozen=True, kw_only=True)
class DeliverReward(Operation):
    """The member has it, or has used the voucher. It can no longer be cancelled."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "deliver"
    reaches_merged: ClassVar[bool] = True

    order: str
    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        order = await _open_order(work, self.order, REQUESTED, FULFILLED)
        order.status, order.delivered_at = DELIVERED, work.now
        order.note = _note(self.note, order.note)
        work.save(order)
        return {"order": self.order, "status": order.status}


@dataclass(frozen=True, kw_only=True)
class CancelReward(Operation):
    """Undo an order: its points go back to their lots, its pieces to the stock, and its limits forget it.

    What becomes of its codes is the programme's to say. Refuses RewardOrderNotFound, RewardOrderNotOpen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "cancel"
    reaches_merged: ClassVar[bool] = True

    order: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        order = await _open_order(work, self.order, REQUESTED, FULFILLED)
        try:
            given_back = await work.give_back(order.order_id)
        except ExceedsReversible:
            given_back = 0  # an operator's reversals, each of a part, have given back everything
        await _undo(work, order)
        return {"order": self.order, "given_back": given_back, "reason": self.reason}


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes the whole of an order's transaction back, the order is cancelled.

    What was delivered stays delivered: nobody has put it back on the shelf.
    """
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL or not payload["whole"]:
        return
    order = await work.find(RewardOrder, order_id=payload["transaction"])
    if order is not None and order.status in {REQUESTED, FULFILLED}:
        await _undo(work, order)


async def _undo(work: Work, order: RewardOrder) -> None:
    """Put back what the order took, and close it."""
    if order.counted:
        await _put_back(work, order)
    for tally in (f"{CHANNEL}:{order.reward}", REDEEMED):
        work.count(tally, -order.quantity, at=order.requested_at)
    order.status, order.cancelled_at = CANCELLED, work.now
    work.save(order)
    work.tell(REWARD_CANCELLED, order=order.order_id, reward=order.reward, quantity=order.quantity)


async def _put_back(work: Work, order: RewardOrder) -> None:
    settings = work.programme.channels.get(CHANNEL)
    if order.codes and not (isinstance(settings, RewardsSettings) and settings.cancelled_codes == "back"):
        return
    stock = await work.shared(RewardStock, reward=order.reward)
    assert stock is not None, "what an order took has been there"
    stock.returned = sorted([*stock.returned, *order.codes])
    stock.stock_left += order.quantity
    work.save(stock)
    order.codes = []


def _settings(work: Work) -> RewardsSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise RewardsNotOffered(at=work.now)
    assert isinstance(settings, RewardsSettings)
    return settings


async def _open_order(work: Work, order_id: str, *statuses: str) -> RewardOrder:
    order = await work.find(RewardOrder, order_id=order_id)
    if order is None:
        raise RewardOrderNotFound(order=order_id[:64])
    if order.status not in statuses:
        raise RewardOrderNotOpen(order=order_id, status=order.status)
    return order


def _note(note: str | None, before: str | None) -> str | None:
    if note is not None and not 0 < len(note) <= NOTE_MAX:
        raise InvalidValue(field="note", reason=f"it must have 1 to {NOTE_MAX} characters")
    return note or before
