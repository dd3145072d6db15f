"""What the channel promises. The section of the programme is the README's."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import store_visit
from graph.conformance import Verdict, examine, readme_section
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Offer, load_plugins

POINTS = 20

HERE = Offer("store_visit", "this folder", lambda: store_visit)
RECORD = """mutation ($input: RecordStoreVisitInput!) { recordStoreVisit(input: $input) {
  member { points { available } } transaction { id } replayed
  errors { code ... on StoreVisitRecorded { resetsAt } } } }"""
REVERSE = "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { code } } }"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop in Shanghai, at eight in the evening, with this channel and no other."""
    programme = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n" + readme_section(store_visit)
    async with open_shop(tmp_path, programme, plugins=load_plugins(offers=[HERE])) as shop:
        await shop.enrol("anna")
        yield shop


async def record(shop: Shop, key: str) -> dict[str, Any]:
    answer = await shop.ask(RECORD, {"input": {"member": {"externalId": "anna"}, "idempotencyKey": key}})
    payload: dict[str, Any] = answer["recordStoreVisit"]
    return payload


async def test_it_earns_once_a_day(shop: Shop) -> None:
    first, second = await record(shop, "1"), await record(shop, "2")
    shop.clock.advance(timedelta(hours=4))
    tomorrow = await record(shop, "3")

    assert (first["errors"], first["member"]) == ([], {"points": {"available": POINTS}})
    assert second["errors"] == [{"code": "STORE_VISIT_RECORDED", "resetsAt": "2026-06-01T16:00:00Z"}]
    assert second["member"] == first["member"]
    assert (tomorrow["errors"], tomorrow["member"]) == ([], {"points": {"available": 2 * POINTS}})


async def test_a_request_that_is_sent_twice_is_performed_once(shop: Shop) -> None:
    first, again = await record(shop, "1"), await record(shop, "1")

    assert again == first | {"replayed": True}


async def test_what_is_reversed_can_be_recorded_again(shop: Shop) -> None:
    first = await record(shop, "1")
    taken = {"transaction": first["transaction"]["id"], "reason": "a mistake", "idempotencyKey": "r"}
    reversed_ = await shop.ask(REVERSE, {"input": taken}, role=Role.OPERATOR)
    second = await record(shop, "2")

    assert reversed_["reverseTransaction"]["errors"] == []
    assert (second["errors"], second["member"]) == ([], {"points": {"available": POINTS}})


async def test_it_conforms(tmp_path: Path) -> None:
    failed = [result for result in await examine(HERE, [], tmp_path) if result.verdict is Verdict.FAILS]

    assert failed == []
