"""Who may do what, as one table of callers and fields."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import strawberry

from core.channels.corrections import AdjustPoints
from graph.ids import global_id, read_id
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role, issue_token
from graph.vocabulary import Info, MemberByInput, Payload, actor, mutation, perform
from plugins.manager import Plugins
from tests.graph.conftest import PROGRAMME

STRANGER = "01a20385-4ce9-71a6-bfc3-cf13caec3862"


@dataclass(frozen=True)
class Field:
    """A root field as a caller asks it; ``%s`` is Anna's id, ``$hold`` and ``$given`` hers."""

    text: str
    allowed: str


# Who may: m Anna herself, o another member, s service, p partner, O operator, a analyst, A admin.
FIELDS = [
    Field("{ viewer { role } }", "mospOaA"),
    Field("{ programme { version } }", "mospOaA"),
    Field("{ programmeVersions { version } }", "sOaA"),
    Field("{ programme { publication { document } } }", "sOaA"),
    Field('{ member(by: {id: "$anna"}) { points { available } } }', "msOaA"),
    Field('{ member(by: {externalId: "anna"}) { points { available } } }', "msOaA"),
    Field("{ members { nodes { id } } }", "sOaA"),
    Field('{ node(id: "$anna") { id } }', "msOaA"),
    Field('{ node(id: "$hold") { id } }', "msOaA"),
    Field('{ node(id: "$given") { id } }', "msOaA"),
    Field('mutation { enrolMember(input: {externalId: "new", idempotencyKey: "1"}) { errors { code } } }', "sOA"),
    Field('mutation { updateMember(input: {member: {id: "$anna"}, idempotencyKey: "2"}) { errors { code } } }', "sOA"),
    Field(
        'mutation { redeemPoints(input: {member: {id: "$anna"}, points: 1, idempotencyKey: "3"}) { errors { code } } }',
        "msOA",
    ),
    Field(
        'mutation { holdPoints(input: {member: {id: "$anna"}, points: 1, idempotencyKey: "4"}) { errors { code } } }',
        "msOA",
    ),
    Field('mutation { captureHold(input: {hold: "$hold", idempotencyKey: "5"}) { errors { code } } }', "msOA"),
    Field('mutation { releaseHold(input: {hold: "$hold", idempotencyKey: "6"}) { errors { code } } }', "msOA"),
    Field(
        'mutation { adjustPoints(input: {member: {id: "$anna"}, points: 1, reason: "why not", idempotencyKey: "7"})'
        " { errors { code } } }",
        "OA",
    ),
    Field(
        'mutation { reverseTransaction(input: {transaction: "$given", reason: "why not", idempotencyKey: "8"})'
        " { errors { code } } }",
        "OA",
    ),
    Field(
        'mutation { changeMemberStatus(input: {member: {id: "$anna"}, status: FROZEN, reason: "why not",'
        ' idempotencyKey: "9"}) { errors { code } } }',
        "OA",
    ),
    Field(
        'mutation { publishProgramme(input: {document: "id: x\\ncurrency: CNY\\ntimezone: UTC", reason: "why not"})'
        " { errors { code } } }",
        "OA",
    ),
]

CALLERS = {
    "m": Role.MEMBER,
    "o": Role.MEMBER,
    "s": Role.SERVICE,
    "p": Role.PARTNER,
    "O": Role.OPERATOR,
    "a": Role.ANALYST,
    "A": Role.ADMIN,
}
STATE = """{ members { nodes { externalId status points { available held } transactions { nodes { id } } } }
  programmeVersions { version } }"""


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.text[:40])
async def test_each_field_answers_those_it_is_for_and_nobody_else(shop: Shop, field: Field) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    given = await shop.give(anna, 100, "g1")
    held = await shop.ask(
        'mutation ($m: ID!) { holdPoints(input: {member: {id: $m}, points: 10, idempotencyKey: "h"}) { hold { id } } }',
        {"m": anna},
    )
    known = {"$anna": anna, "$given": given, "$hold": held["holdPoints"]["hold"]["id"]}
    text = field.text
    for name, id in known.items():
        text = text.replace(name, id)

    before = await shop.ask(STATE)
    for caller in ("", *(c for c in CALLERS if c not in field.allowed)):
        answer = await ask_as(shop, caller, text, anna, bert)
        assert refused(answer), (caller, answer)
    assert await shop.ask(STATE) == before

    for caller in field.allowed:
        answer = await ask_as(shop, caller, text, anna, bert)
        assert not refused(answer), (caller, answer)


async def ask_as(shop: Shop, caller: str, text: str, anna: str, bert: str) -> dict[str, Any]:
    if caller in ("m", "o"):
        return await shop.post(text, member=anna if caller == "m" else bert)
    return await shop.post(text, role=CALLERS.get(caller))


def refused(answer: dict[str, Any]) -> bool:
    """No data, or none of the thing that was asked for."""
    if codes := {error["extensions"]["code"] for error in answer.get("errors", ())}:
        assert codes <= {"UNAUTHENTICATED", "FORBIDDEN"}, answer
        return True
    (value,) = answer["data"].values()
    return value is None or (isinstance(value, dict) and value.get("errors") == [{"code": "HOLD_NOT_FOUND"}])


@pytest.mark.parametrize("kind", ["id", "externalId"])
async def test_a_member_cannot_tell_another_from_nobody(shop: Shop, kind: str) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    names = {"id": (bert, global_id("Member", STRANGER)), "externalId": ("bert", "nobody")}[kind]
    query = f"query ($x: {'ID' if kind == 'id' else 'String'}!) {{ member(by: {{{kind}: $x}}) {{ id }} }}"
    spend = """mutation ($by: MemberByInput!) {
      redeemPoints(input: {member: $by, points: 1, idempotencyKey: "1"}) { errors { code } } }"""

    asked = [await shop.post(query, {"x": name}, member=anna) for name in names]
    spent = [await shop.post(spend, {"by": {kind: name}}, member=anna) for name in names]
    for answer in spent:
        del answer["errors"][0]["extensions"]["requestId"]

    assert asked[0] == asked[1]
    assert asked[0]["data"] == {"member": None}
    assert spent[0] == spent[1]
    assert spent[0]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_another_members_things_are_as_good_as_none(shop: Shop) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    given = await shop.give(bert, 10, "g1")
    _, raw = read_id(bert)
    ids = [bert, given, global_id("Hold", raw, "points", 1), global_id("Member", STRANGER)]

    answer = await shop.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}, member=anna)

    assert answer == {"nodes": [None] * 4}


async def test_the_token_of_a_member_who_is_not_there_reaches_nothing(shop: Shop) -> None:
    gone = global_id("Member", STRANGER)
    spend = """mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: "1"}) {
      errors { code } } }"""

    seen = await shop.ask(
        "query ($m: ID!) { viewer { member { id } } member(by: {id: $m}) { id } }", {"m": gone}, member=gone
    )
    spent = await shop.ask(spend, {"m": gone}, member=gone)

    assert seen == {"viewer": {"member": None}, "member": None}
    assert spent == {"redeemPoints": {"errors": [{"code": "MEMBER_NOT_FOUND"}]}}


@strawberry.input
class GreetInput:
    """Somebody to greet."""

    member: MemberByInput = strawberry.field(description="Who.")
    idempotency_key: str = strawberry.field(description="The request's key.")


@strawberry.type
class GreetPayload(Payload):
    """What became of a greeting."""


@strawberry.type
class Greetings:
    """A partner's channel."""

    @mutation(allow={Role.PARTNER, Role.SERVICE}, capability="greet")
    async def greet(self, info: Info, input: GreetInput) -> GreetPayload:
        """Give a point for a greeting."""
        operation = AdjustPoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            points=1,
            reason="a greeting",
        )
        return await perform(info, operation, GreetPayload)


GREETING = Plugins(
    names=("greeting",),
    offered_by={"Mutation.greet": "greeting"},
    mutations=(Greetings,),
    capabilities={"greeting.greet": "Greets members."},
)


REACHES: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"channels": ["purchase"]}, False),
    ({"channels": ["purchase", "greeting"]}, True),
    ({"capabilities": ["greeting.greet"]}, True),
    ({"capabilities": ["greet", "greeting.other", "purchase.greet"]}, False),
]


async def test_a_partners_token_reaches_the_channels_and_capabilities_that_it_names(tmp_path: Path) -> None:
    greet = 'mutation { greet(input: {member: {externalId: "anna"}, idempotencyKey: "1"}) { errors { code } } }'
    async with open_shop(tmp_path, PROGRAMME, plugins=GREETING) as shop:
        await shop.enrol("anna")
        reached = []
        for claims, _ in REACHES:
            now = shop.clock.now()
            token = issue_token(
                SECRET, role=Role.PARTNER, subject="acme", now=now, lifetime=timedelta(hours=1), **claims
            )
            response = await shop.client.post(
                "/graphql", json={"query": greet}, headers={"Authorization": f"Bearer {token}"}
            )
            answer = response.json()
            reached.append(answer["data"] == {"greet": {"errors": []}})
            assert reached[-1] or answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    assert reached == [reaches for _, reaches in REACHES]


async def test_a_partner_sees_no_balance(tmp_path: Path) -> None:
    greet = """mutation { greet(input: {member: {externalId: "anna"}, idempotencyKey: "1"}) {
      member { id } transaction { lots { remaining } entries { amount balanceAfter moves { amount } } } } }"""
    async with open_shop(tmp_path, PROGRAMME, plugins=GREETING) as shop:
        await shop.give(await shop.enrol("anna"), 500, "g1")
        answer = await shop.ask(greet, role=Role.PARTNER)

    assert answer["greet"] == {
        "member": None,
        "transaction": {"lots": [], "entries": [{"amount": 1, "balanceAfter": None, "moves": []}]},
    }


async def test_a_partner_learns_what_became_of_a_request_and_no_more_of_the_member(tmp_path: Path) -> None:
    greet = """mutation ($key: String!) { greet(input: {member: {externalId: "anna"}, idempotencyKey: $key}) {
      member { externalId } transaction { kind actor } errors { code } } }"""
    async with open_shop(tmp_path, PROGRAMME, plugins=GREETING) as shop:
        await shop.enrol("anna")
        by_partner = await shop.ask(greet, {"key": "1"}, role=Role.PARTNER)
        by_service = await shop.ask(greet, {"key": "2"})

    assert by_partner["greet"] == {
        "member": None,
        "transaction": {"kind": "adjust", "actor": "partner:a partner"},
        "errors": [],
    }
    assert by_service["greet"]["member"] == {"externalId": "anna"}


async def test_a_member_sees_themselves_as_the_viewer(shop: Shop) -> None:
    anna = await shop.enrol("anna")

    answer = await shop.ask("{ viewer { role subject member { externalId } } }", member=anna)

    assert answer == {"viewer": {"role": "member", "subject": "a member", "member": {"externalId": "anna"}}}


async def test_what_was_done_is_written_down_with_who_asked(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 10, "g1")
    await shop.ask(
        'mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: "1"}) { replayed } }',
        {"m": anna},
        member=anna,
    )

    answer = await shop.ask('{ member(by: {externalId: "anna"}) { transactions { nodes { kind actor } } } }')

    assert answer["member"]["transactions"]["nodes"] == [
        {"kind": "redeem", "actor": "member:a member"},
        {"kind": "adjust", "actor": "operator:a operator"},
        {"kind": "enrol", "actor": "service:a service"},
    ]


async def test_a_token_that_has_ended_is_refused(shop: Shop) -> None:
    token = issue_token(SECRET, role=Role.ADMIN, subject="x", now=shop.clock.now(), lifetime=timedelta(hours=1))
    shop.clock.advance(timedelta(hours=1))

    response = await shop.client.post(
        "/graphql", json={"query": "{ viewer { role } }"}, headers={"Authorization": f"Bearer {token}"}
    )

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["UNAUTHENTICATED"]
