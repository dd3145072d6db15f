"""Numbers for Prometheus, and the page that it reads them from.

Labels are bounded: an operation counts under its name, and under "other" once there are a hundred of them.
"""

import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from os import environ
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from graph.laurel import Laurel

NAMES_MAX: Final = 100
MULTIPLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one server put their numbers together."""

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 512, 1_000, 5_000)

Values = Mapping[str, float] | float
Ask = Callable[[], Awaitable[Values] | Values]


class Metrics:
    """The numbers of one process, or of all that serve together."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._names: set[str] = set()
        self._gauges: list[tuple[str, str, str, Ask]] = []
        self.requests = Counter(
            "laurel_requests", "Operations that were answered.", ("operation", "kind"), registry=registry
        )
        self.seconds = Histogram(
            "laurel_request_seconds", "How long they took.", ("operation",), buckets=_SECONDS, registry=registry
        )
        self.statements = Histogram(
            "laurel_request_statements",
            "The database's statements that they waited for, without those of batches.",
            ("operation",),
            buckets=_COUNTS,
            registry=registry,
        )
        self.cost = Histogram("laurel_request_cost", "What they were priced at.", buckets=_COUNTS, registry=registry)
        self.plans = Counter(
            "laurel_plans", "Operations by what answered them: a plan, or the executor.", ("way",), registry=registry
        )
        self.errors = Counter("laurel_errors", "Top-level errors.", ("code",), registry=registry)
        self.responses = Counter("laurel_http_responses", "HTTP answers.", ("status",), registry=registry)
        self.sockets = Gauge(
            "laurel_websockets", "WebSockets that are open.", registry=registry, multiprocess_mode="livesum"
        )
        self.batch_size = Histogram(
            "laurel_batch_operations", "Operations in a batch of the committer.", buckets=_COUNTS, registry=registry
        )
        self.batch_wait = Histogram(
            "laurel_batch_wait_seconds", "How long its first was in the queue.", buckets=_SECONDS, registry=registry
        )
        self.batch_seconds = Histogram(
            "laurel_batch_seconds", "How long it took, with its commit.", buckets=_SECONDS, registry=registry
        )

    def gauge_from(self, name: str, about: str, ask: Ask, *, label: str = "") -> None:
        """A number that is asked for when Prometheus is: ``ask`` gives it, or awaits it; by ``label``, several of them.

        What fails is left out, so that one number does not take the others away.
        """
        self._gauges.append((name, about, label, ask))

    def name_of(self, operation: str) -> str:
        """Under which label an operation counts."""
        if not operation:
            return "unnamed"
        if operation not in self._names:
            if len(self._names) >= NAMES_MAX:
                return "other"
            self._names.add(operation)
        return operation

    def answered(self, operation: str, kind: str, seconds: float, statements: int) -> None:
        """Count an operation that was executed."""
        name = self.name_of(operation)
        self.requests.labels(name, kind).inc()
        self.seconds.labels(name).observe(seconds)
        self.statements.labels(name).observe(statements)

    def committed(self, operations: int, waited: float, seconds: float) -> None:
        """Count a batch."""
        self.batch_size.observe(operations)
        self.batch_wait.observe(waited)
        self.batch_seconds.observe(seconds)

    async def page(self) -> bytes:
        """All numbers in Prometheus's text format."""
        families = [family for gauge in self._gauges if (family := await _asked(*gauge)) is not None]
        registry = self._registry
        if MULTIPLE in environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(_Families(families))
        return generate_latest(registry) + generate_latest(asked)


def ask_laurel(metrics: Metrics, laurel: Laurel) -> None:
    """Let the page tell what Laurel knows of itself: its queue, the outbox, its jobs."""

    async def outbox() -> float:
        ((rows,),) = await laurel.store.reader().query("SELECT COUNT(*) FROM outbox")
        return float(rows)

    async def flags() -> float:
        ((rows,),) = await laurel.store.reader().query("SELECT COUNT(*) FROM flag WHERE state = 'open'")
        return float(rows)

    metrics.gauge_from(
        "laurel_queue_operations", "Operations in this process's queue.", lambda: laurel.committer.waiting
    )
    metrics.gauge_from("laurel_outbox_events", "Events that somebody has still to hear.", outbox)
    metrics.gauge_from("laurel_open_flags", "Flags that somebody has still to look at.", flags)
    metrics.gauge_from("laurel_job_lag_seconds", "For how long a job has been due.", laurel.jobs.lags, label="job")


class _Families(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


async def _asked(name: str, about: str, label: str, ask: Ask) -> Metric | None:
    family = GaugeMetricFamily(name, about, labels=[label] if label else None)
    try:
        answer = ask()
        values = await answer if isinstance(answer, Awaitable) else answer
    except Exception:  # the database may be away, which is told elsewhere
        return None
    if isinstance(values, Mapping):
        for value_of, value in values.items():
            family.add_metric([value_of], value)
    else:
        family.add_metric([], values)
    return family


def metrics_page(metrics: Metrics, token: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, for whoever has the token."""
    expected = f"Bearer {token}".encode()

    async def page(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(await metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return page
