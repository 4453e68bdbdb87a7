"""With an endpoint configured one trace leads from the ledger's close to the committed row."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sample_events import mixed
from waiting import limit

from order_events.subjects import ORDERS_STREAM
from reconciler.adapters.event_publishers import orders_publishers
from service_kit import NO_TRACING, make_broker, make_tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_stack import Child
    from order_events import OrderEvent

    from .conftest import Bus, Tables

pytestmark = pytest.mark.stack

CLOSED = datetime(2026, 11, 22, 17, 50, tzinfo=UTC)


class Span(NamedTuple):
    """What a service sent of a span."""

    service: str
    name: str
    trace: bytes
    began: float
    """Seconds since 1970."""


class Collector:
    """An OTLP collector on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        kept = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.extend(spans_of(ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=attributes["service.name"],
                    name=span.name,
                    trace=span.trace_id,
                    began=span.start_time_unix_nano / 1e9,
                )


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.01,))
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def events(count: int) -> list[OrderEvent]:
    return [msgspec.structs.replace(one, occurred_at=CLOSED) for one in mixed(count)]


async def publish(nats_url: str, ledgers: list[list[OrderEvent]], endpoint: str | None) -> None:
    """Publish each ledger's events as the reconciler does."""
    tracing = make_tracing("reconciler", endpoint)
    broker = make_broker(nats_url, tracing)
    publishers = orders_publishers(broker, tracing)
    await broker.connect()
    for ledger in ledgers:
        await publishers.publish_batch(ledger)
    await broker.stop()
    await asyncio.to_thread(tracing.close)


async def stored(tables: Tables, count: int, writer: Child) -> None:
    async with asyncio.timeout(limit()):
        while await tables.count("order_event") < count:
            writer.check()
            await asyncio.sleep(0.02)


async def test_each_ledger_has_one_trace_from_its_close_to_its_committed_rows(
    start: Callable[..., Child], provisioned_nats_url: str, tables: Tables, collector: Collector
) -> None:
    everything = events(5)
    await publish(provisioned_nats_url, [everything[:3], everything[3:]], collector.url)
    writer = start(FILLPROOF_OTLP_ENDPOINT=collector.url)
    await stored(tables, 5, writer)
    assert writer.stop() == 0  # it sends what it has not sent yet

    ledgers = [span for span in collector.spans if span.name == "ledger"]
    assert [(span.service, span.began) for span in ledgers] == [("reconciler", CLOSED.timestamp())] * 2
    assert len({span.trace for span in ledgers}) == 2
    for ledger in ledgers:
        names = {(span.service, span.name) for span in collector.spans if span.trace == ledger.trace}
        assert ("audit_writer", "store") in names
        assert any(service == "reconciler" and name.endswith("publish") for service, name in names)


async def test_without_an_endpoint_no_message_carries_a_trace_and_nothing_is_sent(
    start: Callable[..., Child], bus: Bus, provisioned_nats_url: str, tables: Tables, collector: Collector
) -> None:
    await publish(provisioned_nats_url, [events(2)], None)
    writer = start()
    await stored(tables, 2, writer)
    assert writer.stop() == 0
    message = await bus.jetstream.get_msg(ORDERS_STREAM, seq=1)
    assert "traceparent" not in (message.headers or {})
    assert collector.spans == []


async def test_a_collector_that_is_away_holds_nothing_up(
    start: Callable[..., Child], provisioned_nats_url: str, tables: Tables
) -> None:
    await publish(provisioned_nats_url, [events(2)], None)
    writer = start(FILLPROOF_OTLP_ENDPOINT="http://127.0.0.1:1")
    await stored(tables, 2, writer)
    assert writer.stop() == 0


def test_without_an_endpoint_there_is_nothing_between_the_service_and_the_broker() -> None:
    assert make_tracing("reconciler", None) is NO_TRACING
    assert list(NO_TRACING.middlewares) == []
