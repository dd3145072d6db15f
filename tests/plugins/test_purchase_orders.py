"""Purchases through the committer: what they earn, and what is written."""

import pytest

from tests.plugins.shopping import Shop


async def test_a_point_for_each_whole_unit_of_money(shop: Shop) -> None:
    result = await shop.buy("A1", "29.90")

    assert result["awards"] == {"points": 29}
    assert await shop.available() == 29
    assert await shop.tally("orders") == 1
    assert await shop.tally("spend") == 2990


@pytest.mark.parametrize("parts", [["10.01", "10.01", "9.88"], ["0.01", "0.01", "29.88"], ["29.89", "0.01"]])
async def test_partial_refunds_add_up_to_the_whole(shop: Shop, parts: list[str]) -> None:
    await shop.buy("A1", "29.90")

    for part in parts:
        await shop.send_back("A1", part)

    assert await shop.balance() == 0
    assert await shop.tally("orders") == 0
    assert await shop.tally("spend") == 0
    assert (await shop.stored("A1")).status == "refunded"
