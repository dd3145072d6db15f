"""The one who watches: told of every request, operation, batch and statement, and passes on what was asked for."""

from collections.abc import Awaitable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from logging import INFO, getLogger
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Self

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Tracer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.store.watching import statements_watched
from graph.context import Context
from graph.laurel import Laurel
from graph.observing.logs import logger_named
from graph.observing.metrics import Metrics, ask_laurel
from graph.observing.tracing import TracedExecution, failed, open_tracer, sent_with
from graph.observing.trail import TRAIL, Trail, note_errors
from graph.settings import Settings

if TYPE_CHECKING:
    from graph.transport.execution import Answer, Prepared

log = logger_named("laurel.requests")
# Asked whether it would write at all, as each request is.
_logger: Final = getLogger("laurel.requests")

LINKS_MAX: Final = 32
_NOTHING: Final = nullcontext()
_UNSEEN: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by machines."""


class Observer:
    """Watches one application. Entered, it is told of every statement of the process."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics() if settings.metrics_token else None
        self.tracer: Tracer | None = open_tracer() if settings.traces else None
        self.executor = TracedExecution if self.tracer is not None else None
        self._slow = settings.slow_ms / 1000

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Who watches by these settings; None where nobody is to."""
        wanted = settings.metrics_token or settings.traces or settings.slow_ms or settings.log_level == "info"
        return cls(settings) if wanted else None

    @contextmanager
    def watching(self, laurel: Laurel) -> Iterator[None]:
        """Watch this Laurel's batches, and every statement of the process."""
        if self.metrics is None and self.tracer is None:
            yield
            return
        laurel.committer.watch = self
        if self.metrics is not None:
            ask_laurel(self.metrics, laurel)
        try:
            with statements_watched(self.statement):
                yield
        finally:
            laurel.committer.watch = None

    # -- operations -------------------------------------------------------------------------------

    @property
    def keeps_trails(self) -> bool:
        """Whether something is told of every request, and not only of what was slow."""
        return self.metrics is not None or self.tracer is not None or _logger.isEnabledFor(INFO)

    def operation(
        self, prepared: "Prepared", context: Context, work: Awaitable["Answer"]
    ) -> Coroutine[Any, Any, "Answer"]:
        """The answer of an operation, watched while it is executed."""
        return (self._followed if self.keeps_trails else self._timed)(prepared, context, work)

    async def _timed(self, prepared: "Prepared", context: Context, work: Awaitable["Answer"]) -> "Answer":
        begun = perf_counter()
        answer = await work
        seconds = perf_counter() - begun
        if seconds > self._slow > 0:
            trail = Trail()
            _follow(trail, prepared, context)
            trail.codes += [error["extensions"]["code"] for error in answer.errors]
            _tell_slow(trail, seconds)
        return answer

    async def _followed(self, prepared: "Prepared", context: Context, work: Awaitable["Answer"]) -> "Answer":
        trail = TRAIL.get()
        alone = trail is None or trail.in_socket
        if trail is None or alone:
            trail = Trail(count=self.count)
            TRAIL.set(trail)
        _follow(trail, prepared, context)
        begun, statements = perf_counter(), trail.statements
        answer = await work
        if answer.errors:
            note_errors(answer.errors)
        seconds = perf_counter() - begun
        if self.metrics is not None:
            self.metrics.answered(trail.operation, trail.kind, seconds, trail.statements - statements)
            self.metrics.cost.observe(prepared.charge.requested)
        if seconds > self._slow > 0:
            _tell_slow(trail, seconds)
        if self.tracer is not None:
            _describe(trace.get_current_span(), trail)
        if alone:
            log.info("operation", milliseconds=round(seconds * 1000, 1), **_said(trail))
        return answer

    def executed(self, way: str) -> None:
        """Count who has answered an operation: a plan, the executor, or the executor after a plan was surprised."""
        if self.metrics is not None:
            self.metrics.plans.labels(way).inc()

    def count(self, code: str) -> None:
        """Count a top-level error."""
        if self.metrics is not None:
            self.metrics.errors.labels(code).inc()

    # -- batches and statements -------------------------------------------------------------------

    def origin(self) -> SpanContext | None:
        """The span in which an operation is handed in."""
        return None if self.tracer is None else trace.get_current_span().get_span_context()

    @contextmanager
    def batch(self, origins: Sequence[SpanContext | None], waited: float) -> Iterator[None]:
        """A batch: below the first request that it is for, and linked to the others."""
        begun = perf_counter()
        with self._batch_span(origins):
            yield
        if self.metrics is not None:
            self.metrics.committed(len(origins), waited, perf_counter() - begun)

    def _batch_span(self, origins: Sequence[SpanContext | None]) -> AbstractContextManager[object]:
        if self.tracer is None:
            return _NOTHING
        known = list({one.span_id: one for one in origins if one is not None and one.is_valid}.values())
        parent = trace.set_span_in_context(trace.NonRecordingSpan(known[0])) if known else None
        return self.tracer.start_as_current_span(
            "commit",
            context=parent,
            attributes={"laurel.operations": len(origins)},
            links=[Link(one) for one in known[1:LINKS_MAX]],
        )

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """A statement of the database. Its values do not stand in its text."""
        trail = TRAIL.get()
        if trail is not None:
            trail.statements += 1
        if self.tracer is None:
            return _NOTHING
        attributes = {"db.query.text": sql}
        return self.tracer.start_as_current_span(
            sql.split(maxsplit=1)[0], kind=SpanKind.CLIENT, attributes=attributes, record_exception=False
        )


class Watched:
    """The application, with every request watched."""

    def __init__(self, app: ASGIApp, observer: Observer) -> None:
        self._app = app
        self._observer = observer
        self._metrics = observer.metrics
        self._tracer = observer.tracer

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket":
            return self._socket(scope, receive, send)
        if scope["type"] == "http" and self._observer.keeps_trails and scope["path"] not in _UNSEEN:
            return self._request(scope, receive, send)
        return self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        trail, status = Trail(count=self._observer.count), 0

        async def answered(message: Message) -> None:
            nonlocal status
            if "status" in message:
                status = message["status"]
                trail.request_id = trail.request_id or Headers(raw=message["headers"]).get("x-request-id", "")
            await send(message)

        token = TRAIL.set(trail)
        try:
            with self._request_span(scope) as span:
                await self._app(scope, receive, answered)
                if span is not None:
                    span.set_attribute("http.response.status_code", status)
                    if trail.codes:
                        failed(span, trail.codes)
        finally:
            TRAIL.reset(token)
            if self._metrics is not None:
                self._metrics.responses.labels(str(status)).inc()
            if _logger.isEnabledFor(INFO):
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round(trail.seconds * 1000, 1),
                    **_said(trail),
                )

    def _request_span(self, scope: Scope) -> AbstractContextManager[Span | None]:
        if self._tracer is None:
            return _NOTHING
        return self._tracer.start_as_current_span(
            f"{scope['method']} {scope['path']}",
            context=sent_with(Headers(raw=scope["headers"])),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"], "url.path": scope["path"]},
        )

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        trail = Trail(count=self._observer.count, in_socket=True)
        token = TRAIL.set(trail)
        if self._metrics is not None:
            self._metrics.sockets.inc()
        try:
            await self._app(scope, receive, send)
        finally:
            if self._metrics is not None:
                self._metrics.sockets.dec()
            TRAIL.reset(token)
            log.info("socket closed", path=scope["path"], milliseconds=round(trail.seconds * 1000), **_said(trail))


def _follow(trail: Trail, prepared: "Prepared", context: Context) -> None:
    """Note what is executed, and for whom."""
    trail.request_id = context.request_id
    trail.operation = prepared.operation.name.value if prepared.operation.name else ""
    trail.kind = prepared.kind.value
    trail.document = prepared.document.sha256
    trail.role = str(context.caller.role) if context.caller is not None else ""


def _tell_slow(trail: Trail, seconds: float) -> None:
    log.warning("slow operation", **_said(trail), milliseconds=round(seconds * 1000))


def _said(trail: Trail) -> dict[str, Any]:
    """What the log says of a request."""
    said: dict[str, Any] = {"request_id": trail.request_id}
    if trail.document:
        said |= {"operation": trail.operation, "kind": trail.kind, "document": trail.document}
    if trail.role:
        said["role"] = trail.role
    if trail.statements:
        said["statements"] = trail.statements
    if trail.codes:
        said["errors"] = trail.codes
    return said


def _describe(span: Span, trail: Trail) -> None:
    span.set_attributes(
        {
            "graphql.operation.name": trail.operation,
            "graphql.operation.type": trail.kind,
            "laurel.document": trail.document,
            "laurel.request_id": trail.request_id,
            "laurel.role": trail.role,
        }
    )
