"""An order as it stands: what was bought, what of it has come back, and what the rules see of the rest.

Money is whole minor units here; it becomes a Decimal in the facts. Everything is pure. An order only ever shrinks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from core.channels.orders import LineFacts, OrderFacts
from core.errors import InvalidValue
from core.money import money, parse_money
from core.time.calendar import month_end

from .refusals import ExceedsRefundable, ExceedsReturnable, LineNotFound

SOLD: Final = "sold"
GIFT: Final = "gift"
VOID: Final = "void"

_ZERO: Final = Decimal(0)


def is_birthday(birthday: date, day: date) -> bool:
    """Whether it is their birthday; who was born on 29 February has it on the month's last day.

    >>> is_birthday(date(2000, 2, 29), date(2026, 2, 28))
    True
    """
    if birthday.month != day.month:
        return False
    return birthday.day == day.day or (birthday.day > day.day == month_end(day).day)


# -- the order --------------------------------------------------------------------------------------


class Return(NamedTuple):
    """What comes back of one line, named by its number from 1 or by its sku.

    Without a quantity all that is left of it comes back; without an amount the quantity's share of what is left.
    """

    line: int | None = None
    sku: str | None = None
    quantity: Decimal | None = None
    amount: Decimal | None = None

    @property
    def label(self) -> str:
        return str(self.line) if self.line is not None else self.sku or ""


@dataclass(slots=True)
class Item:
    """One line of an order. Gifts and voided lines cost nothing and earn nothing."""

    sku: str
    category: str | None
    quantity: Decimal
    amount: int
    tags: list[str]
    status: str
    quantity_left: Decimal
    amount_left: int

    @property
    def counts(self) -> bool:
        """Whether rules see it: a line that was returned, or whose money was, never earns again."""
        return self.status == SOLD and self.quantity_left > 0 and (self.amount_left > 0 or self.amount == 0)

    def to_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = {"sku": self.sku, "quantity": str(self.quantity), "amount": self.amount}
        if self.category is not None:
            stored["category"] = self.category
        if self.tags:
            stored["tags"] = self.tags
        if self.status != SOLD:
            stored["status"] = self.status
        if self.quantity_left != self.quantity:
            stored["quantity_left"] = str(self.quantity_left)
        if self.amount_left != self.amount:
            stored["amount_left"] = self.amount_left
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Item":
        return cls(
            sku=stored["sku"],
            category=stored.get("category"),
            quantity=Decimal(stored["quantity"]),
            amount=stored["amount"],
            tags=stored.get("tags", []),
            status=stored.get("status", SOLD),
            quantity_left=Decimal(stored.get("quantity_left", stored["quantity"])),
            amount_left=stored.get("amount_left", stored["amount"]),
        )


@dataclass(slots=True, kw_only=True)
class Basket:
    """An order and what is left of it.

    ``points`` were spent on it and paid for ``points_amount`` of ``amount``. ``priced`` says that the lines have
    amounts, which add up to ``amount``. ``quantity`` is the order's own where it has no lines.
    """

    reference: str
    currency: str
    at: datetime
    kind: str | None
    category: str | None
    amount: int
    amount_left: int
    points: int = 0
    points_amount: int = 0
    quantity: Decimal = _ZERO
    promised: int = 0
    first: bool = False
    priced: bool = True
    items: list[Item] = field(default_factory=list)
    gone: bool = False

    # -- what is left -----------------------------------------------------------------------------

    @property
    def points_back(self) -> int:
        """How many of the points spent on it are due back by now. All of them once everything has come back."""
        if self.gone:
            return self.points
        return self.points * (self.amount - self.amount_left) // self.amount if self.amount else 0

    @property
    def points_amount_left(self) -> int:
        """The part of what is left that was paid with points; never more than is left."""
        if not self.points_amount or self.gone:
            return 0
        return self.points_amount - self.points_amount * (self.amount - self.amount_left) // self.amount

    @property
    def paid_left(self) -> int:
        """What is left that was paid in money."""
        return self.amount_left - self.points_amount_left

    def facts(self, *, with_points: bool) -> OrderFacts:
        """What rules see of what is left. ``with_points`` lets the part paid with points earn as well."""
        currency, items = self.currency, [item for item in self.items if item.counts]
        not_earning = 0 if with_points else self.points_amount_left
        parts = allocate(not_earning, [item.amount_left for item in items]) if not_earning and self.priced else None
        lines = [
            LineFacts(
                item.sku,
                item.category,
                money(item.amount_left - (parts[at] if parts else 0), currency),
                item.quantity_left,
                item.tags,
            )
            for at, item in enumerate(items)
        ]
        quantity, promised = self.quantity, self.promised
        if self.items:
            quantity = sum((item.quantity_left for item in items), _ZERO)
        if self.amount_left != self.amount:
            if not self.items:
                quantity = quantity * self.amount_left / self.amount
            promised = promised * self.amount_left // self.amount
        total = money(self.amount_left, currency)
        return OrderFacts(
            amount=money(self.amount_left - not_earning, currency) if not_earning else total,
            total=total,
            quantity=quantity,
            category=self.category,
            kind=self.kind,
            first=self.first,
            promised=promised,
            lines=lines,
            at=self.at,
        )

    # -- taking back ------------------------------------------------------------------------------

    def take_all(self) -> None:
        """All that is left comes back."""
        for item in self.items:
            item.quantity_left, item.amount_left = _ZERO, 0
        self.amount_left = 0
        self.gone = True

    def take_amount(self, amount: int) -> None:
        """Money comes back that belongs to no line: spread over all lines by what is left of them.

        Raises ExceedsRefundable.
        """
        self._check_left(amount, self.amount_left, None)
        if self.priced and self.items:
            for item, part in zip(self.items, allocate(amount, [i.amount_left for i in self.items]), strict=True):
                item.amount_left -= part
        self.amount_left -= amount
        self._end_if_nothing_is_left()

    def take_lines(self, returns: Sequence[Return]) -> None:
        """Lines come back. Raises LineNotFound, ExceedsReturnable, ExceedsRefundable."""
        for returned in returns:
            self._take_line(returned)
        self._end_if_nothing_is_left()

    def _take_line(self, returned: Return) -> None:
        named = self._named(returned)
        there = sum((item.quantity_left for item in named), _ZERO)
        quantity = there if returned.quantity is None else returned.quantity
        if quantity > there or there == 0:
            raise ExceedsReturnable(
                reference=self.reference, line=returned.label, quantity=quantity, quantity_left=there
            )
        amount = None if returned.amount is None else parse_money(returned.amount, self.currency)
        if amount is None and not self.priced:
            raise InvalidValue(field="lines", reason="the order's lines have no amounts; say how much is refunded")
        if amount is not None:
            of_lines = sum(item.amount_left for item in named)
            self._check_left(amount, of_lines if self.priced else self.amount_left, returned.label)
            named.sort(key=lambda item: item.amount * quantity != amount * item.quantity)
        for item in named:
            taken = min(item.quantity_left, quantity)
            if not taken:
                continue
            part = None
            if amount is not None:
                part = _half_up(amount * taken / quantity)
                amount -= part
            quantity -= taken
            self._take(item, taken, part)

    def _take(self, item: Item, quantity: Decimal, amount: int | None) -> None:
        rest = item.quantity_left - quantity
        if not rest:
            left = 0
        elif amount is None:
            left = _half_up(item.amount_left * rest / item.quantity_left)
        else:
            left = max(item.amount_left - amount, 0)
        # An unpriced line has no amount of its own to shrink.
        self.amount_left -= item.amount_left - left if self.priced else amount or 0
        item.quantity_left, item.amount_left = rest, left

    def _named(self, returned: Return) -> list[Item]:
        if returned.line is not None:
            found = self.items[returned.line - 1 : returned.line] if returned.line > 0 else []
        else:
            found = [item for item in self.items if item.sku == returned.sku]
        found = [item for item in found if item.status != VOID]
        if not found:
            raise LineNotFound(reference=self.reference, line=returned.label)
        return found

    def _check_left(self, amount: int, left: int, line: str | None) -> None:
        if amount > left:
            raise ExceedsRefundable(
                reference=self.reference,
                line=line,
                amount=money(amount, self.currency),
                amount_left=money(left, self.currency),
            )

    def _end_if_nothing_is_left(self) -> None:
        sold = [item for item in self.items if item.status == SOLD]
        if (self.amount and not self.amount_left) or (sold and not any(item.quantity_left for item in sold)):
            self.take_all()


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts that add up to it, by weight: the largest remainders get what flooring left over.

    >>> allocate(100, [1, 1, 1])
    [34, 33, 33]

    No part is larger than its weight when ``total`` is no larger than all weights.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    # Of equal remainders the first line's goes first, so that a replay does the same.
    largest = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in largest[: total - sum(parts)]:
        parts[at] += 1
    return parts


def _half_up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))


def items_of(stored: Iterable[Mapping[str, Any]]) -> list[Item]:
    """The lines as the order's row holds them."""
    return [Item.from_json(item) for item in stored]
