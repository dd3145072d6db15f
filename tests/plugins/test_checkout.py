"""Paying with points at checkout: the quote, the hold, and the order that captures it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ProgrammeInvalid
from core.money import money, parse_money
from core.rulebook.programme import load_programme
from graph.ids import global_id, read_id
from graph.laurel import load_document, tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.checkout.rules import CheckoutSettings, money_for, points_for
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

ROOT: Final = Path(__file__).parents[2]
PLUGINS: Final = only("checkout", "purchase")
PROGRAMME: Final = """
id: mall
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase:
    earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}
  checkout: {points_per_unit: {default: 100, gold: 90}, caps: {amount: "50.00", ratio: "0.20"}, hold_seconds: 600}
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: points_earned, at_least: 100000}]}
"""
REGULAR: Final = 20_000
GOLD: Final = 100_000

ERRORS: Final = """errors {
  code
  ... on ExceedsCheckout { amount amountMax }
  ... on CheckoutPriceChanged { priceExpected price }
  ... on CheckoutAlreadyHeld { reference hold state }
  ... on CheckoutUnderpaid { points needed }
  ... on InsufficientPoints { needed available }
  ... on CurrencyMismatch { expected }
  ... on HoldNotOpen { state }
  ... on HoldNotFound { hold }
  ... on ExceedsHold { needed held }
  ... on MemberNotActive { status }
  ... on InvalidAmount { value }
  ... on InvalidValue { field }
}"""
POINTS: Final = "member { points { available held } }"
QUOTE: Final = f"""query ($input: QuoteCheckoutInput!) {{ quoteCheckout(input: $input) {{
  amount {{ amount currency }} points pointsPerUnit limitedBy {ERRORS}
}} }}"""
HOLD: Final = f"""mutation ($input: HoldCheckoutInput!) {{ holdCheckout(input: $input) {{
  hold {{ id amount state channel reference }} amount {{ amount }} {POINTS} replayed {ERRORS}
}} }}"""
CAPTURE: Final = f"""mutation ($input: CaptureCheckoutInput!) {{ captureCheckout(input: $input) {{
  hold {{ captured state }} amount {{ amount }} transaction {{ id }} {POINTS} {ERRORS}
}} }}"""
RELEASE: Final = f"""mutation ($input: ReleaseCheckoutInput!) {{ releaseCheckout(input: $input) {{
  hold {{ captured state }} {POINTS} {ERRORS}
}} }}"""
RECORD: Final = f"""mutation ($input: RecordPurchaseInput!) {{ recordPurchase(input: $input) {{
  transaction {{ id }} order {{ status }} {POINTS} {ERRORS}
}} }}"""
REFUND: Final = """mutation ($input: RefundPurchaseInput!) { refundPurchase(input: $input) {
  pointsReturned clawedBack { points } member { points { available held } } errors { code }
} }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def mall(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A mall that lets points pay for a fifth of a basket and for 50 at most, on SQLite: a checkout is a hold."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


@pytest.fixture
async def every_mall(fresh_database: str) -> AsyncIterator[Shop]:
    """The same, on every database."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


@pytest.fixture
async def ann(mall: Shop) -> str:
    """A member with points enough, of the lowest tier."""
    member = await mall.enrol("ann")
    await mall.give(member, REGULAR, "opening")
    return member


def cny(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "CNY"}


async def ask(shop: Shop, text: str, asked: dict[str, Any], member: str | None = None) -> dict[str, Any]:
    """The only payload, as a service or as a member."""
    (payload,) = (await shop.ask(text, {"input": asked}, member=member)).values()
    found: dict[str, Any] = payload
    return found


async def quote(shop: Shop, member: str, basket: str, **more: Any) -> dict[str, Any]:
    return await ask(shop, QUOTE, {"member": {"id": member}, "basket": cny(basket), **more})


async def hold(
    shop: Shop, member: str, basket: str = "199.90", key: str = "hold", currency: str = "CNY", **more: Any
) -> dict[str, Any]:
    cost = {"amount": basket, "currency": currency}
    asked = {"member": {"id": member}, "basket": cost, "reference": "B1", "idempotencyKey": key}
    return await ask(shop, HOLD, asked | more)


async def held(shop: Shop, member: str, basket: str = "199.90", **more: Any) -> str:
    """The hold of a checkout that must not be refused."""
    payload = await hold(shop, member, basket, **more)
    assert payload["errors"] == []
    found: str = payload["hold"]["id"]
    return found


async def capture(shop: Shop, hold_id: str, key: str = "capture", **more: Any) -> dict[str, Any]:
    return await ask(shop, CAPTURE, {"hold": hold_id, "idempotencyKey": key, **more})


async def release(shop: Shop, hold_id: str, key: str = "release") -> dict[str, Any]:
    return await ask(shop, RELEASE, {"hold": hold_id, "idempotencyKey": key})


async def buy(
    shop: Shop, member: str, hold_id: str, points: int, paid: str, amount: str = "199.90", reference: str = "A1"
) -> dict[str, Any]:
    """Record an order that captures a hold."""
    asked = {
        "member": {"id": member},
        "reference": reference,
        "amount": cny(amount),
        "paidWithPoints": {"points": points, "amount": paid, "hold": hold_id},
        "idempotencyKey": f"order:{reference}",
    }
    return await ask(shop, RECORD, asked)


async def refund(shop: Shop, member: str, reference: str, amount: str | None = None) -> dict[str, Any]:
    asked = {
        "member": {"id": member}, "order": "A1", "reference": reference, "idempotencyKey": f"refund:{reference}"
    }  # fmt: skip
    return await ask(shop, REFUND, {**asked, "amount": cny(amount)} if amount else asked)


# -- how much -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caps", "tier", "basket", "available", "paid", "points", "limited_by"),
    [
        # What the documents say: 100 points a yuan, 90 at gold; at most 50 CNY, a fifth, a tenth of an order.
        ({"amount": "50.00", "ratio": "0.20"}, "gold", "400.00", 10_000, "50.00", 4_500, "amount"),
        ({"amount": "50.00", "ratio": "0.20"}, "regular", "199.90", 10_000, "39.98", 3_998, "ratio"),
        ({"amount": "50.00", "ratio": "0.20"}, "regular", "250.00", 10_000, "50.00", 5_000, "ratio"),
        ({"ratio": "0.10"}, "regular", "1000.00", 100_000, "100.00", 10_000, "ratio"),
        ({"ratio": "0.20"}, "regular", "1000.00", 100_000, "200.00", 20_000, "ratio"),
        ({"amount": "50.00"}, "regular", "1000.00", 100_000, "50.00", 5_000, "amount"),
        ({"amount": "50.00"}, "regular", "12.34", 100_000, "12.34", 1_234, "basket"),
        ({}, "regular", "1000.00", 1_000, "10.00", 1_000, "points"),
        # Money is rounded down and points are rounded up.
        ({"ratio": "0.20"}, "regular", "0.09", 1_000, "0.01", 1, "ratio"),
        ({}, "gold", "10.00", 91, "1.01", 91, "points"),
        ({}, "gold", "10.00", 99, "1.10", 99, "points"),
        ({"amount": "0.01"}, "gold", "10.00", 99, "0.01", 1, "amount"),
        ({"ratio": "0.20"}, "regular", "0.04", 1_000, "0.00", 0, "ratio"),
        ({}, "regular", "10.00", 0, "0.00", 0, "points"),
    ],
)
def test_the_least_of_the_caps_and_the_points_counts(
    caps: dict[str, Any], tier: str, basket: str, available: int, paid: str, points: int, limited_by: str
) -> None:
    settings = CheckoutSettings.model_validate({"points_per_unit": {"default": 100, "gold": 90}, "caps": caps})
    quote = settings.quote(parse_money(basket, "CNY"), "CNY", tier, available)
    assert (money(quote.most, "CNY"), quote.points, quote.limited_by) == (Decimal(paid), points, limited_by)


@pytest.mark.parametrize(
    ("programme", "tier", "basket", "paid", "points"),
    [
        ("sme", "bronze", "199.90", "39.98", 3_998),  # a fifth at most
        ("mother-baby", "gold", "400.00", "50.00", 4_500),
        ("mother-baby", "regular", "199.90", "39.98", 3_998),
        ("ecosystem", "regular", "1000.00", "100.00", 10_000),  # a tenth at most
        ("mall", "", "400.00", "50.00", 5_000),  # 50 at most
        ("coffee-shop", "", "30.00", "30.00", 300),  # 100 points are 10 yuan
        ("template-plan", "", "30.00", "30.00", 3_000),
    ],
)
def test_the_example_programmes_let_points_pay_what_their_documents_say(
    programme: str, tier: str, basket: str, paid: str, points: int
) -> None:
    plugins = load_plugins()
    text = (ROOT / "examples" / "programmes" / f"{programme}.yaml").read_text(encoding="utf-8")
    settings = load_document(plugins, text).channels["checkout"]
    assert isinstance(settings, CheckoutSettings)
    quote = settings.quote(parse_money(basket, "CNY"), "CNY", tier, 1_000_000)
    assert (money(quote.most, "CNY"), quote.points) == (Decimal(paid), points)


@given(points=st.integers(0, 10**12), rate=st.integers(1, 10**6), currency=st.sampled_from(["CNY", "JPY", "KWD"]))
def test_what_points_pay_for_never_takes_more_points(points: int, rate: int, currency: str) -> None:
    worth = money_for(points, rate, currency)
    assert points_for(worth, rate, currency) <= points < points_for(worth + 1, rate, currency)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{}", "points_per_unit: is missing"),
        ("{points_per_unit: {gold: 90}}", "default is missing"),
        ("{points_per_unit: {default: 0}}", "greater than or equal to 1"),
        ('{points_per_unit: {default: "100"}}', "valid integer"),
        ('{points_per_unit: {default: 100}, caps: {ratio: "1.01"}}', "at most 1"),
        ('{points_per_unit: {default: 100}, caps: {ratio: "0"}}', "more than 0"),
        ('{points_per_unit: {default: 100}, caps: {amount: "0.00"}}', "allows nothing"),
        ("{points_per_unit: {default: 100}, caps: {percent: 20}}", "unknown key 'percent'"),
        ("{points_per_unit: {default: 100}, hold_seconds: 0}", "greater than or equal to 1"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"id: x\ncurrency: CNY\ntimezone: UTC\nchannels: {{checkout: {section}}}", PLUGINS.settings)


async def test_a_gold_member_is_quoted_fifty_yuan_for_4500_points_and_keeps_them(mall: Shop) -> None:
    member = await mall.enrol("gold")
    await mall.give(member, GOLD, "opening")

    assert await quote(mall, member, "400.00") == {
        "amount": cny("50.00"), "points": 4_500, "pointsPerUnit": 90, "limitedBy": "AMOUNT", "errors": []
    }  # fmt: skip
    assert await standing(mall, member) == (GOLD, 2)


async def test_less_than_the_most_is_limited_by_nothing(mall: Shop, ann: str) -> None:
    assert await quote(mall, ann, "199.90", amount="10.00") == {
        "amount": cny("10.00"), "points": 1_000, "pointsPerUnit": 100, "limitedBy": None, "errors": []
    }  # fmt: skip


# -- hold, capture, release ---------------------------------------------------------------------------


async def test_points_are_held_once_for_a_basket_and_the_same_request_answers_the_same(mall: Shop, ann: str) -> None:
    first = await hold(mall, ann, points=3_998)
    hold_id = first["hold"].pop("id")

    assert first == {
        "hold": {"amount": 3_998, "state": "OPEN", "channel": "checkout", "reference": "B1"},
        "amount": {"amount": "39.98"},
        "member": {"points": {"available": REGULAR - 3_998, "held": 3_998}},
        "replayed": False,
        "errors": [],
    }
    again = await hold(mall, ann, points=3_998)
    assert (again["hold"]["id"], again["replayed"]) == (hold_id, True)
    tapped_twice = await hold(mall, ann, key="another")
    assert tapped_twice["errors"] == [
        {"code": "CHECKOUT_ALREADY_HELD", "reference": "B1", "hold": "1", "state": "open"}
    ]
    assert tapped_twice["member"]["points"]["held"] == 3_998


@pytest.mark.parametrize(
    ("amount", "paid", "points"), [(None, "39.98", 3_998), ("39.98", "39.98", 3_998), ("10.01", "10.01", 1_001)]
)
async def test_all_of_a_checkout_is_captured_or_less(
    mall: Shop, ann: str, amount: str | None, paid: str, points: int
) -> None:
    payload = await capture(mall, await held(mall, ann), amount=amount)

    payload.pop("transaction")
    assert payload == {
        "hold": {"captured": points, "state": "CAPTURED"},
        "amount": {"amount": paid},
        "member": {"points": {"available": REGULAR - points, "held": 0}},
        "errors": [],
    }


async def test_a_basket_that_was_left_gives_everything_back_and_can_be_held_for_again(mall: Shop, ann: str) -> None:
    payload = await release(mall, await held(mall, ann))

    assert payload == {
        "hold": {"captured": 0, "state": "RELEASED"},
        "member": {"points": {"available": REGULAR, "held": 0}},
        "errors": [],
    }
    assert (await hold(mall, ann, key="again"))["errors"] == []


async def test_a_checkout_whose_time_is_over_holds_nothing(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    mall.clock.advance(timedelta(seconds=600))

    assert (await capture(mall, hold_id))["errors"] == [{"code": "HOLD_NOT_OPEN", "state": "timed out"}]
    ordered = await buy(mall, ann, hold_id, 3_998, "39.98")
    assert ordered["errors"] == [{"code": "HOLD_NOT_OPEN", "state": "timed out"}]
    assert ordered["member"]["points"] == {"available": REGULAR, "held": 0}
    assert (await hold(mall, ann, key="again"))["errors"] == []


async def test_a_checkout_is_resolved_once(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    payloads = await asyncio.gather(*(capture(mall, hold_id, f"capture {n}") for n in range(5)), release(mall, hold_id))

    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1, 1, 1, 1]
    assert (await hold(mall, ann, key="another"))["errors"][0]["code"] == "CHECKOUT_ALREADY_HELD"
    assert await standing(mall, ann) == (REGULAR - 3_998, 4)


async def test_an_operator_who_reverses_a_capture_gives_the_points_back(mall: Shop, ann: str) -> None:
    captured = await capture(mall, await held(mall, ann))
    await reverse(mall, captured["transaction"]["id"])
    assert (await standing(mall, ann))[0] == REGULAR


# -- the order ----------------------------------------------------------------------------------------


async def test_an_order_captures_its_checkout_and_its_refunds_give_back_in_proportion(every_mall: Shop) -> None:
    ann = await every_mall.enrol("ann")
    await every_mall.give(ann, REGULAR, "opening")
    hold_id = await held(every_mall, ann)
    ordered = await buy(every_mall, ann, hold_id, 3_998, "39.98")
    tapped_twice = await hold(every_mall, ann, key="another")
    ordered.pop("transaction")

    # 199.90 less 39.98 were paid in money; that earns 159.
    assert ordered == {
        "order": {"status": "RECORDED"},
        "member": {"points": {"available": REGULAR - 3_998 + 159, "held": 0}},
        "errors": [],
    }
    assert [error["state"] for error in tapped_twice["errors"]] == ["captured"]
    half = await refund(every_mall, ann, "R1", "99.95")
    assert half == {
        "pointsReturned": 1_999,
        "clawedBack": [{"points": 80}],
        "member": {"points": {"available": REGULAR - 1_999 + 79, "held": 0}},
        "errors": [],
    }
    rest = await refund(every_mall, ann, "R2")
    assert (rest["pointsReturned"], rest["member"]["points"]["available"]) == (1_999, REGULAR)


async def test_points_of_a_checkout_are_not_spent_twice(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    assert (await buy(mall, ann, hold_id, 3_998, "39.98"))["errors"] == []
    before = await standing(mall, ann)

    other = await buy(mall, ann, hold_id, 3_998, "39.98", reference="A2")
    assert other["errors"] == [{"code": "HOLD_NOT_OPEN", "state": "captured"}]
    assert (await capture(mall, hold_id))["errors"] == [{"code": "HOLD_NOT_OPEN", "state": "captured"}]
    assert await standing(mall, ann) == before


async def test_of_orders_that_name_one_checkout_at_once_one_is_recorded(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    payloads = await asyncio.gather(*(buy(mall, ann, hold_id, 3_998, "39.98", reference=f"A{n}") for n in range(4)))
    errors = [payload["errors"] for payload in payloads if payload["errors"]]
    assert errors == [[{"code": "HOLD_NOT_OPEN", "state": "captured"}]] * 3
    assert await standing(mall, ann) == (REGULAR - 3_998 + 159, 4)


async def test_a_preview_of_an_order_leaves_its_checkout_open(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    asked = {
        "member": {"id": ann},
        "amount": cny("199.90"),
        "paidWithPoints": {"points": 3_998, "amount": "39.98", "hold": hold_id},
    }
    preview = (
        f"query ($input: PreviewPurchaseInput!) {{ previewPurchase(input: $input) {{ awards {{ given }} {ERRORS} }} }}"
    )
    assert await ask(mall, preview, asked) == {"awards": [{"given": 159}], "errors": []}
    assert (await release(mall, hold_id))["errors"] == []


@pytest.mark.parametrize("hold_id", ["", "nonsense", global_id("Hold", "m", "points", "one"), global_id("Member", "m")])
async def test_what_is_no_hold_is_told_apart_from_a_hold_that_is_not_there(mall: Shop, ann: str, hold_id: str) -> None:
    for payload in (
        await capture(mall, hold_id),
        await release(mall, hold_id),
        await buy(mall, ann, hold_id, 1, "0.01"),
    ):
        assert [error["code"] for error in payload["errors"]] == ["INVALID_ID"]
    gone = global_id("Hold", read_id(ann)[1], "points", 99)
    assert (await capture(mall, gone))["errors"] == [{"code": "HOLD_NOT_FOUND", "hold": "99"}]
    growth = global_id("Hold", read_id(ann)[1], "growth", 1)
    assert [error["code"] for error in (await release(mall, growth))["errors"]] == ["HOLD_NOT_FOUND"]


async def test_an_order_may_use_part_of_its_checkout(mall: Shop, ann: str) -> None:
    ordered = await buy(mall, ann, await held(mall, ann), 2_000, "20.00", amount="100.00")
    assert ordered["errors"] == []
    assert ordered["member"]["points"] == {"available": REGULAR - 2_000 + 80, "held": 0}


async def test_reversing_an_order_gives_back_what_its_checkout_spent(mall: Shop, ann: str) -> None:
    ordered = await buy(mall, ann, await held(mall, ann), 3_998, "39.98")
    await reverse(mall, ordered["transaction"]["id"])
    assert (await standing(mall, ann))[0] == REGULAR


@pytest.mark.parametrize(
    ("points", "paid", "amount", "error"),
    [
        (3_999, "39.98", "199.90", {"code": "EXCEEDS_HOLD", "needed": 3_999, "held": 3_998}),
        (3_997, "39.98", "199.90", {"code": "CHECKOUT_UNDERPAID", "points": 3_997, "needed": 3_998}),
        (3_998, "39.99", "199.90", {"code": "EXCEEDS_CHECKOUT", "amount": "39.99", "amountMax": "39.98"}),
        # Of a smaller order than was quoted points pay for a smaller part.
        (3_998, "39.98", "100.00", {"code": "EXCEEDS_CHECKOUT", "amount": "39.98", "amountMax": "20.00"}),
    ],
)
async def test_an_order_cannot_use_more_than_its_checkout_allows(
    mall: Shop, ann: str, points: int, paid: str, amount: str, error: dict[str, Any]
) -> None:
    hold_id = await held(mall, ann)
    before = await standing(mall, ann)
    assert (await buy(mall, ann, hold_id, points, paid, amount))["errors"] == [error]
    assert await standing(mall, ann) == before


async def test_an_order_may_capture_a_hold_that_is_of_no_checkout(mall: Shop, ann: str) -> None:
    (payload,) = (
        await mall.ask(
            'mutation ($id: ID!) { holdPoints(input: {member: {id: $id}, points: 700, idempotencyKey: "h"})'
            " { hold { id } } }",
            {"id": ann},
        )
    ).values()
    assert (await buy(mall, ann, payload["hold"]["id"], 700, "100.00"))["errors"] == []
    assert (await capture(mall, payload["hold"]["id"]))["errors"] == [{"code": "HOLD_NOT_FOUND", "hold": "1"}]


async def test_the_hold_of_somebody_else_pays_for_nothing(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    bob = await mall.enrol("bob")

    assert (await buy(mall, bob, hold_id, 3_998, "39.98"))["errors"] == [{"code": "HOLD_NOT_FOUND", "hold": "1"}]
    tried = await ask(mall, RELEASE, {"hold": hold_id, "idempotencyKey": "bob"}, member=bob)
    assert [error["code"] for error in tried["errors"]] == ["HOLD_NOT_FOUND"]
    assert tried["member"] is None


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"amount": "39.99"}, {"code": "EXCEEDS_CHECKOUT", "amount": "39.99", "amountMax": "39.98"}),
        ({"basket": "0.04"}, {"code": "EXCEEDS_CHECKOUT", "amount": "0.01", "amountMax": "0.00"}),
        ({"points": 4_000}, {"code": "CHECKOUT_PRICE_CHANGED", "priceExpected": 4_000, "price": 3_998}),
        ({"currency": "USD"}, {"code": "CURRENCY_MISMATCH", "expected": "CNY"}),
        ({"basket": "0.00"}, {"code": "INVALID_AMOUNT", "value": "0.00"}),
        ({"basket": "-5.00"}, {"code": "INVALID_AMOUNT", "value": "-5.00"}),
        ({"basket": "1.005"}, {"code": "INVALID_AMOUNT", "value": "1.005"}),
        ({"amount": "0.00"}, {"code": "INVALID_AMOUNT", "value": "0.00"}),
        ({"amount": "-1.00"}, {"code": "INVALID_AMOUNT", "value": "-1.00"}),
        ({"reference": ""}, {"code": "INVALID_VALUE", "field": "reference"}),
        ({"reference": "x" * 129}, {"code": "INVALID_VALUE", "field": "reference"}),
    ],
)
async def test_a_checkout_that_cannot_be_held_leaves_nothing(
    mall: Shop, ann: str, more: dict[str, Any], error: dict[str, Any]
) -> None:
    payload = await hold(mall, ann, key="refused", **more)
    assert (payload["hold"], payload["amount"], payload["errors"]) == (None, None, [error])
    assert await standing(mall, ann) == (REGULAR, 2)


async def test_who_has_too_few_points_pays_what_they_can_or_is_told(mall: Shop) -> None:
    poor = await mall.enrol("poor")
    none = await quote(mall, poor, "199.90")
    assert none["errors"] == [{"code": "INSUFFICIENT_POINTS", "needed": 1, "available": 0}]
    await mall.give(poor, 250, "opening")

    some = await quote(mall, poor, "199.90")
    assert (some["amount"]["amount"], some["points"], some["limitedBy"]) == ("2.50", 250, "POINTS")
    more = await hold(mall, poor, amount="2.51")
    assert more["errors"] == [{"code": "INSUFFICIENT_POINTS", "needed": 251, "available": 250}]


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("39.99", {"code": "EXCEEDS_CHECKOUT", "amount": "39.99", "amountMax": "39.98"}),
        ("0.00", {"code": "INVALID_AMOUNT", "value": "0.00"}),
        ("-1.00", {"code": "INVALID_AMOUNT", "value": "-1.00"}),
    ],
)
async def test_a_capture_that_cannot_be_meant_leaves_the_hold_open(
    mall: Shop, ann: str, amount: str, error: dict[str, Any]
) -> None:
    hold_id = await held(mall, ann)
    assert (await capture(mall, hold_id, "refused", amount=amount))["errors"] == [error]
    assert (await capture(mall, hold_id))["errors"] == []


async def test_a_frozen_member_pays_nothing_with_points_and_gets_back_what_was_held(mall: Shop, ann: str) -> None:
    hold_id = await held(mall, ann)
    await freeze(mall, ann)

    refused = {"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}
    assert (await quote(mall, ann, "199.90"))["errors"] == [refused]
    assert (await hold(mall, ann, key="2", reference="B2"))["errors"] == [refused]
    assert (await capture(mall, hold_id))["errors"] == [refused]
    assert (await release(mall, hold_id))["member"]["points"] == {"available": REGULAR, "held": 0}


async def test_without_the_section_nobody_pays_with_points(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), "id: x\ncurrency: CNY\ntimezone: UTC", plugins=PLUGINS) as shop:
        member = await shop.enrol("ann")
        assert (await hold(shop, member))["errors"] == [{"code": "CHECKOUT_NOT_OFFERED"}]


async def test_a_member_holds_their_own_points_and_only_the_shop_spends_them(mall: Shop, ann: str) -> None:
    asked = {"member": {"id": ann}, "basket": cny("10.00"), "reference": "B1", "idempotencyKey": "hold"}
    payload = await ask(mall, HOLD, asked, member=ann)
    assert payload["hold"]["amount"] == 200

    answer = await mall.post(
        CAPTURE, {"input": {"hold": payload["hold"]["id"], "idempotencyKey": "capture"}}, member=ann
    )
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    bob = await mall.enrol("bob")
    answer = await mall.post(HOLD, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = await mall.post(QUOTE, {"input": {"member": {"id": ann}, "basket": cny("1.00")}}, role=Role.PARTNER)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "checkout" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    document = f"id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(sqlite_folder.migrated(apps), document, plugins=PLUGINS) as shop:
        member = await shop.enrol("ann")
        await shop.give(member, REGULAR // 2, "opening")  # all of it would lift her to gold
        (payload,) = (await shop.ask(mutation)).values()
        assert (payload["errors"], payload["hold"]["amount"], payload["amount"]) == ([], 5_000, {"amount": "50.00"})
