"""A shop that is watched: what Prometheus reads, what OpenTelemetry collects, and what the log does not tell."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Annotated, Any, Final

import pytest
import strawberry
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graph.context import Info
from graph.ids import read_id
from graph.observing.logs import configure
from graph.observing.metrics import NAMES_MAX, Metrics
from graph.permissions import EVERYONE, query
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.conftest import PROGRAMME

TOKEN: Final = "prometheus shows this"
MEMBERS: Final = "query Everybody($filter: MembersFilter) { members(filter: $filter) { nodes { externalId } } }"
MAIL: Final = "anna@example.com"


@strawberry.type
class Defective:
    """What nobody offers."""

    @query(allow=EVERYONE)
    async def defect(
        self, info: Info, about: Annotated[str, strawberry.argument(description="What it is about.")]
    ) -> str:
        """Something that fails, and says what it was about."""
        raise RuntimeError(f"Key (external_id)=({about}) exists; {MAIL}; {info.context.request_id}")


Open = Callable[..., AbstractAsyncContextManager[Shop]]


@pytest.fixture
def watched(sqlite_folder: SqliteFolder, apps: Apps) -> Open:
    """Opens a shop that is watched as variables of the environment say."""

    @asynccontextmanager
    async def opened(**variables: str) -> AsyncIterator[Shop]:
        url = sqlite_folder.migrated(apps)
        names = {f"LAUREL_{name.upper()}": value for name, value in variables.items()}
        async with open_shop(url, PROGRAMME, plugins=Plugins(queries=(Defective,)), variables=names) as shop:
            yield shop
        sqlite_folder.done(url)

    return opened


async def numbers(shop: Shop) -> dict[str, float]:
    """What the page says, by name and labels."""
    page = await shop.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in page.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


# -- metrics ------------------------------------------------------------------------------------------


async def test_prometheus_counts_operations_errors_batches_and_statements(watched: Open) -> None:
    async with watched(metrics_token=TOKEN) as shop:
        anna = await shop.enrol("anna")
        await shop.ask(MEMBERS)
        await shop.ask("{ programme { version } }")
        await shop.post("query Mine { viewer { role } }", role=None)
        await shop.post("query Wrong { nothing }")
        refused = await shop.client.get("/metrics", headers={"Authorization": "Bearer something else"})
        said = await numbers(shop)

    assert (refused.status_code, "laurel" in refused.text) == (401, False)
    assert anna not in str(said)
    assert {name: said[name] for name in said if name.startswith(("laurel_requests_total", "laurel_errors_total"))} == {
        'laurel_requests_total{kind="mutation",operation="unnamed"}': 1,
        'laurel_requests_total{kind="query",operation="Everybody"}': 1,
        'laurel_requests_total{kind="query",operation="unnamed"}': 1,
        'laurel_requests_total{kind="query",operation="Mine"}': 1,
        'laurel_errors_total{code="UNAUTHENTICATED"}': 1,
        'laurel_errors_total{code="GRAPHQL_VALIDATION_FAILED"}': 1,
    }
    assert said['laurel_request_statements_sum{operation="Everybody"}'] == 1
    assert said["laurel_batch_operations_sum"] == said["laurel_batch_operations_count"] == 1
    assert said["laurel_batch_wait_seconds_count"] == said["laurel_batch_seconds_count"] == 1
    assert said["laurel_request_cost_count"] == 4
    assert said["laurel_queue_operations"] == said["laurel_outbox_events"] == said["laurel_websockets"] == 0
    assert any(name.startswith("laurel_job_lag_seconds{job=") for name in said)


async def test_without_a_token_for_it_there_is_no_page(watched: Open) -> None:
    async with watched() as shop:
        assert (await shop.client.get("/metrics")).status_code == 404


def test_names_of_operations_are_bounded() -> None:
    metrics = Metrics()

    names = [metrics.name_of(f"Operation{number}") for number in range(NAMES_MAX + 5)]

    assert names[NAMES_MAX - 1 :] == [f"Operation{NAMES_MAX - 1}", *["other"] * 5]
    assert metrics.name_of("Operation7") == "Operation7"


async def test_a_number_that_cannot_be_had_takes_no_other_away() -> None:
    metrics = Metrics()

    async def away() -> float:
        raise OSError("away")

    metrics.gauge_from("laurel_away", "Not there.", away)
    metrics.gauge_from("laurel_there", "There.", lambda: {"a": 1, "b": 2.5}, label="which")

    page = (await metrics.page()).decode()

    assert "laurel_away" not in page
    assert 'laurel_there{which="a"} 1.0\nlaurel_there{which="b"} 2.5\n' in page


# -- traces -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def collected() -> InMemorySpanExporter:
    """All spans of this process: it has one provider for ever."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


async def test_a_trace_leads_from_the_request_to_the_statements_of_its_batch(
    watched: Open, collected: InMemorySpanExporter
) -> None:
    theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with watched(traces="yes") as shop:
        collected.clear()
        answer = await shop.client.post(
            "/graphql",
            json={
                "query": "mutation Enrol($input: EnrolMemberInput!) { enrolMember(input: $input) { replayed } }",
                "variables": {"input": {"externalId": "anna", "idempotencyKey": "1"}},
            },
            headers={"Authorization": f"Bearer {shop.token()}", "traceparent": f"00-{theirs}-00f067aa0ba902b7-01"},
        )
    assert answer.json()["data"] == {"enrolMember": {"replayed": False}}
    spans = [span for span in collected.get_finished_spans() if f"{span.context.trace_id:032x}" == theirs]
    by_id = {span.context.span_id: span for span in spans}

    def path(span: ReadableSpan) -> list[str]:
        above = by_id.get(span.parent.span_id) if span.parent else None
        return [*(path(above) if above else []), span.name]

    paths = [path(span) for span in spans]
    way = ["POST /graphql", "Mutation.enrolMember", "commit"]
    assert way in paths
    assert [*way, "INSERT"] in paths
    request = next(span for span in spans if span.name == "POST /graphql")
    attributes = dict(request.attributes or {})
    assert attributes["graphql.operation.name"] == "Enrol"
    assert attributes["laurel.request_id"] == answer.headers["x-request-id"]
    assert attributes["http.response.status_code"] == 200
    assert "anna" not in str([span.to_json() for span in spans])


# -- the log ------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log of this process, as JSON."""
    root, written = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure("json", "info")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)


async def test_where_only_what_is_slow_is_told_it_is_told_with_its_facts(
    watched: Open, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger().setLevel("WARNING")
    async with watched() as shop:
        await shop.ask(MEMBERS)
        assert lines.getvalue() == ""
        monkeypatch.setattr("graph.observing.observer.perf_counter", count(step=2).__next__)
        await shop.post('query Fails { defect(about: "tea") }')
    events = [json.loads(line) for line in lines.getvalue().splitlines()]
    (slow,) = [event for event in events if event["event"] == "slow operation"]
    assert (slow["operation"], slow["kind"], slow["role"]) == ("Fails", "query", "service")
    assert (slow["errors"], slow["milliseconds"]) == (["INTERNAL_SERVER_ERROR"], 2_000)


async def test_the_log_tells_what_happened_and_to_nobody_whom(watched: Open, lines: io.StringIO) -> None:
    async with watched(log_level="info", slow_ms="1", traces="yes", metrics_token=TOKEN) as shop:
        anna = await shop.enrol("anna-1957")
        await shop.give(anna, 100, "a-key-of-ours")
        await shop.ask(MEMBERS, {"filter": {"externalId": {"eq": "anna-1957"}}})
        await shop.ask("{ viewer { member { externalId } } }", member=anna)
        failed = await shop.post("query Fails($a: String!) { defect(about: $a) }", {"a": "anna-1957"})
        await shop.post("{ viewer { role } }", {"mail": MAIL}, role=None)
        await shop.client.post("/graphql", content=b"rubbish of anna-1957", headers={"Authorization": "Bearer x.y.z"})
        tokens = [shop.token(role, read_id(anna)[1] if role is Role.MEMBER else None) for role in Role]
    written = lines.getvalue()
    events: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]

    secret = [*tokens, *(token.split(".")[1] for token in tokens), "anna-1957", MAIL, anna, "a-key-of-ours", TOKEN]
    assert [word for word in secret if word in written] == []
    assert read_id(anna)[1] not in written
    requests = [event for event in events if event["event"] == "request"]
    assert len(requests) == 7
    assert all(re.fullmatch(r"[0-9a-f-]{36}", event["request_id"]) for event in requests)
    mine = next(event for event in requests if event.get("operation") == "Everybody")
    assert (mine["role"], mine["kind"], mine["status"], len(mine["document"])) == ("service", "query", 200, 64)
    (request_id,) = {error["extensions"]["requestId"] for error in failed["errors"]}
    (defect,) = [event for event in events if request_id in event["event"]]
    assert "RuntimeError: Key (external_id)=([struck out]) exists; [struck out]" in defect["exception"]
    slow = [event for event in events if event["event"] == "slow operation"]
    assert slow
    assert set(slow[0]) <= {
        *("event", "level", "logger", "timestamp", "request_id", "operation", "kind", "document", "role"),
        *("statements", "milliseconds", "errors"),
    }
