"""Tokens, ids and cursors that are not good, as a client meets them: each has its code, on every transport."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from core.oversight.verify import verify
from graph.ids import cursor, global_id, read_id
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.graph.conftest import PROGRAMME
from tests.graph.transport.sockets import connected

UNKNOWN = "01a20385-4ce9-71a6-bfc3-cf13caec3862"
"""The id of somebody in another deployment: well formed, and of nobody here."""
UNACCEPTED = "the token is not signed in a way that is accepted"


def signed(shop: Shop, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    now = int(shop.clock.now().timestamp())
    return jwt.encode({"sub": "till 4", "role": "service", "exp": now + 3600, **claims}, secret, algorithm=algorithm)


def tokens(shop: Shop) -> dict[str, tuple[str, str]]:
    """What is wrong with a token, the token, and what is told."""
    now = int(shop.clock.now().timestamp())
    head, body, signature = shop.token().split(".")
    return {
        "expired": (signed(shop, exp=now), "the token has expired"),
        "not yet valid": (signed(shop, nbf=now + 3600), "the token is not valid yet"),
        "unsigned": (signed(shop, "", "none"), UNACCEPTED),
        "without its signature": (f"{head}.{body}.", "the token is not valid"),
        "of another key": (signed(shop, "z" * 40), "the token is not valid"),
        "tampered": (f"{head}.{signed(shop, role='admin').split('.')[1]}.{signature}", "the token is not valid"),
        "of another algorithm": (
            signed(shop, SECRET * 2, "HS512"),
            "the token is not signed in a way that is accepted",
        ),
        "an unknown key": ("laurel_" + "x" * 43, "the API key is not known"),
        "empty": ("", "the token is not valid"),
    }


async def test_a_token_that_is_not_good_is_told_so_on_every_transport(shop: Shop) -> None:
    for wrong, (token, said) in tokens(shop).items():
        headers = {"Authorization": f"Bearer {token}"}
        for accept in ("application/json", "application/graphql-response+json", "text/event-stream"):
            answer = await shop.client.post(
                "/graphql", json={"query": "{ viewer { role } }"}, headers={"Accept": accept, **headers}
            )
            (error,) = answer.json()["errors"]
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), wrong
            assert (error["extensions"]["code"], error["message"]) == ("UNAUTHENTICATED", said), wrong
            assert "data" not in answer.json()
        async with connected(shop.app) as client:
            client.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
            assert await client.closed() == 4403, wrong


@pytest.fixture
async def keyless(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop that believes in a company's keys, which nobody serves."""
    variables = {
        "LAUREL_JWKS_URL": "http://127.0.0.1:9/keys.json",
        "LAUREL_ISSUER": "https://login.brand.example",
        "LAUREL_AUDIENCE": "laurel",
    }
    async with open_shop(tmp_path, PROGRAMME, plugins=Plugins(), variables=variables) as shop:
        yield shop


async def test_while_a_companys_keys_cannot_be_had_its_tokens_wait_and_ours_do_not(
    keyless: Shop, rsa_token: str
) -> None:
    headers = {"Authorization": f"Bearer {rsa_token}"}
    answer = await keyless.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=headers)
    ours = await keyless.ask("{ viewer { role } }")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["KEYS_UNREACHABLE"]
    assert ours == {"viewer": {"role": "service"}}
    async with connected(keyless.app) as client:
        client.send({"type": "connection_init", "payload": {"authorization": f"Bearer {rsa_token}"}})
        # Clients try again after this one.
        assert await client.closed() == 4403


@pytest.fixture
def rsa_token() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    claims = {"sub": "a", "role": "service", "exp": 2**33, "iss": "https://login.brand.example", "aud": "laurel"}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "first"})


REDEEM = """mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: "r"}) {
  transaction { id } errors { code } } }"""


async def test_the_token_of_a_member_who_is_not_there_any_more_reaches_nothing(shop: Shop) -> None:
    gone = global_id("Member", UNKNOWN)

    seen = await shop.ask(
        "query ($m: ID!) { viewer { role member { id } } member(by: {id: $m}) { id } }", {"m": gone}, member=gone
    )
    done = await shop.ask(REDEEM, {"m": gone}, member=gone)

    assert seen == {"viewer": {"role": "member", "member": None}, "member": None}
    assert done == {"redeemPoints": {"transaction": None, "errors": [{"code": "MEMBER_NOT_FOUND"}]}}
    assert (await shop.ask("{ members { totalCount } }"))["members"]["totalCount"] == 0


async def test_the_token_of_a_member_who_has_left_reads_and_spends_nothing(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 10, "g")
    leave = """mutation ($m: ID!) { changeMemberStatus(input:
      {member: {id: $m}, status: CLOSED, reason: "asked to leave", idempotencyKey: "l"}) { errors { code } } }"""
    assert await shop.ask(leave, {"m": anna}, role=Role.OPERATOR) == {"changeMemberStatus": {"errors": []}}

    seen = await shop.ask("{ viewer { member { status points { available } } } }", member=anna)
    done = await shop.ask(REDEEM, {"m": anna}, member=anna)
    again = await shop.ask("{ viewer { member { status points { available } } } }", member=anna)

    assert done["redeemPoints"]["transaction"] is None
    assert [error["code"] for error in done["redeemPoints"]["errors"]] == ["MEMBER_NOT_ACTIVE"]
    assert seen == again
    assert seen["viewer"]["member"]["status"] == "CLOSED"
    assert await verify(shop.laurel.store.reader()) == []


async def test_ids_of_another_deployment_are_of_nothing_here_and_those_of_another_type_are_refused(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    given = await shop.give(anna, 10, "g")
    reverse = """mutation ($t: ID!) { reverseTransaction(input:
      {transaction: $t, reason: "a test", idempotencyKey: "v"}) { transaction { id } errors { code } } }"""

    async def reversed_(id: str) -> Any:
        answer = (await shop.ask(reverse, {"t": id}, role=Role.OPERATOR))["reverseTransaction"]
        return answer["transaction"], [error["code"] for error in answer["errors"]]

    elsewhere = {
        kind: global_id(kind, UNKNOWN, *more) for kind, *more in (("Member",), ("Transaction", UNKNOWN), ("Tier",))
    }
    for kind, id in elsewhere.items():
        assert await shop.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": id}) == {"node": None}, kind
    assert await reversed_(elsewhere["Transaction"]) == (None, ["MEMBER_NOT_FOUND"])
    for wrong in (anna, "rubbish", f"{given}=", global_id("Transaction", read_id(given)[1])):
        assert await reversed_(wrong) == (None, ["INVALID_ID"]), wrong
    redeemed = await shop.ask(REDEEM, {"m": given})
    assert redeemed == {"redeemPoints": {"transaction": None, "errors": [{"code": "INVALID_ID"}]}}
    balance = await shop.ask("query ($id: ID!) { member(by: {id: $id}) { points { available } } }", {"id": anna})
    assert balance == {"member": {"points": {"available": 10}}}


async def test_a_cursor_that_was_tampered_with_is_refused_by_every_list(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 10, "g")
    lists = {"transactions": "id", "lots": "amount", "holds": "id"}
    for name, field in lists.items():
        asked = f"{name}(after: $c) {{ nodes {{ {field} }} }}"
        query = f"query ($m: ID!, $c: String) {{ member(by: {{id: $m}}) {{ {asked} }} }}"
        for given in ("", "rubbish", cursor("member", "1"), cursor(f"{name}:{UNKNOWN}", "1")):
            answer = await shop.post(query, {"m": anna, "c": given})
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"], (name, given)
