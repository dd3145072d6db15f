"""Rows of a file: what each becomes, and which cannot be meant."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.books.members import ByExternalId
from core.engine.operations import Outcome
from core.errors import Refusal
from core.models import ProgrammeVersionRow
from core.oversight.verify import verify
from plugins.hookspecs import Importing
from plugins.purchase.importer import ORDERS
from plugins.purchase.operations import ImportAdjustment, Line, PaidWithPoints, RecordPurchase, RefundPurchase
from plugins.purchase.orders import Return
from tests.plugins.conftest import Shops

EXAMPLES = Path(__file__).parents[2] / "examples"
SHANGHAI = Importing(ZoneInfo("Asia/Shanghai"), "import")
REPLAY = SHANGHAI._replace(replaying=True)
SALE = {"reference": "A1", "member": "ann", "at": "2026-07-02T12:00:00", "amount": "29.90"}
NOON = datetime(2026, 7, 2, 4, tzinfo=UTC)


def test_a_row_of_a_csv_file_is_a_sale() -> None:
    assert ORDERS.operation({**SALE, "quantity": "2"}, SHANGHAI) == RecordPurchase(
        member=ByExternalId("ann"),
        idempotency_key="order:A1",
        actor="import",
        reference="A1",
        amount=Decimal("29.90"),
        occurred_at=NOON,
        quantity=Decimal(2),
        enrol_if_unknown=True,
    )


def test_a_sale_of_json_has_lines_and_points() -> None:
    row = {
        **SALE,
        "kind": "sale",
        "lines": [{"sku": "tea", "quantity": 2, "amount": "29.90", "category": "drinks", "tags": ["new"]}],
        "promised": 26,
        "points_spent": 5,
        "points_amount": "0.05",
    }

    sale = ORDERS.operation(row, SHANGHAI)

    assert isinstance(sale, RecordPurchase)
    assert sale.lines == (Line("tea", Decimal(2), Decimal("29.90"), "drinks", ("new",)),)
    assert sale.promised == 26
    assert sale.paid_with_points == PaidWithPoints(5, Decimal("0.05"))


def test_a_refund_is_by_lines_or_by_amount_and_a_cancellation_by_all() -> None:
    row = {**SALE, "kind": "refund", "reference": "R1", "order": "A1"}
    lines = [{"sku": "tea", "quantity": 1, "amount": "10.00"}]

    by_amount, by_lines, cancelled = (
        ORDERS.operation(each, SHANGHAI) for each in (row, {**row, "lines": lines}, {**row, "kind": "cancellation"})
    )

    assert by_amount == RefundPurchase(
        member=ByExternalId("ann"),
        idempotency_key="refund:R1",
        actor="import",
        order="A1",
        reference="R1",
        amount=Decimal("29.90"),
        occurred_at=NOON,
    )
    assert isinstance(by_lines, RefundPurchase)
    assert (by_lines.amount, by_lines.lines) == (None, (Return(None, "tea", Decimal(1), Decimal("10.00")),))
    assert isinstance(cancelled, RefundPurchase)
    assert (cancelled.amount, cancelled.lines) == (None, ())


def test_an_adjustment_gives_points_for_a_reason() -> None:
    row = {
        "kind": "adjustment",
        "reference": "o",
        "member": "ann",
        "at": "2026-07-02",
        "points": "-5",
        "reason": "a reason",
    }

    assert ORDERS.operation(row, REPLAY) == ImportAdjustment(
        member=ByExternalId("ann"),
        idempotency_key="adjustment:o",
        actor="import",
        at=datetime(2026, 7, 1, 16, tzinfo=UTC),
        points=-5,
        reason="a reason",
    )


def test_a_replay_happens_when_the_row_did() -> None:
    assert ORDERS.operation(SALE, REPLAY).at == NOON
    assert ORDERS.operation(SALE, SHANGHAI).at is None


@pytest.mark.parametrize("at", ["2026-07-02T12:00:00", "2026-07-02T12:00:00+08:00", "2026-07-02T04:00:00Z"])
def test_a_time_without_an_offset_is_the_programmes(at: str) -> None:
    sale = ORDERS.operation({**SALE, "at": at}, SHANGHAI)

    assert isinstance(sale, RecordPurchase)
    assert sale.occurred_at == NOON


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ({"amount": "abc"}, "INVALID_AMOUNT", "plain decimal number"),
        ({"amount": "1e3"}, "INVALID_AMOUNT", "plain decimal number"),
        ({"amount": "1,000.00"}, "INVALID_AMOUNT", "plain decimal number"),
        ({"amount": 29.9}, "INVALID_AMOUNT", "must be text, so that it is exact"),
        ({"amount": True}, "INVALID_AMOUNT", "must be a number"),
        ({"amount": None}, "INVALID_VALUE", "amount is not valid: it is missing"),
        ({"at": "yesterday"}, "INVALID_INSTANT", "ISO 8601"),
        ({"at": "0001-01-01"}, "INVALID_INSTANT", "outside of the calendar"),
        ({"at": 20260702}, "INVALID_VALUE", "at is not valid: must be text"),
        ({"member": ""}, "INVALID_VALUE", "member is not valid: it is missing"),
        ({"reference": None}, "INVALID_VALUE", "reference is not valid: it is missing"),
        ({"kind": "gift"}, "INVALID_VALUE", "one of sale, refund, cancellation, adjustment"),
        ({"kind": ["sale"]}, "INVALID_VALUE", "kind is not valid"),
        ({"kind": "refund"}, "INVALID_VALUE", "order is not valid: it is missing"),
        ({"colour": "red"}, "INVALID_VALUE", "there is no such column"),
        ({"promised": "2.5"}, "INVALID_AMOUNT", "whole number"),
        ({"promised": True}, "INVALID_AMOUNT", "whole number"),
        ({"lines": "tea"}, "INVALID_VALUE", "list of objects"),
        ({"lines": ["tea"]}, "INVALID_VALUE", "list of objects"),
        ({"lines": [{"sku": "tea", "price": "1"}]}, "INVALID_VALUE", "a line has no 'price'"),
        ({"lines": [{"quantity": 1}]}, "INVALID_VALUE", "sku is not valid: it is missing"),
        ({"lines": [{"sku": "tea", "tags": "new"}]}, "INVALID_VALUE", "list of texts"),
        ({"lines": [{"sku": "tea", "gift": "no"}]}, "INVALID_VALUE", "true or false"),
    ],
)
def test_a_row_that_cannot_be_meant_says_why(row: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        ORDERS.operation({**SALE, **row}, SHANGHAI)

    assert caught.value.code == code
    assert message in caught.value.message


# -- the example data ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepare() -> Iterator[ModuleType]:
    """The script that makes events of the example data, which stands in no package."""
    spec = importlib.util.spec_from_file_location("prepare", EXAMPLES / "data" / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["prepare"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["prepare"]


async def replay(shops: Shops, programme: str, events: Iterator[dict[str, Any]], zone: str) -> dict[str, int]:
    """Live through the events as an import does; totals of what happened, all books in order."""
    importing = Importing(ZoneInfo(zone), "import", replaying=True)
    totals = {"earned": 0, "spent": 0, "clawed": 0, "refused": 0}
    async with shops((EXAMPLES / "programmes" / f"{programme}.yaml").read_text()) as shop:
        await ProgrammeVersionRow.all().update(starts_at=datetime(1990, 1, 1, tzinfo=UTC))
        operations = [ORDERS.operation(event, importing) for event in events]
        for start in range(0, len(operations), 500):
            for outcome in await shop.committer.submit_many(operations[start : start + 500]):
                assert isinstance(outcome, Outcome)
                if not outcome.accepted:
                    totals["refused"] += 1
                    continue
                totals["earned"] += outcome.result.get("awards", {}).get("points", 0)
                totals["spent"] += outcome.result.get("points_spent", 0)
                totals["clawed"] += outcome.result.get("clawed_back", {}).get("points", 0)
        assert await verify(shop.store.reader()) == []
    return totals


async def test_the_loyalty_card_is_replayed_to_the_point(shops: Shops, prepare: ModuleType) -> None:
    totals = await replay(shops, "x5", prepare.x5_loyalty(), "Europe/Moscow")

    assert totals == {"earned": 81_310, "spent": 79_480, "clawed": 0, "refused": 0}


async def test_a_fortnight_of_a_shop_with_returns_is_replayed(shops: Shops, prepare: ModuleType) -> None:
    events = list(islice(prepare.online_retail(), 1_500))

    totals = await replay(shops, "online-retail", iter(events), "Europe/London")

    goods = {
        event["reference"]: int(sum(Decimal(line["amount"]) for line in event["lines"] if line["category"] == "goods"))
        for event in events
        if event["kind"] == "sale"
    }
    assert totals["refused"] == 0
    assert totals["earned"] == sum(goods.values())
    assert totals["clawed"] > 0
