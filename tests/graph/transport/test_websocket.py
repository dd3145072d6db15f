import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import strawberry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from graph.ids import read_id
from graph.testing import Shop, open_shop
from graph.tokens import Role, issue_token
from graph.transport import websocket
from graph.vocabulary import EVERYONE, Info, subscription
from plugins.manager import Plugins
from tests.graph.transport.sockets import PROTOCOL, connected
from tests.serving import served

POINTS = "subscription ($by: MemberByInput!) { memberProgress(by: $by) { points { available } } }"


@strawberry.type
class Slow:
    """Something that takes a while to say."""

    seconds: strawberry.Private[int]

    @strawberry.field
    async def waited(self) -> int:
        """The seconds it took."""
        await asyncio.sleep(self.seconds)
        return self.seconds


def service(shop: Shop) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.token(Role.SERVICE)}"}


def points(id: str, available: int) -> dict[str, Any]:
    return {"type": "next", "id": id, "payload": {"data": {"memberProgress": {"points": {"available": available}}}}}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", 4400),
        ("{", 4400),
        ("1", 4400),
        ("[]", 4400),
        ("null", 4400),
        ("{}", 4400),
        ('{"type": null}', 4400),
        ('{"type": 1}', 4400),
        ('{"type": []}', 4400),
        ('{"type": {"a": 1}}', 4400),
        ('{"type": "connection_ack"}', 4400),
        ('{"type": "start", "id": "1", "payload": {}}', 4400),
        ('{"type": "ping", "payload": 1}', 4400),
        ('{"type": "pong", "payload": []}', 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "complete", "id": 1}', 4400),
        ('{"type": "subscribe", "payload": {"query": "{ __typename }"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}', 4400),
        ('{"type": "subscribe", "id": ["1"], "payload": {"query": "{ __typename }"}}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": "{ __typename }"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {}}', None),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "connection_init", "payload": 1}', 4400),
        ("[" * 100_000, 4400),
        ('{"type": "ping", "payload": {"a": ' + "[" * 500 + "]" * 500 + "}}", 4400),
        ('{"type": ' + "9" * 100_000 + "}", 4400),
        ('{"type": "ping", "payload": {"a": "' + "x" * 1_000_000 + '"}}', 1009),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else None,
)
async def test_a_frame_is_looked_at_before_it_is_used(shop: Shop, frame: str, code: int | None) -> None:
    async with connected(shop.app) as client:
        await client.begin()
        client.send(frame)

        if code is None:
            assert (await client.read())["type"] == "error"
        else:
            assert await client.closed() == code


async def test_a_frame_of_bytes_is_none_of_the_protocol(shop: Shop) -> None:
    async with connected(shop.app) as client:
        client.send_bytes(b'{"type": "connection_init"}')

        assert await client.closed() == 4400


async def test_nothing_is_begun_before_connection_init(shop: Shop) -> None:
    async with connected(shop.app) as client:
        client.subscribe("1", "{ __typename }")

        assert await client.closed() == 4401


async def test_connection_init_must_come_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.02)
    async with connected(shop.app) as client:
        client.send({"type": "ping"})

        assert await client.closed() == 4408


@pytest.mark.parametrize(
    ("headers", "protocols", "code"),
    [
        ({"Origin": "https://shop.example"}, (PROTOCOL,), None),
        ({"Origin": "https://evil.example"}, (PROTOCOL,), 4403),
        ({"Origin": "null"}, (PROTOCOL,), 4403),
        ({}, ("graphql-ws",), 4406),
        ({}, (), 4406),
        ({}, ("graphql-ws", PROTOCOL), None),
    ],
)
async def test_a_socket_is_opened_by_our_own_pages_and_in_our_protocol(
    shop: Shop, headers: dict[str, str], protocols: tuple[str, ...], code: int | None
) -> None:
    async with connected(shop.app, headers, protocols) as client:
        if code is None:
            await client.begin()
        else:
            assert await client.closed() == code


@pytest.mark.parametrize("where", ["payload", "capital", "headers"])
async def test_the_token_comes_with_connection_init(shop: Shop, where: str) -> None:
    token = f"Bearer {shop.token(Role.OPERATOR)}"
    payloads: dict[str, Any] = {
        "payload": {"authorization": token},
        "capital": {"Authorization": token},
        "headers": {"headers": {"authorization": token}},
    }
    async with connected(shop.app) as client:
        await client.begin(payloads[where])
        client.subscribe("1", "{ viewer { role } }")

        assert await client.read() == {"type": "next", "id": "1", "payload": {"data": {"viewer": {"role": "operator"}}}}
        assert await client.read() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize("payload", [{"authorization": "Bearer rubbish"}, {"authorization": "Basic YTpi"}])
async def test_a_token_that_is_not_valid_opens_nothing(shop: Shop, payload: dict[str, str]) -> None:
    async with connected(shop.app) as client:
        client.send({"type": "connection_init", "payload": payload})

        assert await client.closed() == 4403


async def test_a_socket_is_closed_when_its_token_ends(shop: Shop) -> None:
    token = issue_token(
        shop.laurel.settings.secret,
        role=Role.SERVICE,
        subject="a till",
        now=shop.clock.now(),
        lifetime=timedelta(seconds=1),
    )
    async with connected(shop.app) as client:
        await client.begin({"authorization": f"Bearer {token}"})
        shop.clock.advance(timedelta(seconds=2))

        assert await client.closed() == 4403


async def test_what_is_wrong_with_an_operation_is_a_message_and_closes_nothing(shop: Shop) -> None:
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "parse": ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        "validate": ({"query": "{ nobody }"}, "GRAPHQL_VALIDATION_FAILED"),
        "validate again": ({"query": "{ nobody }"}, "GRAPHQL_VALIDATION_FAILED"),
        "which": ({"query": "query a { __typename } query b { __typename }"}, "OPERATION_RESOLUTION_FAILURE"),
        "variables": ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "BAD_USER_INPUT"),
        "list": ({"query": "{ __typename }", "variables": []}, "INVALID_PARAMETERS"),
        "forbidden": ({"query": 'subscription { memberProgress(by: {externalId: "a"}) { id } }'}, "UNAUTHENTICATED"),
    }
    async with connected(shop.app) as client:
        await client.begin()
        for id, (payload, code) in wrong.items():
            client.send({"type": "subscribe", "id": id, "payload": payload})
            message = await client.read()
            assert (message["type"], message["id"]) == ("error", id)
            assert message["payload"][0]["extensions"]["code"] == code
        client.subscribe("parse", "{ __typename }")
        assert (await client.read())["payload"] == {"data": {"__typename": "Query"}}


async def test_a_member_is_told_at_once_and_after_each_commit(shop: Shop) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    async with connected(shop.app, service(shop)) as client:
        await client.begin()
        client.subscribe("1", POINTS, variables={"by": {"externalId": "anna"}})
        assert await client.read() == points("1", 0)
        await shop.give(bert, 5, "1")
        await shop.give(anna, 10, "2")
        assert await client.read() == points("1", 10)
        await shop.give(anna, 10, "2")
        await shop.give(anna, 20, "3")
        assert await client.read() == points("1", 30)
        client.send({"type": "complete", "id": "1"})
        client.send({"type": "ping", "payload": {"a": 1}})
        assert await client.read() == {"type": "pong", "payload": {"a": 1}}
        assert shop.laurel.changes._watches == {}


async def test_a_member_follows_themselves_and_nobody_else(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.enrol("bert")
    token = shop.token(Role.MEMBER, read_id(anna)[1])
    async with connected(shop.app, {"Authorization": f"Bearer {token}"}) as client:
        await client.begin()
        for id, name in (("1", "bert"), ("2", "nobody")):
            client.subscribe(id, POINTS, variables={"by": {"externalId": name}})
            assert await client.read() == {"type": "next", "id": id, "payload": {"data": {"memberProgress": None}}}
            assert await client.read() == {"type": "complete", "id": id}
        client.subscribe("3", POINTS, variables={"by": {"externalId": "anna"}})
        assert await client.read() == points("3", 0)


async def test_a_partner_follows_nobody(shop: Shop) -> None:
    await shop.enrol("anna")
    async with connected(shop.app, {"Authorization": f"Bearer {shop.token(Role.PARTNER)}"}) as client:
        await client.begin()
        client.subscribe("1", POINTS, variables={"by": {"externalId": "anna"}})

        message = await client.read()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
        assert shop.laurel.changes._watches == {}


async def test_changes_that_a_slow_client_does_not_read_are_told_once(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    async with connected(shop.app, service(shop)) as client:
        await client.begin()
        client.subscribe("1", POINTS, variables={"by": {"externalId": "anna"}})
        assert await client.read() == points("1", 0)
        client.reads.clear()
        for number in range(20):
            await shop.give(anna, 1, str(number))
        client.reads.set()

        # The one that was on its way, and one for all since.
        assert (await client.read())["id"] == "1"
        assert await client.read() == points("1", 20)
        assert client.told.empty()


async def test_an_id_is_used_by_one_operation_at_a_time(shop: Shop) -> None:
    await shop.enrol("anna")
    async with connected(shop.app, service(shop)) as client:
        await client.begin()
        for _ in range(3):
            client.subscribe("1", "{ __typename }")
            assert [(await client.read())["type"] for _ in range(2)] == ["next", "complete"]
        client.subscribe("1", POINTS, variables={"by": {"externalId": "anna"}})
        await client.read()
        client.subscribe("1", "{ __typename }")

        assert await client.closed() == 4409


async def test_no_more_operations_than_so_many_run_over_a_socket(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "OPERATIONS_MAX", 2)
    await shop.enrol("anna")
    async with connected(shop.app, service(shop)) as client:
        await client.begin()
        for number in range(3):
            client.subscribe(str(number), POINTS, variables={"by": {"externalId": "anna"}})
        kinds = [(await client.read())["type"] for _ in range(3)]

        assert sorted(kinds) == ["error", "next", "next"]


async def test_a_mutation_is_done_though_its_client_has_gone(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    given = """mutation ($member: MemberByInput!) {
      adjustPoints(input: {member: $member, points: 7, reason: "a test", idempotencyKey: "k"}) { errors { code } }
    }"""
    token = shop.token(Role.OPERATOR)
    async with connected(shop.app, {"Authorization": f"Bearer {token}"}) as client:
        await client.begin()
        client.subscribe("1", given, variables={"member": {"id": anna}})
        for _ in range(100):
            if shop.laurel.committer.waiting:
                break
            await asyncio.sleep(0)
        client.send({"type": "complete", "id": "1"})
        client.leave()

    async with asyncio.timeout(60):
        while True:
            data = await shop.ask("query ($id: ID!) { member(by: {id: $id}) { points { available } } }", {"id": anna})
            if data["member"]["points"]["available"] == 7:
                break


@strawberry.type
class SlowEvents:
    """A subscription whose events take long to be told."""

    @subscription(allow=EVERYONE)
    async def slowly(self, info: Info) -> AsyncGenerator[Slow, None]:
        """Two events, the first of which takes too long."""
        yield Slow(seconds=5)
        yield Slow(seconds=0)


async def test_an_event_that_takes_too_long_is_given_up_and_the_next_is_told(tmp_path: Path) -> None:
    variables = {"LAUREL_SECONDS_MAX": "1", "LAUREL_COST_REPORTED": "no"}
    plugins = Plugins(subscriptions=(SlowEvents,))
    async with (
        open_shop(tmp_path, None, plugins=plugins, variables=variables) as shop,
        connected(shop.app, service(shop)) as client,
    ):
        await client.begin()
        client.subscribe("1", "subscription { slowly { waited } }")
        late, told = await client.read(), await client.read()

    assert late["payload"]["data"] is None
    assert late["payload"]["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert told["payload"] == {"data": {"slowly": {"waited": 0}}}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete", "next", "error"])
DOCUMENTS = st.sampled_from(["{ __typename }", "{", "{ nobody }", "subscription { memberProgress(by: {}) { id } }"])
FRAMES = st.one_of(
    st.text(max_size=20),
    st.fixed_dictionaries({}, optional={"type": KINDS | JSON_VALUES, "id": JSON_VALUES, "payload": JSON_VALUES}),
    st.fixed_dictionaries(
        {"type": st.just("subscribe"), "id": st.sampled_from(["a", "b"])},
        optional={
            "payload": st.fixed_dictionaries(
                {"query": DOCUMENTS | JSON_VALUES},
                optional={"variables": JSON_VALUES, "operationName": JSON_VALUES, "extensions": JSON_VALUES},
            )
        },
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(FRAMES, min_size=1, max_size=4), begun=st.booleans())
async def test_no_frame_makes_a_traceback(
    shop: Shop, caplog: pytest.LogCaptureFixture, frames: list[Any], begun: bool
) -> None:
    async with connected(shop.app) as client:
        if begun:
            await client.begin()
        for frame in frames:
            client.send(frame)
        client.send("the end")

        assert await client.closed() in {4400, 4401, 4409, 4429}
    assert caplog.records == []


async def test_a_socket_of_the_network_is_served_and_closed_like_any_other(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    async with (
        served(shop.app) as address,
        connect(
            f"{address.replace('http', 'ws', 1)}/graphql",
            subprotocols=[Subprotocol(PROTOCOL)],
            additional_headers=service(shop),
        ) as client,
    ):
        await client.send('{"type": "connection_init"}')
        assert await client.recv() == '{"type":"connection_ack"}'
        query = f'subscription {{ memberProgress(by: {{id: "{anna}"}}) {{ points {{ available }} }} }}'
        await client.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
        assert json.loads(await client.recv()) == points("1", 0)
        await shop.give(anna, 10, "1")
        assert json.loads(await client.recv()) == points("1", 10)
        for _ in range(2):
            await client.send(json.dumps({"type": "subscribe", "id": "\U0001f9e1" * 50, "payload": {"query": query}}))
        await client.wait_closed()
        assert client.close_code == 4409
