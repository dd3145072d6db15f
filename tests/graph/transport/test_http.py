import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx
import pytest
import strawberry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Overloaded, Unavailable
from graph.testing import Shop, open_shop
from graph.transport import execution, http
from graph.transport.failures import _CAMEL, Failure
from graph.vocabulary import EVERYONE, Info, Payload, mutation, query
from plugins.manager import Plugins
from tests.serving import served

JSON = {"Content-Type": "application/json"}
GUIDE = Path(__file__).parents[3] / "docs" / "transport.md"
GRAPHQL_JSON = "application/graphql-response+json"


@strawberry.type
class Strict:
    """A query of a plugin with an argument that cannot be null."""

    @query(allow=EVERYONE)
    async def echo(
        self, info: Info, number: Annotated[strawberry.Maybe[int], strawberry.argument(description="Any number.")]
    ) -> int:
        """The number, or 0."""
        return 0 if number is None else number.value


@strawberry.type
class Brittle:
    """Queries that go wrong."""

    @query(allow=EVERYONE)
    async def defect(self, info: Info) -> int:
        """Divides by nothing."""
        return 1 // len("")

    @query(allow=EVERYONE)
    async def wrong_type(self, info: Info) -> int:
        """Answers what is no Int."""
        answer: Any = "the password is 1234"
        return answer  # type: ignore[no-any-return]  # the point of it

    @query(allow=EVERYONE)
    async def busy(self, info: Info) -> int:
        """Is asked too much."""
        raise Overloaded("10000 operations are waiting; send it again later")

    @query(allow=EVERYONE)
    async def lost(self, info: Info) -> int:
        """Is cut off."""
        raise ConnectionResetError("postgres://root:1234@db.example is gone")


@pytest.fixture
async def brittle(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, None, plugins=Plugins(queries=(Brittle,))) as shop:
        yield shop


@strawberry.type
class Slow:
    """What takes long, as a query and as a mutation."""

    became: ClassVar[list[str]] = []
    begun: ClassVar[asyncio.Event]
    ended: ClassVar[asyncio.Event]

    @query(allow=EVERYONE)
    async def query_slowly(self, info: Info) -> int:
        """Takes its time."""
        Slow.begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            Slow.became.append("query given up")
            Slow.ended.set()
            raise
        return 1


@strawberry.input
class MutateSlowlyInput:
    """Nothing much."""

    seconds: float = strawberry.field(description="How long it takes.")
    idempotency_key: str = strawberry.field(description="Any text.")


@strawberry.type
class MutateSlowlyPayload(Payload):
    """What became of it."""


@strawberry.type
class SlowMutations:
    """A mutation that takes long."""

    @mutation(allow=EVERYONE)
    async def mutate_slowly(self, info: Info, input: MutateSlowlyInput) -> MutateSlowlyPayload:
        """Takes its time."""
        Slow.begun.set()
        await asyncio.sleep(input.seconds)
        Slow.became.append("mutation done")
        Slow.ended.set()
        return MutateSlowlyPayload(replayed=False)


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Shop]:
    Slow.became, Slow.begun, Slow.ended = [], asyncio.Event(), asyncio.Event()
    plugins = Plugins(queries=(Slow,), mutations=(SlowMutations,))
    async with open_shop(tmp_path, None, plugins=plugins) as shop:
        yield shop


@pytest.fixture
async def drafted(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, None, plugins=Plugins(), variables={"LAUREL_HTTP_STATUS": "draft"}) as shop:
        yield shop


def bearer(shop: Shop) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.token()}"}


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, None, plugins=Plugins(queries=(Strict,))) as shop:
        yield shop


PAGE = "{ members(first: 100) { nodes { id } } }"
FOLLOW = 'subscription { memberProgress(by: {externalId: "anna"}) { id } }'
ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dictionaries(st.text(max_size=5), st.none())
FRAGMENTS = "".join(f"fragment f{n} on Viewer {{ ...f{n + 1} }} " for n in range(600))
CHAIN = f'{{"query": "{{ viewer {{ ...f0 }} }} {FRAGMENTS} fragment f600 on Viewer {{ role }}"}}'.encode()


def code(answer: Any) -> str:
    assert list(answer) == ["errors"], answer
    (error,) = answer["errors"]
    assert error["extensions"]["requestId"]
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "BAD_REQUEST"),
        (b"{", "BAD_REQUEST"),
        (b"1", "INVALID_PARAMETERS"),
        (b"null", "INVALID_PARAMETERS"),
        (b'"x"', "INVALID_PARAMETERS"),
        (b"[[]]", "INVALID_PARAMETERS"),
        (b'[{"query": "{ __typename }"}]', "INVALID_PARAMETERS"),
        (b"{}", "INVALID_PARAMETERS"),
        (b'{"query": null}', "INVALID_PARAMETERS"),
        (b'{"query": 1}', "INVALID_PARAMETERS"),
        (b'{"query": "  "}', "INVALID_PARAMETERS"),
        (b'{"query": "{ __typename }", "variables": []}', "INVALID_PARAMETERS"),
        (b'{"query": "{ __typename }", "variables": "{}"}', "INVALID_PARAMETERS"),
        (b'{"query": "{ __typename }", "operationName": {}}', "INVALID_PARAMETERS"),
        (b'{"query": "{ __typename }", "operationName": "nobody"}', "OPERATION_RESOLUTION_FAILURE"),
        (b'{"query": "query a { __typename } query b { __typename }"}', "OPERATION_RESOLUTION_FAILURE"),
        (b'{"query": "fragment f on Query { __typename }"}', "GRAPHQL_VALIDATION_FAILED"),
        (b'{"query": "\xff\xfe"}', "BAD_REQUEST"),
        (b'{"query": "\\ud800"}', "BAD_REQUEST"),
        (b"[" * 100_000, "BAD_REQUEST"),
        (b'{"query": ' + b"9" * 100_000 + b"}", "BAD_REQUEST"),
        (b'{"query": "{"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query": "' + b"{a" * 20_000 + b'"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query": "{ ' + b"a " * 6_000 + b'}"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query": "{ nobody }"}', "GRAPHQL_VALIDATION_FAILED"),
        (b'{"query": "' + b"{viewer" * 1_600 + b"}" * 1_600 + b'"}', "GRAPHQL_PARSE_FAILED"),
        (CHAIN, "MERGE_LIMIT_EXCEEDED"),
        (b'{"query": "query ($id: ID!) { node(id: $id) { id } }"}', "BAD_USER_INPUT"),
        (b'{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": {}}}', "BAD_USER_INPUT"),
    ],
    ids=lambda value: value[:40].decode(errors="replace") if isinstance(value, bytes) else None,
)
async def test_what_cannot_be_read_is_answered_with_a_code(shop: Shop, body: bytes, expected: str) -> None:
    response = await shop.client.post("/graphql", content=body, headers=JSON)
    strict = await shop.client.post("/graphql", content=body, headers=JSON | {"Accept": GRAPHQL_JSON})

    assert code(response.json()) == expected
    assert response.status_code == (400 if expected in {"BAD_REQUEST", "INVALID_PARAMETERS"} else 200)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert code(strict.json()) == expected
    assert strict.status_code == 400
    assert strict.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "headers", "content", "status", "expected"),
    [
        ("PUT", JSON, b"{}", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", {}, b"", 405, "METHOD_NOT_ALLOWED"),
        ("POST", {"Content-Type": "text/plain"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", {"Content-Type": "application/jsonp"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", {}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", {"Content-Type": "application/json; a=b; charset=latin1"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", {"Content-Type": 'Application/JSON; a=b; Charset="UTF-8"'}, b"{}", 400, "INVALID_PARAMETERS"),
        ("POST", JSON | {"Content-Encoding": "gzip"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", JSON | {"Accept": "text/html"}, b"{}", 406, "NOT_ACCEPTABLE"),
        ("POST", JSON | {"Accept": "application/json;q=0"}, b"{}", 406, "NOT_ACCEPTABLE"),
        ("POST", JSON, b" " * 1_000_001, 413, "BODY_TOO_LARGE"),
        ("POST", JSON, b'{"query": "{ __typename } #' + b"x" * 100_000 + b'"}', 413, "DOCUMENT_TOO_LARGE"),
        ("POST", JSON | {"Authorization": "Bearer rubbish"}, b"{}", 401, "UNAUTHENTICATED"),
        ("POST", JSON | {"Authorization": "Basic YTpi"}, b"{}", 401, "UNAUTHENTICATED"),
    ],
)
async def test_what_is_not_asked_as_it_should_be_has_its_status(
    shop: Shop, method: str, headers: dict[str, str], content: bytes, status: int, expected: str
) -> None:
    response = await shop.client.request(method, "/graphql", headers=headers, content=content)

    assert response.status_code == status
    assert code(response.json()) == expected


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*;q=0.1", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, application/json", "application/json"),
        (f"text/html, {GRAPHQL_JSON};q=0.2", GRAPHQL_JSON),
    ],
)
async def test_the_answer_is_of_the_type_that_the_client_prefers(shop: Shop, accept: str | None, answered: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = await shop.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)

    assert response.json() == {"data": {"__typename": "Query"}}
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.headers["vary"] == "Accept"


async def test_a_query_may_be_sent_in_the_address_and_a_mutation_may_not(shop: Shop) -> None:
    asked = await shop.client.get(
        "/graphql", params={"query": "query a($x: ID!) { __typename }", "variables": '{"x": 1}'}
    )
    done = await shop.client.get("/graphql", params={"query": "mutation { __typename }"})
    broken = await shop.client.get("/graphql", params={"query": "{ __typename }", "variables": "{"})

    assert (asked.status_code, code(asked.json())) == (200, "GRAPHQL_VALIDATION_FAILED")
    assert (done.status_code, code(done.json()), done.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert (broken.status_code, code(broken.json())) == (400, "BAD_REQUEST")


async def test_the_named_one_of_several_operations_is_run(shop: Shop) -> None:
    document = {"query": "query a { a: __typename } query b { b: __typename }", "operationName": "b"}
    response = await shop.client.post("/graphql", json=document)

    assert response.json() == {"data": {"b": "Query"}}


@pytest.mark.parametrize("field", ["defect", "wrongType"])
async def test_a_defect_is_masked_for_clients_and_whole_in_the_log(
    brittle: Shop, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "laurel.graph"):
        answer = await brittle.post(f"{{ {field} __typename }}")

    (error,) = answer["errors"]
    request_id = error["extensions"].pop("requestId")
    assert answer["data"] == {field: None, "__typename": "Query"}
    assert error == {
        "message": "something went wrong; the log has it under the request's id",
        "locations": [{"line": 1, "column": 3}],
        "path": [field],
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    }
    (record,) = caplog.records
    assert request_id in record.getMessage()
    assert record.exc_info is not None


async def test_what_cannot_be_answered_now_has_a_code_that_says_so(brittle: Shop) -> None:
    answer = await brittle.post("{ busy }")

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "OVERLOADED"
    assert error["message"] == "10000 operations are waiting; send it again later"


async def test_a_database_that_is_away_is_told_from_a_defect(brittle: Shop) -> None:
    answer = await brittle.post("{ lost }")

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "DATABASE_UNREACHABLE"
    assert error["message"] == "the database does not answer; send it again"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("query ($number: Int) { echo(number: $number) }", "BAD_USER_INPUT"),
        ("query ($number: Int) { echo(number: null) other: echo(number: $number) }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_null_where_none_may_be_is_wrong_input_and_no_defect(
    strict: Shop, document: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "laurel.graph"):
        answer = await strict.post(document, {"number": None})

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == expected
    assert "null" in error["message"]
    assert caplog.records == []


async def test_one_way_to_name_a_member_is_given_and_is_not_null(shop: Shop) -> None:
    named = "query ($by: MemberByInput!) { member(by: $by) { id } }"
    variables: list[dict[str, str | None]] = [
        {},
        {"id": None},
        {"id": "a", "externalId": "anna"},
        {"id": "a", "externalId": None},
    ]
    for by in variables:
        assert code(await shop.post(named, {"by": by})) == "BAD_USER_INPUT"
    for text in ("{}", "{id: null}", '{id: "a", externalId: null}'):
        assert code(await shop.post(f"{{ member(by: {text}) {{ id }} }}")) == "GRAPHQL_VALIDATION_FAILED"


async def test_answers_are_kept_by_no_cache(shop: Shop) -> None:
    response = await shop.client.post("/graphql", json={"query": "{ __typename }"})

    assert response.headers["cache-control"] == "no-store"


async def test_the_id_of_a_request_is_in_its_header_and_in_its_errors(shop: Shop) -> None:
    response = await shop.client.post("/graphql", json={"query": "{ viewer { role } }"})

    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": response.headers["x-request-id"]}


async def test_requests_come_one_at_a_time(shop: Shop) -> None:
    response = await shop.client.post("/graphql", json=[{"query": "{ __typename }"}])

    assert (response.status_code, code(response.json())) == (400, "INVALID_PARAMETERS")


async def test_requests_come_as_a_list_where_a_setting_says_so_and_cost_what_one_may(tmp_path: Path) -> None:
    many = [{"query": "{ viewer { role } }"}, {"query": "{ nobody }"}, {"query": FOLLOW}, 1, *[{"query": PAGE}] * 3]
    variables = {"LAUREL_BATCH_MAX": "7", "LAUREL_COSTS": "service=250"}
    async with open_shop(tmp_path, None, plugins=Plugins(), variables=variables) as shop:
        response = await shop.client.post("/graphql", json=many, headers=bearer(shop))
        refused = [await shop.client.post("/graphql", json=wrong) for wrong in ([], many + many)]

    answers = response.json()
    assert answers[0]["data"] == {"viewer": {"role": "service"}}
    expected = ["GRAPHQL_VALIDATION_FAILED", "INVALID_PARAMETERS", "INVALID_PARAMETERS"]
    assert [code(answer) for answer in answers[1:4]] == expected
    assert [next(iter(answer)) for answer in answers[4:]] == ["data", "data", "errors"]
    assert code(answers[6]) == "COST_LIMIT_EXCEEDED"
    assert [(answer.status_code, code(answer.json())) for answer in refused] == [(400, "INVALID_PARAMETERS")] * 2


@pytest.mark.parametrize(
    ("body", "accept", "status"),
    [
        ("{", GRAPHQL_JSON, 400),
        ("{}", GRAPHQL_JSON, 422),
        ('{"query": "{"}', GRAPHQL_JSON, 400),
        ('{"query": "{ nobody }"}', GRAPHQL_JSON, 422),
        ('{"query": "query a { __typename } query b { __typename }"}', GRAPHQL_JSON, 422),
        ('{"query": "query ($id: ID!) { node(id: $id) { id } }"}', GRAPHQL_JSON, 422),
        ('{"query": "{ viewer { role } }"}', GRAPHQL_JSON, 294),
        ('{"query": "{ viewer { role } }"}', "application/json", 200),
        ('{"query": "{ nobody }"}', "application/json", 200),
    ],
)
async def test_the_statuses_of_the_newest_draft_where_a_setting_says_so(
    drafted: Shop, body: str, accept: str, status: int
) -> None:
    response = await drafted.client.post("/graphql", content=body, headers=JSON | {"Accept": accept})

    assert response.status_code == status


async def test_a_query_is_given_up_when_its_client_has_gone_and_a_mutation_is_not(
    slow: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "LONG_SECONDS", 0.01)
    async with served(slow.app) as address, httpx.AsyncClient(base_url=address) as client:
        for document in (
            "{ querySlowly }",
            'mutation { mutateSlowly(input: {seconds: 0.5, idempotencyKey: "s"}) { replayed } }',
        ):
            asking = asyncio.create_task(client.post("/graphql", json={"query": document}, headers=bearer(slow)))
            async with asyncio.timeout(60):
                await Slow.begun.wait()
                asking.cancel()
                await asyncio.wait([asking])
                await Slow.ended.wait()
            Slow.begun.clear()
            Slow.ended.clear()

    assert Slow.became == ["query given up", "mutation done"]


BODIES = st.one_of(
    st.binary(max_size=50),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"query": st.sampled_from(["{ __typename }", "query a { __typename }", "{", "{ nobody }", FOLLOW]) | ANY},
        optional={"variables": ANY, "operationName": ANY, "extensions": ANY, "documentId": ANY},
    ).map(lambda value: json.dumps(value).encode()),
)
HEADERS = st.fixed_dictionaries(
    {"Content-Type": st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ";;"])},
    optional={
        "Accept": st.sampled_from(["*/*", GRAPHQL_JSON, "text/event-stream", ",;q=", "a/b;q=x, */*;q=0.1", "q=1"]),
        "Authorization": st.sampled_from(["Bearer", "Bearer a.b.c", "Basic YTpi", ""]),
        "Content-Encoding": st.sampled_from(["gzip", "identity"]),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, headers=HEADERS)
async def test_no_body_makes_a_defect(
    shop: Shop, caplog: pytest.LogCaptureFixture, body: bytes, headers: dict[str, str]
) -> None:
    response = await shop.client.post("/graphql", content=body, headers=headers)

    assert response.status_code < 500
    if response.headers["content-type"].startswith("text/event-stream"):
        assert "event: complete" in response.text
    else:
        answer = response.json()
        assert "data" in answer or all(error["extensions"]["code"] for error in answer["errors"])
    assert caplog.records == []


async def test_a_body_that_does_not_come_is_not_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"query":'
        await asyncio.sleep(1)

    response = await shop.client.post("/graphql", content=slowly(), headers=JSON)

    assert (response.status_code, code(response.json())) == (408, "REQUEST_TIMEOUT")


def test_every_code_is_in_the_list_and_the_list_is_in_the_guide() -> None:
    unavailable = {_CAMEL.sub("_", kind.__name__).upper() for kind in Unavailable.__subclasses__()}
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d+)(?: \((\d+)\))? \| (.+) \|$", GUIDE.read_text(), re.MULTILINE)

    assert unavailable <= {failure.name for failure in Failure}
    assert [(name, int(status), int(draft or status)) for name, status, draft, _ in rows] == [
        (failure.name, failure.status, failure.draft_status) for failure in Failure
    ]
    assert [f"{meaning}." for *_, meaning in rows] == [f.meaning[0].lower() + f.meaning[1:] for f in Failure]


async def test_health_says_whether_the_process_lives_and_its_database_answers(shop: Shop) -> None:
    live = await shop.client.get("/health/live")
    ready = await shop.client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "waiting": 0})
