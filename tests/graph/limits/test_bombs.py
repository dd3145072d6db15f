"""What is small to send and long to answer is refused before it takes any time, whatever brings it."""

import json
from time import process_time

import pytest

from graph.testing import Shop
from graph.tokens import Role
from tests.graph.limits.bombs import BOMBS, Bomb
from tests.graph.transport.sockets import connected

CPU_SECONDS = 0.25
"""Five times what is promised, as the machines of tests are slow and shared; the guide has the figures."""


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
async def test_a_bomb_is_refused_over_http(shop: Shop, bomb: Bomb) -> None:
    body = json.dumps({"query": bomb.query, "variables": bomb.variables}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shop.token(Role.SERVICE)}"}

    begun = process_time()
    response = await shop.client.post("/graphql", content=body, headers=headers)
    taken = process_time() - begun

    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {bomb.code}
    assert "data" not in response.json()
    assert taken < CPU_SECONDS


async def test_bombs_are_refused_over_a_websocket(shop: Shop) -> None:
    async with connected(shop.app, {"Authorization": f"Bearer {shop.token(Role.SERVICE)}"}) as client:
        await client.begin()
        for number, bomb in enumerate(BOMBS):
            client.subscribe(str(number), bomb.query, variables=bomb.variables)
            message = await client.read()

            assert (message["type"], message["id"]) == ("error", str(number)), bomb.name
            assert {error["extensions"]["code"] for error in message["payload"]} == {bomb.code}, bomb.name


async def test_bombs_are_refused_in_a_stream(shop: Shop) -> None:
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {shop.token(Role.SERVICE)}"}
    for bomb in BOMBS:
        asked = {"query": bomb.query, "variables": bomb.variables}
        response = await shop.client.post("/graphql", json=asked, headers=headers)

        assert "event: next\n" in response.text, bomb.name
        assert f'"code":"{bomb.code}"' in response.text, bomb.name
