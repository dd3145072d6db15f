"""Orders of guests: recorded, refunded, and their guests forgotten. They are of no member, so no operations.

A guest's order is known by the shop's number of it: told again it is what it was, and told otherwise it is refused.
One that is a member's purchase is never a guest's, whichever of the two is told first.
"""

import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, Self

from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError

from core.books.guests import MEMBERS, RECORDED, REFUNDED
from core.books.tallies import day_number
from core.engine.aside import Aside, Done
from core.engine.batch import Rules
from core.engine.work import FUTURE_TOLERANCE
from core.errors import CurrencyMismatch, InvalidAmount, InvalidInstant, InvalidValue, Refusal
from core.key_figures.aggregates import Additions, Daily, LocalDays
from core.models import GuestOrderRow
from core.money import money
from core.oversight.audit import State
from core.oversight.auditing import audited, write_down
from core.oversight.verify import Invariant
from core.people.erasing import TOKEN_PREFIX
from core.rulebook.programmes import Programmes
from core.store import writer
from core.store.databases import unit_of_work
from core.store.dialect import Writer, in_words_of
from core.store.tables import Row, table_of
from core.time.calendar import local_day

from .operations import REFERENCE_MAX, check_text, minor_amount
from .refusals import ExceedsRefundable, GuestOrderDiffers, NothingToRefund, OrderNotFound, OrderOfMember

CUSTOMER_MAX: Final = 64
_TRIES: Final = 5
# An address has an @ or spaces, a telephone number a plus: none of them is a key.
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=-]*", re.ASCII)
_OF_MEMBERS: Final = "SELECT DISTINCT k.k0 FROM {keys} {join} purchase_order t ON t.reference = k.k0"

INVARIANTS: Final = (
    Invariant(
        "purchase of a guest",
        "an order that is a member's purchase is no guest's",
        "SELECT p.member_id, p.reference, g.status FROM guest_order g"
        f" JOIN purchase_order p ON p.reference = g.reference WHERE g.status <> '{MEMBERS}'",
    ),
)


class _FirstOfAll(Exception):
    """No guest has ordered yet, and one would: that is recorded while nobody keeps the rules."""


class Book:
    """The rows that a transaction has locked, what it makes of them, and what judges them."""

    def __init__(
        self, programmes: Programmes, now: datetime, rows: Mapping[str, Any], of_members: frozenset[str]
    ) -> None:
        self.programmes = programmes
        self.now = now
        self.of_members = of_members
        self._rows = dict(rows)
        self._former: dict[str, Any] = {}

    def get(self, reference: str) -> Any:
        """The order, or None. Raises OrderOfMember for one that is a member's."""
        row = self._rows.get(reference)
        if reference in self.of_members or (row is not None and row.status == MEMBERS):
            raise OrderOfMember(reference=reference)
        return row

    @property
    def has_new(self) -> bool:
        """Whether there are orders that nobody had told before."""
        return any(former is None for former in self._former.values())

    def put(self, row: Any) -> Any:
        """The order, new or with new values."""
        self._former.setdefault(row.reference, self._rows.get(row.reference))
        self._rows[row.reference] = row
        return row

    async def write(self, write: Writer, shard: int) -> None:
        """Write what was made, and what it adds to the days."""
        table, daily = table_of(GuestOrderRow), table_of(Daily)
        additions = Additions(LocalDays(()))
        new: list[Row] = []
        changed: list[Row] = []
        for reference, former in sorted(self._former.items(), key=lambda item: item[0]):
            row = self._rows[reference]
            additions.take_guests(former, row)
            (new if former is None else changed).append(table.row(0, "", row))
        if new:
            await write.insert(table, new)
        if changed:
            await write.update(table, changed)
        if added := [daily.row(0, "", each) for each in additions.rows(shard)]:
            await write.accumulate(daily, added)
        for reference, former in self._former.items():
            await write_down(self.now, before=_facts(reference, former), after=_facts(reference, self._rows[reference]))


@dataclass(frozen=True, kw_only=True)
class GuestRequest(Aside, ABC):
    """Something about an order of a guest, which is named by the shop's number of it."""

    @property
    @abstractmethod
    def order_named(self) -> str:
        """The order that it is about."""

    @abstractmethod
    def perform(self, book: Book) -> Done:
        """Do it, or raise a Refusal and leave everything as it was."""

    @classmethod
    async def perform_all(cls, asked: Sequence[Self], rules: Rules) -> Sequence[Done | Refusal]:
        alone = False
        for attempt in range(1, _TRIES + 1):
            try:
                return await unit_of_work(partial(_perform, asked, rules, alone=alone))
            except _FirstOfAll:
                alone = True
            except IntegrityError:
                # Somebody else has recorded one of them meanwhile; the next attempt finds it.
                if attempt == _TRIES:
                    raise
        raise AssertionError("the last attempt returns or raises")


@dataclass(frozen=True, kw_only=True)
class RecordGuestOrder(GuestRequest):
    """A guest's order was paid.

    Refuses GuestOrderDiffers, OrderOfMember, CurrencyMismatch, ProgrammeNotFound, and values that cannot be meant.
    """

    reference: str
    amount: Decimal
    currency: str | None = None
    occurred_at: datetime | None = None
    customer: str | None = None

    @property
    def order_named(self) -> str:
        return self.reference

    def perform(self, book: Book) -> Done:
        check_text("reference", self.reference, REFERENCE_MAX)
        if self.customer is not None:
            check_customer(self.customer)
        before = book.get(self.reference)
        occurred_at = (
            self.occurred_at.astimezone(UTC) if self.occurred_at else before.occurred_at if before else book.now
        )
        if occurred_at > book.now + FUTURE_TOLERANCE:
            raise InvalidInstant(value=occurred_at.isoformat(), reason="it lies in the future")
        programme = book.programmes.at(occurred_at).programme
        if self.currency is not None and self.currency != programme.currency:
            raise CurrencyMismatch(expected=programme.currency, given=self.currency)
        amount = minor_amount(self.amount, programme.currency)
        if before is not None:
            self._check_same(before, amount, occurred_at)
            return Done(before, replayed=True)
        row = table_of(GuestOrderRow).value(
            reference=self.reference,
            day=day_number(local_day(occurred_at, programme.zone)),
            customer=self.customer,
            orders=int(amount > 0),
            paid=amount,
            amount=amount,
            currency=programme.currency,
            status=RECORDED,
            occurred_at=occurred_at,
            recorded_at=book.now,
            actor=self.actor,
            refunds=[],
        )
        return Done(book.put(row))

    def _check_same(self, before: Any, amount: int, occurred_at: datetime) -> None:
        if before.amount != amount:
            raise GuestOrderDiffers(reference=self.reference, field="amount")
        if before.occurred_at != occurred_at:
            raise GuestOrderDiffers(reference=self.reference, field="occurredAt")
        # Whose order it was is not known any more once the guest was forgotten.
        if before.customer != self.customer and not (before.customer or "").startswith(TOKEN_PREFIX):
            raise GuestOrderDiffers(reference=self.reference, field="customer")


@dataclass(frozen=True, kw_only=True)
class RefundGuestOrder(GuestRequest):
    """A guest's order came back: an amount of it, or all that is left. It counts on the day of the sale.

    Refuses OrderNotFound, OrderOfMember, GuestOrderDiffers, NothingToRefund, ExceedsRefundable, CurrencyMismatch.
    """

    order: str
    reference: str
    amount: Decimal | None = None
    currency: str | None = None

    @property
    def order_named(self) -> str:
        return self.order

    def perform(self, book: Book) -> Done:
        check_text("reference", self.reference, REFERENCE_MAX)
        order = book.get(self.order)
        if order is None:
            raise OrderNotFound(reference=self.order[:REFERENCE_MAX])
        if self.currency is not None and self.currency != order.currency:
            raise CurrencyMismatch(expected=order.currency, given=self.currency)
        asked = None if self.amount is None else minor_amount(self.amount, order.currency)
        for refund in order.refunds:
            if refund["reference"] == self.reference:
                if refund["asked"] != asked:
                    raise GuestOrderDiffers(reference=self.reference, field="amount")
                return Done(order, replayed=True)
        if asked == 0:
            raise InvalidAmount(value=str(self.amount), reason="a refund gives something back")
        if order.status == REFUNDED:
            raise NothingToRefund(reference=self.order)
        taken = order.paid if asked is None else asked
        if taken > order.paid:
            raise ExceedsRefundable(
                reference=self.order,
                line=None,
                amount=money(taken, order.currency),
                amount_left=money(order.paid, order.currency),
            )
        left = order.paid - taken
        changed = order._replace(
            paid=left,
            orders=order.orders if left else 0,
            status=RECORDED if left else REFUNDED,
            refunds=[*order.refunds, {"reference": self.reference, "amount": taken, "asked": asked}],
        )
        return Done(book.put(changed))


async def forget(customer: str, now: datetime) -> int:
    """Put a key that nobody knows in the place of a guest's: of how many orders.

    They stay one guest's, so that no figure changes; who that was is not known any more, and whoever comes again with
    the old key is somebody new.
    """
    check_customer(customer)
    unknown = f"{TOKEN_PREFIX}{secrets.token_hex(16)}"

    async def write() -> int:
        client = get_connection("default")
        sql = in_words_of(writer(client), "UPDATE guest_order SET customer = ? WHERE customer = ?")
        changed, _ = await client.execute_query(sql, [unknown, customer])
        await write_down(now, before={"orders_known": changed}, after={"orders_known": 0})
        return changed

    return await audited(write)


def _facts(reference: str, order: Any) -> State:
    """How an order stands, for the audit log."""
    return {"order": reference} if order is None else {"order": reference, "status": order.status, "paid": order.paid}


def check_customer(customer: str) -> None:
    """Raise InvalidValue for what is no key: an address, say, or a telephone number with its plus."""
    if not 0 < len(customer) <= CUSTOMER_MAX:
        raise InvalidValue(field="customer", reason=f"it must have 1 to {CUSTOMER_MAX} characters")
    if not _KEY.fullmatch(customer) or customer.startswith(TOKEN_PREFIX):
        raise InvalidValue(
            field="customer", reason="it must be a key of letters, digits and ._:/=- that tells nobody who the guest is"
        )


def _can_be_asked(reference: str) -> bool:
    """Whether every database can be asked for it: what cannot is refused for what it is."""
    return 0 < len(reference) <= REFERENCE_MAX and reference.isprintable()


async def _perform(asked: Sequence[GuestRequest], rules: Rules, *, alone: bool) -> list[Done | Refusal]:
    """Do all in the transaction that is open, ``alone`` while nobody records purchases.

    Raises _FirstOfAll where it has to be so and is not: whoever records purchases is to know of guests from then on.
    For what is refused nobody has to wait.
    """
    write, programmes = writer(get_connection("default")), rules.programmes
    await (write.change_rules() if alone else write.keep_rules())
    now = rules.clock.now()
    await programmes.refresh(write)
    table = table_of(GuestOrderRow)
    keys = sorted({(each.order_named,) for each in asked if _can_be_asked(each.order_named)})
    rows = [table.read(row) for row in await write.lock(table, table.key, keys)] if keys else []
    found = {row.reference: row for row in rows}
    of_members: frozenset[str] = frozenset()
    if unknown := [key for key in keys if key[0] not in found]:
        known = await write.look_up(_OF_MEMBERS, table, table.key, unknown)
        of_members = frozenset(reference for (reference,) in known)
    book = Book(programmes.as_now(), now, found, of_members)
    done: list[Done | Refusal] = []
    for each in asked:
        try:
            done.append(each.perform(book))
        except Refusal as refused:
            done.append(refused)
    if book.has_new and not (alone or programmes.guests_order):
        raise _FirstOfAll
    await book.write(write, rules.shard)
    return done
