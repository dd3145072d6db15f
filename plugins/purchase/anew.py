"""Orders and refunds made again of what the order's row keeps, so that other rules can judge them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core.engine.operations import Operation
from core.engine.work import Work
from core.money import money
from core.simulating.anew import Anew, Past, spend_what_is_there
from core.store.dialect import Reader
from core.store.questions import Rows

from .models import PurchaseOrder
from .operations import Line, PaidWithPoints, RecordPurchase, RefundPurchase
from .orders import GIFT, VOID, Item, Return, items_of
from .rules import CHANNEL


@dataclass(frozen=True, kw_only=True)
class PurchaseAnew(RecordPurchase):
    """The order was paid, also where the member has fewer points now than they paid with."""

    async def _spend(self, work: Work, points: int) -> None:
        await spend_what_is_there(work, points)


async def make(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    named = {each.id: each.result["reference" if each.kind == RecordPurchase.kind else "order"] for each in past}
    keys = sorted({(each.bucket, each.member_id, named[each.id]) for each in past})
    orders = await Rows(PurchaseOrder, ("bucket", "member_id", "reference")).answer(reader, keys)
    made: dict[str, Operation] = {}
    for each in past:
        for order in orders.get((each.bucket, each.member_id, named[each.id]), ()):
            sale = each.kind == RecordPurchase.kind
            made[each.id] = _sale(each, order) if sale else _refund(each, order)
    return made


def _sale(past: Past, order: Any) -> Operation:
    currency = order.currency
    paid = None
    if order.points:
        paid = PaidWithPoints(order.points, money(order.points_amount, currency))
    return PurchaseAnew(
        **past.asked,
        reference=order.reference,
        amount=money(order.amount, currency),
        currency=currency,
        occurred_at=order.occurred_at,
        lines=tuple(_line(item, currency, priced=order.facts["priced"]) for item in items_of(order.items)),
        quantity=Decimal(order.facts["quantity"]),
        order_kind=order.kind,
        category=order.category,
        paid_with_points=paid,
        promised=order.facts["promised"],
        enrol_if_unknown=True,
    )


def _line(item: Item, currency: str, *, priced: bool) -> Line:
    gift, void = item.status == GIFT, item.status == VOID
    amount = money(item.amount, currency) if priced and not (gift or void) else None
    return Line(item.sku, item.quantity, amount, item.category, tuple(item.tags), gift, void)


def _refund(past: Past, order: Any) -> Operation:
    currency = order.currency
    kept = next(refund for refund in order.refunds if refund["transaction"] == past.id)
    asked = kept["asked"] if "asked" in kept else _guessed(kept, order)
    lines: tuple[Return, ...] = ()
    if isinstance(asked, list):
        lines = tuple(
            Return(
                line,
                sku,
                None if quantity is None else Decimal(quantity),
                None if amount is None else Decimal(amount),
            )
            for line, sku, quantity, amount in asked
        )
    return RefundPurchase(
        **past.asked,
        order=order.reference,
        reference=kept["reference"],
        amount=money(asked, currency) if isinstance(asked, int) else None,
        currency=currency,
        lines=lines,
        occurred_at=past.effective_at,
    )


def _guessed(kept: Mapping[str, Any], order: Any) -> int | list[list[Any]] | None:
    """What was asked for by a refund from before that was kept.

    Of an order's only refund its lines say it. Of several the money is known that each gave back, and not the lines.
    """
    if order.facts.get("gone") and kept["transaction"] == order.refunds[-1]["transaction"]:
        return None
    items = items_of(order.items)
    if len(order.refunds) == 1 and any(item.quantity_left != item.quantity for item in items):
        return [
            [
                number,
                None,
                str(item.quantity - item.quantity_left),
                str(money(item.amount - item.amount_left, order.currency)) if order.facts["priced"] else None,
            ]
            for number, item in enumerate(items, 1)
            if item.quantity_left != item.quantity
        ]
    amount: int = kept["amount"]
    return amount or None


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({RecordPurchase.kind, RefundPurchase.kind}), make=make)
