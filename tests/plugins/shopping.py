"""A shop: a committer with the purchase channel, and short ways to buy and to send back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from core.books.accounts import Account
from core.books.lots import Lot
from core.books.members import ByExternalId, bucket_of, new_id
from core.books.tallies import Tally
from core.engine.batch import Rules
from core.engine.committer import Committer
from core.engine.operations import Operation, Outcome
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.tables import table_of
from core.telling.routes import Routes
from core.time.clock import StoppedClock
from core.units import POINTS
from plugins.manager import Plugins, find_offers, load_plugins
from plugins.purchase.models import PurchaseOrder
from plugins.purchase.operations import Line, PaidWithPoints, RecordPurchase, RefundPurchase
from plugins.purchase.orders import Return
from tests.core.committing import publish

PLUGINS: Plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])
"""The channel alone, as every plugin must be able to run."""

JULY = datetime(2026, 7, 2, 4, tzinfo=UTC)
"""Noon in Shanghai."""

PLAIN = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
"""


def programme(groups: str, *, more: str = "", unit: str = "", top: str = "") -> str:
    """The plain programme with other groups, ``more`` in the rule set, ``unit`` beside it and ``top`` at the top."""
    return (
        "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nexpiry: {mode: per_lot, months: 12}\n"
        f"lists: {{core: [milk_powder, nappies]}}\n{top}\n"
        f"channels:\n  purchase:\n    {unit}\n    earn:\n      points:\n        {more}\n        groups: [{groups}]\n"
    )


def line(sku: str, amount: str | None = None, quantity: int = 1, **rest: Any) -> Line:
    return Line(sku, quantity, None if amount is None else Decimal(amount), **rest)


class Shop:
    """Where one buys as a member, by external id."""

    def __init__(self, committer: Committer, clock: StoppedClock, store: Store) -> None:
        self.committer = committer
        self.clock = clock
        self.store = store
        self._keys = count()
        self.members: dict[str, str] = {}

    async def submit(self, operation: Operation) -> Outcome:
        outcome = await self.committer.submit(operation)
        if outcome.member_id and isinstance(operation.member, ByExternalId):
            self.members[operation.member.external_id] = outcome.member_id
        return outcome

    def order(self, reference: str, amount: str, *lines: Line, member: str = "ann", **how: Any) -> RecordPurchase:
        paid = how.pop("paid_with_points", None)
        return RecordPurchase(
            **self.request(member, how),
            reference=reference,
            amount=Decimal(amount),
            lines=lines,
            enrol_if_unknown=how.pop("enrol_if_unknown", True),
            paid_with_points=PaidWithPoints(paid[0], Decimal(paid[1])) if paid else None,
            **how,
        )

    def refund(
        self, order: str, amount: str | None = None, *lines: Return, member: str = "ann", **how: Any
    ) -> RefundPurchase:
        return RefundPurchase(
            **self.request(member, how),
            order=order,
            reference=how.pop("reference", f"R{next(self._keys)}"),
            amount=None if amount is None else Decimal(amount),
            lines=lines,
            **how,
        )

    def request(self, member: str, how: dict[str, Any]) -> dict[str, Any]:
        key = how.pop("key", None) or f"key {next(self._keys)}"
        return {"member": ByExternalId(member), "idempotency_key": key, "actor": "a test"}

    async def buy(self, reference: str, amount: str, *lines: Line, **how: Any) -> Mapping[str, Any]:
        """The result of a purchase that must not be refused."""
        return (await self.submit(self.order(reference, amount, *lines, **how))).result

    async def send_back(self, order: str, amount: str | None = None, *lines: Return, **how: Any) -> Mapping[str, Any]:
        """The result of a refund that must not be refused."""
        return (await self.submit(self.refund(order, amount, *lines, **how))).result

    async def rows(self, kind: type, member: str = "ann", **by: Any) -> list[Any]:
        table, member_id = table_of(kind), self.members[member]
        keys = [(bucket_of(member_id), member_id, *by.values())]
        rows = await self.store.reader().select(table, ("bucket", "member_id", *by), keys)
        return sorted((table.of(table.decode(row)) for row in rows), key=table.key_of)

    async def balance(self, unit: str = POINTS, member: str = "ann") -> int:
        """Credited less debited; below zero in debt."""
        (account,) = await self.rows(Account, member, unit=unit)
        assert isinstance(account, Account)
        return account.balance

    async def available(self, unit: str = POINTS, member: str = "ann") -> int:
        return sum(lot.free(self.clock.now()) for lot in await self.rows(Lot, member, unit=unit))

    async def tally(self, name: str, member: str = "ann") -> int:
        return sum(tally.amount for tally in await self.rows(Tally, member) if tally.name == name)

    async def stored(self, reference: str, member: str = "ann") -> Any:
        """The order's row."""
        (order,) = await self.rows(PurchaseOrder, member, reference=reference)
        return order


@asynccontextmanager
async def open_shop(document: str = PLAIN, at: datetime = JULY) -> AsyncIterator[Shop]:
    """A shop on the database that is open."""
    clock, store = StoppedClock(at), Store()
    await publish(document)
    rules = Rules(
        programmes=Programmes(lambda text: load_programme(text, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)),
        clock=clock,
        new_id=new_id,
        reactions=PLUGINS.reactions,
        routes=Routes(PLUGINS.outgoing),
    )
    async with Committer(store, rules) as committer:
        yield Shop(committer, clock, store)
