from datetime import timedelta
from typing import Any

import pytest

from graph.ids import global_id, read_id
from graph.testing import Shop
from graph.tokens import Role
from tests.graph.test_statements import statements

FIELDS = """
  replayed
  errors { __typename code message path
    ... on InsufficientPoints { unit needed available } ... on ExceedsHold { needed held }
    ... on ExceedsReversible { needed left } ... on HoldNotOpen { state } }
  transaction { kind reference reason lots { amount remaining }
    entries { unit amount held contra balanceAfter moves { kind amount lot { remaining } } } }
  member { points { available pending held debt balance } }
"""
REDEEM = f"mutation ($input: RedeemPointsInput!) {{ redeemPoints(input: $input) {{ {FIELDS} }} }}"
HOLD = f"""mutation ($input: HoldPointsInput!) {{ holdPoints(input: $input) {{ {FIELDS}
  hold {{ id unit amount captured state channel reference placedAt expiresAt }} }} }}"""
CAPTURE = f"""mutation ($input: CaptureHoldInput!) {{ captureHold(input: $input) {{ {FIELDS}
  hold {{ state amount captured }} }} }}"""
RELEASE = f"""mutation ($input: ReleaseHoldInput!) {{ releaseHold(input: $input) {{ {FIELDS}
  hold {{ state amount captured }} }} }}"""
ADJUST = f"mutation ($input: AdjustPointsInput!) {{ adjustPoints(input: $input) {{ {FIELDS} }} }}"
REVERSE = f"mutation ($input: ReverseTransactionInput!) {{ reverseTransaction(input: $input) {{ {FIELDS} }} }}"

ACCOUNT = """query ($id: ID!) { member(by: {id: $id}) {
  balances { unit available pending held debt balance }
  transactions { nodes { id kind } } lots { nodes { remaining held } }
} }"""


async def do(shop: Shop, mutation: str, role: Role = Role.SERVICE, **input: Any) -> dict[str, Any]:
    (payload,) = (await shop.ask(mutation, {"input": input}, role=role)).values()
    return dict(payload)


async def account(shop: Shop, member: str) -> Any:
    return await shop.ask(ACCOUNT, {"id": member})


def has(available: int, held: int = 0, debt: int = 0, pending: int = 0) -> dict[str, Any]:
    balance = available + pending + held - debt
    points = {"available": available, "pending": pending, "held": held, "debt": debt, "balance": balance}
    return {"points": points}


LEAVES = """mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code }
  member { points { available pending held debt balance expiring { points at } } } } }"""


async def test_what_a_mutation_leaves_is_said_by_the_accounts_and_asked_of_lots_while_some_are_held(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 30, "g1")
    said = {"input": {"member": {"id": anna}, "points": 5, "idempotencyKey": "r1"}}
    now = """{ member(by: {externalId: "anna"}) {
      points { available pending held debt balance expiring { points at } } } }"""

    async with statements() as seen:
        first = (await shop.ask(LEAVES, said))["redeemPoints"]
    assert first == {"errors": [], **await shop.ask(now)}
    assert first["member"]["points"]["available"] == 25
    assert seen[-1] == "COMMIT"

    # Also for who is told again, or refused: what there is by then.
    said["input"] |= {"idempotencyKey": "r2", "points": 20}
    assert (await shop.ask(LEAVES, said))["redeemPoints"]["member"] == (await shop.ask(now))["member"]
    said["input"] |= {"idempotencyKey": "r3"}
    refused = (await shop.ask(LEAVES, said))["redeemPoints"]
    assert refused == {"errors": [{"code": "INSUFFICIENT_POINTS"}], **await shop.ask(now)}
    said["input"] |= {"idempotencyKey": "r1", "points": 5}
    again = (await shop.ask(LEAVES, said))["redeemPoints"]
    assert again == {"errors": [], **await shop.ask(now)}
    assert again["member"]["points"]["available"] == 5

    await do(shop, HOLD, member={"id": anna}, points=2, idempotencyKey="h1")
    said["input"] |= {"idempotencyKey": "r4", "points": 1}
    async with statements() as seen:
        held = (await shop.ask(LEAVES, said))["redeemPoints"]
    assert held == {"errors": [], **await shop.ask(now)}
    assert (held["member"]["points"]["available"], held["member"]["points"]["held"]) == (2, 2)
    assert seen[-1] != "COMMIT"


async def test_a_redemption_draws_on_the_soonest_expiring_lots(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 30, "g1")
    every_shop.clock.advance(timedelta(days=1))
    await every_shop.give(anna, 100, "g2")

    payload = await do(every_shop, REDEEM, member={"id": anna}, points=50, reference="coupon 7", idempotencyKey="r1")

    assert payload == {
        "replayed": False,
        "errors": [],
        "transaction": {
            "kind": "redeem",
            "reference": "coupon 7",
            "reason": None,
            "lots": [],
            "entries": [
                {
                    "unit": "points",
                    "amount": -50,
                    "held": 0,
                    "contra": "REDEMPTION",
                    "balanceAfter": 80,
                    "moves": [
                        {"kind": "SPEND", "amount": -30, "lot": {"remaining": 0}},
                        {"kind": "SPEND", "amount": -20, "lot": {"remaining": 80}},
                    ],
                }
            ],
        },
        "member": has(80),
    }


async def test_a_redemption_sent_again_is_answered_as_before_and_takes_nothing(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 100, "g1")
    first = await do(shop, REDEEM, member={"id": anna}, points=50, idempotencyKey="r1")
    again = await do(shop, REDEEM, member={"externalId": "anna"}, points=50, idempotencyKey="r1")

    assert again == first | {"replayed": True}


async def test_a_refusal_sent_again_is_refused_as_before(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    first = await do(shop, REDEEM, member={"id": anna}, points=50, idempotencyKey="r1")
    await shop.give(anna, 100, "g1")
    again = await do(shop, REDEEM, member={"id": anna}, points=50, idempotencyKey="r1")

    assert (
        first["errors"]
        == again["errors"]
        == [
            {
                "__typename": "InsufficientPoints",
                "code": "INSUFFICIENT_POINTS",
                "message": "50 points needed, 0 available",
                "path": None,
                "unit": "points",
                "needed": 50,
                "available": 0,
            }
        ]
    )
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["member"] == has(100)


async def test_a_hold_is_captured_in_part_and_the_rest_goes_back(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 100, "g1")

    held = await do(every_shop, HOLD, member={"id": anna}, points=60, reference="cart 3", idempotencyKey="h1")
    hold = held["hold"].pop("id")
    captured = await do(every_shop, CAPTURE, hold=hold, points=40, idempotencyKey="c1")
    node = await every_shop.ask(
        "query ($id: ID!) { node(id: $id) { id ... on Hold { state captured } } }", {"id": hold}
    )

    assert held["member"] == has(40, held=60)
    assert held["hold"] == {
        "unit": "points",
        "amount": 60,
        "captured": 0,
        "state": "OPEN",
        "channel": "ledger",
        "reference": "cart 3",
        "placedAt": "2026-06-01T12:00:00Z",
        "expiresAt": "2026-06-01T12:15:00Z",
    }
    assert captured["errors"] == []
    assert captured["member"] == has(60)
    assert captured["hold"] == {"state": "CAPTURED", "amount": 60, "captured": 40}
    assert node == {"node": {"id": hold, "state": "CAPTURED", "captured": 40}}


async def test_a_released_hold_gives_everything_back(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 100, "g1")
    hold = (await do(shop, HOLD, member={"id": anna}, points=60, idempotencyKey="h1"))["hold"]["id"]

    released = await do(shop, RELEASE, hold=hold, idempotencyKey="l1")
    twice = await do(shop, CAPTURE, hold=hold, idempotencyKey="c1")

    assert released["member"] == has(100)
    assert released["hold"] == {"state": "RELEASED", "amount": 60, "captured": 0}
    assert [(error["code"], error["state"]) for error in twice["errors"]] == [("HOLD_NOT_OPEN", "released")]
    assert twice["hold"] is None


async def test_a_hold_whose_time_is_over_cannot_be_captured(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 100, "g1")
    hold = (await do(shop, HOLD, member={"id": anna}, points=60, seconds=60, idempotencyKey="h1"))["hold"]["id"]
    shop.clock.advance(timedelta(seconds=60))

    listed = await shop.ask("query ($id: ID!) { member(by: {id: $id}) { holds { nodes { state } } } }", {"id": anna})
    late = await do(shop, CAPTURE, hold=hold, idempotencyKey="c1")

    assert listed["member"]["holds"]["nodes"] == [{"state": "TIMED_OUT"}]
    assert [(error["code"], error["state"]) for error in late["errors"]] == [("HOLD_NOT_OPEN", "timed out")]


async def test_a_hold_whose_time_is_over_sets_nothing_aside_whether_or_not_a_job_has_run(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 100, "g1")
    for points, seconds in ((60, 60), (10, 61)):
        await do(every_shop, HOLD, member={"id": anna}, points=points, seconds=seconds, idempotencyKey=f"h{points}")
    every_shop.clock.advance(timedelta(seconds=60))

    seen = (await account(every_shop, anna))["member"]
    spent = await do(every_shop, REDEEM, member={"id": anna}, points=90, idempotencyKey="r1")

    assert {"unit": "points", **has(90, held=10)["points"]} in seen["balances"]
    assert seen["lots"]["nodes"] == [{"remaining": 100, "held": 10}]
    assert spent["errors"] == []


async def test_points_are_gone_at_their_expiry_whether_or_not_a_job_has_run(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 100, "g1")
    expiry = "query ($id: ID!) { member(by: {id: $id}) { points { available balance expiring { points at } } } }"

    before = await every_shop.ask(expiry, {"id": anna})
    # The day ends in Shanghai: twelve months on, at 16:00 UTC of the day before.
    every_shop.clock.advance(timedelta(days=364, hours=4))
    after = await every_shop.ask(expiry, {"id": anna})
    late = await do(every_shop, REDEEM, member={"id": anna}, points=1, idempotencyKey="r1")

    assert before["member"]["points"] == {
        "available": 100,
        "balance": 100,
        "expiring": {"points": 100, "at": "2027-05-31T16:00:00Z"},
    }
    assert after["member"]["points"] == {"available": 0, "balance": 0, "expiring": None}
    assert [(error["code"], error["available"]) for error in late["errors"]] == [("INSUFFICIENT_POINTS", 0)]


async def test_an_operator_gives_and_takes_for_a_reason(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    given = await do(
        shop, ADJUST, Role.OPERATOR, member={"id": anna}, points=100, reason="late parcel", idempotencyKey="a1"
    )
    taken = await do(shop, ADJUST, Role.OPERATOR, member={"id": anna}, points=-30, reason="typo", idempotencyKey="a2")
    too_much = await do(
        shop, ADJUST, Role.OPERATOR, member={"id": anna}, points=-71, reason="typo", idempotencyKey="a3"
    )

    assert (given["transaction"]["reason"], given["member"]) == ("late parcel", has(100))
    assert given["transaction"]["lots"] == [{"amount": 100, "remaining": 100}]
    assert (taken["transaction"]["reason"], taken["member"]) == ("typo", has(70))
    assert [(error["code"], error["needed"], error["available"]) for error in too_much["errors"]] == [
        ("INSUFFICIENT_POINTS", 71, 70)
    ]
    assert too_much["member"] == has(70)


async def test_a_reversal_is_a_transaction_of_its_own_and_both_know_each_other(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    given = await every_shop.give(anna, 100, "g1")
    await do(every_shop, REDEEM, member={"id": anna}, points=30, idempotencyKey="r1")

    payload = await do(
        every_shop, REVERSE, Role.OPERATOR, transaction=given, reason="wrong member", idempotencyKey="v1"
    )
    linked = await every_shop.ask(
        """query ($id: ID!) { node(id: $id) { ... on Transaction {
             reversalOf { id } reversedBy { kind reversalOf { id } reversedBy { id } } } } }""",
        {"id": given},
    )
    again = await do(every_shop, REVERSE, Role.OPERATOR, transaction=given, reason="once more", idempotencyKey="v2")

    assert payload["errors"] == []
    assert payload["member"] == has(0, debt=30)
    assert linked["node"] == {
        "reversalOf": None,
        "reversedBy": [{"kind": "reverse", "reversalOf": {"id": given}, "reversedBy": []}],
    }
    assert [(error["code"], error["left"]) for error in again["errors"]] == [("EXCEEDS_REVERSIBLE", 0)]


async def test_units_are_apart_and_growth_is_never_spent(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 7, "g1", unit="stamps")
    await shop.give(anna, 100, "g2", unit="growth")

    stamps = await do(shop, REDEEM, member={"id": anna}, points=7, unit="stamps", idempotencyKey="r1")
    growth = await do(shop, REDEEM, member={"id": anna}, points=1, unit="growth", idempotencyKey="r2")
    unknown = await do(shop, REDEEM, member={"id": anna}, points=1, unit="miles", idempotencyKey="r3")
    balances = (await account(shop, anna))["member"]["balances"]

    assert stamps["errors"] == []
    assert [error["code"] for error in growth["errors"]] == ["UNIT_NOT_SPENDABLE"]
    assert [error["code"] for error in unknown["errors"]] == ["UNKNOWN_UNIT"]
    assert {balance["unit"]: balance["balance"] for balance in balances} == {"points": 0, "growth": 100, "stamps": 0}


SPEND: dict[str, Any] = {"member": {"externalId": "anna"}, "points": 10, "idempotencyKey": "k1"}
NOBODY = "01a20385-4ce9-71a6-bfc3-cf13caec3862"


@pytest.mark.parametrize(
    ("mutation", "input", "code"),
    [
        (REDEEM, SPEND | {"points": 0}, "INVALID_AMOUNT"),
        (REDEEM, SPEND | {"points": -1}, "INVALID_AMOUNT"),
        (REDEEM, SPEND | {"points": 2**53 - 1}, "INSUFFICIENT_POINTS"),
        (REDEEM, SPEND | {"points": 11}, "INSUFFICIENT_POINTS"),
        (REDEEM, SPEND | {"reference": "r" * 201}, "INVALID_VALUE"),
        (REDEEM, SPEND | {"reference": "r\u0000"}, "INVALID_VALUE"),
        (REDEEM, SPEND | {"idempotencyKey": ""}, "INVALID_VALUE"),
        (REDEEM, SPEND | {"idempotencyKey": "used"}, "IDEMPOTENCY_KEY_MISMATCH"),
        (REDEEM, SPEND | {"member": {"externalId": "nobody"}}, "MEMBER_NOT_FOUND"),
        (REDEEM, SPEND | {"member": {"id": global_id("Member", NOBODY)}}, "MEMBER_NOT_FOUND"),
        (REDEEM, SPEND | {"member": {"id": global_id("Hold", NOBODY, "points", 1)}}, "INVALID_ID"),
        (REDEEM, SPEND | {"member": {"id": NOBODY}}, "INVALID_ID"),
        (REDEEM, SPEND | {"unit": "u" * 100_000}, "UNKNOWN_UNIT"),
        (HOLD, SPEND | {"seconds": 0}, "INVALID_VALUE"),
        (HOLD, SPEND | {"seconds": 2**31 - 1}, "INVALID_VALUE"),
        (HOLD, SPEND | {"points": -5}, "INVALID_AMOUNT"),
        (HOLD, SPEND | {"unit": "growth"}, "UNIT_NOT_SPENDABLE"),
        (CAPTURE, {"hold": global_id("Hold", "ANNA", "points", 9), "idempotencyKey": "k1"}, "HOLD_NOT_FOUND"),
        (CAPTURE, {"hold": global_id("Hold", "ANNA", "miles", 9), "idempotencyKey": "k1"}, "HOLD_NOT_FOUND"),
        (CAPTURE, {"hold": global_id("Hold", NOBODY, "points", 1), "idempotencyKey": "k1"}, "MEMBER_NOT_FOUND"),
        (CAPTURE, {"hold": global_id("Hold", "ANNA", "points", "1x"), "idempotencyKey": "k1"}, "INVALID_ID"),
        (CAPTURE, {"hold": global_id("Hold", "ANNA", "points", "9" * 40), "idempotencyKey": "k1"}, "INVALID_ID"),
        (CAPTURE, {"hold": global_id("Member", "ANNA"), "idempotencyKey": "k1"}, "INVALID_ID"),
        (CAPTURE, {"hold": "HOLD", "points": 5, "idempotencyKey": "k1"}, "EXCEEDS_HOLD"),
        (CAPTURE, {"hold": "HOLD", "points": 0, "idempotencyKey": "k1"}, "INVALID_AMOUNT"),
        (RELEASE, {"hold": global_id("Transaction", "ANNA", NOBODY), "idempotencyKey": "k1"}, "INVALID_ID"),
        (ADJUST, SPEND | {"points": 0, "reason": "nothing"}, "INVALID_AMOUNT"),
        (ADJUST, SPEND | {"reason": "  "}, "INVALID_VALUE"),
        (ADJUST, SPEND | {"reason": "x" * 1_001}, "INVALID_VALUE"),
        (ADJUST, SPEND | {"points": 2**53 - 1, "reason": "too much"}, "BALANCE_LIMIT_EXCEEDED"),
        (ADJUST, SPEND | {"points": -(2**53) + 1, "reason": "too much"}, "INSUFFICIENT_POINTS"),
        (
            REVERSE,
            {"transaction": "GIVEN", "points": 15, "reason": "too much", "idempotencyKey": "k1"},
            "EXCEEDS_REVERSIBLE",
        ),
        (
            REVERSE,
            {"transaction": "GIVEN", "points": -1, "reason": "negative", "idempotencyKey": "k1"},
            "INVALID_AMOUNT",
        ),
        (REVERSE, {"transaction": "ENROLMENT", "reason": "undo", "idempotencyKey": "k1"}, "NOT_REVERSIBLE"),
        (
            REVERSE,
            {"transaction": global_id("Transaction", "ANNA", NOBODY), "reason": "nothing", "idempotencyKey": "k1"},
            "TRANSACTION_NOT_FOUND",
        ),
        (
            REVERSE,
            {"transaction": global_id("Member", "ANNA"), "reason": "other", "idempotencyKey": "k1"},
            "INVALID_ID",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
async def test_a_refusal_changes_nothing(shop: Shop, mutation: str, input: dict[str, Any], code: str) -> None:
    anna = await shop.enrol("anna")
    given = await shop.give(anna, 14, "used")
    hold = (await do(shop, HOLD, member={"id": anna}, points=4, idempotencyKey="h1"))["hold"]["id"]
    before = await account(shop, anna)
    _, raw_id = read_id(anna)
    enrolment = next(node["id"] for node in before["member"]["transactions"]["nodes"] if node["kind"] == "enrol")
    known = {"HOLD": hold, "GIVEN": given, "ENROLMENT": enrolment}
    for name, value in input.items():
        if isinstance(value, str):
            kind, *parts = read_id(value) or ("",)
            value = global_id(kind, *(raw_id if part == "ANNA" else part for part in parts)) if kind else value
            input = input | {name: known.get(value, value)}

    payload = await do(shop, mutation, Role.OPERATOR, **input)

    assert [error["code"] for error in payload["errors"]] == [code]
    assert payload["transaction"] is None
    assert await account(shop, anna) == before


@pytest.mark.parametrize(
    "odd", [{"reference": "r\u0000"}, {"reference": "r" * 201}, {"unit": "\u0000"}, {"idempotencyKey": "k" * 201}]
)
async def test_text_that_not_every_database_can_keep_is_refused_by_all(every_shop: Shop, odd: dict[str, str]) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 14, "g1")
    before = await account(every_shop, anna)

    payload = await do(every_shop, HOLD, Role.SERVICE, **(SPEND | odd))

    assert [error["code"] for error in payload["errors"]] == ["INVALID_VALUE"]
    assert await account(every_shop, anna) == before


async def test_the_longest_texts_are_kept_by_all_databases(every_shop: Shop) -> None:
    anna = await every_shop.enrol("漢" * 128)
    await every_shop.give(anna, 14, "漢" * 200)
    texts = {"member": {"id": anna}, "reference": "漢" * 200, "idempotencyKey": "字" * 200}

    payload = await do(every_shop, HOLD, Role.SERVICE, **(SPEND | texts))

    assert payload["errors"] == []
    assert payload["transaction"]["reference"] == "漢" * 200


@pytest.mark.parametrize("points", ["10", 1.5, 1.0, True, 2**53, -(2**53), 1e300, [1], {}, None])
async def test_what_is_no_number_of_points_never_reaches_the_ledger(shop: Shop, points: Any) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 14, "g1")
    before = await account(shop, anna)

    answer = await shop.post(REDEEM, {"input": SPEND | {"points": points}})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert "data" not in answer
    assert await account(shop, anna) == before


@pytest.mark.parametrize("points", ['"10"', "1.5", "1.0", "1e3", "true", "9007199254740992", "TEN", "null"])
async def test_nor_does_it_when_written_into_the_document(shop: Shop, points: str) -> None:
    input = f'{{member: {{id: "x"}}, idempotencyKey: "k", points: {points}}}'

    answer = await shop.post(f"mutation {{ redeemPoints(input: {input}) {{ replayed }} }}")

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize(
    "by", [{}, {"id": "x", "externalId": "y"}, {"id": None}, {"externalId": None}, {"id": "x", "externalId": None}]
)
async def test_a_member_is_named_in_exactly_one_way(shop: Shop, by: dict[str, Any]) -> None:
    answer = await shop.post(REDEEM, {"input": SPEND | {"member": by}})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert "data" not in answer
