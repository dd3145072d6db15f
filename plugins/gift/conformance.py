"""What the README's call needs first: somebody to give to."""

from graph.testing import Shop


async def prepare(shop: Shop) -> None:
    """Enrol Bob."""
    await shop.enrol("bob")
