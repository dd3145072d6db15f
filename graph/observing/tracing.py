"""Traces by OpenTelemetry: a request, its root fields, the batch that performs what it does, and every statement.

Only the API is needed. What collects the spans is the SDK of whoever runs Laurel, or the extra ``otlp`` of ours, which
the standard variables ``OTEL_*`` direct.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from graphql.pyutils import AwaitableOrValue, Path
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, StatusCode, Tracer
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from core.errors import LaurelError


class NobodyTraces(LaurelError):
    """Traces are asked for, and nothing is there that would collect them."""


def open_tracer() -> Tracer:
    """What makes Laurel's spans. Raises NobodyTraces."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        _collect()
    return trace.get_tracer("laurel")


def _collect() -> None:
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise NobodyTraces("LAUREL_TRACES needs the OpenTelemetry SDK: install laurel[otlp]")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({SERVICE_NAME: "laurel"}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def sent_with(headers: Mapping[str, str]) -> Context:
    """The trace that a request belongs to, by its header ``traceparent``."""
    return propagate.extract(headers)


class TracedExecution(StrawberryGraphQLCoreExecutionContext):
    """Executes a request with a span for each of its root fields."""

    def execute_field(
        self, parent_type: Any, source: Any, field_details_list: Any, path: Path, position_context: Any
    ) -> AwaitableOrValue[Any]:
        if path.prev is not None:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        name = f"{parent_type.name}.{field_details_list[0].node.name.value}"
        span = trace.get_tracer("laurel").start_span(name)
        with trace.use_span(span, end_on_exit=False):
            result = super().execute_field(parent_type, source, field_details_list, path, position_context)
        if optimized_is_awaitable(result):
            return _traced(span, result)
        span.end()
        return result


async def _traced(span: Span, result: Any) -> Any:
    with trace.use_span(span, end_on_exit=True, record_exception=False):
        return await result


def failed(span: Span, codes: list[str]) -> None:
    """Say of a span what went wrong: the code, never the message."""
    span.set_status(StatusCode.ERROR, ", ".join(codes))
