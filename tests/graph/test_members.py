from datetime import timedelta
from typing import Any

import pytest

from graph.ids import global_id
from graph.testing import Shop
from graph.tokens import Role

ENROL = """
mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) {
  replayed
  errors { __typename code message path ... on MemberAlreadyEnrolled { externalId memberId } }
  transaction { kind channel actor reference reason entries { amount } }
  member { externalId status birthday enrolledAt tierSince attributes { name value } tier { code name rank }
    tierHistory { former { code } tier { code } at } points { available pending held debt balance expiring { at } } }
} }
"""

UPDATE = """
mutation ($input: UpdateMemberInput!) { updateMember(input: $input) {
  errors { code path } member { birthday attributes { name value } } } }
"""

STATUS = """
mutation ($input: ChangeMemberStatusInput!) { changeMemberStatus(input: $input) {
  errors { code path message } member { status } transaction { reason } } }
"""

EMPTY = {"available": 0, "pending": 0, "held": 0, "debt": 0, "balance": 0, "expiring": None}


async def enrol(shop: Shop, **input: Any) -> dict[str, Any]:
    answer = await shop.ask(ENROL, {"input": {"externalId": "anna", "idempotencyKey": "enrol:anna", **input}})
    payload: dict[str, Any] = answer["enrolMember"]
    return payload


async def test_an_enrolled_member_starts_on_the_first_tier_with_nothing(every_shop: Shop) -> None:
    payload = await enrol(
        every_shop,
        birthday="1990-02-28",
        attributes=[{"name": "city", "value": "上海"}, {"name": "app", "value": None}],
    )

    assert payload == {
        "replayed": False,
        "errors": [],
        "transaction": {
            "kind": "enrol",
            "channel": "membership",
            "actor": "service:a service",
            "reference": None,
            "reason": None,
            "entries": [],
        },
        "member": {
            "externalId": "anna",
            "status": "ACTIVE",
            "birthday": "1990-02-28",
            "enrolledAt": "2026-06-01T12:00:00Z",
            "tierSince": "2026-06-01T12:00:00Z",
            "attributes": [{"name": "city", "value": "上海"}],
            "tier": {"code": "regular", "name": "Regular", "rank": 1},
            "tierHistory": [{"former": None, "tier": {"code": "regular"}, "at": "2026-06-01T12:00:00Z"}],
            "points": EMPTY,
        },
    }


async def test_null_is_no_other_than_left_out(shop: Shop) -> None:
    given = await enrol(shop, birthday=None, enrolledAt=None)
    left_out = await enrol(shop)
    written = await shop.ask(
        'mutation { enrolMember(input: {externalId: "anna", idempotencyKey: "enrol:anna", birthday: null})'
        " { replayed errors { code } } }"
    )
    listed = await shop.ask(
        "query ($tier: String, $after: String) { members(filter: {tier: {eq: $tier}, status: null}, after: $after)"
        " { nodes { externalId } } }",
        {"tier": None, "after": None},
        role=Role.OPERATOR,
    )

    assert given["errors"] == []
    assert given["member"]["birthday"] is None
    assert left_out == given | {"replayed": True}
    assert written["enrolMember"] == {"replayed": True, "errors": []}
    assert listed["members"]["nodes"] == [{"externalId": "anna"}]


async def test_a_birthday_is_changed_or_kept_but_not_removed(shop: Shop) -> None:
    await enrol(shop, birthday="1990-02-28")
    refused, kept, changed = [
        (await shop.ask(UPDATE, {"input": {"member": {"externalId": "anna"}, **input}}))["updateMember"]
        for input in (
            {"idempotencyKey": "u1", "birthday": None},
            {"idempotencyKey": "u2"},
            {"idempotencyKey": "u3", "birthday": "1990-03-01"},
        )
    ]

    assert refused == {"errors": [{"code": "INVALID_VALUE", "path": ["birthday"]}], "member": None}
    assert (kept["errors"], kept["member"]["birthday"]) == ([], "1990-02-28")
    assert (changed["errors"], changed["member"]["birthday"]) == ([], "1990-03-01")


async def test_an_enrolment_sent_again_is_answered_as_before(shop: Shop) -> None:
    first = await enrol(shop, birthday="1990-02-28")
    shop.clock.advance(timedelta(days=3))
    again = await enrol(shop, birthday="1990-02-28")

    assert again == first | {"replayed": True}


async def test_an_external_id_belongs_to_one_member(shop: Shop) -> None:
    await enrol(shop)
    member = await shop.ask('{ member(by: {externalId: "anna"}) { id } }')
    payload = await enrol(shop, idempotencyKey="enrol:another anna")

    (error,) = payload["errors"]
    raw_id = error.pop("memberId")
    assert error == {
        "__typename": "MemberAlreadyEnrolled",
        "code": "MEMBER_ALREADY_ENROLLED",
        "message": "anna is enrolled already",
        "path": None,
        "externalId": "anna",
    }
    assert global_id("Member", raw_id) == member["member"]["id"]


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({"externalId": ""}, "INVALID_VALUE", ["externalId"]),
        ({"externalId": "a" * 129}, "INVALID_VALUE", ["externalId"]),
        ({"externalId": "an\u0000na"}, "INVALID_VALUE", ["input"]),
        ({"idempotencyKey": ""}, "INVALID_VALUE", ["idempotencyKey"]),
        ({"idempotencyKey": "k" * 201}, "INVALID_VALUE", ["idempotencyKey"]),
        ({"birthday": "1899-12-31"}, "INVALID_VALUE", ["birthday"]),
        ({"birthday": "2026-06-02"}, "INVALID_VALUE", ["birthday"]),
        ({"enrolledAt": "2026-06-01T12:06:00Z"}, "INVALID_INSTANT", None),
        ({"enrolledAt": "0001-01-01T00:00:00Z"}, "INVALID_INSTANT", None),
        ({"attributes": [{"name": "", "value": "x"}]}, "INVALID_VALUE", ["attributes"]),
        ({"attributes": [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]}, "INVALID_VALUE", ["attributes"]),
        ({"attributes": [{"name": "a", "value": "x" * 4_000}]}, "INVALID_VALUE", ["attributes"]),
    ],
)
async def test_nobody_is_enrolled_with_what_cannot_be_meant(
    shop: Shop, input: dict[str, Any], code: str, path: list[str] | None
) -> None:
    payload = await enrol(shop, **input)
    members = await shop.ask("{ members { nodes { id } } }")

    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == (code, path)
    assert payload["member"] is payload["transaction"] is None
    assert members == {"members": {"nodes": []}}


@pytest.mark.parametrize(
    "query",
    [
        '{ member(by: {externalId: "\\u0000"}) { id } }',
        f'{{ member(by: {{id: "{global_id("Member", chr(0))}"}}) {{ id }} }}',
        f'{{ node(id: "{global_id("Transaction", "1", chr(0))}") {{ id }} }}',
        f'{{ node(id: "{global_id("Hold", "1", chr(0), 1)}") {{ id }} }}',
        f'{{ node(id: "{global_id("Hold", "1", "points", "9" * 15)}") {{ id }} }}',
        f'{{ node(id: "{global_id("Hold", "1")}") {{ id }} }}',
        f'{{ node(id: "{global_id("Transaction", "1", "2", "3")}") {{ id }} }}',
        f'{{ node(id: "{global_id("Tier", "none")}") {{ id }} }}',
        '{ member(by: {externalId: "' + "漢" * 10_000 + '"}) { id } }',
    ],
)
async def test_nothing_is_found_under_a_name_that_nothing_has(every_shop: Shop, query: str) -> None:
    (found,) = (await every_shop.ask(query)).values()
    assert found is None


async def test_what_is_left_out_of_an_update_stays_and_null_removes(shop: Shop) -> None:
    await enrol(
        shop, birthday="1990-02-28", attributes=[{"name": "city", "value": "上海"}, {"name": "pet", "value": "cat"}]
    )
    input = {
        "member": {"externalId": "anna"},
        "idempotencyKey": "u1",
        "attributes": [{"name": "pet", "value": None}, {"name": "size", "value": "M"}],
    }

    answer = await shop.ask(UPDATE, {"input": input})

    assert answer["updateMember"] == {
        "errors": [],
        "member": {
            "birthday": "1990-02-28",
            "attributes": [{"name": "city", "value": "上海"}, {"name": "size", "value": "M"}],
        },
    }


async def test_a_frozen_member_neither_spends_nor_holds_until_unfrozen(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 100, "g1")

    async def change(status: str, key: str) -> Any:
        input = {"member": {"id": anna}, "status": status, "reason": "a complaint", "idempotencyKey": key}
        return (await shop.ask(STATUS, {"input": input}, role=Role.OPERATOR))["changeMemberStatus"]

    async def redeem(key: str) -> Any:
        query = """mutation ($m: ID!, $k: String!) {
            redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: $k}) {
              errors { code ... on MemberNotActive { status } } member { points { available } } } }"""
        return (await shop.ask(query, {"m": anna, "k": key}))["redeemPoints"]

    frozen = await change("FROZEN", "s1")
    refused = await redeem("r1")
    again = await change("FROZEN", "s2")
    await change("ACTIVE", "s3")
    allowed = await redeem("r2")

    assert frozen == {"errors": [], "member": {"status": "FROZEN"}, "transaction": {"reason": "a complaint"}}
    assert refused == {
        "errors": [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}],
        "member": {"points": {"available": 100}},
    }
    assert again["errors"] == [
        {"code": "INVALID_VALUE", "path": ["status"], "message": "status is not valid: the member is frozen already"}
    ]
    assert allowed == {"errors": [], "member": {"points": {"available": 99}}}


async def test_a_closed_membership_stays_closed(shop: Shop) -> None:
    anna = await shop.enrol("anna")

    async def change(status: str, reason: str, key: str) -> Any:
        input = {"member": {"id": anna}, "status": status, "reason": reason, "idempotencyKey": key}
        return (await shop.ask(STATUS, {"input": input}, role=Role.OPERATOR))["changeMemberStatus"]

    without_reason = await change("CLOSED", "  ", "s1")
    closed = await change("CLOSED", "moved away", "s2")
    reopened = await change("ACTIVE", "came back", "s3")

    assert [error["path"] for error in without_reason["errors"]] == [["reason"]]
    assert without_reason["member"] == {"status": "ACTIVE"}
    assert closed["member"] == {"status": "CLOSED"}
    assert [error["code"] for error in reopened["errors"]] == ["INVALID_VALUE"]
    assert reopened["member"] == {"status": "CLOSED"}


async def test_progress_is_the_farthest_criterion_where_all_must_be_met(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 600, "g1")
    await shop.give(anna, 100, "g2", unit="growth")

    answer = await shop.ask(PROGRESS, {"id": anna})

    assert answer["member"]["progress"] == {
        "tier": {"code": "regular"},
        "nextTier": {"code": "silver", "name": "Silver", "rank": 2},
        "mode": "ALL",
        "ratio": 0.25,
        "criteria": [
            {
                "fact": "points_earned",
                "description": "points earned, net of refunds, whatever became of them",
                "window": {"months": 12, "days": None},
                "current": "600",
                "required": "1000",
                "remaining": "400",
                "ratio": 0.6,
            },
            {
                "fact": "growth_earned",
                "description": "growth earned, net of refunds",
                "window": None,
                "current": "100",
                "required": "400",
                "remaining": "300",
                "ratio": 0.25,
            },
        ],
    }


async def test_the_tier_rises_in_the_transaction_that_reaches_it(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 400, "g1", unit="growth")
    shop.clock.advance(timedelta(days=1))
    await shop.give(anna, 1_000, "g2")

    answer = await shop.ask(PROGRESS, {"id": anna})

    assert answer["member"]["tier"] == {"code": "silver"}
    assert answer["member"]["tierHistory"] == [
        {"former": None, "tier": {"code": "regular"}, "at": "2026-06-01T12:00:00Z"},
        {"former": {"code": "regular"}, "tier": {"code": "silver"}, "at": "2026-06-02T12:00:00Z"},
    ]
    assert answer["member"]["progress"]["mode"] == "ANY"
    assert answer["member"]["progress"]["ratio"] == 0.2
    assert [criterion["window"] for criterion in answer["member"]["progress"]["criteria"]] == [
        {"months": 12, "days": None},
        {"months": None, "days": 30},
    ]


async def test_on_the_highest_tier_the_bar_is_full(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 5_000, "g1")

    answer = await shop.ask(PROGRESS, {"id": anna})

    assert answer["member"]["progress"] == {
        "tier": {"code": "gold"},
        "nextTier": None,
        "mode": None,
        "ratio": 1.0,
        "criteria": [],
    }


PROGRESS = """
query ($id: ID!) { member(by: {id: $id}) {
  tier { code } tierHistory { former { code } tier { code } at }
  progress { tier { code } nextTier { code name rank } mode ratio
    criteria { fact description window { months days } current required remaining ratio } } } }
"""
