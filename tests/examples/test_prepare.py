"""The prepared events agree with the figures that were published with the data."""

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from examples.data import prepare

Events = list[dict[str, Any]]


def facts(data: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((prepare.HERE / data / "facts.json").read_text())
    return found


def total(events: Events) -> Decimal:
    return sum((Decimal(event["amount"]) for event in events), Decimal(0))


@pytest.fixture(scope="module")
def retail() -> Events:
    return list(prepare.online_retail())


@pytest.fixture(scope="module")
def x5() -> Events:
    return list(prepare.x5_loyalty())


def of_kind(events: Events, kind: str) -> Events:
    return [event for event in events if event["kind"] == kind]


def test_every_sale_of_online_retail_is_there_but_for_four_tenths_of_a_penny(retail: Events) -> None:
    published = facts("online_retail")
    sales = of_kind(retail, "sale")

    assert len(sales) == len({sale["reference"] for sale in sales}) == published["orders"]
    assert len({sale["member"] for sale in sales}) == published["customers"]
    # Four lines at a tenth of a penny, of one piece each, round to nothing.
    assert Decimal(published["total_amount"]) - total(sales) == Decimal("0.004")


def test_refunds_are_what_was_matched_and_the_rest_is_listed(retail: Events) -> None:
    published = facts("online_retail")
    refunds = of_kind(retail, "refund")
    listed = list(prepare.unmatched())
    goods = [line for line in listed if line["category"] == "goods"]

    assert len({refund["reference"] for refund in refunds}) == len(refunds)
    assert total(refunds) == Decimal(published["matched_amount"])
    assert len(goods) == int(published["unmatched_chunks"])
    assert total(goods) == Decimal(published["unmatched_amount"])
    assert total(refunds) + total(listed) == -Decimal(published["cancellation_amount"])


def test_no_refund_takes_more_of_a_line_than_was_sold_nor_comes_before_its_sale(retail: Events) -> None:
    left: dict[tuple[str, str], int] = defaultdict(int)
    member: dict[str, str] = {}
    for event in retail:
        if event["kind"] == "sale":
            member[event["reference"]] = event["member"]
            for line in event["lines"]:
                left[event["reference"], line["sku"]] += line["quantity"]
        else:
            assert member[event["order"]] == event["member"]
            for line in event["lines"]:
                left[event["order"], line["sku"]] -= line["quantity"]
                assert left[event["order"], line["sku"]] >= 0


@pytest.mark.parametrize("data", ["online_retail", "x5_loyalty"])
def test_events_are_in_the_order_of_time(data: str, request: pytest.FixtureRequest) -> None:
    events = request.getfixturevalue({"online_retail": "retail", "x5_loyalty": "x5"}[data])
    times = [event["at"] for event in events]

    assert times == sorted(times)


def test_the_lines_of_an_event_add_up_to_its_amount(retail: Events) -> None:
    assert all(total(event["lines"]) == Decimal(event["amount"]) for event in retail)


def test_lines_of_one_sku_and_price_are_one_line(retail: Events) -> None:
    first = retail[0]

    assert first["reference"] == "536365"
    assert len(first["lines"]) == 7
    assert first["lines"][0] == {"sku": "85123A", "category": "goods", "quantity": 6, "amount": "15.30"}
    assert {line["category"] for event in retail for line in event["lines"]} == {
        "goods",
        "postage",
        "manual",
        "fee",
    }


def test_x5_begins_with_the_least_balances_that_honour_every_spend(x5: Events) -> None:
    published = facts("x5_loyalty")
    openings = of_kind(x5, "adjustment")
    balance = {opening["member"]: opening["points"] for opening in openings}
    lowest = dict(balance)
    for sale in of_kind(x5, "sale"):
        member = sale["member"]
        balance[member] = balance.get(member, 0) - sale["points_spent"]
        lowest[member] = min(lowest.get(member, 0), balance[member])
        balance[member] += sale["promised"]

    assert len(openings) == published["members_needing_opening_balance"]
    assert sum(opening["points"] for opening in openings) == prepare.tenths(published["sum_min_opening_balance"])
    assert min(lowest.values()) == 0
    assert {lowest[opening["member"]] for opening in openings} == {0}


def test_x5_keeps_every_sale_and_every_regular_point(x5: Events) -> None:
    published = facts("x5_loyalty")
    sales = of_kind(x5, "sale")

    assert len(sales) == published["orders"]
    assert total(sales) == Decimal(published["total_amount"])
    assert sum(sale["promised"] for sale in sales) == prepare.tenths(published["regular_points_received"])
    assert sum(sale["points_spent"] for sale in sales) == prepare.tenths(published["regular_points_spent"])
    assert all(line["quantity"] >= 1 for sale in sales for line in sale["lines"])


def test_cdnow_needs_no_preparation() -> None:
    published = facts("cdnow")
    orders = list(prepare.rows(prepare.HERE / "cdnow" / "orders.csv.gz"))

    assert len(orders) == published["orders"]
    assert sum(Decimal(order["amount"]) for order in orders) == Decimal(published["total_amount"])


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_events_are_written_one_a_line(tmp_path: Path, name: str) -> None:
    events = [{"kind": "sale", "reference": "ä", "amount": "1.00"}, {"kind": "refund"}]

    assert prepare.write(events, tmp_path / name) == 2

    with prepare.text(tmp_path / name, "r") as file:
        assert [json.loads(line) for line in file] == events
