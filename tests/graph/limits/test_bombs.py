"""What is small to send and long to answer is refused before it is any work, whatever brings it."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from graph.testing import Shop, open_shop
from plugins.manager import Plugins
from tests.calls import counting_calls
from tests.graph.limits.bombs import BOMBS
from tests.graph.limits.sending import TRANSPORTS, body, codes, service

CALLS_MAX: Final = 450_000
"""What a refusal may call: some 50 ms on a machine of the day that this was written."""
PROGRESS: Final = """query ($by: MemberByInput!) { member(by: $by) {
  tier { name } points { available expiring { points at } } progress { ratio criteria { current required } } } }"""


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_bomb_is_refused_before_it_is_any_work(shop: Shop, transport: str) -> None:
    much = {}
    async with TRANSPORTS[transport](shop) as send:
        for bomb in BOMBS:
            with counting_calls() as calls:
                refused = await send(bomb)
            assert refused == [bomb.code], bomb.name
            if calls.count > CALLS_MAX:
                much[bomb.name] = calls.count

    assert much == {}


async def test_fragments_that_spread_each_other_twice_are_walked_once(shop: Shop) -> None:
    member = await shop.enrol("ann")
    spreads = " ".join(f"fragment f{level} on Member {{ ...f{level + 1} ...f{level + 1} }}" for level in range(18))
    document = f"{{ viewer {{ member {{ ...f0 }} }} }} {spreads} fragment f18 on Member {{ externalId }}"

    with counting_calls() as calls:
        answer = await shop.ask(document, member=member)

    assert answer == {"viewer": {"member": {"externalId": "ann"}}}
    assert calls.count < CALLS_MAX


@pytest.mark.parametrize(
    "given",
    [[{"query": "{ __typename }"}] * 20_000, json.loads("[" * 200 + "]" * 200)],
    ids=["many", "in each other"],
)
async def test_a_list_of_requests_is_refused_before_it_is_any_work(shop: Shop, given: Any) -> None:
    headers = {"Content-Type": "application/json", **service(shop)}
    content = json.dumps(given).encode()
    with counting_calls() as calls:
        response = await shop.client.post("/graphql", content=content, headers=headers)

    assert (response.status_code, codes(response.json()["errors"])) == (400, ["INVALID_PARAMETERS"])
    assert calls.count < CALLS_MAX / 20


async def test_each_bomb_of_a_list_is_refused_where_lists_are_allowed(tmp_path: Path) -> None:
    async with open_shop(tmp_path, None, plugins=Plugins(), variables={"LAUREL_BATCH_MAX": "10"}) as shop:
        headers = {"Content-Type": "application/json", **service(shop)}
        # Those whose variables would make the body longer than one may be.
        small = [bomb for bomb in BOMBS if len(body(bomb)) < 100_000]
        for at in range(0, len(small), 10):
            bombs = small[at : at + 10]
            content = b"[" + b",".join(map(body, bombs)) + b"]"
            answers = (await shop.client.post("/graphql", content=content, headers=headers)).json()

            assert [codes(answer["errors"]) for answer in answers] == [[bomb.code] for bomb in bombs]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_asks_beside_a_bomb_is_answered(shop: Shop, transport: str) -> None:
    await shop.enrol("anna")

    async def ask() -> dict[str, Any]:
        return await shop.ask(PROGRESS, {"by": {"externalId": "anna"}})

    expected = await ask()
    async with TRANSPORTS[transport](shop) as send:
        for bomb in BOMBS:
            assert await asyncio.gather(send(bomb), ask()) == [[bomb.code], expected], bomb.name
