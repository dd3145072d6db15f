"""Refunds and reversals: what comes back, in any order and in any parts, adds up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.books.lots import Lot
from core.channels.corrections import ReverseTransaction
from core.channels.redemption import RedeemPoints
from core.engine.operations import Outcome, Recorded
from core.errors import Refusal
from core.oversight.verify import verify
from plugins.purchase.operations import Line
from plugins.purchase.orders import Return
from plugins.purchase.refusals import (
    ExceedsRefundable,
    ExceedsReturnable,
    LineNotFound,
    NothingToRefund,
    OrderNotFound,
    RefundAlreadyRecorded,
)
from tests.plugins.conftest import Shops
from tests.plugins.shopping import JULY, Shop, line, programme

BY_LINE = '{id: base, per: line, add: sum, rules: [{id: spend, points: "line.amount"}]}'
TWO_LINES = [line("tea", "60.00", 3), line("cup", "39.90")]


def piece(sku: str, quantity: int | None = None, amount: str | None = None) -> Return:
    return Return(
        sku=sku,
        quantity=None if quantity is None else Decimal(quantity),
        amount=None if amount is None else Decimal(amount),
    )


async def reverse(shop: Shop, transaction: str, points: int | None = None) -> Outcome:
    request = shop.request("ann", {})
    return await shop.submit(
        ReverseTransaction(**request, transaction=transaction, points=points, reason="sold by mistake")
    )


# -- what comes back ----------------------------------------------------------------------------------


async def test_a_refund_of_a_part_takes_back_what_the_rest_does_not_earn(shop: Shop) -> None:
    await shop.buy("A1", "100.00")

    refund = await shop.send_back("A1", "33.33")

    assert refund["clawed_back"] == {"points": 34}  # 66.67 still earns 66
    assert await shop.balance() == 66
    assert await shop.tally("points_earned") == 66
    assert await shop.tally("spend") == 6667
    assert await shop.tally("orders") == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
async def test_three_partial_returns_in_any_order_are_the_whole(shops: Shops, order: tuple[int, ...]) -> None:
    returns = [piece("tea", 1), piece("cup"), piece("tea", 2)]
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "99.90", *TWO_LINES)
        for number in order:
            await shop.send_back("A1", None, returns[number])

        assert await shop.balance() == 0
        assert [await shop.tally(name) for name in ("points_earned", "spend", "orders")] == [0, 0, 0]
        assert (await shop.stored("A1")).status == "refunded"


async def test_a_returned_line_never_earns_again(shops: Shops) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "99.90", *TWO_LINES)
        await shop.send_back("A1", None, piece("cup", 1, "10.00"))  # for less than it cost

        assert await shop.balance() == 60
        await shop.send_back("A1", None, piece("tea", 1))
        assert await shop.balance() == 40


async def test_a_line_can_be_named_by_its_number(shops: Shops) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "30.00", line("tea", "10.00"), line("tea", "20.00"))
        await shop.send_back("A1", None, Return(line=2))

        assert await shop.balance() == 10


async def test_of_lines_with_one_sku_the_one_of_that_price_comes_back(shops: Shops) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "30.00", line("tea", "10.00"), line("tea", "20.00"))
        await shop.send_back("A1", None, piece("tea", 1, "20.00"))

        assert await shop.balance() == 10


async def test_money_that_belongs_to_no_line_is_spread_over_all_of_them(shops: Shops) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "99.90", *TWO_LINES)
        await shop.send_back("A1", "10.00")

        items = (await shop.stored("A1")).items
        assert [item["amount_left"] for item in items] == [5399, 3591]
        assert await shop.balance() == 89


async def test_a_cancel_after_a_return_takes_only_the_rest(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    await shop.send_back("A1", "40.00")

    refund = await shop.send_back("A1")

    assert refund["clawed_back"] == {"points": 60}
    assert refund["refunded"] == "60.00"
    assert await shop.balance() == 0


async def test_points_the_till_had_promised_are_taken_back_in_proportion(shops: Shops) -> None:
    groups = '{id: b, add: sum, rules: [{id: r, points: "order.promised"}]}'
    async with shops(programme(groups)) as shop:
        await shop.buy("A1", "30.00", line("a"), line("b"), promised=100)
        await shop.send_back("A1", "10.00")

        assert await shop.balance() == 66
        await shop.send_back("A1", "20.00")
        assert await shop.balance() == 0


async def test_a_free_order_can_be_sent_back(shop: Shop) -> None:
    await shop.buy("A1", "0.00", line("sample", "0.00"))
    await shop.send_back("A1")

    assert await shop.tally("orders") == 0


# -- points spent on the order ------------------------------------------------------------------------


async def test_points_spent_on_the_order_come_back_first_and_then_it_is_taken_back(shop: Shop) -> None:
    await shop.buy("A1", "500.00")
    await shop.buy("A2", "100.00", paid_with_points=(500, "50.00"))
    await shop.submit(RedeemPoints(**shop.request("ann", {}), points=50))  # what A2 brought is spent

    refund = await shop.send_back("A2")

    assert refund["given_back"] == 500
    assert refund["clawed_back"] == {"points": 50}
    assert await shop.balance() == 450
    assert await shop.available() == 450
    (debtless,) = [row for row in await shop.rows(Recorded) if row.kind == "refund"]
    assert debtless.reverses == (await shop.stored("A2")).transaction_id


@pytest.mark.parametrize("parts", [["33.33", "33.33", "33.34"], ["0.01", "99.98", "0.01"], ["50.00", "50.00"]])
async def test_points_spent_come_back_in_proportion_and_in_all(shop: Shop, parts: list[str]) -> None:
    await shop.buy("A1", "500.00")
    await shop.buy("A2", "100.00", paid_with_points=(499, "49.99"))

    given_back = [(await shop.send_back("A2", part))["given_back"] for part in parts]

    assert sum(given_back) == 499
    assert await shop.balance() == 500
    assert await shop.tally("spend") == 50_000


async def test_points_come_back_to_the_lots_they_were_taken_from(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    shop.clock.advance(timedelta(days=40))
    await shop.buy("A2", "100.00")
    await shop.buy("A3", "200.00", paid_with_points=(150, "15.00"))

    await shop.send_back("A3")

    assert [lot.remaining for lot in await shop.rows(Lot)] == [100, 100, 0]


async def test_order_and_cancel_makes_no_point_last_longer(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    (before,) = await shop.rows(Lot)
    shop.clock.set(before.expires_at - timedelta(hours=1))
    await shop.buy("A2", "10.00", paid_with_points=(100, "10.00"))
    shop.clock.advance(timedelta(hours=2))

    await shop.send_back("A2")

    assert await shop.available() == 0


# -- spent meanwhile, expired meanwhile ---------------------------------------------------------------


async def test_what_was_spent_becomes_a_debt_that_the_next_order_repays(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    await shop.submit(RedeemPoints(**shop.request("ann", {}), points=100))
    await shop.send_back("A1")

    assert await shop.balance() == -100
    await shop.buy("A2", "130.00")
    assert await shop.balance() == 30
    assert await shop.available() == 30


async def test_what_has_expired_is_not_taken_a_second_time(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    shop.clock.set(JULY + timedelta(days=400))
    await shop.buy("A2", "70.00")

    await shop.send_back("A1")

    assert await shop.available() == 70


# -- reversal -----------------------------------------------------------------------------------------


async def test_a_reversed_order_no_longer_counts(shop: Shop) -> None:
    await shop.buy("A1", "500.00")
    await shop.buy("A2", "100.00", paid_with_points=(100, "10.00"))

    outcome = await reverse(shop, (await shop.stored("A2")).transaction_id)

    assert outcome.accepted
    assert await shop.balance() == 500
    assert [await shop.tally(name) for name in ("points_earned", "spend", "orders")] == [500, 50_000, 1]
    order = await shop.stored("A2")
    assert (order.status, order.awards["points"]["left"]) == ("reversed", 0)


async def test_a_refund_after_the_reversal_takes_nothing_again(shop: Shop) -> None:
    await shop.buy("A1", "500.00")
    await shop.buy("A2", "100.00", paid_with_points=(100, "10.00"))
    await reverse(shop, (await shop.stored("A2")).transaction_id)

    refund = await shop.send_back("A2")

    assert (refund["given_back"], refund["clawed_back"]) == (0, {})
    assert await shop.balance() == 500
    assert [await shop.tally(name) for name in ("spend", "orders")] == [50_000, 1]


async def test_a_reversal_after_a_refund_takes_only_the_rest(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    await shop.send_back("A1", "60.00")

    await reverse(shop, (await shop.stored("A1")).transaction_id)

    assert await shop.balance() == 0
    assert [await shop.tally(name) for name in ("points_earned", "spend", "orders")] == [0, 0, 0]


async def test_a_refund_reckons_with_what_an_operator_took_before(shop: Shop) -> None:
    await shop.buy("A1", "100.00")
    await reverse(shop, (await shop.stored("A1")).transaction_id, 30)

    refund = await shop.send_back("A1", "50.00")

    assert refund["clawed_back"] == {"points": 20}  # 50 are left to earn, and 70 were still there
    assert await shop.balance() == 50


# -- refusals -----------------------------------------------------------------------------------------

REFUSED: list[tuple[str | None, list[Return], type[Refusal], dict[str, Any]]] = [
    ("100.00", [], ExceedsRefundable, {"line": None, "amount": Decimal("100.00"), "amount_left": Decimal("99.90")}),
    (None, [piece("tea", 4)], ExceedsReturnable, {"line": "tea", "quantity": Decimal(4), "quantity_left": Decimal(3)}),
    (
        None,
        [piece("tea", 1, "60.01")],
        ExceedsRefundable,
        {"line": "tea", "amount": Decimal("60.01"), "amount_left": Decimal("60.00")},
    ),
    (None, [piece("pot")], LineNotFound, {"line": "pot"}),
    (None, [Return(line=3)], LineNotFound, {"line": "3"}),
    (None, [Return(line=0)], LineNotFound, {"line": "0"}),
    (None, [Return(line=-1)], LineNotFound, {"line": "-1"}),
    (
        None,
        [piece("cup"), piece("cup")],
        ExceedsReturnable,
        {"line": "cup", "quantity": Decimal(0), "quantity_left": Decimal(0)},
    ),
]


@pytest.mark.parametrize(("amount", "lines", "kind", "facts"), REFUSED)
async def test_what_is_not_left_cannot_be_refunded(
    shops: Shops, amount: str | None, lines: list[Return], kind: type[Refusal], facts: dict[str, Any]
) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "99.90", *TWO_LINES)
        before = await shop.stored("A1")

        outcome = await shop.submit(shop.refund("A1", amount, *lines))

        assert isinstance(outcome.refusal, kind)
        assert outcome.refusal.facts == {"reference": "A1", **facts}
        assert await shop.stored("A1") == before
        assert await shop.balance() == 99


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"amount": "-1.00"}, "INVALID_AMOUNT"),
    ({"amount": "0.00"}, "INVALID_AMOUNT"),
    ({"amount": "1.001"}, "INVALID_AMOUNT"),
    ({"amount": "1.00", "currency": "USD"}, "CURRENCY_MISMATCH"),
    ({"amount": "1.00", "lines": [piece("tea")]}, "INVALID_VALUE"),
    ({"lines": [piece("tea", 0)]}, "INVALID_AMOUNT"),
    ({"lines": [piece("tea", -1)]}, "INVALID_AMOUNT"),
    ({"lines": [Return(sku="tea", amount=Decimal(-1))]}, "INVALID_AMOUNT"),
    ({"lines": [Return()]}, "INVALID_VALUE"),
    ({"lines": [Return(line=1, sku="tea")]}, "INVALID_VALUE"),
    ({"occurred_at": JULY - timedelta(days=1)}, "INVALID_INSTANT"),
    ({"occurred_at": JULY + timedelta(days=1)}, "INVALID_INSTANT"),
    ({"reference": ""}, "INVALID_VALUE"),
    ({"reference": "R\n1"}, "INVALID_VALUE"),
    ({"reference": "R" * 129}, "INVALID_VALUE"),
]


@pytest.mark.parametrize(("how", "code"), INVALID)
async def test_a_refund_that_cannot_be_meant_is_refused(shops: Shops, how: dict[str, Any], code: str) -> None:
    async with shops(programme(BY_LINE)) as shop:
        await shop.buy("A1", "99.90", *TWO_LINES)
        amount, lines = how.pop("amount", None), how.pop("lines", [])

        outcome = await shop.submit(shop.refund("A1", amount, *lines, **how))

        assert outcome.refusal is not None
        assert outcome.refusal.code == code
        assert await shop.balance() == 99


async def test_an_order_of_somebody_else_is_not_found(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    await shop.buy("B1", "10.00", member="bob")

    for order in ("B1", "A2"):
        outcome = await shop.submit(shop.refund(order))
        assert isinstance(outcome.refusal, OrderNotFound)


async def test_what_has_all_come_back_cannot_come_back_again(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    await shop.send_back("A1")

    for amount in (None, "1.00"):
        outcome = await shop.submit(shop.refund("A1", amount))
        assert isinstance(outcome.refusal, NothingToRefund)
    assert await shop.balance() == 0


async def test_a_refund_is_recorded_once_whatever_its_key(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    first = await shop.submit(shop.refund("A1", "4.00", reference="R1", key="refund:R1"))

    again = await shop.submit(shop.refund("A1", "4.00", reference="R1", key="refund:R1"))
    other = await shop.submit(shop.refund("A1", "4.00", reference="R1", key="another"))

    assert again.replayed
    assert again.result == first.result
    assert isinstance(other.refusal, RefundAlreadyRecorded)
    assert await shop.balance() == 6


async def test_the_same_refund_in_one_batch_is_recorded_once(shop: Shop) -> None:
    await shop.buy("A1", "10.00")
    refunds = [shop.refund("A1", "4.00", reference="R1", key="refund:R1") for _ in range(20)]

    outcomes = await shop.committer.submit_many(refunds)

    assert sum(isinstance(o, Outcome) and o.accepted and not o.replayed for o in outcomes) == 1
    assert await shop.balance() == 6


async def test_the_books_are_in_order_after_all_of_it(shop: Shop) -> None:
    lines: list[Line] = [line("a", "50.00", 2), line("b", "50.00")]
    await shop.buy("A1", "1000.00")
    await shop.buy("A2", "100.00", *lines, paid_with_points=(300, "30.00"))
    await shop.send_back("A2", None, piece("a", 1))
    await shop.submit(RedeemPoints(**shop.request("ann", {}), points=700))
    await shop.send_back("A1", "999.00")
    await reverse(shop, (await shop.stored("A2")).transaction_id)

    assert await verify(shop.store.reader()) == []
