"""The streams and the audit writer's consumers, held against what the step `streams` makes."""

import asyncio
from collections.abc import Sequence

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import StreamConfig, StreamInfo

from console.doctor.findings import NEARLY_FULL, Finding, ill, note, well
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, PROOFS_STREAM, REDELIVERY_STREAM
from service_kit.settings import StreamSettings
from service_kit.streams import BUCKETS, wanted_streams

_MAKE = "run the step `streams` (docker compose run --rm streams)"
_FIXED = ("subjects", "retention", "discard", "allow_atomic", "duplicate_window", "deny_delete", "deny_purge")
"""What no setting changes; limits and copies are the deployment's."""


async def examine_streams(jetstream: JetStreamContext, *, cluster: bool) -> list[Finding]:
    """Look at every stream and consumer; `cluster`: the bus has several servers."""
    wanted = {config.name or "": config for config in wanted_streams(StreamSettings())}
    names = (*wanted, *(f"KV_{bucket}" for bucket in BUCKETS))
    if not await _any(jetstream, names):
        return [ill("streams", "none is there", _MAKE)]
    asked = [_stream(jetstream, name, wanted.get(name), cluster=cluster) for name in names]
    asked += [_consumer(jetstream, stream) for stream in (ORDERS_STREAM, PROOFS_STREAM, REDELIVERY_STREAM)]
    return list(await asyncio.gather(*asked))


async def _any(jetstream: JetStreamContext, names: Sequence[str]) -> bool:
    """Whether a stream is there, or can't be looked at."""
    found = await asyncio.gather(*map(jetstream.stream_info, names), return_exceptions=True)
    return not all(isinstance(one, nats.js.errors.NotFoundError) for one in found)


async def _stream(
    jetstream: JetStreamContext, name: str, wanted: StreamConfig | None, *, cluster: bool
) -> Finding:
    part = f"stream {name}"
    try:
        info = await jetstream.stream_info(name)
    except nats.js.errors.NotFoundError:
        return ill(part, "not there", _MAKE)
    except (nats.errors.TimeoutError, nats.js.errors.APIError) as error:
        advice = "use the operator's URL of the bus: another user has no right to see it"
        return ill(part, f"can't be looked at: {str(error) or 'no answer'}", advice)
    differing = [
        field
        for field in _FIXED
        if (expected := getattr(wanted, field, None)) and getattr(info.config, field) != expected
    ]
    if differing:
        return ill(part, f"made otherwise: {', '.join(differing)}", _MAKE)
    return _copies(part, info, cluster=cluster) or _space(part, info)


def _copies(part: str, info: StreamInfo, *, cluster: bool) -> Finding | None:
    away = [one.name or "" for one in (info.cluster and info.cluster.replicas) or () if one.offline]
    if away:
        return ill(part, f"a copy is away: {', '.join(away)}", "start that NATS server again")
    if cluster and info.config.num_replicas == 1:
        return note(part, "one copy in a cluster", "set FILLPROOF_STREAM_REPLICAS=3, and " + _MAKE)
    return None


def _space(part: str, info: StreamInfo) -> Finding:
    limit, used = info.config.max_bytes or -1, info.state.bytes
    found = f"{info.state.messages} messages, {used // 1024} kB"
    if limit > 0 and used > NEARLY_FULL * limit:
        return ill(
            part, f"{found}, {100 * used // limit}% of its limit", f"raise FILLPROOF_*_MAX_BYTES, and {_MAKE}"
        )
    return well(part, found)


async def _consumer(jetstream: JetStreamContext, stream: str) -> Finding:
    part = f"audit writer of {stream}"
    try:
        consumer = await jetstream.consumer_info(stream, AUDIT_CONSUMER)
    except nats.js.errors.NotFoundError:
        return ill(part, "its consumer is not there", _MAKE)
    except (nats.errors.TimeoutError, nats.js.errors.APIError) as error:
        return ill(part, f"can't be looked at: {str(error) or 'no answer'}", "use the operator's URL")
    waiting = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    if waiting and not consumer.num_waiting:
        return ill(part, f"{waiting} messages wait, and nobody asks for them", "start the audit writer")
    return well(part, f"{waiting} messages wait")
