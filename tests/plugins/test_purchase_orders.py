"""Purchases through the committer: what is recorded, and what is refused and leaves nothing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.books.members import MemberStatus
from core.engine.operations import Outcome
from core.people.membership import ChangeMemberStatus
from plugins.purchase.models import PurchaseOrder
from plugins.purchase.operations import Line
from plugins.purchase.refusals import LinesDoNotAddUp, OrderAlreadyRecorded
from tests.plugins.conftest import Shops
from tests.plugins.shopping import JULY, PLAIN, Shop, line, programme


async def test_an_order_is_kept_with_all_that_a_refund_needs(shop: Shop) -> None:
    result = await shop.buy("A1", "29.90", line("tea", "29.90", 2, category="drinks", tags=("new",)), category="food")

    order = await shop.stored("A1")
    assert result["awards"] == {"points": 29}
    assert (order.status, order.amount, order.amount_left, order.currency) == ("recorded", 2990, 2990, "CNY")
    assert order.items == [{"sku": "tea", "quantity": "2", "amount": 2990, "category": "drinks", "tags": ["new"]}]
    assert order.awards == {"points": {"points": 29, "left": 29, "lots": [1]}}
    assert order.programme_version == 1
    assert order.facts["member"]["tier"] == ""
    assert await shop.tally("orders") == 1
    assert await shop.tally("spend") == 2990


async def test_the_same_order_fifty_times_is_one_award_and_fifty_equal_answers(shop: Shop) -> None:
    orders = [shop.order("A1", "29.90", key="order:A1") for _ in range(50)]

    outcomes = await shop.committer.submit_many(orders)

    assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)
    assert len({str(outcome.result) for outcome in outcomes if isinstance(outcome, Outcome)}) == 1
    again = await shop.submit(shop.order("A1", "29.90", key="order:A1"))
    assert again.replayed
    assert await shop.balance() == 29


async def test_an_order_with_another_key_is_recorded_no_second_time(shop: Shop) -> None:
    await shop.buy("A1", "29.90")

    outcome = await shop.submit(shop.order("A1", "29.90"))

    assert isinstance(outcome.refusal, OrderAlreadyRecorded)
    assert outcome.refusal.transaction == (await shop.stored("A1")).transaction_id
    assert await shop.balance() == 29


async def test_what_cost_nothing_counts_as_no_order_nor_does_its_return(shops: Shops) -> None:
    doubled = "{id: base, add: sum, rules: [{id: spend, points: order.quantity}]}, "
    doubled += "{id: new, multiply: best, rules: [{id: first, when: order.first, factor: '2'}]}"
    async with shops(programme(doubled)) as shop:
        gift = await shop.buy("A0", "0.00")
        assert (gift["awards"], await shop.tally("orders")) == ({"points": 1}, 0)

        first = await shop.buy("A1", "10.00")
        assert (first["awards"], await shop.tally("orders")) == ({"points": 2}, 1)

        await shop.send_back("A0")
        assert await shop.tally("orders") == 1


async def test_two_members_may_have_orders_of_one_reference(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    await shop.buy("A1", "20.00", member="bob")

    assert (await shop.balance(), await shop.balance(member="bob")) == (10, 20)


async def test_of_two_orders_racing_for_the_last_points_one_gets_them(shop: Shop) -> None:
    await shop.buy("A0", "100.00")
    orders = [shop.order(f"A{n}", "50.00", paid_with_points=(100, "10.00")) for n in (1, 2)]

    outcomes = await shop.committer.submit_many(orders)

    assert [isinstance(o, Outcome) and o.accepted for o in outcomes] == [True, False]
    assert await shop.rows(PurchaseOrder, reference="A2") == []
    assert await shop.balance() == 40


async def test_lines_that_do_not_add_up_are_refused_with_both_figures(shop: Shop) -> None:
    outcome = await shop.submit(shop.order("A1", "30.00", line("a", "10.00"), line("b", "19.99")))

    assert isinstance(outcome.refusal, LinesDoNotAddUp)
    assert outcome.refusal.facts == {"amount": Decimal("30.00"), "lines": Decimal("29.99")}


async def test_a_frozen_member_buys_nothing_here_but_may_send_back(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    freeze = ChangeMemberStatus(**shop.request("ann", {}), status=MemberStatus.FROZEN, reason="under review")
    await shop.submit(freeze)

    outcome = await shop.submit(shop.order("A2", "0.00"))

    assert outcome.refusal is not None
    assert outcome.refusal.code == "MEMBER_NOT_ACTIVE"
    await shop.send_back("A1")
    assert await shop.balance() == 0


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"amount": "-1.00"}, "INVALID_AMOUNT"),
    ({"amount": "1.001"}, "INVALID_AMOUNT"),
    ({"amount": "NaN"}, "INVALID_AMOUNT"),
    ({"amount": "Infinity"}, "INVALID_AMOUNT"),
    ({"amount": "1E+30"}, "INVALID_AMOUNT"),
    ({"amount": "90071992547409.92"}, "INVALID_AMOUNT"),
    ({"currency": "USD"}, "CURRENCY_MISMATCH"),
    ({"reference": ""}, "INVALID_VALUE"),
    ({"reference": " A1"}, "INVALID_VALUE"),
    ({"reference": "A\x001"}, "INVALID_VALUE"),
    ({"reference": "A" * 129}, "INVALID_VALUE"),
    ({"category": "x" * 65}, "INVALID_VALUE"),
    ({"order_kind": ""}, "INVALID_VALUE"),
    ({"promised": -1}, "INVALID_AMOUNT"),
    ({"promised": 2**53}, "INVALID_AMOUNT"),
    ({"quantity": 0}, "INVALID_AMOUNT"),
    ({"quantity": -1}, "INVALID_AMOUNT"),
    ({"quantity": Decimal("NaN")}, "INVALID_AMOUNT"),
    ({"quantity": Decimal("0.0000001")}, "INVALID_AMOUNT"),
    ({"quantity": 10**10}, "INVALID_AMOUNT"),
    ({"occurred_at": JULY + timedelta(minutes=6)}, "INVALID_INSTANT"),
    ({"occurred_at": JULY.replace(year=2019)}, "PROGRAMME_NOT_FOUND"),
    ({"paid_with_points": (0, "0.00")}, "INVALID_AMOUNT"),
    ({"paid_with_points": (-5, "1.00")}, "INVALID_AMOUNT"),
    ({"paid_with_points": (5, "-1.00")}, "INVALID_AMOUNT"),
    ({"paid_with_points": (5, "10.01")}, "INVALID_AMOUNT"),
    ({"lines": [line("a", "10.00"), line("b")]}, "INVALID_VALUE"),
    ({"lines": [line("", "10.00")]}, "INVALID_VALUE"),
    ({"lines": [line("a", "11.00"), line("b", "-1.00")]}, "INVALID_AMOUNT"),
    ({"lines": [line("a", "10.00", 0)]}, "INVALID_AMOUNT"),
    ({"lines": [line("a", "10.00", tags=("x",) * 21)]}, "INVALID_VALUE"),
    ({"lines": [line("a", "10.00", tags=("",))]}, "INVALID_VALUE"),
    ({"lines": [line("a", "0.01")] * 1001}, "INVALID_VALUE"),
]


@pytest.mark.parametrize(("how", "code"), REFUSED)
async def test_an_order_that_cannot_be_meant_is_refused(shops: Shops, how: dict[str, Any], code: str) -> None:
    how = {**how}
    async with shops(PLAIN) as shop:
        await shop.buy("A0", "5.00")
        reference, amount = how.pop("reference", "A1"), how.pop("amount", "10.00")
        lines: list[Line] = how.pop("lines", [])

        outcome = await shop.submit(shop.order(reference, amount, *lines, **how))

        assert outcome.refusal is not None
        assert outcome.refusal.code == code
        assert await shop.balance() == 5
        assert await shop.tally("orders") == 1


async def test_an_order_before_the_programmes_first_day_is_refused(shops: Shops) -> None:
    async with shops(PLAIN + "starts_on: 2026-07-02\n") as shop:
        before = await shop.submit(shop.order("A1", "10.00", occurred_at=JULY - timedelta(hours=12, microseconds=1)))
        after = await shop.submit(shop.order("A2", "10.00", occurred_at=JULY - timedelta(hours=12)))

        assert before.refusal is not None
        assert before.refusal.code == "INVALID_INSTANT"
        assert after.accepted


async def test_a_programme_without_purchases_refuses_them(shops: Shops) -> None:
    async with shops("{id: shop, currency: CNY, timezone: Asia/Shanghai}") as shop:
        outcome = await shop.submit(shop.order("A1", "10.00"))

        assert outcome.refusal is not None
        assert outcome.refusal.code == "PURCHASES_NOT_OFFERED"
        assert outcome.refusal.facts == {"at": JULY}
