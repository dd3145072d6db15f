"""What can be done about purchases: record one, refund one. Both perform alone for their member.

A refund prices what is left of the order under the order's own version, with the facts and the room for caps as they
were, and takes back the difference. So several refunds in any order end where one refund of everything would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from core.books import guests
from core.books.tallies import ORDERS, SPEND
from core.channels import caps
from core.channels.corrections import AdjustPoints
from core.channels.orders import ORDER_PAID, ORDER_REFUNDED, MemberFacts
from core.channels.tags import tags_of
from core.engine.operations import Foreseen, Newcomer, Operation
from core.engine.work import Work
from core.errors import (
    CurrencyMismatch,
    ExceedsReversible,
    HoldNotFound,
    InvalidAmount,
    InvalidInstant,
    InvalidValue,
)
from core.money import money, parse_money
from core.rulebook.explaining import Seen
from core.rulebook.programme import Programme
from core.rulebook.rules import NO_CAPS, Activity, CapRoom
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import local_day
from core.units import AMOUNT_MAX, POINTS

from .models import PurchaseOrder
from .orders import GIFT, SOLD, VOID, Basket, Item, Return, is_birthday, items_of
from .refusals import (
    LinesDoNotAddUp,
    NothingToRefund,
    OrderAlreadyRecorded,
    OrderNotFound,
    PurchasesNotOffered,
    RefundAlreadyRecorded,
)
from .rules import CHANNEL, PurchaseSettings, activity_of, awards_of

REFERENCE_MAX: Final = 128
TEXT_MAX: Final = 64
LINES_MAX: Final = 1_000
TAGS_MAX: Final = 20
QUANTITY_MAX: Final = 1_000_000_000
QUANTITY_PLACES: Final = 6

RECORDED: Final = "recorded"
REFUNDED: Final = "refunded"
REVERSED: Final = "reversed"

_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)


class Line(NamedTuple):
    """A line of an order. ``amount`` is for all of its ``quantity``; either all lines that are sold have one or none.

    A gift was handed out for nothing; a voided line was taken off the order before it was paid.
    """

    sku: str
    quantity: Decimal | int = 1
    amount: Decimal | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    gift: bool = False
    void: bool = False


class HoldNamed(NamedTuple):
    """A hold as a request names it."""

    member_id: str
    unit: str
    number: int


class PaidWithPoints(NamedTuple):
    """So many points were spent on the order, and paid for so much of its amount.

    With a ``hold`` they are captured from it; without one they are spent at once.
    """

    points: int
    amount: Decimal
    hold: HoldNamed | None = None


@dataclass(frozen=True, kw_only=True)
class RecordPurchase(Operation):
    """An order was paid. ``amount`` is all of it, including what was paid with points.

    Refuses OrderAlreadyRecorded, LinesDoNotAddUp, PurchasesNotOffered, CurrencyMismatch, InsufficientPoints,
    HoldNotFound, HoldNotOpen, ExceedsHold, MemberNotActive, MemberFrozen, and values that cannot be meant.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "record"

    reference: str
    amount: Decimal
    currency: str | None = None
    occurred_at: datetime | None = None
    lines: tuple[Line, ...] = ()
    quantity: Decimal | int | None = None
    order_kind: str | None = None
    category: str | None = None
    paid_with_points: PaidWithPoints | None = None
    promised: int = 0
    enrol_if_unknown: bool = False

    def newcomer(self) -> Newcomer | None:
        return Newcomer() if self.enrol_if_unknown else None

    def foresees(self) -> Sequence[Foreseen]:
        return ((PurchaseOrder, "", {"reference": self.reference}),)

    async def perform(self, work: Work) -> dict[str, Any]:
        occurred_at = _instant(self.occurred_at, work)
        work.judge_at(occurred_at)
        settings = _settings(work, occurred_at)
        programme = work.programme
        work.check_may_earn()
        day = local_day(occurred_at, programme.zone)
        if programme.starts_on is not None and day < programme.starts_on:
            raise InvalidInstant(value=occurred_at.isoformat(), reason="it lies before the programme's first day")
        basket = self._basket(programme.currency, occurred_at)
        if recorded := await work.rows(PurchaseOrder, reference=self.reference):
            raise OrderAlreadyRecorded(reference=self.reference, transaction=recorded[0].transaction_id)
        await guests.claim(work, self.reference)
        orders = await work.counted(ORDERS) if settings.counts_orders else 0
        # What cost nothing is no order: not the first, nor one of those that a tier asks for.
        counts = basket.amount > 0
        basket.first = counts and settings.counts_orders and orders <= 0
        buyer = await _buyer_of(work, orders)
        rooms = await _rooms(work, settings, day)
        if basket.points:
            await self._spend(work, basket.points)
        activity = activity_of(basket.facts(with_points=settings.earn_on_points_paid), _seen(buyer, day))
        awards = awards_of(activity, settings, rooms)
        stored: dict[str, Any] = {}
        given = {unit: award.points for unit, award in awards.items()}
        paid = basket.paid_left
        for unit, award in awards.items():
            kept: dict[str, Any] = {"points": award.points, "left": award.points, "lots": []}
            work.attribute(unit, award)
            if award.points:
                pending = settings.earn[unit].pending
                lot = await work.earn(
                    award.points, unit=unit, earned_at=occurred_at, pending_days=pending.days if pending else 0
                )
                kept["lots"].append(lot.seq)
            if unit in rooms:
                kept["room"] = list(rooms[unit])
            if settings.earn[unit].caps.counts:
                await caps.use(work, CHANNEL, unit, settings.earn[unit].caps, award.points, at=occurred_at)
            stored[unit] = kept
        if counts:
            work.count(ORDERS, 1, at=occurred_at)
        if paid:
            work.count(SPEND, paid, at=occurred_at)
        work.add(
            PurchaseOrder,
            reference=self.reference,
            transaction_id=work.operation_id,
            programme_version=work.version.number,
            currency=basket.currency,
            occurred_at=occurred_at,
            kind=self.order_kind,
            category=self.category,
            amount=basket.amount,
            amount_left=basket.amount,
            points=basket.points,
            points_amount=basket.points_amount,
            points_back=0,
            status=RECORDED,
            items=[item.to_json() for item in basket.items],
            facts={
                "first": basket.first,
                "priced": basket.priced,
                "promised": basket.promised,
                "quantity": str(basket.quantity),
                "member": buyer,
            },
            awards=stored,
            refunds=[],
        )
        work.tell(
            ORDER_PAID,
            activity,
            reference=self.reference,
            occurred_at=occurred_at.isoformat(),
            paid=paid,
            awards=given,
            **self._captured(basket),
        )
        return {
            "reference": self.reference,
            "points_spent": basket.points,
            "awards": given,
            "trace": {unit: award.trace for unit, award in awards.items()},
        }

    async def _spend(self, work: Work, points: int) -> None:
        """Spend what the order was paid with, in its own transaction: refunds find it there."""
        held = self.paid_with_points.hold if self.paid_with_points else None
        if held is None:
            await work.spend(points)
        elif (held.member_id, held.unit) != (work.member.id, POINTS):
            raise HoldNotFound(hold=str(held.number))
        else:
            await work.capture(held.number, points)

    def _captured(self, basket: Basket) -> dict[str, Any]:
        """What is told of the hold that the order has captured, if there is one."""
        held = self.paid_with_points.hold if self.paid_with_points else None
        if held is None:
            return {}
        told = {"points": basket.points, "amount": basket.points_amount, "of": basket.amount}
        return {"hold": {"hold": held.number, **told}}

    # -- what the request says, or a refusal of it --------------------------------------------------

    def _basket(self, currency: str, occurred_at: datetime) -> Basket:
        check_text("reference", self.reference, REFERENCE_MAX)
        for name, text in (("kind", self.order_kind), ("category", self.category)):
            if text is not None:
                check_text(name, text)
        if self.currency is not None and self.currency != currency:
            raise CurrencyMismatch(expected=currency, given=self.currency)
        if type(self.promised) is not int or not 0 <= self.promised <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.promised), reason="promised points are a whole number of 0 or more")
        amount = minor_amount(self.amount, currency)
        points, points_amount = self._paid_with_points(amount, currency)
        items, priced = self._items(amount, currency)
        return Basket(
            reference=self.reference,
            currency=currency,
            at=occurred_at,
            kind=self.order_kind,
            category=self.category,
            amount=amount,
            amount_left=amount,
            points=points,
            points_amount=points_amount,
            quantity=_ONE if self.quantity is None else check_quantity(self.quantity),
            promised=self.promised,
            priced=priced,
            items=items,
        )

    def _paid_with_points(self, amount: int, currency: str) -> tuple[int, int]:
        if self.paid_with_points is None:
            return 0, 0
        points, worth, _ = self.paid_with_points
        paid = minor_amount(worth, currency)
        if type(points) is not int or not 0 < points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(points), reason="points are a whole number of 1 or more")
        if paid > amount:
            raise InvalidAmount(value=str(worth), reason="points cannot pay for more than the order")
        return points, paid

    def _items(self, amount: int, currency: str) -> tuple[list[Item], bool]:
        """The lines, and whether they have amounts."""
        if not self.lines:
            return [], True
        if len(self.lines) > LINES_MAX:
            raise InvalidValue(field="lines", reason=f"an order has at most {LINES_MAX} lines")
        items = [_item(line, currency) for line in self.lines]
        sold = [line.amount is None for line in self.lines if not (line.gift or line.void)]
        if all(sold):
            return items, not sold
        if any(sold):
            raise InvalidValue(field="lines", reason="either all lines that are sold have an amount or none has")
        if (together := sum(item.amount for item in items)) != amount:
            raise LinesDoNotAddUp(amount=money(amount, currency), lines=money(together, currency))
        return items, True


@dataclass(frozen=True, kw_only=True)
class RefundPurchase(Operation):
    """An order came back: some of its lines, an amount of money, or all that is left of it.

    Points spent on it return to their lots first; then what it earned too much is taken back. Refuses OrderNotFound,
    RefundAlreadyRecorded, NothingToRefund, ExceedsRefundable, ExceedsReturnable, LineNotFound.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "refund"
    reaches_merged: ClassVar[bool] = True

    order: str
    reference: str
    amount: Decimal | None = None
    currency: str | None = None
    lines: tuple[Return, ...] = ()
    occurred_at: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_text("reference", self.reference, REFERENCE_MAX)
        occurred_at = _instant(self.occurred_at, work)
        order = await work.find(PurchaseOrder, reference=self.order)
        if order is None:
            raise OrderNotFound(reference=self.order[:REFERENCE_MAX])
        for refund in order.refunds:
            if refund["reference"] == self.reference:
                raise RefundAlreadyRecorded(reference=self.reference, transaction=refund["transaction"])
        work.judge_at(occurred_at)
        if occurred_at < order.occurred_at:
            raise InvalidInstant(value=occurred_at.isoformat(), reason="it lies before the order")
        work.judge_by(order.programme_version)
        if order.facts.get("gone"):
            raise NothingToRefund(reference=self.order)
        basket = basket_of(order)
        amount_before, paid_before = basket.amount_left, basket.paid_left
        self._take(basket)
        work.reverses = order.transaction_id
        given_back = await _give_back(work, order, basket.points_back - order.points_back)
        clawed_back = await _claw_back(work, order, basket)
        if order.status == RECORDED:
            if paid := paid_before - basket.paid_left:
                work.count(SPEND, -paid, at=order.occurred_at)
            if basket.gone and order.amount:
                work.count(ORDERS, -1, at=order.occurred_at)
        refunded = amount_before - basket.amount_left
        order.amount_left = basket.amount_left
        order.points_back = basket.points_back
        order.items = [item.to_json() for item in basket.items]
        if basket.gone and order.status == RECORDED:
            order.status = REFUNDED
        order.refunds = [
            *order.refunds,
            {
                "reference": self.reference,
                "transaction": work.operation_id,
                "amount": refunded,
                "asked": self._asked(order.currency),
            },
        ]
        order.facts = {**order.facts, "gone": True} if basket.gone else order.facts
        work.save(order)
        _tell_refunded(work, order, basket)
        return {
            "order": self.order,
            "reference": self.reference,
            "refunded": str(money(refunded, basket.currency)),
            "given_back": given_back,
            "clawed_back": clawed_back,
        }

    def _asked(self, currency: str) -> int | list[list[Any]] | None:
        """What was to come back, kept with the order: the lines, the amount in minor units, or None for all of it."""
        if self.lines:
            return [
                [
                    line.line,
                    line.sku,
                    None if line.quantity is None else str(line.quantity),
                    None if line.amount is None else str(line.amount),
                ]
                for line in self.lines
            ]
        return None if self.amount is None else minor_amount(self.amount, currency)

    def _take(self, basket: Basket) -> None:
        if self.currency is not None and self.currency != basket.currency:
            raise CurrencyMismatch(expected=basket.currency, given=self.currency)
        if self.lines:
            if self.amount is not None:
                raise InvalidValue(field="amount", reason="refund lines or an amount, not both")
            if len(self.lines) > LINES_MAX:
                raise InvalidValue(field="lines", reason=f"an order has at most {LINES_MAX} lines")
            for line in self.lines:
                if (line.line is None) == (line.sku is None):
                    raise InvalidValue(field="lines", reason="name a line by its number or by its sku")
                if line.quantity is not None:
                    check_quantity(line.quantity)
                if line.amount is not None:
                    minor_amount(line.amount, basket.currency)
            basket.take_lines(self.lines)
        elif self.amount is not None:
            amount = minor_amount(self.amount, basket.currency)
            if amount == 0:
                raise InvalidAmount(value=str(self.amount), reason="a refund gives something back")
            basket.take_amount(amount)
        else:
            basket.take_all()


@dataclass(frozen=True, kw_only=True)
class ImportAdjustment(AdjustPoints):
    """An adjustment out of a file: an opening balance, say, of somebody who is not enrolled yet."""

    def newcomer(self) -> Newcomer:
        return Newcomer()


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes an order's transaction back, the order no longer counts."""
    if event.name != TRANSACTION_REVERSED or event.payload["channel"] != CHANNEL:
        return
    order = await work.find(PurchaseOrder, transaction_id=event.payload["transaction"])
    assert order is not None, "only orders can be reversed in this channel"
    order.awards = {
        unit: {**kept, "left": await work.left_of(kept["lots"], unit=unit)} for unit, kept in order.awards.items()
    }
    if event.payload["whole"] and order.status == RECORDED:
        if order.amount:
            work.count(ORDERS, -1, at=order.occurred_at)
        if paid := basket_of(order).paid_left:
            work.count(SPEND, -paid, at=order.occurred_at)
        order.status = REVERSED
        basket = basket_of(order)
        basket.take_all()
        _tell_refunded(work, order, basket)
    work.save(order)


# -- the order's row ----------------------------------------------------------------------------------


def basket_of(order: PurchaseOrder) -> Basket:
    """The order as it stands."""
    facts = order.facts
    return Basket(
        reference=order.reference,
        currency=order.currency,
        at=order.occurred_at,
        kind=order.kind,
        category=order.category,
        amount=order.amount,
        amount_left=order.amount_left,
        points=order.points,
        points_amount=order.points_amount,
        quantity=Decimal(facts["quantity"]),
        promised=facts["promised"],
        first=facts["first"],
        priced=facts["priced"],
        items=items_of(order.items),
        gone=facts.get("gone", False),
    )


def what_rules_saw(programme: Programme, rows: Sequence[Any], _: Sequence[Seen]) -> Sequence[Seen]:
    """The order as it was recorded, whatever has come back of it since."""
    settings = programme.channels.get(CHANNEL)
    if not rows or settings is None:
        return ()
    assert isinstance(settings, PurchaseSettings)
    [order] = rows
    basket = basket_of(order)
    basket.amount_left, basket.gone = basket.amount, False
    for item in basket.items:
        item.quantity_left, item.amount_left = item.quantity, item.amount
    facts = basket.facts(with_points=settings.earn_on_points_paid)
    buyer = _seen(order.facts["member"], local_day(order.occurred_at, programme.zone))
    rooms = {unit: CapRoom(*kept["room"]) for unit, kept in order.awards.items() if "room" in kept}
    return (Seen("", activity_of(facts, buyer), settings.earn, rooms),)


def _tell_refunded(work: Work, order: PurchaseOrder, basket: Basket) -> None:
    work.tell(
        ORDER_REFUNDED,
        None if basket.gone else _activity(work, order, basket),
        reference=order.reference,
        occurred_at=order.occurred_at.isoformat(),
        amount=basket.amount,
        amount_left=basket.amount_left,
        paid=basket.paid_left,
        gone=basket.gone,
        awards={unit: kept["left"] for unit, kept in order.awards.items()},
    )


async def _give_back(work: Work, order: PurchaseOrder, points: int) -> int:
    """Give back points that were spent on the order, as far as a reversal has not done so already."""
    if not points:
        return 0
    try:
        return await work.give_back(order.transaction_id, points)
    except ExceedsReversible as less:
        return await work.give_back(order.transaction_id, less.left) if less.left else 0


async def _claw_back(work: Work, order: PurchaseOrder, basket: Basket) -> dict[str, int]:
    """Take back what the order brought beyond what its rest is worth; by unit, what was asked for."""
    worth = _worth(work, order, basket)
    clawed_back: dict[str, int] = {}
    awards: dict[str, Any] = {}
    for unit, kept in order.awards.items():
        held = await work.left_of(kept["lots"], unit=unit)
        if excess := max(held - worth.get(unit, 0), 0):
            await work.claw_back(excess, kept["lots"], unit=unit)
            clawed_back[unit] = excess
        awards[unit] = {**kept, "left": held - excess}
    order.awards = awards
    return clawed_back


def _worth(work: Work, order: PurchaseOrder, basket: Basket) -> dict[str, int]:
    """What is left of the order is worth, by unit."""
    if basket.gone:
        return {}
    settings = _settings(work, order.occurred_at)
    rooms = {unit: CapRoom(*kept["room"]) for unit, kept in order.awards.items() if "room" in kept}
    awards = awards_of(_activity(work, order, basket), settings, rooms)
    return {unit: award.points for unit, award in awards.items()}


def _activity(work: Work, order: PurchaseOrder, basket: Basket) -> Activity:
    """What rules see of what is left of the order."""
    seen = _seen(order.facts["member"], local_day(order.occurred_at, work.programme.zone))
    with_points = _settings(work, order.occurred_at).earn_on_points_paid
    return activity_of(basket.facts(with_points=with_points), seen)


# -- what rules are given -----------------------------------------------------------------------------


def _settings(work: Work, at: datetime) -> PurchaseSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise PurchasesNotOffered(at=at)
    assert isinstance(settings, PurchaseSettings)
    return settings


async def _buyer_of(work: Work, orders: int) -> dict[str, Any]:
    """What rules see of the member, in the form in which the order keeps it."""
    member = work.member
    return {
        "tier": member.tier,
        "birthday": member.birthday.isoformat() if member.birthday else None,
        "tags": await tags_of(work),
        "orders": orders,
        "enrolled_at": member.enrolled_at.isoformat(),
    }


def _seen(buyer: Mapping[str, Any], day: date) -> MemberFacts:
    birthday = date.fromisoformat(buyer["birthday"]) if buyer["birthday"] else None
    return MemberFacts(
        tier=buyer["tier"],
        birthday=birthday,
        birth_month_now=birthday is not None and birthday.month == day.month,
        birthday_today=birthday is not None and is_birthday(birthday, day),
        tags=buyer["tags"],
        orders=buyer["orders"],
        enrolled_at=datetime.fromisoformat(buyer["enrolled_at"]),
    )


async def _rooms(work: Work, settings: PurchaseSettings, day: date) -> dict[str, CapRoom]:
    """What the caps that count over time leave, for the units that have any."""
    counting = {unit: rules.caps for unit, rules in settings.earn.items() if rules.caps.counts}
    if not counting:
        return {}
    rooms = {unit: await caps.room(work, CHANNEL, unit, of_unit, day) for unit, of_unit in counting.items()}
    return {unit: room for unit, room in rooms.items() if room != NO_CAPS}


# -- values that can be meant -------------------------------------------------------------------------


def check_text(field: str, text: str, longest: int = TEXT_MAX) -> None:
    """Raise InvalidValue unless it is a text that every database keeps as it is."""
    if not 0 < len(text) <= longest:
        raise InvalidValue(field=field, reason=f"it must have 1 to {longest} characters")
    if not text.isprintable() or text != text.strip():
        raise InvalidValue(field=field, reason="it has characters that cannot be seen, or space around it")


def check_quantity(given: object) -> Decimal:
    """The quantity. Raises InvalidAmount unless it is one: a Decimal or int, more than 0."""
    if type(given) is int:
        quantity = Decimal(given)
    elif isinstance(given, Decimal) and given.is_finite():
        quantity = given
    else:
        raise InvalidAmount(value=str(given)[:40], reason="a quantity is a whole or decimal number")
    if not 0 < quantity <= QUANTITY_MAX:
        raise InvalidAmount(value=str(given)[:40], reason=f"a quantity is more than 0 and at most {QUANTITY_MAX}")
    if quantity is given and quantity != round(quantity, QUANTITY_PLACES):
        raise InvalidAmount(value=str(given)[:40], reason=f"a quantity has at most {QUANTITY_PLACES} decimals")
    return quantity


def minor_amount(value: Decimal, currency: str) -> int:
    """The amount in minor units. Raises InvalidAmount unless it is one that was paid."""
    minor = parse_money(value, currency)
    if minor < 0:
        raise InvalidAmount(value=str(value), reason="it is negative; what comes back is a refund")
    return minor


def _instant(given: datetime | None, work: Work) -> datetime:
    return work.now if given is None else given.astimezone(UTC)


def _item(line: Line, currency: str) -> Item:
    check_text("lines.sku", line.sku, REFERENCE_MAX)
    if line.category is not None:
        check_text("lines.category", line.category)
    if line.tags:
        _check_tags(line.tags)
    quantity = check_quantity(line.quantity)
    amount = 0 if line.amount is None else minor_amount(line.amount, currency)
    status = VOID if line.void else GIFT if line.gift else SOLD
    if status != SOLD:
        amount = 0  # what it would have cost is not part of the order
    return Item(line.sku, line.category, quantity, amount, list(line.tags), status, quantity, amount)


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > TAGS_MAX:
        raise InvalidValue(field="lines.tags", reason=f"a line has at most {TAGS_MAX} tags")
    for tag in tags:
        check_text("lines.tags", tag)
