"""Rows that members share, through the committer: in one batch, after refusals and defects, in any order of claims."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pytest

from core.books.members import ByExternalId
from core.engine.operations import Operation, Outcome
from core.engine.work import Work
from core.errors import InvalidValue
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.rewards.models import RewardStock
from tests.databases import Apps
from tests.plugins.channel import only

PROGRAMME = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
MEMBERS = [f"member {number}" for number in range(6)]


@dataclass(frozen=True, kw_only=True)
class Take(Operation):
    """Take one of each reward's stock, in this order, and then do ``then``."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "take"

    rewards: tuple[str, ...]
    then: str = ""

    async def perform(self, work: Work) -> dict[str, Any]:
        left = {}
        for reward in self.rewards:
            stock = await work.shared(RewardStock, reward=reward)
            if stock is None:
                work.add(RewardStock, reward=reward, stock_left=9, next_code=1, last_code=0, returned=[])
                left[reward] = 9
                continue
            stock.stock_left -= 1
            work.save(stock)
            left[reward] = stock.stock_left
        if self.then == "refuse":
            raise InvalidValue(field="then", reason="it was asked for")
        if self.then == "fail":
            raise ZeroDivisionError
        return left


@pytest.fixture(scope="module")
def apps() -> Apps:
    return tables(only("rewards"))


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with open_shop(fresh_database, PROGRAMME, plugins=only("rewards")) as shop:
        for member in MEMBERS:
            await shop.enrol(member)
        yield shop


async def take(shop: Shop, *asked: tuple[tuple[str, ...], str]) -> list[Any]:
    """What each operation of one batch, of a member each, says was left; or its refusal's code, or its defect."""
    operations = [
        Take(member=ByExternalId(member), idempotency_key=f"{asked}", actor="a test", rewards=rewards, then=then)
        for member, (rewards, then) in zip(MEMBERS, asked, strict=False)
    ]
    found: list[Any] = []
    for outcome in await shop.laurel.committer.submit_many(operations):
        if isinstance(outcome, Outcome):
            found.append(outcome.refusal.code if outcome.refusal else list(outcome.result.values()))
        else:
            found.append(type(outcome))
    return found


async def stored(shop: Shop) -> dict[str, int]:
    rows = await shop.laurel.store.reader().query("SELECT reward, stock_left FROM reward_stock")
    return {cast(str, reward): cast(int, left) for reward, left in rows}


async def test_a_row_is_made_once_and_then_changed_by_one_after_the_other(shop: Shop) -> None:
    mug = (("mug",), "")

    assert await take(shop, mug, mug, mug) == [[9], [8], [7]]
    assert await take(shop, mug) == [[6]]
    assert await stored(shop) == {"mug": 6}


async def test_what_a_refused_or_failed_operation_changed_is_as_it_was_for_the_next(shop: Shop) -> None:
    await take(shop, (("mug",), ""))

    assert await take(
        shop, (("mug",), "refuse"), (("mug",), ""), (("mug",), "fail"), (("mug",), ""), (("mug",), "refuse")
    ) == ["INVALID_VALUE", [8], ZeroDivisionError, [7], "INVALID_VALUE"]  # fmt: skip
    assert await stored(shop) == {"mug": 7}


async def test_a_row_that_a_refused_operation_would_have_made_is_made_by_the_next_or_not_at_all(shop: Shop) -> None:
    assert await take(shop, (("mug",), "refuse"), (("cup",), "refuse"), (("mug",), "")) == [
        "INVALID_VALUE", "INVALID_VALUE", [9]
    ]  # fmt: skip
    assert await stored(shop) == {"mug": 9}


async def test_claims_in_opposite_orders_end_with_everything_done_once(shop: Shop) -> None:
    await take(shop, (("cup", "mug"), ""))

    found = await take(shop, (("cup", "mug"), ""), (("mug", "cup"), ""), (("cup", "mug"), ""), (("mug", "cup"), ""))

    assert sorted(left for pair in found for left in pair) == [5, 5, 6, 6, 7, 7, 8, 8]
    assert await stored(shop) == {"cup": 5, "mug": 5}
