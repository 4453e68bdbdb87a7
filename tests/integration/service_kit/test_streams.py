"""Provisioning makes what is missing, applies what changed and otherwise changes nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import nats
import pytest

from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, REDELIVERY_STREAM, STATE_BUCKET
from service_kit import StreamSettings, Unavailable, make_broker, provision
from service_kit.broker import connect_broker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import ConsumerConfig, StreamConfig

pytestmark = pytest.mark.stack

STREAMS = (
    REDELIVERY_STREAM,
    "ORDERS",
    "ENGINE",
    "PROOFS",
    "DLQ",
    "CHECKPOINTS",
    "KV_reconciler",
    "KV_watermark",
)


@pytest.fixture
async def connection(nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def jetstream(connection: Client) -> JetStreamContext:
    return connection.jetstream()


async def laid_out(jetstream: JetStreamContext) -> tuple[list[StreamConfig], ConsumerConfig]:
    streams = [(await jetstream.stream_info(name)).config for name in STREAMS]
    return streams, (await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)).config


async def commit_batch(connection: Client, subject: str, *bodies: bytes) -> Msg:
    headers = {"Nats-Batch-Id": "batch", "Nats-Batch-Sequence": "1", "Nats-Msg-Id": "1"}
    await connection.publish(subject, bodies[0], headers=headers)
    headers = {**headers, "Nats-Batch-Sequence": "2", "Nats-Msg-Id": "2", "Nats-Batch-Commit": "1"}
    return await connection.request(subject, bodies[1], headers=headers)


async def test_provisioning_twice_changes_nothing(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    once = await laid_out(jetstream)
    await provision(jetstream, StreamSettings())
    assert await laid_out(jetstream) == once


async def test_orders_are_kept_safely(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    orders = (await jetstream.stream_info(ORDERS_STREAM)).config
    assert (orders.retention, orders.storage, orders.discard) == ("limits", "file", "new")
    assert (orders.duplicate_window, orders.max_age, orders.allow_atomic) == (1800, 7 * 86_400, True)


async def test_an_engine_that_floods_fills_its_own_part_of_the_stream_alone(
    jetstream: JetStreamContext,
) -> None:
    await provision(jetstream, StreamSettings(engine_max_messages=3))
    flooded = "engine.order.submitted.rFlooding"
    for _ in range(3):
        await jetstream.publish(flooded, b"{}", stream="ENGINE")
    with pytest.raises(nats.js.errors.APIError, match="per subject"):
        await jetstream.publish(flooded, b"{}", stream="ENGINE")
    with pytest.raises(nats.js.errors.NoStreamResponseError):
        await jetstream.publish("engine.made_up.subject.rFlooding", b"{}", stream="ENGINE")
    await jetstream.publish("engine.order.submitted.rOther", b"{}", stream="ENGINE")
    assert (await jetstream.stream_info("ENGINE")).state.messages == 4


async def test_nobody_removes_a_checkpoint(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    kept = await jetstream.publish("audit.checkpoint", b"note", stream="CHECKPOINTS")
    for removal in (jetstream.purge_stream("CHECKPOINTS"), jetstream.delete_msg("CHECKPOINTS", kept.seq)):
        with pytest.raises(nats.js.errors.APIError, match="not permitted"):
            await removal
    checkpoints = await jetstream.stream_info("CHECKPOINTS")
    assert (checkpoints.state.messages, checkpoints.config.max_age) == (1, 0)


async def test_the_audit_writer_never_loses_an_event_by_trying_too_often(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    audit = (await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)).config
    assert (audit.filter_subject, audit.ack_policy, audit.max_deliver) == (">", "explicit", -1)
    assert (audit.ack_wait, audit.max_ack_pending) == (30, 16_000)


async def test_changed_settings_are_applied_and_events_kept(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    await jetstream.publish("order.filled.r", b"{}", stream=ORDERS_STREAM)
    await provision(jetstream, StreamSettings(orders_max_age=3_600, orders_max_bytes=1_000_000))
    orders = await jetstream.stream_info(ORDERS_STREAM)
    assert (orders.config.max_age, orders.config.max_bytes) == (3_600, 1_000_000)
    assert orders.state.messages == 1


async def test_a_consumer_that_somebody_changed_is_put_right(jetstream: JetStreamContext) -> None:
    await provision(jetstream, StreamSettings())
    _, audit = await laid_out(jetstream)
    await jetstream.add_consumer(ORDERS_STREAM, audit.evolve(max_deliver=3, ack_wait=1))
    await provision(jetstream, StreamSettings())
    assert (await laid_out(jetstream))[1] == audit


@pytest.mark.parametrize("subject", ["order.filled.r", f"$KV.{STATE_BUCKET}.cursor"])
async def test_events_and_state_take_atomic_batches(
    subject: str, connection: Client, jetstream: JetStreamContext
) -> None:
    await provision(jetstream, StreamSettings())
    answer = await commit_batch(connection, subject, b"one", b"two")
    assert b'"count":2' in answer.data


async def test_a_refusal_is_told_with_the_reason(jetstream: JetStreamContext) -> None:
    await jetstream.add_stream(name="OTHER", subjects=["order.>"])
    with pytest.raises(Unavailable, match="JetStream refuses: subjects overlap with an existing stream"):
        await provision(jetstream, StreamSettings())


def step(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service_kit.provision", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_the_step_says_nothing_when_all_is_well(nats_url: str, jetstream: JetStreamContext) -> None:
    done = step("--nats", nats_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(await jetstream.streams_info()) == len({*STREAMS, "KV_permission"})


def test_the_step_says_in_one_line_that_nobody_answers() -> None:
    failed = step("--nats", "nats://127.0.0.1:1")
    assert failed.returncode == 1
    assert failed.stderr.startswith("expected NATS at 127.0.0.1:1, found: ")
    assert failed.stderr.count("\n") == 1


def test_the_step_refuses_an_address_that_is_none() -> None:
    failed = step("--nats", "nats://127.0.0.1:port")
    assert failed.returncode == 1
    assert failed.stderr.startswith("expected the URL of NATS as nats://HOST:PORT")


async def test_a_step_and_a_broker_take_a_list_of_servers_and_the_first_that_answers(nats_url: str) -> None:
    urls = f"nats://127.0.0.1:9, {nats_url}"
    assert step("--nats", urls).returncode == 0
    broker = make_broker(urls)
    await connect_broker(broker, urls)
    assert broker.connection.connected_url is not None
    assert broker.connection.connected_url.geturl() == nats_url
    await broker.stop()


async def test_servers_of_which_none_answers_are_all_named_without_their_passwords() -> None:
    done = step("--nats", "nats://user:secret@127.0.0.1:9,nats://user:secret@127.0.0.1:10")
    assert done.returncode == 1
    assert "expected NATS at 127.0.0.1:9 or 127.0.0.1:10" in done.stderr
    assert "secret" not in done.stderr
