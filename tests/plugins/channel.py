"""What the tests of a channel begin with: a shop with only the plugins they are about, and what a member has in it."""

import asyncio
from functools import cache
from typing import Final

from graph.testing import Shop  # noqa: TID251  used by tests only
from graph.tokens import Role
from plugins.manager import Plugins, find_offers, load_plugins

WITHOUT_A_CALL: Final = {
    "badge", "campaign", "leaderboard", "life_cycle", "message", "opening", "tag", "tier_gift", "webhooks", "welcome",
    "win_back",
}  # fmt: skip
"""Plugins whose READMEs show no mutation of theirs by which a member earns or spends."""


@cache
def only(*names: str) -> Plugins:
    """These plugins, and no others: put together once in a process."""
    return load_plugins(offers=[offer for offer in find_offers() if offer.name in names])


async def standing(shop: Shop, member: str) -> tuple[int, int]:
    """What a member can spend, and how many transactions there are: both stay as they are after a refusal."""
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member {"
        " points { available debt } transactions(first: 100) { nodes { id } } } } }",
        {"id": member},
    )
    points = data["node"]["points"]
    return points["available"] - points["debt"], len(data["node"]["transactions"]["nodes"])


async def freeze(shop: Shop, member: str) -> None:
    """Let the member neither earn nor spend."""
    data = await shop.ask(
        "mutation ($input: ChangeMemberStatusInput!) { changeMemberStatus(input: $input) { errors { message } } }",
        {"input": {"member": {"id": member}, "status": "FROZEN", "reason": "a test", "idempotencyKey": "freeze"}},
        role=Role.OPERATOR,
    )
    assert data["changeMemberStatus"]["errors"] == []


async def reverse(shop: Shop, transaction: str) -> None:
    """Take a transaction back, as an operator."""
    data = await shop.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { message } } }",
        {"input": {"transaction": transaction, "reason": "a test", "idempotencyKey": f"reverse:{transaction}"}},
        role=Role.OPERATOR,
    )
    assert data["reverseTransaction"]["errors"] == []


async def told(shop: Shop) -> None:
    """Wait until all that has happened has been told to whom it concerns."""
    for _ in range(1_000):
        await shop.laurel.deliverer.drain()
        # What the background has taken is told by it.
        if not await shop.laurel.store.reader().query("SELECT id FROM outbox"):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the outbox is never empty")
