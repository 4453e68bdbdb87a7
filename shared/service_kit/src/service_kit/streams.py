"""The streams, the state bucket and the audit writer's consumer: made and brought up to date in one step.

A consumer or a stream that exists is never changed by a redeploy of a service, so services declare none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats.js.errors
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from order_events.permission import PERMISSION_BUCKET
from order_events.subjects import (
    AUDIT_CONSUMER,
    CHECKPOINT_STREAM,
    CHECKPOINT_SUBJECTS,
    DEAD_LETTER_STREAM,
    DEAD_LETTER_SUBJECTS,
    ENGINE_STREAM,
    ENGINE_SUBJECTS,
    ORDERS_STREAM,
    ORDERS_SUBJECTS,
    PROOFS_STREAM,
    PROOFS_SUBJECTS,
    REDELIVERY_STREAM,
    REDELIVERY_SUBJECTS,
    STATE_BUCKET,
    WATERMARK_BUCKET,
    account_events,
)
from service_kit.errors import Unavailable, reason_of
from service_kit.settings import DUPLICATE_WINDOW_S, EngineSettings, StreamSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.js import JetStreamContext

ACK_WAIT_S = 30.0
ENGINE_ACK_WAIT_S = 5.0
"""What a killed engine had taken and not acknowledged is handed out again after it."""
MAX_ACK_PENDING = 16_000
"""Four batches of 1,000 for each of four replicas: one that is cut off from the database stops no other."""
AUDIT_FILTER = ">"
"""All of stream ORDERS."""
PROOFS_FILTER = PROOFS_SUBJECTS[0]
REDELIVERY_FILTER = REDELIVERY_SUBJECTS[0]
BUCKETS = (STATE_BUCKET, WATERMARK_BUCKET)
"""Key-value buckets on the disk."""
NEVER = 0.0
"""The age at which a message is removed that is kept for ever."""


async def provision(
    jetstream: JetStreamContext, settings: StreamSettings, engines: EngineSettings | None = None
) -> None:
    """Make what is missing and apply changed settings; running it again changes nothing.

    `engines`: for whom consumers are made; None: engines make their own.

    Raises:
        Unavailable: the server refuses, with its reason.

    """
    try:
        for config in wanted_streams(settings):
            await _apply(jetstream, config)
        for bucket in BUCKETS:
            await _apply_bucket(jetstream, settings, bucket)
        await jetstream.add_consumer(ORDERS_STREAM, _audit_consumer(AUDIT_FILTER))
        await jetstream.add_consumer(PROOFS_STREAM, _audit_consumer(PROOFS_FILTER))
        await jetstream.add_consumer(REDELIVERY_STREAM, _audit_consumer(REDELIVERY_FILTER))
        for durable, account in engines.consumers().items() if engines else ():
            await _apply_engine_consumer(jetstream, durable, account)
    except nats.js.errors.APIError as error:
        raise Unavailable(f"JetStream refuses: {error.description} (error {error.err_code})") from error
    except nats.errors.Error as error:
        raise Unavailable(f"JetStream does not answer: {reason_of(error)}") from error


def wanted_streams(settings: StreamSettings) -> list[StreamConfig]:
    """Return the streams that a deployment has, beside those below its buckets on the disk."""

    def stream(  # noqa: PLR0913 - the ways in which streams differ
        name: str,
        subjects: Sequence[str],
        *,
        max_age: float,
        max_bytes: int,
        atomic: bool = False,
        retention: RetentionPolicy = RetentionPolicy.LIMITS,
        append_only: bool = False,
        discard: DiscardPolicy = DiscardPolicy.NEW,
        most_on_a_subject: int | None = None,
    ) -> StreamConfig:
        return StreamConfig(
            name=name,
            subjects=list(subjects),
            retention=retention,
            storage=StorageType.FILE,
            discard=discard,
            max_age=max_age,
            max_bytes=max_bytes,
            duplicate_window=DUPLICATE_WINDOW_S,
            num_replicas=settings.stream_replicas,
            allow_atomic=atomic,
            deny_delete=append_only,
            deny_purge=append_only,
            max_msgs_per_subject=most_on_a_subject or -1,
            discard_new_per_subject=most_on_a_subject is not None,
        )

    return [
        stream(
            ORDERS_STREAM,
            ORDERS_SUBJECTS,
            max_age=settings.orders_max_age,
            max_bytes=settings.orders_max_bytes,
            atomic=True,
        ),
        stream(
            ENGINE_STREAM,
            ENGINE_SUBJECTS,
            max_age=settings.engine_max_age,
            max_bytes=settings.engine_max_bytes,
            most_on_a_subject=settings.engine_max_messages,
        ),
        stream(
            PROOFS_STREAM,
            PROOFS_SUBJECTS,
            max_age=settings.proofs_max_age,
            max_bytes=settings.proofs_max_bytes,
            # A full stream keeps the newest: of the oldest the writer has most likely stored
            discard=DiscardPolicy.OLD,
        ),
        stream(
            DEAD_LETTER_STREAM,
            DEAD_LETTER_SUBJECTS,
            max_age=settings.dead_letter_max_age,
            max_bytes=settings.dead_letter_max_bytes,
        ),
        stream(
            REDELIVERY_STREAM,
            REDELIVERY_SUBJECTS,
            max_age=settings.redelivery_max_age,
            max_bytes=settings.redelivery_max_bytes,
            atomic=True,
            retention=RetentionPolicy.WORK_QUEUE,
        ),
        stream(
            CHECKPOINT_STREAM,
            CHECKPOINT_SUBJECTS,
            max_age=NEVER,
            max_bytes=settings.checkpoints_max_bytes,
            append_only=True,
        ),
        permission_stream(replicas=settings.stream_replicas),
    ]


def _audit_consumer(subjects: str) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=AUDIT_CONSUMER,
        filter_subject=subjects,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
    )


async def _apply_engine_consumer(jetstream: JetStreamContext, durable: str, account: str) -> None:
    """Make or change a consumer; one that its engine made before goes on where it is."""
    wanted = {
        "filter_subject": account_events(account),
        "filter_subjects": None,
        "ack_wait": ENGINE_ACK_WAIT_S,
    }
    try:
        existing = (await jetstream.consumer_info(ORDERS_STREAM, durable)).config
    except nats.js.errors.NotFoundError:
        existing = ConsumerConfig(
            durable_name=durable, deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.EXPLICIT
        )
    await jetstream.add_consumer(ORDERS_STREAM, existing.evolve(**wanted))


async def _apply(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.update_stream(config)
    except nats.js.errors.NotFoundError:
        await jetstream.add_stream(config)


async def _apply_bucket(jetstream: JetStreamContext, settings: StreamSettings, bucket: str) -> None:
    """Make a bucket; its stream allows atomic batches, and keys that the server itself removes."""
    stream = f"KV_{bucket}"
    try:
        existing = await jetstream.stream_info(stream)
    except nats.js.errors.NotFoundError:
        await jetstream.create_key_value(
            bucket=bucket, history=1, storage=StorageType.FILE, replicas=settings.stream_replicas
        )
        existing = await jetstream.stream_info(stream)
    await jetstream.update_stream(
        existing.config, allow_atomic=True, allow_msg_ttl=True, num_replicas=settings.stream_replicas
    )


def permission_stream(*, replicas: int) -> StreamConfig:
    """Return the stream below the bucket of trading permissions.

    It lies in memory: a value is seconds old, or it is none. A single server that starts again has lost it,
    and the reconciler makes it anew.
    """
    return StreamConfig(
        name=f"KV_{PERMISSION_BUCKET}",
        subjects=[f"$KV.{PERMISSION_BUCKET}.>"],
        storage=StorageType.MEMORY,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        allow_direct=True,
        allow_rollup_hdrs=True,
        allow_msg_ttl=True,
        num_replicas=replicas,
    )
