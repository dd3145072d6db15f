"""How much one caller may ask for in a while."""

import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from graph.limits.bounds import Bounds, Rate, read_rates
from graph.limits.memory import WINDOWS_MAX, Memory
from graph.limits.rates import Rates, Standing
from graph.testing import Shop, open_shop
from graph.tokens import Caller, Role
from graph.transport.failures import Failure, RequestFailed
from plugins.manager import Plugins
from tests.graph.conftest import PROGRAMME
from tests.graph.transport.sockets import connected

ANNA = Caller(Role.MEMBER, "anna", "1")
NAME = "{ __typename }"


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop where analysts may ask thrice a minute, and operators for what costs 10."""
    variables = {"LAUREL_RATES": "analyst=3 requests/minute, operator=10 cost/minute, nobody=2/minute"}
    async with open_shop(tmp_path, PROGRAMME, plugins=Plugins(), variables=variables) as shop:
        yield shop


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def bounds(text: str) -> Bounds:
    return Bounds(rates=read_rates(text))


async def test_a_window_ends_and_another_begins() -> None:
    time = Time()
    rates = Rates(bounds("member=2 requests/minute"), now=time)
    standings = [await rates.admit(ANNA, "") for _ in range(2)]
    time.now += 20

    with pytest.raises(RequestFailed) as refused:
        await rates.admit(ANNA, "")
    time.now += 40
    anew = await rates.admit(ANNA, "")

    assert [standing.headers["RateLimit"] for standing in standings if standing] == [
        '"member";r=1;t=60',
        '"member";r=0;t=60',
    ]
    assert refused.value.failure is Failure.RATE_LIMITED
    assert refused.value.headers == {
        "Retry-After": "40",
        "RateLimit-Policy": '"member";q=2;qu="requests";w=60',
        "RateLimit": '"member";r=0;t=40',
    }
    assert anew is not None
    assert anew.used == 1


async def test_what_costs_after_its_window_has_ended_is_counted_in_the_next_one() -> None:
    time = Time()
    rates = Rates(bounds("member=100 cost/minute"), now=time)
    waiting = [await rates.admit(ANNA, "") for _ in range(3)]  # for the rest of their bodies
    time.now += 61

    for standing in waiting:
        await rates.charge(standing, 41)
    told = [standing.headers["RateLimit"] for standing in waiting if standing]
    with pytest.raises(RequestFailed):
        await rates.admit(ANNA, "")

    assert told == ['"member";r=60;t=60', '"member";r=20;t=60', '"member";r=0;t=60']


async def test_callers_are_counted_apart() -> None:
    rates = Rates(bounds("member=1/minute, member:ben=2/minute, nobody=1/minute"))
    ben, carl = Caller(Role.MEMBER, "ben", "2"), Caller(Role.MEMBER, "carl", "3")

    for caller, address in ((ANNA, ""), (ben, ""), (ben, ""), (carl, ""), (None, "192.0.2.1"), (None, "192.0.2.2")):
        assert await rates.admit(caller, address) is not None
    assert await rates.admit(Caller(Role.SERVICE, "shop"), "") is None
    assert await rates.admit(None, "2001:db8::1") is not None
    for caller, address in ((ANNA, ""), (ben, ""), (None, "192.0.2.1"), (None, "2001:db8::2")):
        with pytest.raises(RequestFailed):
            await rates.admit(caller, address)


async def test_memory_forgets_the_oldest_window() -> None:
    memory = Memory(Time())
    for number in range(WINDOWS_MAX + 1):
        await memory.incr(str(number), 60)

    assert (await memory.get("0"), await memory.get("1")) == (0, 1)


async def test_requests_are_counted_and_the_answer_says_how_one_stands(busy: Shop) -> None:
    headers = {"Authorization": f"Bearer {busy.token(Role.ANALYST)}"}
    answers = [await busy.client.post("/graphql", json={"query": NAME}, headers=headers) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[3].headers["RateLimit-Policy"] == '"analyst";q=3;qu="requests";w=60'
    assert int(answers[3].headers["Retry-After"]) in range(1, 61)
    (error,) = answers[3].json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["maximum"]) == ("RATE_LIMITED", 3)


async def test_cost_is_counted_and_may_take_more_than_is_left(busy: Shop) -> None:
    headers = {"Authorization": f"Bearer {busy.token(Role.OPERATOR)}"}
    query = {"query": "{ members(first: 20) { nodes { id } } }"}
    first, second = [await busy.client.post("/graphql", json=query, headers=headers) for _ in range(2)]

    assert (first.status_code, first.json()["extensions"]["cost"]["requested"]) == (200, 21)
    assert first.headers["RateLimit"].startswith('"operator";r=0;')
    assert second.status_code == 429


async def test_a_bomb_counts_as_a_request(busy: Shop) -> None:
    answers = [await busy.client.post("/graphql", content=b"{", headers={"Content-Type": "application/json"})] * 1
    answers += [await busy.client.post("/graphql", json={"query": "{"}) for _ in range(2)]

    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in answers] == [
        "BAD_REQUEST",
        "GRAPHQL_PARSE_FAILED",
        "RATE_LIMITED",
    ]


async def test_a_websocket_stays_open_when_too_much_is_asked_over_it(busy: Shop) -> None:
    async with connected(busy.app, {"Authorization": f"Bearer {busy.token(Role.ANALYST)}"}) as client:
        await client.begin()
        kinds = []
        # The connection was the first of the three.
        for number in range(3):
            client.subscribe(str(number), NAME)
            kinds.append(await client.read())
            if number < 2:
                assert (await client.read())["type"] == "complete"
        client.send({"type": "ping"})

        assert [message["type"] for message in kinds] == ["next", "next", "error"]
        assert kinds[2]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert (await client.read())["type"] == "pong"


async def test_without_redis_requests_are_let_through_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        rates = Rates(bounds("member=1/minute"), redis_url=f"redis://127.0.0.1:{port}/0")
        with caplog.at_level(logging.WARNING, "laurel.limits"):
            standings: list[Standing | None] = [await rates.admit(ANNA, "") for _ in range(3)]
        await rates.aclose()

    assert standings == [None, None, None]
    assert len(caplog.records) == 1
    assert "no rate is limited" in caplog.text


@pytest.mark.skipif("LAUREL_TEST_REDIS" not in os.environ, reason="LAUREL_TEST_REDIS is not set")
async def test_processes_count_together_in_redis() -> None:
    url, caller = os.environ["LAUREL_TEST_REDIS"], Caller(Role.MEMBER, f"anna {uuid4()}", "1")
    one, other = (Rates(bounds("member=3 cost/minute"), redis_url=url) for _ in range(2))
    try:
        standing = await one.admit(caller, "")
        await one.charge(standing, 3)

        assert standing is not None
        assert (standing.used, 58 < standing.seconds_left <= 60) == (3, True)
        with pytest.raises(RequestFailed):
            await other.admit(caller, "")
    finally:
        await one.aclose()
        await other.aclose()


@pytest.mark.parametrize(
    "text", ["member", "member=", "anna=1/minute", "member=0/minute", "member=1/week", "member=-1"]
)
def test_a_rate_that_cannot_be_meant_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate such as|begin with a role"):
        read_rates(text)


def test_a_rate_is_read() -> None:
    found = read_rates("member=10 cost/second, partner:till:7=none, service=5 requests/day")

    assert found["member"] == Rate(10, True, "second")
    assert found["partner:till:7"] is None
    assert found["service"] == Rate(5, False, "day")
