"""Orders that other systems tell of by signed webhook."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from standardwebhooks import Webhook

from graph.testing import Shop, open_shop
from tests.plugins.channel import only

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
PROGRAMME = """
id: till
name: Till
currency: CNY
timezone: Asia/Shanghai
expiry: { mode: never }
channels:
  purchase:
    earn: { points: { groups: [{ id: base, add: sum, rules: [{ id: base, points: order.amount }] }] } }
"""
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(
        tmp_path,
        PROGRAMME,
        plugins=only("purchase"),
        now=NOON,
        variables={"LAUREL_INCOMING_SECRETS": f"shop:{OTHER} shop:{SECRET}"},
    ) as shop:
        yield shop


def paid(reference: str = "A-1", amount: str = "100.00", **more: Any) -> dict[str, Any]:
    data = {"reference": reference, "member": "ann", "at": "2026-06-01T11:00:00Z", "amount": amount, **more}
    return {"type": "order.paid", "data": data}


def refunded(reference: str, amount: str, order: str = "A-1") -> dict[str, Any]:
    data = {"reference": reference, "order": order, "member": "ann", "at": "2026-06-01T11:30:00Z", "amount": amount}
    return {"type": "order.refunded", "data": data}


async def send(
    shop: Shop, message: Any, *, at: datetime = NOON, secret: str = SECRET, source: str = "shop", **headers: str
) -> httpx.Response:
    body = message if isinstance(message, bytes) else orjson.dumps(message)
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode("utf-8", "replace")),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await shop.client.post(f"/incoming/{source}", content=body, headers=signed)


async def points(shop: Shop) -> int | None:
    data = await shop.ask('{ member(by: {externalId: "ann"}) { points { available } } }')
    available: int | None = data["member"] and data["member"]["points"]["available"]
    return available


async def test_an_order_and_its_refund_earn_what_the_mutations_would(shop: Shop) -> None:
    first = await send(shop, paid())
    again = await send(shop, paid())
    refund = await send(shop, refunded("R-1", "30.00"))

    assert (first.status_code, first.json()["accepted"], first.json()["replayed"]) == (200, True, False)
    assert again.json() == first.json() | {"replayed": True}
    assert refund.status_code == 200
    assert await points(shop) == 70


async def test_a_refund_that_comes_first_is_to_come_again(shop: Shop) -> None:
    early = await send(shop, refunded("R-1", "30.00"))
    await shop.enrol("ann")
    still_early = await send(shop, refunded("R-1", "30.00"))
    await send(shop, paid())
    late = await send(shop, refunded("R-1", "30.00"))

    assert [answer.status_code for answer in (early, still_early, late)] == [409, 409, 200]
    assert (early.json()["code"], still_early.json()["code"]) == ("MEMBER_NOT_FOUND", "ORDER_NOT_FOUND")
    assert early.headers["retry-after"]
    assert await points(shop) == 70


async def test_what_comes_before_the_shop_has_opened_is_to_come_again(tmp_path: Path) -> None:
    secrets = {"LAUREL_INCOMING_SECRETS": f"shop:{SECRET}"}
    async with open_shop(tmp_path, None, plugins=only("purchase"), now=NOON, variables=secrets) as shop:
        early = await send(shop, paid())

    assert (early.status_code, early.json()["code"]) == (409, "PROGRAMME_NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret": "whsec_" + "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"}, "not the source's"),
        ({"source": "till"}, "not the source's"),
        ({"at": NOON - timedelta(minutes=6)}, "five minutes"),
        ({"at": NOON + timedelta(minutes=6)}, "five minutes"),
        ({"webhook_id": "msg_2"}, "not the source's"),
        ({"webhook_signature": ""}, "needed"),
        ({"webhook_timestamp": "now"}, "needed"),
        ({"webhook_signature": "v1,AAAA v2"}, "not the source's"),
    ],
)
async def test_what_its_source_has_not_just_signed_is_not_taken(
    shop: Shop, changes: Mapping[str, Any], said: str
) -> None:
    answer = await send(shop, paid(), **changes)

    assert answer.status_code == 401
    assert answer.json()["code"] == "SIGNATURE_INVALID"
    assert said in answer.json()["message"]
    assert await points(shop) is None


async def test_a_secret_that_is_being_rotated_is_good(shop: Shop) -> None:
    assert (await send(shop, paid(), secret=OTHER)).status_code == 200


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{", "MESSAGE_INVALID"),
        (b"[]", "MESSAGE_INVALID"),
        (b'{"type": "order.paid"}', "MESSAGE_INVALID"),
        (paid() | {"version": 2}, "UNKNOWN_MESSAGE"),
        (paid() | {"version": True}, "UNKNOWN_MESSAGE"),
        (b"[" * 100_000, "MESSAGE_INVALID"),
        (paid() | {"type": "order.lost"}, "UNKNOWN_MESSAGE"),
        ({"type": "order.paid", "data": {"reference": "A-1"}}, "MESSAGE_INVALID"),
        (paid(kind="refund"), "MESSAGE_INVALID"),
        (paid(amount="ten"), "INVALID_AMOUNT"),
        (paid(amount="-5"), "INVALID_AMOUNT"),
        (paid(colour="red"), "INVALID_VALUE"),
        (paid(reference="a\u0000b"), "INVALID_VALUE"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_the_reason(shop: Shop, message: Any, code: str) -> None:
    answer = await send(shop, message)

    assert answer.status_code == 422
    assert (answer.json()["accepted"], answer.json()["code"]) == (False, code)
    assert await points(shop) is None


async def test_a_large_message_is_not_read(shop: Shop) -> None:
    assert (await send(shop, b" " * 1_000_001)).status_code == 413
