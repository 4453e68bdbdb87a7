"""A message that is damaged on NATS's disk: every reader of its stream passes over it."""

import nats
import pytest
from chaos.stores import flip_bit
from extreme_announcements import ACCOUNT, AMOUNTS, submitted
from nats.js import JetStreamContext
from sample_events import event

from console import stream_reading
from console.stream_reading import messages_of
from local_stack import LocalStack
from order_events import encode
from order_events.subjects import ENGINE_STREAM, ORDERS_STREAM, STATE_BUCKET, engine_subject
from reconciler.adapters import announcements, last_values
from reconciler.adapters.announcements import Border, read_own
from reconciler.metrics import Metrics

pytestmark = pytest.mark.stack

STATE_STREAM = f"KV_{STATE_BUCKET}"
KEPT = [1, 2, 3, 5, 6]
"""Of six messages the fourth is damaged."""
MOMENT = 0.5
"""Seconds that a reader waits for a message that never comes."""


async def publish_all(jetstream: JetStreamContext) -> dict[str, bytes]:
    """Publish six messages to each of three streams; return the fourth payload of each."""
    payloads: dict[str, list[bytes]] = {ORDERS_STREAM: [], ENGINE_STREAM: [], STATE_STREAM: []}
    for number in range(1, 7):
        told, said = event("order.filled", number), submitted(AMOUNTS[0], AMOUNTS[3], sequence=number)
        for stream, subject, payload in (
            (ORDERS_STREAM, f"order.filled.{ACCOUNT}", encode(told)),
            (ENGINE_STREAM, engine_subject(said), encode(said)),
            (
                STATE_STREAM,
                f"$KV.{STATE_BUCKET}.0.{ACCOUNT}.order.{number}",
                b"value %d of the bucket" % number,
            ),
        ):
            await jetstream.publish(subject, payload, stream=stream)
            payloads[stream].append(payload)
    return {stream: some[3] for stream, some in payloads.items()}


def damage(stack: LocalStack, payloads: dict[str, bytes]) -> None:
    """Change a bit of each payload on the disk."""
    stack.stop_nats()
    for stream, payload in payloads.items():
        [block] = stack.nats_store.glob(f"jetstream/*/streams/{stream}/msgs/*.blk")
        flip_bit(block, payload)
    stack.restart_nats()


async def test_whoever_reads_a_stream_passes_a_damaged_message_over(
    stack: LocalStack, provisioned_nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reader in (stream_reading, announcements, last_values):
        monkeypatch.setattr(reader, "ANSWER_SECONDS", MOMENT)
    connection = await nats.connect(provisioned_nats_url)
    payloads = await publish_all(connection.jetstream())
    await connection.close()
    damage(stack, payloads)
    client = await nats.connect(provisioned_nats_url)
    jetstream = client.jetstream()

    read = [one async for some in messages_of(jetstream, ORDERS_STREAM) for one in some]
    assert [one.metadata.sequence.stream for one in read] == KEPT
    border = Border(Metrics(), None, subject_without_account=False)
    heard = await read_own(client, border, ACCOUNT, range(1, 7), most=100)
    assert ([sequence for sequence, _ in heard.announcements], heard.upto) == (KEPT, 6)
    [values] = await last_values.last_values(client, [f"$KV.{STATE_BUCKET}.0.{ACCOUNT}."])
    assert [(one.key, one.revision) for one in values] == [(f"order.{number}", number) for number in KEPT]
    await client.close()
