"""Orders as a brand's backend records them over HTTP, for tests of channels that react to them."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from core.models import OutboxRow
from graph.testing import Shop, open_shop  # noqa: TID251  used by tests only
from plugins.manager import Plugins

BEGIN = datetime(2026, 1, 5, 4, tzinfo=UTC)
"""Noon of a Monday in Shanghai."""

BASE = "{groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}"


def document(channels: str, *, top: str = "") -> str:
    """A programme with a point a yuan, and these channels beside purchases."""
    return (
        f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nexpiry: {{mode: per_lot, months: 12}}\n{top}\n"
        f"channels:\n  purchase: {{earn: {{points: {BASE}}}}}\n{channels}\n"
    )


def shop_at(url: str, programme: str, plugins: Plugins, now: datetime = BEGIN) -> AbstractAsyncContextManager[Shop]:
    return open_shop(url, programme, plugins=plugins, now=now)


async def buy(shop: Shop, member: str, reference: str, amount: str, **more: Any) -> str:
    """Record an order that must not be refused; its transaction."""
    order = {
        "member": {"id": member},
        "amount": {"amount": amount, "currency": "CNY"},
        "reference": reference,
        "idempotencyKey": f"order:{reference}",
        **more,
    }
    data = await shop.ask(
        "mutation ($input: RecordPurchaseInput!)"
        " { recordPurchase(input: $input) { transaction { id } errors { message } } }",
        {"input": order},
    )
    assert data["recordPurchase"]["errors"] == []
    transaction: str = data["recordPurchase"]["transaction"]["id"]
    return transaction


async def send_back(shop: Shop, member: str, order: str, amount: str | None = None, **more: Any) -> None:
    """Refund an order, or an amount of it; it must not be refused."""
    reference = more.pop("reference", f"{order}/{amount or 'all'}")
    refund = {
        "member": {"id": member},
        "order": order,
        "reference": reference,
        "idempotencyKey": f"refund:{reference}",
        **more,
    }
    if amount is not None:
        refund["amount"] = {"amount": amount, "currency": "CNY"}
    data = await shop.ask(
        "mutation ($input: RefundPurchaseInput!) { refundPurchase(input: $input) { errors { message } } }",
        {"input": refund},
    )
    assert data["refundPurchase"]["errors"] == []


async def balance(shop: Shop, member: str) -> int:
    """What the member has, less what they owe."""
    data = await shop.ask("query ($id: ID!) { node(id: $id) { ... on Member { points { balance } } } }", {"id": member})
    points: int = data["node"]["points"]["balance"]
    return points


async def of_member(shop: Shop, member: str, fields: str) -> Any:
    """Fields of a member."""
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Member {{ {fields} }} }} }}"
    return (await shop.ask(query, {"id": member}))["node"]


async def told(shop: Shop) -> None:
    """Wait until everything in the outbox has been heard."""
    async with asyncio.timeout(10):
        while await OutboxRow.all().count():
            await shop.laurel.deliverer.deliver()
            await asyncio.sleep(0.01)
