"""Traces sent with OTLP over HTTP; the extra `otel` installs what this module needs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service_kit.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from opentelemetry.context import Context

TRACES_PATH = "/v1/traces"
_NANOSECONDS = 1_000_000_000
_propagator = TraceContextTextMapPropagator()


class OtlpTracing(Tracing):
    """Spans of this service, sent in the background; a collector that is away holds nothing up."""

    def __init__(self, service: str, endpoint: str) -> None:
        """`endpoint`: the collector's URL, as http://collector:4318."""
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}{TRACES_PATH}")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("fillproof")
        self.middlewares = (NatsTelemetryMiddleware(tracer_provider=self._provider),)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        began: datetime | None = None,
        attributes: Mapping[str, str | int] | None = None,
    ) -> Iterator[None]:
        """Open a span (see `Tracing`)."""
        start = None if began is None else int(began.timestamp() * _NANOSECONDS)
        with self._tracer.start_as_current_span(name, start_time=start, attributes=attributes):
            yield

    @contextmanager
    def continued(self, name: str, headers: Iterable[Mapping[str, str] | None]) -> Iterator[None]:
        """Open a span in each of the messages' traces (see `Tracing`)."""
        parents: dict[int, Context] = {}
        for some in headers:
            context = _propagator.extract(some or {})
            parents.setdefault(trace.get_current_span(context).get_span_context().trace_id, context)
        parents.pop(trace.INVALID_TRACE_ID, None)
        spans = [self._tracer.start_span(name, context=context) for context in parents.values()]
        try:
            yield
        finally:
            for span in spans:
                span.end()

    def close(self) -> None:
        """Send what was not sent yet (see `Tracing`)."""
        self._provider.shutdown()
