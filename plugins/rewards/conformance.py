"""What the README's call needs first: flasks on the shelf."""

from graph.testing import Shop
from graph.vocabulary import Role


async def prepare(shop: Shop) -> None:
    """Put a thousand flasks on the shelf."""
    await shop.ask(
        "mutation ($input: StockRewardInput!) { stockReward(input: $input) { errors { code } } }",
        {"input": {"reward": "flask", "quantity": 1000, "idempotencyKey": "conformance"}},
        role=Role.OPERATOR,
    )
