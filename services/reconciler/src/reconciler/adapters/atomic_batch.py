"""Several messages into one JetStream stream: all of them or none (nats-server 2.12 and later)."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec
from nats.aio.client import Client
from nats.errors import Error as BusError

ANSWER_SECONDS = 5.0
"""To wait for the bus to store something (the library's own 0.5 s are short for an fsync)."""
LARGEST_BATCH = 1000
"""Messages; the server's limit."""
DUPLICATE_IN_BATCH = 10201
"""err_code: a message id was seen before (or `Nats-Expected-*` can't be used); nothing was stored."""
WRONG_LAST_SEQUENCE = 10071
"""err_code: the fence of `Nats-Expected-Last-Subject-Sequence` did not hold; nothing was stored."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a batch."""

    subject: str
    payload: bytes
    headers: Mapping[str, str]


class BatchRefused(BusError):
    """The server stored nothing of the batch."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"batch refused: {code}: {description}")
        self.code = code


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Ack(msgspec.Struct):
    seq: int = 0
    error: _Error | None = None


_ack = msgspec.json.Decoder(_Ack)


async def publish_batch(client: Client, messages: Sequence[Message]) -> int:
    """Publish one to a thousand messages as one; return the last one's sequence once all are stored.

    Raises:
        BatchRefused: with the server's err_code; nothing was stored.
        nats.errors.Error: no answer in time; it may have been stored.

    """
    batch = uuid4().hex
    last = len(messages)
    for number, message in enumerate(messages, start=1):
        headers = {**message.headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number < last:
            await client.publish(message.subject, message.payload, headers=headers)
    headers["Nats-Batch-Commit"] = "1"
    answer = await client.request(message.subject, message.payload, timeout=ANSWER_SECONDS, headers=headers)
    try:
        ack = _ack.decode(answer.data)
    except msgspec.DecodeError as error:
        raise BatchRefused(0, f"expected an acknowledgement, found {answer.data[:80]!r}") from error
    if ack.error is not None:
        raise BatchRefused(ack.error.err_code, ack.error.description)
    return ack.seq
