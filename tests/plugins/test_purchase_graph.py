"""Purchases through the schema, with the queries as a client would write them."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from core.store.dialect import Reader
from graph.schema import print_sdl
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import SqliteFolder
from tests.plugins.shopping import PLUGINS, programme

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "programmes"
BY_LINE = '{id: base, per: line, add: sum, rules: [{id: spend, points: "line.amount"}]}'
LADDER = """tiers:
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: orders, at_least: 2}]}
"""
AMOUNT = {"amount": "99.90", "currency": "CNY"}
LINES: list[dict[str, Any]] = [
    {"sku": "tea", "quantity": "3", "amount": "60.00", "tags": ["new"]},
    {"sku": "cup", "amount": "39.90", "category": "ware"},
]

RECORD = """
mutation ($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) {
    member { externalId points { available } tier { code } }
    transaction { kind channel reference trace { unit group rules { rule value } total } }
    order { reference status amount { amount currency } lines { number sku quantity amountLeft { amount } } }
    awards { unit given left }
    replayed
    errors { __typename code message path }
  }
}
"""
REFUND = """
mutation ($input: RefundPurchaseInput!) {
  refundPurchase(input: $input) {
    member { points { available debt } }
    transaction { kind }
    order { status amountLeft { amount } refunds { reference amount { amount } } }
    pointsReturned
    clawedBack { unit points }
    errors { code ... on ExceedsRefundable { reference amount amountLeft } ... on OrderNotFound { reference } }
  }
}
"""
PREVIEW = """
query ($input: PreviewPurchaseInput!) {
  previewPurchase(input: $input) { awards { unit given } trace { group total } errors { code } }
}
"""


@pytest.fixture
async def market(sqlite_folder: SqliteFolder, apps: Any) -> AsyncIterator[Shop]:
    """A brand whose purchases earn by line, on SQLite, with Ann as a member."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, programme(BY_LINE, top=LADDER), plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


def order(member: str, reference: str = "A1", **more: Any) -> dict[str, Any]:
    """The variables of a purchase."""
    asked = {"member": {"id": member}, "amount": AMOUNT, "lines": LINES, "reference": reference}
    return {"input": {**asked, "idempotencyKey": f"order:{reference}", **more}}


def refund(member: str, reference: str = "R1", **more: Any) -> dict[str, Any]:
    asked = {"member": {"id": member}, "order": "A1", "reference": reference}
    return {"input": {**asked, "idempotencyKey": f"refund:{reference}", **more}}


async def test_a_purchase_is_recorded_and_answered_with_what_it_brought(market: Shop) -> None:
    ann = await market.enrol("ann")

    data = await market.ask(RECORD, order(ann))

    assert data["recordPurchase"] == {
        "member": {"externalId": "ann", "points": {"available": 99}, "tier": {"code": "regular"}},
        "transaction": {
            "kind": "record",
            "channel": "purchase",
            "reference": "A1",
            "trace": [
                {"unit": "points", "group": "base", "rules": [{"rule": "spend", "value": "99.90"}], "total": "99.90"},
                {"unit": "points", "group": "rounding", "rules": [{"rule": "floor", "value": "99.90"}], "total": "99"},
            ],
        },
        "order": {
            "reference": "A1",
            "status": "RECORDED",
            "amount": {"amount": "99.90", "currency": "CNY"},
            "lines": [
                {"number": 1, "sku": "tea", "quantity": "3", "amountLeft": {"amount": "60.00"}},
                {"number": 2, "sku": "cup", "quantity": "1", "amountLeft": {"amount": "39.90"}},
            ],
        },
        "awards": [{"unit": "points", "given": 99, "left": 99}],
        "replayed": False,
        "errors": [],
    }


async def test_the_second_order_lifts_the_member_in_the_same_transaction(market: Shop) -> None:
    ann = await market.enrol("ann")
    await market.ask(RECORD, order(ann))

    data = await market.ask(RECORD, order(ann, "A2"))

    assert data["recordPurchase"]["member"]["tier"] == {"code": "silver"}


async def test_a_replay_says_so_and_a_key_of_another_request_is_refused(market: Shop) -> None:
    ann = await market.enrol("ann")
    first = await market.ask(RECORD, order(ann))

    again = await market.ask(RECORD, order(ann))
    other = await market.ask(RECORD, order(ann, amount={"amount": "60.00", "currency": "CNY"}, lines=LINES[:1]))

    assert again["recordPurchase"] == {**first["recordPurchase"], "replayed": True}
    assert [error["code"] for error in other["recordPurchase"]["errors"]] == ["IDEMPOTENCY_KEY_MISMATCH"]
    assert other["recordPurchase"]["member"]["points"] == {"available": 99}


async def test_a_refusal_carries_its_facts(market: Shop) -> None:
    ann = await market.enrol("ann")

    data = await market.ask(
        """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
          order { reference } awards { unit }
          errors { __typename code message ... on LinesDoNotAddUp { amount lines } }
        } }""",
        order(ann, lines=LINES[:1]),
    )

    assert data["recordPurchase"] == {
        "order": None,
        "awards": [],
        "errors": [
            {
                "__typename": "LinesDoNotAddUp",
                "code": "LINES_DO_NOT_ADD_UP",
                "message": "the lines come to 60.00, the order to 99.90",
                "amount": "99.90",
                "lines": "60.00",
            }
        ],
    }


async def test_many_purchases_have_an_answer_each(market: Shop) -> None:
    ann = await market.enrol("ann")
    purchases = [order(ann, f"A{n}")["input"] for n in range(3)]
    purchases[1]["amount"] = {"amount": "99.90", "currency": "USD"}

    data = await market.ask(
        """mutation ($input: RecordPurchasesInput!) { recordPurchases(input: $input) {
          results { order { reference } awards { given } errors { code } } errors { code }
        } }""",
        {"input": {"purchases": purchases}},
    )

    assert data["recordPurchases"] == {
        "results": [
            {"order": {"reference": "A0"}, "awards": [{"given": 99}], "errors": []},
            {"order": None, "awards": [], "errors": [{"code": "CURRENCY_MISMATCH"}]},
            {"order": {"reference": "A2"}, "awards": [{"given": 99}], "errors": []},
        ],
        "errors": [],
    }


async def test_of_many_purchases_the_last_leaves_what_the_member_has(market: Shop) -> None:
    ann = await market.enrol("ann")
    spent = {"member": {"id": ann}, "points": 99, "idempotencyKey": "r1"}
    await market.ask(RECORD, order(ann))
    await market.ask(
        "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { replayed } }", {"input": spent}
    )
    await market.ask(REFUND, refund(ann))
    ten: dict[str, Any] = {
        "amount": {"amount": "10.00", "currency": "CNY"},
        "lines": [{"sku": "tea", "amount": "10.00"}],
    }
    # What the second one gives has expired: it repays debt all the same, and only the lots say what is left of it.
    purchases = [order(ann, "A2", **ten), order(ann, "A3", **ten, occurredAt="2025-01-02T00:00:00Z")]

    many = await market.ask(
        """mutation ($input: RecordPurchasesInput!) { recordPurchases(input: $input) {
          results { member { points { available debt balance } } errors { code } } } }""",
        {"input": {"purchases": [purchase["input"] for purchase in purchases]}},
    )
    now = await market.ask('{ member(by: {externalId: "ann"}) { points { available debt balance } } }')

    assert now["member"] == {"points": {"available": 0, "debt": 79, "balance": -79}}
    assert many["recordPurchases"]["results"] == [{**now, "errors": []}] * 2


@pytest.mark.parametrize("count", [0, 501])
async def test_too_many_purchases_at_once_are_not_looked_at(market: Shop, count: int) -> None:
    ann = await market.enrol("ann")
    purchases = [order(ann, f"A{n}", lines=[])["input"] for n in range(count)]

    data = await market.ask(
        "mutation ($input: RecordPurchasesInput!)"
        " { recordPurchases(input: $input) { results { replayed } errors { code } } }",
        {"input": {"purchases": purchases}},
    )

    assert data["recordPurchases"] == {"results": [], "errors": [{"code": "INVALID_VALUE"}]}


async def test_a_preview_is_the_award_and_records_nothing(market: Shop) -> None:
    ann = await market.enrol("ann")
    asked = order(ann)["input"]
    del asked["reference"], asked["idempotencyKey"]

    preview = await market.ask(PREVIEW, {"input": asked}, member=ann)
    recorded = await market.ask(RECORD, order(ann))

    assert preview["previewPurchase"] == {
        "awards": [{"unit": "points", "given": 99}],
        "trace": [{"group": "base", "total": "99.90"}, {"group": "rounding", "total": "99"}],
        "errors": [],
    }
    assert recorded["recordPurchase"]["awards"] == [{"unit": "points", "given": 99, "left": 99}]
    assert not recorded["recordPurchase"]["replayed"]


async def test_a_preview_is_refused_as_the_purchase_would_be(market: Shop) -> None:
    ann = await market.enrol("ann")
    asked = order(ann, paidWithPoints={"points": 10, "amount": "0.10"})["input"]
    del asked["reference"], asked["idempotencyKey"]

    preview = await market.ask(PREVIEW, {"input": asked})

    assert preview["previewPurchase"] == {"awards": [], "trace": [], "errors": [{"code": "INSUFFICIENT_POINTS"}]}


async def test_lines_come_back_and_take_back_what_they_brought(market: Shop) -> None:
    ann = await market.enrol("ann")
    await market.ask(RECORD, order(ann))

    data = await market.ask(REFUND, refund(ann, lines=[{"sku": "tea", "quantity": "1"}]))

    assert data["refundPurchase"] == {
        "member": {"points": {"available": 79, "debt": 0}},
        "transaction": {"kind": "refund"},
        "order": {
            "status": "RECORDED",
            "amountLeft": {"amount": "79.90"},
            "refunds": [{"reference": "R1", "amount": {"amount": "20.00"}}],
        },
        "pointsReturned": 0,
        "clawedBack": [{"unit": "points", "points": 20}],
        "errors": [],
    }


async def test_points_paid_with_return_when_the_order_does(market: Shop) -> None:
    ann = await market.enrol("ann")
    await market.give(ann, 500, "welcome")
    await market.ask(RECORD, order(ann, paidWithPoints={"points": 500, "amount": "50.00"}))

    data = await market.ask(REFUND, refund(ann))

    assert data["refundPurchase"]["pointsReturned"] == 500
    assert data["refundPurchase"]["member"] == {"points": {"available": 500, "debt": 0}}
    assert data["refundPurchase"]["order"]["status"] == "REFUNDED"


async def test_a_refund_beyond_what_is_left_says_what_is_left(market: Shop) -> None:
    ann = await market.enrol("ann")
    await market.ask(RECORD, order(ann))

    beyond = await market.ask(REFUND, refund(ann, amount={"amount": "100.00", "currency": "CNY"}))
    unknown = await market.ask(REFUND, refund(ann, "R2", order="A2"))

    assert beyond["refundPurchase"]["errors"] == [
        {"code": "EXCEEDS_REFUNDABLE", "reference": "A1", "amount": "100.00", "amountLeft": "99.90"}
    ]
    assert beyond["refundPurchase"]["order"] is None
    assert unknown["refundPurchase"]["errors"] == [{"code": "ORDER_NOT_FOUND", "reference": "A2"}]


async def test_orders_are_a_list_of_the_member_and_each_is_a_node(market: Shop) -> None:
    ann, bob = await market.enrol("ann"), await market.enrol("bob")
    for reference in ("A1", "A2", "A3"):
        await market.ask(RECORD, order(ann, reference))

    page = "query ($id: ID!, $after: String) { member(by: {id: $id}) { orders(first: 2, after: $after) {"
    page += " nodes { id reference transaction { kind } } pageInfo { hasNextPage endCursor } } } }"
    first = (await market.ask(page, {"id": ann}))["member"]["orders"]
    second = (await market.ask(page, {"id": ann, "after": first["pageInfo"]["endCursor"]}))["member"]["orders"]
    node = "query ($id: ID!) { node(id: $id) { ... on PurchaseOrder { reference awards { given left } } } }"
    own = await market.ask(node, {"id": first["nodes"][0]["id"]}, member=ann)
    others = await market.ask(node, {"id": first["nodes"][0]["id"]}, member=bob)

    assert [each["reference"] for each in first["nodes"] + second["nodes"]] == ["A3", "A2", "A1"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert own["node"] == {"reference": "A3", "awards": [{"given": 99, "left": 99}]}
    assert others["node"] is None


@pytest.mark.parametrize("role", [None, Role.ANALYST, "member"])
@pytest.mark.parametrize(("mutation", "variables"), [(RECORD, order), (REFUND, refund)])
async def test_only_the_brand_records_and_refunds(market: Shop, mutation: str, variables: Any, role: Any) -> None:
    ann = await market.enrol("ann")
    who = {"member": ann} if role == "member" else {"role": role}

    answer = await market.post(mutation, variables(ann), **who)

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == ("UNAUTHENTICATED" if role is None else "FORBIDDEN")


async def test_a_member_previews_for_nobody_else(market: Shop) -> None:
    ann, bob = await market.enrol("ann"), await market.enrol("bob")
    asked = order(ann)["input"]
    del asked["reference"], asked["idempotencyKey"]

    answer = await market.post(PREVIEW, {"input": asked}, member=bob)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


def test_without_the_plugin_the_schema_loses_just_its_fields() -> None:
    added = [line for line in print_sdl(PLUGINS).splitlines() if "Purchase" in line]
    left = [line for line in print_sdl(Plugins()).splitlines() if "Purchase" in line]

    assert len(added) > 20
    assert left == []


HISTORIES = """query ($first: Int!) { members(first: 5) { nodes { externalId transactions(first: $first) {
  nodes { kind reference entries { unit number amount balanceAfter %s } } pageInfo { hasNextPage } } } } }"""


async def test_entries_that_come_with_their_page_are_those_that_come_by_themselves(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    query = Reader.query

    async def noted(reader: Reader, sql: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        seen.append(sql)
        return await query(reader, sql, values)

    document = (EXAMPLES / "first-shop.yaml").read_text(encoding="utf-8")
    async with open_shop(fresh_database, document, plugins=PLUGINS) as shop:
        for name in ("ann", "bob"):
            member = await shop.enrol(name)
            for number in range(3):
                await shop.ask(RECORD, order(member, f"{name} {number}"))
        joins = shop.laurel.store.reader().joins
        monkeypatch.setattr(Reader, "query", noted)
        for first in (2, 10):
            seen.clear()
            with_the_page = (await shop.ask(HISTORIES % "", {"first": first}))["members"]["nodes"]
            of_entries = [sql for sql in seen if re.search(r"\bentry\b", sql)]
            by_themselves = (await shop.ask(HISTORIES % "contra", {"first": first}))["members"]["nodes"]

            assert [bool(re.search(r"\boperation\b", sql)) for sql in of_entries] == [joins]
            shown = [one for member in by_themselves for one in member["transactions"]["nodes"]]
            assert {entry.pop("contra") for one in shown for entry in one["entries"]} == {"ISSUANCE"}
            assert with_the_page == by_themselves

    assert [
        [[entry["unit"] for entry in one["entries"]] for one in member["transactions"]["nodes"]]
        for member in with_the_page
    ] == [[["points", "growth"]] * 3 + [[]]] * 2
