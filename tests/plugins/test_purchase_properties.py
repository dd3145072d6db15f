"""Any order, sent back in any parts, in any order: it ends at nothing, and is worth at each step what is left of it."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.channels.orders import MemberFacts
from core.errors import Refusal
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.rules import CapRoom
from plugins.purchase.models import PurchaseOrder
from plugins.purchase.operations import basket_of
from plugins.purchase.orders import GIFT, SOLD, Basket, Item, Return, allocate
from plugins.purchase.rules import PurchaseSettings, price
from tests.plugins.conftest import Shops
from tests.plugins.shopping import PLUGINS, Shop, line

AT = datetime(2026, 7, 2, 4, tzinfo=UTC)
RULES = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase:
    earn_on_points_paid: {policy}
    earn:
      points:
        caps: {{order: 400}}
        groups:
        - id: base
          per: line
          add: sum
          rules: [{{id: spend, points: "line.amount"}}, {{id: piece, points: "line.quantity"}}]
        - {{id: new, per: line, multiply: best, rules: [{{id: new, when: "line.category == 'new'", factor: "1.15"}}]}}
        - id: order
          add: sum
          rules: [{{id: spend, points: "order.amount / 3"}}, {{id: till, points: "order.promised"}}]
        - {{id: first, multiply: best, rules: [{{id: first, when: "order.first", factor: 2}}]}}
      growth:
        groups: [{{id: base, add: sum, rules: [{{id: spend, points: "order.total"}}]}}]
"""


def settings_of(policy: str) -> PurchaseSettings:
    loaded = load_programme(RULES.format(policy=policy), PLUGINS.settings, PLUGINS.facts).channels["purchase"]
    assert isinstance(loaded, PurchaseSettings)
    return loaded


SETTINGS = {policy: settings_of(str(policy).lower()) for policy in (False, True)}
MEMBER = MemberFacts("regular", None, False, False, [], 0, AT)
ROOMS = {"points": CapRoom(day=300)}


@st.composite
def items(draw: st.DrawFn) -> Item:
    quantity = Decimal(draw(st.integers(1, 5)))
    status = draw(st.sampled_from([SOLD, SOLD, SOLD, GIFT]))
    amount = draw(st.integers(0, 20_000)) if status == SOLD else 0
    category = draw(st.sampled_from([None, "new"]))
    return Item(draw(st.sampled_from("abc")), category, quantity, amount, [], status, quantity, amount)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """An order of lines, or of an amount alone, part of it perhaps paid with points."""
    lines = draw(st.lists(items(), max_size=5))
    amount = sum(item.amount for item in lines) if lines else draw(st.integers(0, 50_000))
    return Basket(
        reference="A1",
        currency="CNY",
        at=AT,
        kind=None,
        category=None,
        amount=amount,
        amount_left=amount,
        points=draw(st.integers(0, 5_000)),
        points_amount=draw(st.integers(0, amount)),
        quantity=Decimal(1),
        promised=draw(st.integers(0, 100)),
        first=draw(st.booleans()),
        items=lines,
    )


def worth(basket: Basket, policy: bool) -> dict[str, int]:
    """What is left of the order is worth, by unit."""
    if basket.gone:
        return {"points": 0, "growth": 0}
    awards = price(basket.facts(with_points=policy), MEMBER, SETTINGS[policy], ROOMS)
    return {unit: award.points for unit, award in awards.items()}


def take_something(basket: Basket, data: st.DataObject) -> None:
    """Send some of it back, if that is possible: an amount, or a line."""
    try:
        if bool(basket.items) and data.draw(st.booleans(), label="by line"):
            number = data.draw(st.integers(1, len(basket.items)), label="line")
            quantity = data.draw(st.none() | st.integers(1, 5).map(Decimal), label="quantity")
            basket.take_lines([Return(line=number, quantity=quantity)])
        else:
            basket.take_amount(data.draw(st.integers(1, max(basket.amount_left, 1)), label="amount"))
    except Refusal:
        return


def check_what_is_left(basket: Basket) -> None:
    facts = basket.facts(with_points=True)
    assert 0 <= basket.amount_left <= basket.amount
    assert 0 <= basket.points_amount_left <= basket.amount_left
    assert 0 <= basket.points_back <= basket.points
    if basket.items:
        assert sum(item.amount_left for item in basket.items) == basket.amount_left
        assert sum((line.amount for line in facts.lines), Decimal(0)) == facts.total
    paid = basket.facts(with_points=False)
    assert all(line.amount >= 0 for line in paid.lines)
    if basket.items:
        assert sum((line.amount for line in paid.lines), Decimal(0)) == paid.amount


@settings(deadline=None, max_examples=300)
@given(basket=baskets(), policy=st.booleans(), data=st.data())
def test_any_returns_in_any_order_end_at_nothing(basket: Basket, policy: bool, data: st.DataObject) -> None:
    given = worth(basket, policy)
    points_back = 0
    for _ in range(data.draw(st.integers(0, 8), label="returns")):
        if basket.gone:
            break
        before, paid_before = basket.amount_left, basket.paid_left
        take_something(basket, data)
        check_what_is_left(basket)
        assert basket.amount_left <= before
        assert basket.paid_left <= paid_before
        assert basket.points_back >= points_back
        points_back = basket.points_back
        # A cent may move between the lines as the part paid with points is spread anew: never a whole point more.
        given = {unit: min(given[unit], left + 1) for unit, left in worth(basket, policy).items()}
    if not basket.gone:
        basket.take_all()

    assert worth(basket, policy) == {"points": 0, "growth": 0}
    assert (basket.amount_left, basket.paid_left, basket.points_amount_left) == (0, 0, 0)
    assert basket.points_back == basket.points
    assert not any(item.counts or item.quantity_left for item in basket.items)


DAY_CAP = RULES.format(policy="false").replace("caps: {order: 400}", "caps: {order: 400, day: 2000}")


@pytest.mark.parametrize("seed", range(3))
async def test_a_preview_is_the_award_and_every_refund_leaves_what_the_rest_is_worth(shops: Shops, seed: int) -> None:
    chance = random.Random(seed)
    async with shops(DAY_CAP) as shop:
        left: dict[str, int] = {}
        for number in range(40):
            lines = [
                line(chance.choice("abc"), f"{chance.randint(0, 9_999) / 100:.2f}", chance.randint(1, 3))
                for _ in range(chance.randint(1, 4))
            ]
            amount = str(sum(each.amount or 0 for each in lines))
            reference, promised = f"A{number}", chance.randint(0, 9)
            available = await shop.available() if number else 0
            paid = (chance.randint(1, available), str(lines[0].amount)) if available and chance.random() < 0.3 else None
            asked: dict[str, Any] = {"promised": promised, "paid_with_points": paid}

            preview = await shop.committer.rehearse(shop.order(reference, amount, *lines, **asked))
            result = await shop.buy(reference, amount, *lines, **asked)

            assert preview.result["awards"] == result["awards"]
            assert preview.result["trace"] == result["trace"]
            left[reference] = result["awards"]["points"]
            for _ in range(chance.randint(0, 2)):
                await send_some_back(shop, chance.choice(list(left)), left, chance)
        for reference in left:
            await shop.submit(shop.refund(reference))

        assert await shop.balance() == 0
        assert await shop.balance("growth") == 0
        names = ("points_earned", "growth_earned", "spend", "orders")
        assert [await shop.tally(name) for name in names] == [0, 0, 0, 0]
        assert await verify(shop.store.reader()) == []


async def send_some_back(shop: Shop, reference: str, left: dict[str, int], chance: random.Random) -> None:
    """Send a line or an amount back; what is left of the award is what the rest of the order is worth."""
    if chance.random() < 0.5:
        refund = shop.refund(reference, None, Return(line=chance.randint(1, 4), quantity=Decimal(1)))
    else:
        refund = shop.refund(reference, f"{chance.randint(1, 5_000) / 100:.2f}")
    outcome = await shop.submit(refund)
    if outcome.refusal is not None:
        return
    order = await shop.stored(reference)
    row = PurchaseOrder(bucket=0, member_id="", **order._asdict())
    basket, room = basket_of(row), {"points": CapRoom(*order.awards["points"]["room"])}
    rest = 0
    if not basket.gone:
        rest = price(basket.facts(with_points=False), MEMBER, SETTINGS[False], room)["points"].points
    left[reference] = min(left[reference], rest)
    assert order.awards["points"]["left"] == left[reference]


@settings(deadline=None)
@given(basket=baskets(), policy=st.booleans(), data=st.data())
def test_the_lines_survive_being_stored(basket: Basket, policy: bool, data: st.DataObject) -> None:
    take_something(basket, data)

    basket.items, before = [Item.from_json(item.to_json()) for item in basket.items], basket.items

    assert basket.items == before


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_an_allocation_adds_up_and_gives_no_part_more_than_a_unit_too_much(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)

    whole = sum(weights)
    if whole:
        assert sum(parts) == total
        assert all(part * whole - total * weight < whole for part, weight in zip(parts, weights, strict=True))
        assert all(total * weight - part * whole < whole for part, weight in zip(parts, weights, strict=True))
    if total <= whole:
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))
