from datetime import timedelta
from typing import Any

import pytest

from graph.ids import cursor
from graph.testing import Shop
from graph.tokens import Role

TRANSACTIONS = """query ($id: ID!, $first: Int! = 20, $after: String) { member(by: {id: $id}) {
  transactions(first: $first, after: $after) { nodes { idempotencyKey } edges { cursor node { idempotencyKey } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
MEMBERS = """query ($first: Int! = 20, $after: String, $filter: MembersFilter) {
  members(first: $first, after: $after, filter: $filter) {
    nodes { externalId } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


async def page(shop: Shop, member: str, **variables: Any) -> Any:
    return (await shop.ask(TRANSACTIONS, {"id": member, **variables}))["member"]["transactions"]


def keys(connection: Any) -> list[str]:
    return [node["idempotencyKey"] for node in connection["nodes"]]


async def test_pages_stay_what_they_were_while_transactions_are_added(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    for number in range(5):
        await every_shop.give(anna, 1, f"g{number}")

    first = await page(every_shop, anna, first=2)
    await every_shop.give(anna, 1, "g5")
    second = await page(every_shop, anna, first=2, after=first["pageInfo"]["endCursor"])
    third = await page(every_shop, anna, first=2, after=second["pageInfo"]["endCursor"])
    beyond = await page(every_shop, anna, first=2, after=third["pageInfo"]["endCursor"])

    assert [keys(first), keys(second), keys(third)] == [["g4", "g3"], ["g2", "g1"], ["g0", "enrol:anna"]]
    assert [edge["node"] for edge in first["edges"]] == first["nodes"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    assert third["pageInfo"]["hasNextPage"] is False
    assert beyond == {
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None},
    }


async def test_refused_requests_are_no_transactions(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.ask(
        'mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: "r"}) { replayed } }',
        {"m": anna},
    )

    assert keys(await page(shop, anna)) == ["enrol:anna"]


async def test_members_are_listed_by_tier_and_status(every_shop: Shop) -> None:
    ids = [await every_shop.enrol(name) for name in ("anna", "bert", "cora")]
    await every_shop.give(ids[1], 5_000, "g1")
    freeze = """mutation ($m: ID!) { changeMemberStatus(input:
      {member: {id: $m}, status: FROZEN, reason: "a test", idempotencyKey: "f"}) { errors { code } } }"""
    await every_shop.ask(freeze, {"m": ids[2]}, role=Role.OPERATOR)

    async def named(**filter: Any) -> list[str]:
        found = (await every_shop.ask(MEMBERS, {"filter": filter}))["members"]["nodes"]
        return [node["externalId"] for node in found]

    assert await named() == ["anna", "bert", "cora"]
    assert await named(tier="gold") == ["bert"]
    assert await named(status="FROZEN") == ["cora"]
    assert await named(tier="regular", status="ACTIVE") == ["anna"]
    assert await named(tier="' OR 1=1 --") == []


async def test_members_are_paged(shop: Shop) -> None:
    for name in ("anna", "bert", "cora"):
        await shop.enrol(name)

    first = (await shop.ask(MEMBERS, {"first": 2}))["members"]
    second = (await shop.ask(MEMBERS, {"first": 2, "after": first["pageInfo"]["endCursor"]}))["members"]

    assert [node["externalId"] for node in first["nodes"]] == ["anna", "bert"]
    assert second == {
        "nodes": [{"externalId": "cora"}],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": True,
            "endCursor": second["pageInfo"]["endCursor"],
        },
    }


async def test_lots_are_listed_soonest_expiry_first_and_without_what_has_lapsed(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    for number in range(3):
        await shop.give(anna, number + 1, f"g{number}")
        shop.clock.advance(timedelta(days=100))
    query = """query ($id: ID!, $after: String) { member(by: {id: $id}) { lots(first: 1, after: $after) {
      nodes { amount expiresAt transaction { idempotencyKey } } pageInfo { hasNextPage endCursor } } } }"""

    shop.clock.advance(timedelta(days=65))
    first = (await shop.ask(query, {"id": anna}))["member"]["lots"]
    second = (await shop.ask(query, {"id": anna, "after": first["pageInfo"]["endCursor"]}))["member"]["lots"]

    assert first["nodes"] == [
        {"amount": 2, "expiresAt": "2027-09-08T16:00:00Z", "transaction": {"idempotencyKey": "g1"}}
    ]
    assert [node["amount"] for node in second["nodes"]] == [3]
    assert second["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_has_1_to_100_items(shop: Shop, first: int) -> None:
    anna = await shop.enrol("anna")
    for query, variables in ((TRANSACTIONS, {"id": anna, "first": first}), (MEMBERS, {"first": first})):
        answer = await shop.post(query, variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]
        assert answer["errors"][0]["message"] == "first is not valid: a page has 1 to 100 items"


@pytest.mark.parametrize(
    "after", ["", "rubbish", "🦊", "x" * 10_000, cursor("member", "1"), cursor("operation:1", "1")]
)
async def test_what_is_no_cursor_of_the_list_is_refused(shop: Shop, after: str) -> None:
    anna = await shop.enrol("anna")

    answer = await shop.post(TRANSACTIONS, {"id": anna, "after": after})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]


@pytest.mark.parametrize("id", ["", "rubbish", "🦊", "TWVtYmVy", "x" * 10_000])
async def test_what_is_no_id_is_refused(shop: Shop, id: str) -> None:
    answer = await shop.post("query ($id: ID!) { node(id: $id) { id } }", {"id": id})

    assert answer["data"] == {"node": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_ID"]


async def test_at_most_a_hundred_nodes_are_fetched_at_once(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    enough = await shop.ask(query, {"ids": [anna] * 100})
    answer = await shop.post(query, {"ids": [anna] * 101})

    assert enough == {"nodes": [{"id": anna}] * 100}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]
