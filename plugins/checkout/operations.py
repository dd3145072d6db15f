"""What can be done about a checkout: set points aside, then spend them or part of them, or give them back.

A checkout is a hold and nothing beside it: what it was quoted stands in the transaction that placed it. When its time
is over it sets nothing aside, by itself.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from core.books.holds import Hold, HoldState
from core.channels.orders import ORDER_PAID
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.errors import (
    CurrencyMismatch,
    HoldNotFound,
    InsufficientPoints,
    InvalidAmount,
    InvalidValue,
)
from core.money import money, parse_money
from core.telling.events import Event
from core.units import POINTS

from .refusals import (
    CheckoutAlreadyHeld,
    CheckoutNotOffered,
    CheckoutPriceChanged,
    CheckoutUnderpaid,
    ExceedsCheckout,
)
from .rules import CHANNEL, CheckoutSettings, Quote, points_for, share_of

REFERENCE_MAX: Final = 128


@dataclass(frozen=True, kw_only=True)
class HoldCheckout(Operation):
    """Set points aside for ``amount`` of a basket, or for the most there can be.

    ``reference`` names the basket, and a basket is held for once; ``points`` is what the caller says that it takes.
    Refuses CheckoutNotOffered, CheckoutAlreadyHeld, ExceedsCheckout, CheckoutPriceChanged, InsufficientPoints,
    CurrencyMismatch, MemberNotActive, MemberFrozen, and values that cannot be meant.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "hold"

    reference: str
    basket: Decimal
    currency: str
    amount: Decimal | None = None
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise CheckoutNotOffered(at=work.now)
        assert isinstance(settings, CheckoutSettings)
        work.check_may_spend()
        currency = work.programme.currency
        basket, amount = self._asked(currency)
        await self._check_new(work)
        available = await work.available()
        quote = settings.quote(basket, currency, work.member.tier, available)
        amount = _chosen(amount, quote, currency, available)
        points = points_for(amount, quote.rate, currency)
        if self.points is not None and self.points != points:
            raise CheckoutPriceChanged(price_expected=self.points, price=points)
        until = work.now + timedelta(seconds=settings.hold_seconds)
        hold = await work.hold(points, until=until, reference=self.reference)
        return {
            "hold": hold.seq,
            "points": points,
            "amount": amount,
            "currency": currency,
            "basket": basket,
            "points_per_unit": quote.rate,
            "ratio": str(settings.caps.ratio),
            "limited_by": quote.limited_by,
            "most": quote.most,
        }

    def _asked(self, currency: str) -> tuple[int, int | None]:
        """What the basket costs and what of it is to be paid, or a refusal of the request."""
        if not 0 < len(self.reference) <= REFERENCE_MAX or not self.reference.isprintable():
            raise InvalidValue(field="reference", reason=f"it must have 1 to {REFERENCE_MAX} visible characters")
        if self.currency != currency:
            raise CurrencyMismatch(expected=currency, given=self.currency)
        return _money(self.basket, currency), None if self.amount is None else _money(self.amount, currency)

    async def _check_new(self, work: Work) -> None:
        """A basket is paid for once: a second hold would go round its caps."""
        for hold in await work.rows(Hold, channel=CHANNEL, reference=self.reference):
            if hold.state == HoldState.CAPTURED or (hold.state == HoldState.OPEN and work.now < hold.expires_at):
                raise CheckoutAlreadyHeld(reference=self.reference, hold=str(hold.seq), state=hold.state)


@dataclass(frozen=True, kw_only=True)
class CaptureCheckout(Operation):
    """The basket was paid: spend what was set aside, or what ``amount`` takes of it. The rest goes back.

    Refuses ExceedsCheckout, HoldNotFound, HoldNotOpen, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "capture"

    hold: int
    amount: Decimal | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        placed = await _placed(work, self.hold)
        amount = placed.amount if self.amount is None else _money(self.amount, placed.currency)
        placed.check_amount(amount, placed.amount)
        hold = await work.capture(self.hold, placed.points_for(amount))
        return {"hold": hold.seq, "points": hold.captured, "amount": amount, "currency": placed.currency}


@dataclass(frozen=True, kw_only=True)
class ReleaseCheckout(Operation):
    """The basket was left: give back what was set aside. Refuses HoldNotFound, HoldNotOpen."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "release"

    hold: int

    async def perform(self, work: Work) -> dict[str, Any]:
        await _placed(work, self.hold)
        hold = await work.release(self.hold)
        return {"hold": hold.seq, "points": hold.amount}


async def check_order(event: Event, work: Work) -> None:
    """An order that captures a checkout may use it for what it was quoted, and for its own share at most."""
    if event.name != ORDER_PAID or "hold" not in event.payload:
        return
    paid = event.payload["hold"]
    try:
        placed = await _placed(work, paid["hold"])
    except HoldNotFound:
        return  # a hold of no checkout; what it is worth is between the brand and its member
    placed.check_amount(paid["amount"], min(placed.amount, share_of(paid["of"], placed.ratio)))
    if paid["points"] < placed.points_for(paid["amount"]):
        raise CheckoutUnderpaid(points=paid["points"], needed=placed.points_for(paid["amount"]))


class _Placed(NamedTuple):
    """What a checkout was quoted when its hold was placed."""

    amount: int
    currency: str
    rate: int
    ratio: Decimal

    def points_for(self, amount: int) -> int:
        return points_for(amount, self.rate, self.currency)

    def check_amount(self, amount: int, most: int) -> None:
        if amount > most:
            raise ExceedsCheckout(amount=money(amount, self.currency), amount_max=money(most, self.currency))


async def _placed(work: Work, number: int) -> _Placed:
    holds: list[Hold] = await work.rows(Hold, unit=POINTS, seq=number)
    if not holds or holds[0].channel != CHANNEL:
        raise HoldNotFound(hold=str(number))
    recorded: list[Recorded] = await work.rows(Recorded, id=holds[0].operation_id)
    said = recorded[0].result
    return _Placed(said["amount"], said["currency"], said["points_per_unit"], Decimal(said["ratio"]))


def _chosen(amount: int | None, quote: Quote, currency: str, available: int) -> int:
    """What is to be paid with points: what was asked for, or the most there can be."""
    if amount is None and quote.most:
        return quote.most
    least = amount or 1
    if least > quote.capped:
        raise ExceedsCheckout(amount=money(least, currency), amount_max=money(quote.capped, currency))
    if least > quote.most:
        raise InsufficientPoints(unit=POINTS, needed=points_for(least, quote.rate, currency), available=available)
    return least


def _money(value: Decimal, currency: str) -> int:
    minor = parse_money(value, currency)
    if minor <= 0:
        raise InvalidAmount(value=str(value), reason="it must be more than 0")
    return minor
