"""What the reconciler says of itself, and what it presumes, in the tables: apart from what is proven."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING

import nats
import pytest
from audit_tables import broken, execute, fetch, store

from order_events import BalanceDrift, OrderEvent, ReconcilerEvent, decode, encode
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, order_subject
from service_kit import StreamSettings, provision

from .conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dsn

    from local_stack import Child

pytestmark = pytest.mark.stack

SAMPLES = files("order_events") / "samples/v1"
NAMES = (
    "reconciler.halted",
    "reconciler.resumed",
    "reconciler.confirmed",
    "reconciler.balance_drift",
    "reconciler.balance_drift.xrp",
    "ledger.invariant_broken",
    "order.filled",
    "order.filled.presumed",
)


def samples() -> list[OrderEvent | ReconcilerEvent]:
    found = [decode((SAMPLES / f"{name}.json").read_bytes()) for name in NAMES]
    return [event for event in found if isinstance(event, OrderEvent | ReconcilerEvent)]


async def test_the_writer_stores_what_the_reconciler_says_of_itself_and_a_drift_is_an_anomaly(
    start: Callable[..., Child], provisioned_nats_url: str, postgres_dsn: Dsn
) -> None:
    writer = start()
    writer.wait_ready()
    connection = await nats.connect(provisioned_nats_url)
    jetstream = connection.jetstream()
    for event in samples():
        await jetstream.publish(order_subject(event), encode(event), stream=ORDERS_STREAM)

    async def acknowledged() -> bool:
        floor = (await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)).ack_floor
        return floor is not None and floor.stream_seq == len(NAMES)

    await eventually(acknowledged, "all are acknowledged")
    await connection.close()
    assert writer.stop() == 0
    events = await fetch(postgres_dsn(), "SELECT event_id FROM order_event")
    assert {row[0] for row in events} == {event.event_id for event in samples()}
    drifts = [event for event in samples() if isinstance(event, BalanceDrift)]
    anomalies = await fetch(postgres_dsn(), "SELECT event_id FROM reconciler_anomaly_log")
    assert {row[0] for row in anomalies} == {event.event_id for event in drifts}
    assert await broken(postgres_dsn()) == []


async def test_a_drift_s_row_names_the_asset_and_belongs_to_no_order(postgres_dsn: Dsn) -> None:
    await store(postgres_dsn("audit_writer"), samples())
    query = (
        "SELECT sequence, market, side, price, remaining, removal_reason, action_taken "
        "FROM reconciler_anomaly_log ORDER BY market"
    )
    issuer = "rhGrboX1AAvvS7LKp7ZDJwd7mcvqo1EN9M"
    assert await fetch(postgres_dsn(), query) == [
        (0, f"USD.{issuer}", "", None, Decimal(0), "BALANCE_DRIFT", "halted"),
        (0, "XRP", "", None, Decimal(0), "BALANCE_DRIFT", "none"),
    ]


async def test_a_presumed_fill_is_told_from_a_proven_one_by_its_provenance(postgres_dsn: Dsn) -> None:
    await store(postgres_dsn("audit_writer"), samples())
    query = "SELECT provenance FROM fill ORDER BY provenance"
    assert await fetch(postgres_dsn(), query) == [("live",), ("presumed",)]


async def test_a_drift_s_row_that_somebody_changed_is_found_out(postgres_dsn: Dsn) -> None:
    await store(postgres_dsn("audit_writer"), samples())
    await execute(postgres_dsn(), "UPDATE reconciler_anomaly_log SET action_taken = 'none'")
    assert await broken(postgres_dsn()) == [("changed", "reconciler_anomaly_log", None)]


async def test_provisioning_gives_an_older_consumer_the_reconciler_s_events_too(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    jetstream = connection.jetstream()
    await provision(jetstream, StreamSettings())
    config = (await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)).config
    await jetstream.add_consumer(ORDERS_STREAM, config, filter_subject="order.>")
    await provision(jetstream, StreamSettings())
    [halted, *_] = samples()
    await jetstream.publish(order_subject(halted), encode(halted))
    assert (await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)).num_pending == 1
    await connection.close()
