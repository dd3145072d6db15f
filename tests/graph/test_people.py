"""Merging members and undoing it, as operators do it and as everybody else sees it."""

from typing import Any

from core.oversight.verify import verify
from graph.ids import read_id
from graph.testing import Shop
from graph.tokens import Role
from tests.plugins.channel import told

MERGE = """mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) {
  member { status mergedInto { externalId } } into { externalId } transaction { kind channel reason } replayed
  errors { code ... on MemberMerged { member mergedInto } ... on MergeNotPossible { standing }
           ... on MemberNotFound { member } ... on InvalidValue { field } } } }"""
UNDO = """mutation ($input: UndoMergeInput!) { undoMerge(input: $input) {
  member { status mergedInto { externalId } points { balance } } errors { code ... on NotMerged { status } } } }"""
GIVE = """mutation ($m: String!) { adjustPoints(input: {member: {externalId: $m}, points: 5, reason: "a gift",
  idempotencyKey: "five"}) { errors { code ... on MemberMerged { member mergedInto } } } }"""
MEMBER = """query ($m: String!) { member(by: {externalId: $m}) {
  id status mergedInto { externalId } points { balance } lots { nodes { remaining expiresAt source } } } }"""
AUDIT = """{ auditLog(first: 1) { nodes { mutation reason facts { name before after } } } }"""


async def do(shop: Shop, mutation: str, key: str, **input: Any) -> dict[str, Any]:
    given = {"idempotencyKey": key, "reason": "the same person", **input}
    (payload,) = (await shop.ask(mutation, {"input": given}, role=Role.OPERATOR)).values()
    answer: dict[str, Any] = payload
    return answer


async def look(shop: Shop, name: str, **who: Any) -> Any:
    return (await shop.ask(MEMBER, {"m": name}, **who))["member"]


async def test_a_merged_member_says_where_everything_is(shop: Shop) -> None:
    anna, anne = await shop.enrol("anna"), await shop.enrol("anne")
    await shop.give(anna, 600, "g")
    lots = (await look(shop, "anna"))["lots"]
    pair = {"from": {"externalId": "anna"}, "into": {"externalId": "anne"}}

    merged = await do(shop, MERGE, "m", **pair)
    audited = (await shop.ask(AUDIT, role=Role.OPERATOR))["auditLog"]["nodes"][0]
    await told(shop)
    again = await do(shop, MERGE, "m", **pair)

    assert merged == {
        "member": {"status": "CLOSED", "mergedInto": {"externalId": "anne"}},
        "into": {"externalId": "anne"},
        "transaction": {"kind": "merge", "channel": "people", "reason": "the same person"},
        "replayed": False,
        "errors": [],
    }
    assert again == {**merged, "replayed": True}
    assert (audited["mutation"], audited["reason"]) == ("mergeMembers", "the same person")
    changed = {f["name"]: (f["before"], f["after"]) for f in audited["facts"] if f["before"] != f["after"]}
    assert changed == {
        "status": ("active", "closed"),
        "points.balance": ("600", "0"),
        "member_merge.state": (None, "merged"),
        "member_merge.other": (None, read_id(anne)[1]),
    }
    assert await look(shop, "anna") == {
        "id": anna,
        "status": "CLOSED",
        "mergedInto": {"externalId": "anne"},
        "points": {"balance": 0},
        "lots": {"nodes": []},
    }
    found = await look(shop, "anne")
    assert (found["points"], found["lots"]) == ({"balance": 600}, lots)
    # A mistake does not tell a member about somebody else.
    own = await shop.ask("{ viewer { member { status mergedInto { id } } } }", member=anna)
    assert own["viewer"]["member"] == {"status": "CLOSED", "mergedInto": None}
    assert found["id"] == anne


async def test_a_request_for_a_merged_member_is_refused_until_the_merge_is_undone(shop: Shop) -> None:
    for name in ("anna", "anne"):
        await shop.enrol(name)
    await do(shop, MERGE, "m", **{"from": {"externalId": "anna"}, "into": {"externalId": "anne"}})
    await told(shop)

    refused = (await shop.ask(GIVE, {"m": "anna"}, role=Role.OPERATOR))["adjustPoints"]["errors"]
    undone = await do(shop, UNDO, "u", member={"externalId": "anna"})
    await told(shop)
    accepted = (await shop.ask(GIVE, {"m": "anna"}, role=Role.OPERATOR))["adjustPoints"]["errors"]

    assert [error["code"] for error in refused] == ["MEMBER_MERGED"]
    assert undone == {"member": {"status": "ACTIVE", "mergedInto": None, "points": {"balance": 0}}, "errors": []}
    assert accepted == []
    assert (await look(shop, "anna"))["points"] == {"balance": 5}
    again = await do(shop, UNDO, "u2", member={"externalId": "anna"})
    assert again["errors"] == [{"code": "NOT_MERGED", "status": "active"}]
    assert await verify(shop.laurel.store.reader()) == []


async def test_who_cannot_be_merged_is_refused(shop: Shop) -> None:
    await shop.enrol("anna")
    anna = {"externalId": "anna"}

    answers = [
        await do(shop, MERGE, "1", **{"from": anna, "into": anna}),
        await do(shop, MERGE, "2", **{"from": anna, "into": {"externalId": "nobody"}}),
        await do(shop, MERGE, "3", **{"from": {"externalId": "nobody"}, "into": anna}),
        await do(shop, MERGE, "4", **{"from": anna, "into": anna, "reason": "x"}),
    ]

    assert [answer["errors"] for answer in answers] == [
        [{"code": "MERGE_INTO_ONESELF"}],
        [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}],
        [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}],
        [{"code": "INVALID_VALUE", "field": "reason"}],
    ]
