"""Reversing and compensating many at once, as operators do it: a look at it, the remedy, its report, the audit log."""

from datetime import timedelta
from typing import Any

from core.oversight.verify import verify
from graph.testing import NOON, Shop
from graph.tokens import Role

PREVIEW = """query ($selection: TransactionSelectionInput!) { reversalPreview(selection: $selection) {
  transactions members
  moved { unit taken given } refused { code count } debtorCount debtors { debt member { id } } } }"""
REVERSE = """mutation ($input: ReverseTransactionsInput!) { reverseTransactions(input: $input) {
  remedy { id kind state itemCount reason actor points progress { waiting } } replayed
  errors { code ... on SelectionChanged { selected expectedCount } } } }"""
COMPENSATION = """query ($selection: MemberSelectionInput!) {
  compensationPreview(selection: $selection, points: 20) { members points leftOut } }"""
COMPENSATE = """mutation ($input: CompensateMembersInput!) { compensateMembers(input: $input) {
  remedy { id kind points itemCount } errors { code ... on MemberNotFound { member } } } }"""
CANCEL = """mutation ($input: CancelRemedyInput!) { cancelRemedy(input: $input) {
  remedy { state } errors { code ... on RemedyEnded { state } ... on InvalidId { expected } } } }"""
REMEDY = """query ($id: ID!) { remedy(id: $id) {
  state progress { waiting done refused given taken } startedAt finishedAt }
  remedyItems(remedy: $id) { totalCount nodes { state points refusalCode member { externalId } target { kind }
    transaction { kind reason } } }
  refused: remedyItems(remedy: $id, state: REFUSED) { totalCount } }"""
AUDIT = """query ($m: ID!) { auditLog(first: 1, filter: {member: {id: $m}}) {
  nodes { mutation actor reason facts { name before after } } } }"""
SPEND = """mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 5, idempotencyKey: "s"}) {
  errors { code } } }"""
WINDOW = {"since": "2026-06-01T00:00:00Z", "until": "2026-06-02T00:00:00Z"}


async def act(shop: Shop, mutation: str, key: str, **input: Any) -> Any:
    given = {"idempotencyKey": key, "reason": "points were given by mistake", **input}
    (payload,) = (await shop.ask(mutation, {"input": given}, role=Role.OPERATOR)).values()
    return payload


async def test_a_mistake_is_looked_at_put_right_and_reported(shop: Shop) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    for member, points, key in ((anna, 100, "1"), (bert, 50, "2"), (bert, -45, "3")):
        await shop.give(member, points, key)
    selection = {"channel": "ledger", "kind": "adjust", **WINDOW}

    preview = (await shop.ask(PREVIEW, {"selection": selection}, role=Role.OPERATOR))["reversalPreview"]
    changed = await act(shop, REVERSE, "r0", selection=selection, expectedCount=4)
    begun = await act(shop, REVERSE, "r", selection=selection, expectedCount=3)
    remedy = begun["remedy"].pop("id")
    shop.clock.set(NOON + timedelta(minutes=1))
    await shop.laurel.jobs.work()
    report = await shop.ask(REMEDY, {"id": remedy}, role=Role.OPERATOR)
    again = await act(shop, REVERSE, "r", selection=selection, expectedCount=3)

    assert preview == {
        "transactions": 3,
        "members": 2,
        "moved": [{"unit": "points", "taken": 150, "given": 45}],
        "refused": [],
        "debtorCount": 0,
        "debtors": [],
    }
    assert changed["errors"] == [{"code": "SELECTION_CHANGED", "selected": 3, "expectedCount": 4}]
    assert begun == {
        "remedy": {
            "kind": "REVERSE",
            "state": "WAITING",
            "itemCount": 3,
            "reason": "points were given by mistake",
            "actor": "operator:a operator",
            "points": None,
            "progress": {"waiting": 3},
        },
        "replayed": False,
        "errors": [],
    }
    assert (again["remedy"]["id"], again["replayed"]) == (remedy, True)
    assert report["remedy"] == {
        "state": "DONE",
        "progress": {"waiting": 0, "done": 3, "refused": 0, "given": 45, "taken": 150},
        "startedAt": "2026-06-01T12:01:00Z",
        "finishedAt": "2026-06-01T12:01:00Z",
    }
    done = {"state": "DONE", "refusalCode": None, "target": {"kind": "adjust"}}
    done["transaction"] = {"kind": "reverse", "reason": "points were given by mistake"}
    assert report["remedyItems"]["nodes"] == [
        {**done, "points": points, "member": {"externalId": member}}
        for member, points in (("anna", -100), ("bert", -50), ("bert", 45))
    ]
    assert (report["remedyItems"]["totalCount"], report["refused"]["totalCount"]) == (3, 0)
    # In the log of each member it is what the operator did.
    (entry,) = (await shop.ask(AUDIT, {"m": anna}, role=Role.OPERATOR))["auditLog"]["nodes"]
    facts = {f["name"]: (f["before"], f["after"]) for f in entry["facts"] if f["before"] != f["after"]}
    assert (entry["mutation"], entry["actor"], facts) == (
        "reverseTransactions",
        "operator:a operator",
        {"points.balance": ("100", "0")},
    )
    assert await verify(shop.laurel.store.reader()) == []


async def test_those_whom_an_outage_has_hit_get_points(shop: Shop) -> None:
    anna, _ = await shop.enrol("anna"), await shop.enrol("bert")
    assert (await shop.ask(SPEND, {"m": anna}))["redeemPoints"]["errors"] == [{"code": "INSUFFICIENT_POINTS"}]
    selection = {"channels": ["ledger"], "refusedOnly": True, **WINDOW}

    preview = await shop.ask(COMPENSATION, {"selection": selection}, role=Role.OPERATOR)
    begun = await act(shop, COMPENSATE, "c", selection=selection, points=20, expectedCount=1)
    named = await act(shop, COMPENSATE, "n", selection={"externalIds": ["anna", "nobody"]}, points=20)
    shop.clock.set(NOON + timedelta(minutes=1))
    await shop.laurel.jobs.work()
    balances = await shop.ask("{ members { nodes { externalId points { balance } } } }")

    assert preview == {"compensationPreview": {"members": 1, "points": 20, "leftOut": 0}}
    assert begun["errors"] == []
    assert {name: begun["remedy"][name] for name in ("kind", "points", "itemCount")} == {
        "kind": "COMPENSATE",
        "points": 20,
        "itemCount": 1,
    }
    assert named["errors"] == [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}]
    assert balances["members"]["nodes"] == [
        {"externalId": "anna", "points": {"balance": 20}},
        {"externalId": "bert", "points": {"balance": 0}},
    ]


async def test_a_remedy_is_cancelled_or_said_to_be_over(shop: Shop) -> None:
    await shop.give(await shop.enrol("anna"), 100, "1")
    begun = await act(shop, REVERSE, "r", selection={"channel": "ledger", **WINDOW})

    answers = [
        (await shop.ask(CANCEL, {"input": {"remedy": id, "reason": "too soon"}}, role=Role.OPERATOR))["cancelRemedy"]
        for id in (begun["remedy"]["id"], begun["remedy"]["id"], "nonsense")
    ]

    assert answers == [
        {"remedy": {"state": "CANCELLED"}, "errors": []},
        {"remedy": None, "errors": [{"code": "REMEDY_ENDED", "state": "cancelled"}]},
        {"remedy": None, "errors": [{"code": "INVALID_ID", "expected": "Remedy"}]},
    ]
