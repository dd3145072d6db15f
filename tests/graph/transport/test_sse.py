import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from graph.testing import Shop
from graph.tokens import Role, issue_token
from graph.transport import sse
from tests.serving import served

STREAM = {"Accept": "text/event-stream"}
FOLLOW = 'subscription { memberProgress(by: {externalId: "anna"}) { points { available } } }'
COMPLETE = ("complete", None)


def service(shop: Shop) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.token(Role.SERVICE)}"}


def points(available: int) -> tuple[str, Any]:
    return "next", {"data": {"memberProgress": {"points": {"available": available}}}}


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a whole stream."""
    found = []
    for event in text.split("\n\n"):
        lines = dict(line.split(":", 1) for line in event.split("\n") if line.strip(":"))
        if lines:
            found.append((lines["event"].strip(), json.loads(lines["data"]) if lines["data"].strip() else None))
    return found


async def read(lines: AsyncIterator[str]) -> tuple[str, Any]:
    """The next event of a stream."""
    async with asyncio.timeout(60):
        event = ""
        async for line in lines:
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data:"):
                data = line.removeprefix("data:").strip()
                return event, json.loads(data) if data else None
    raise AssertionError("the stream has ended")


@pytest.mark.parametrize(
    ("accept", "query", "kind"),
    [
        ("text/event-stream", "{ __typename }", "text/event-stream"),
        ("application/json, text/event-stream", "{ __typename }", "application/json"),
        ("text/event-stream, application/json;q=0.1", "{ __typename }", "application/json"),
        ("text/event-stream, multipart/mixed", "{ __typename }", "text/event-stream"),
        ("application/json, text/event-stream", FOLLOW, "text/event-stream"),
        ("text/event-stream", "{ nobody }", "text/event-stream"),
        ("text/event-stream", FOLLOW, "text/event-stream"),
    ],
)
async def test_a_stream_is_for_what_needs_one_and_for_who_reads_nothing_else(
    shop: Shop, accept: str, query: str, kind: str
) -> None:
    response = await shop.client.post("/graphql", json={"query": query}, headers={"Accept": accept, **service(shop)})

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{kind}; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    if kind == "text/event-stream":
        assert "\r" not in response.text
        (first, answer), last = events(response.text)
        assert (first, last) == ("next", COMPLETE)
        assert list(answer) == (["errors"] if "nobody" in query else ["data"])


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Accept": "application/json"}, 406, "NOT_ACCEPTABLE"),
        ({"Accept": "*/*"}, 406, "NOT_ACCEPTABLE"),
        (STREAM | {"Authorization": "Bearer rubbish"}, 401, "UNAUTHENTICATED"),
        (STREAM | {"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_what_cannot_be_streamed_is_answered_in_json(
    shop: Shop, headers: dict[str, str], status: int, code: str
) -> None:
    response = await shop.client.post(
        "/graphql", content=json.dumps({"query": FOLLOW}), headers={"Content-Type": "application/json"} | headers
    )

    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_a_subscription_may_be_asked_in_the_address_as_browsers_do(shop: Shop) -> None:
    response = await shop.client.get("/graphql", params={"query": FOLLOW}, headers=STREAM | service(shop))

    assert events(response.text) == [("next", {"data": {"memberProgress": None}}), COMPLETE]


async def test_what_is_forbidden_is_an_answer_with_errors(shop: Shop) -> None:
    response = await shop.client.post("/graphql", json={"query": FOLLOW}, headers=STREAM)

    (_, answer), last = events(response.text)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert last == COMPLETE


async def test_a_stream_tells_of_commits_pings_and_ends_with_its_token(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PING_SECONDS", 0.05)
    anna = await shop.enrol("anna")
    settings, now = shop.laurel.settings, shop.clock.now()
    token = issue_token(settings.secret, role=Role.SERVICE, subject="a", now=now, lifetime=timedelta(seconds=1))
    headers = STREAM | {"Authorization": f"Bearer {token}"}
    async with (
        served(shop.app) as address,
        httpx.AsyncClient(base_url=address) as client,
        client.stream("POST", "/graphql", json={"query": FOLLOW}, headers=headers) as response,
    ):
        lines = response.aiter_lines()
        assert await read(lines) == points(0)
        await shop.give(anna, 10, "1")
        assert await read(lines) == points(10)
        shop.clock.advance(timedelta(seconds=2))
        event, answer = await read(lines)
        assert (event, answer["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert await read(lines) == COMPLETE
    assert shop.laurel.changes._watches == {}


async def test_a_stream_ends_when_the_server_stops(shop: Shop) -> None:
    await shop.enrol("anna")
    async with (
        served(shop.app) as address,
        httpx.AsyncClient(base_url=address) as client,
        client.stream("POST", "/graphql", json={"query": FOLLOW}, headers=STREAM | service(shop)) as response,
    ):
        lines = response.aiter_lines()
        assert await read(lines) == points(0)
        shop.app.state.end_streams()
        assert [line async for line in lines] == [""]


async def test_nothing_is_watched_for_a_client_that_has_gone(shop: Shop) -> None:
    await shop.enrol("anna")
    async with served(shop.app) as address:
        async with (
            httpx.AsyncClient(base_url=address) as client,
            client.stream("POST", "/graphql", json={"query": FOLLOW}, headers=STREAM | service(shop)) as response,
        ):
            assert await read(response.aiter_lines()) == points(0)
            assert shop.laurel.changes._watches
        async with asyncio.timeout(60):
            while shop.laurel.changes._watches:  # noqa: ASYNC110  # nothing tells that a client has been missed
                await asyncio.sleep(0.01)
