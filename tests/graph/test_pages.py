from datetime import timedelta
from typing import Any

import pytest

from graph.ids import cursor
from graph.testing import Shop
from graph.tokens import Role
from tests.graph.test_statements import statements

TRANSACTIONS = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
  $filter: TransactionsFilter, $orderBy: TransactionOrder! = RECORDED_AT_DESC) { member(by: {id: $id}) {
  transactions(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    nodes { idempotencyKey } edges { cursor node { idempotencyKey } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
MEMBERS = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: MembersFilter,
  $orderBy: MemberOrder! = RECORDED_AT_ASC) {
  members(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { externalId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


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
    assert await named(tier={"eq": "gold"}) == ["bert"]
    assert await named(status={"eq": "FROZEN"}) == await named(status={"in": ["FROZEN", "CLOSED"]}) == ["cora"]
    assert await named(tier={"in": ["regular", "silver"]}, status={"eq": "ACTIVE"}) == ["anna"]
    assert await named(externalId={"in": ["cora", "anna"]}) == ["anna", "cora"]
    assert await named(tier={"eq": "' OR 1=1 --"}) == await named(status={"in": []}) == []
    assert await named(tier=None, status={"eq": None}) == ["anna", "bert", "cora"]
    assert await named(enrolledAt={"before": "2020-01-01T00:00:00Z"}) == []
    assert await named(enrolledAt={"from": "2020-01-01T00:00:00Z"}) == ["anna", "bert", "cora"]


async def test_every_order_is_paged_both_ways(every_shop: Shop) -> None:
    joined = {"bert": "2026-03-01", "anna": "2026-02-01", "dora": "2026-02-01", "cora": "2026-01-01"}
    enrol = "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { errors { message } } }"
    for name, day in joined.items():
        given = {"externalId": name, "enrolledAt": f"{day}T12:00:00Z", "idempotencyKey": name}
        assert await every_shop.ask(enrol, {"input": given}) == {"enrolMember": {"errors": []}}

    async def pages(order: str, size: str, from_where: str, cursor: str) -> list[list[str]]:
        found: list[list[str]] = []
        variables: dict[str, Any] = {"orderBy": order, size: 3}
        while True:
            page = (await every_shop.ask(MEMBERS, variables))["members"]
            found.append([node["externalId"] for node in page["nodes"]])
            more = page["pageInfo"]["hasNextPage" if size == "first" else "hasPreviousPage"]
            if not more:
                return found
            variables[from_where] = page["pageInfo"][cursor]

    for column, wanted in {
        "RECORDED_AT": ["bert", "anna", "dora", "cora"],
        "ENROLLED_AT": ["cora", "anna", "dora", "bert"],
        "EXTERNAL_ID": ["anna", "bert", "cora", "dora"],
    }.items():
        for order, names in ((f"{column}_ASC", wanted), (f"{column}_DESC", wanted[::-1])):
            assert await pages(order, "first", "after", "endCursor") == [names[:3], names[3:]]
            assert await pages(order, "last", "before", "startCursor") == [names[1:], names[:1]]


async def test_transactions_are_filtered_and_ordered(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 5, "points")
    await every_shop.give(anna, 5, "growth", unit="growth")

    async def found(**variables: Any) -> list[str]:
        return keys(await page(every_shop, anna, **variables))

    everything = ["growth", "points", "enrol:anna"]
    assert await found(orderBy="EFFECTIVE_AT_DESC") == everything
    assert await found(orderBy="RECORDED_AT_ASC") == await found(orderBy="EFFECTIVE_AT_ASC") == everything[::-1]
    assert await found(filter={"unit": "growth"}) == ["growth"]
    assert await found(filter={"kind": {"eq": "adjust"}, "channel": {"in": ["ledger"]}}) == ["growth", "points"]
    assert await found(filter={"recordedAt": {"from": "2020-01-01T00:00:00Z"}, "actor": {"in": []}}) == []
    assert await found(filter={"effectiveAt": {"before": "2020-01-01T00:00:00Z"}}) == []


async def test_a_page_lies_between_two_cursors(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    for number in range(4):
        await shop.give(anna, 1, f"g{number}")
    cursors = [edge["cursor"] for edge in (await page(shop, anna))["edges"]]

    between = await page(shop, anna, first=1, after=cursors[0], before=cursors[3])
    from_the_end = await page(shop, anna, last=1, after=cursors[0], before=cursors[3])

    assert (keys(between), keys(from_the_end)) == (["g2"], ["g1"])
    for found in (between, from_the_end):
        assert (found["pageInfo"]["hasNextPage"], found["pageInfo"]["hasPreviousPage"]) == (True, True)


async def test_a_list_is_counted_only_when_it_is_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [await shop.enrol(name) for name in ("anna", "bert", "cora")]
    await shop.give(ids[0], 1, "g")
    query = """{ members(first: 2, filter: {externalId: {in: ["anna", "bert"]}}) { %s nodes {
      transactions { %s nodes { id } } lots { %s nodes { id } } } } }"""

    async with statements() as counting:
        counted = await shop.ask(query % (("totalCount",) * 3))
    async with statements() as not_counting:
        await shop.ask(query % (("",) * 3))
    monkeypatch.setattr("graph.pages.COUNT_MAX", 1)
    many = await shop.ask(query % (("totalCount",) * 3))

    assert counted["members"]["totalCount"] == 2
    assert [node["transactions"]["totalCount"] for node in counted["members"]["nodes"]] == [2, 1]
    assert [node["lots"]["totalCount"] for node in counted["members"]["nodes"]] == [1, 0]
    assert len(counting) == len(not_counting) + 2
    assert many["members"]["totalCount"] is None
    assert [node["transactions"]["totalCount"] for node in many["members"]["nodes"]] == [None, 1]


async def test_members_are_paged(shop: Shop) -> None:
    for name in ("anna", "bert", "cora"):
        await shop.enrol(name)

    first = (await shop.ask(MEMBERS, {"first": 2}))["members"]
    second = (await shop.ask(MEMBERS, {"first": 2, "after": first["pageInfo"]["endCursor"]}))["members"]

    assert [node["externalId"] for node in first["nodes"]] == ["anna", "bert"]
    assert second == {
        "totalCount": 3,
        "nodes": [{"externalId": "cora"}],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": True,
            "startCursor": second["pageInfo"]["endCursor"],
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


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_1_to_100_items(shop: Shop, first: int) -> None:
    anna = await shop.enrol("anna")
    for query, variables in ((TRANSACTIONS, {"id": anna, "first": first}), (MEMBERS, {"first": first})):
        answer = await shop.post(query, variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]
        assert answer["errors"][0]["message"] == "first is not valid: a page has 1 to 100 items"


async def test_a_page_is_counted_from_one_end(shop: Shop) -> None:
    answer = await shop.post(MEMBERS, {"first": 1, "last": 1})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]


async def test_a_cursor_of_another_order_or_filter_is_refused(shop: Shop) -> None:
    for name in ("anna", "bert"):
        await shop.enrol(name)
    after = (await shop.ask(MEMBERS, {"first": 1}))["members"]["pageInfo"]["endCursor"]

    for variables in (
        {"orderBy": "RECORDED_AT_DESC"},
        {"orderBy": "EXTERNAL_ID_ASC"},
        {"filter": {"tier": {"eq": "regular"}}},
    ):
        answer = await shop.post(MEMBERS, {"after": after, **variables})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]


@pytest.mark.parametrize("key", ['["x", "y"]', "[1, 2]", "[1e9]", "{}", "[", '["\\u0000"]', "[null]"])
async def test_a_forged_cursor_reaches_no_database(every_shop: Shop, key: str) -> None:
    """The check sum is no secret, so whoever can compute it can ask for any place."""
    place = repr(("member", "", ("enrolled_at", "id"), False, ()))

    answer = await every_shop.post(MEMBERS, {"orderBy": "ENROLLED_AT_ASC", "after": cursor(place, key)})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]


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


_SHOWN = {
    "id": "", "kind": "", "channel": "", "effectiveAt": "", "recordedAt": "", "actor": "", "idempotencyKey": "",
    "reference": "", "reason": "", "programmeVersion": "", "trace": "{ unit group total }",
    "lots": "{ id amount }", "reversalOf": "{ id }", "reversedBy": "{ id }", "__typename": "",
}  # fmt: skip
_OF_ENTRIES = {
    "unit": "", "number": "", "amount": "", "held": "", "contra": "", "effectiveAt": "", "recordedAt": "",
    "balanceAfter": "", "moves": "{ amount }", "__typename": "",
}  # fmt: skip


@pytest.mark.parametrize("place", ["nodes { %s }", "edges { node { %s } }", "edges { ... { node { ... { %s } } } }"])
async def test_a_field_by_itself_is_what_it_is_among_all_others(every_shop: Shop, place: str) -> None:
    anna = await every_shop.enrol("anna")
    await every_shop.give(anna, 30, "given")
    spend = 'redeemPoints(input: {member: {id: $m}, points: 7, idempotencyKey: "r"}) { errors { code } }'
    await every_shop.ask(f"mutation ($m: ID!) {{ {spend} }}", {"m": anna})

    async def told(selected: str) -> list[dict[str, Any]]:
        asked = f"query ($id: ID!) {{ member(by: {{id: $id}}) {{ transactions(first: 10) {{ {place % selected} }} }} }}"
        [items] = (await every_shop.ask(asked, {"id": anna}))["member"]["transactions"].values()
        return [item.get("node", item) for item in items]

    fields = _SHOWN | {
        f"e{at}: entries": f"{{ {name} {below} }}" for at, (name, below) in enumerate(_OF_ENTRIES.items())
    }
    every = await told(" ".join(f"{name} {below}" for name, below in fields.items()))
    whole = await told(f"entries {{ {' '.join(f'{name} {below}' for name, below in _OF_ENTRIES.items())} }}")

    assert [one["idempotencyKey"] for one in every] == ["r", "given", "enrol:anna"]
    assert any(one["entries"] for one in whole)
    for name, below in fields.items():
        key = name.partition(":")[0]
        assert await told(f"{name} {below}") == [{key: one[key]} for one in every]
    for at, name in enumerate(_OF_ENTRIES):
        assert [[entry[name] for entry in one["entries"]] for one in whole] == [
            [entry[name] for entry in one[f"e{at}"]] for one in every
        ]
