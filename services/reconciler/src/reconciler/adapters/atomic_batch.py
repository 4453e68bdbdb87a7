"""Several messages into one JetStream stream: all of them or none (nats-server 2.12 and later).

Events go through the declared publishers (`event_publishers`). :func:`publish_batch` is for the key-value
bucket, whose fence and deletions are headers of nats-py's own: FastStream has no publisher for a bucket.
"""

from collections.abc import Iterator, Mapping, Sequence
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
    *others, (last, last_headers) = zip(messages, batch_headers(len(messages)), strict=True)
    for message, headers in others:
        await client.publish(message.subject, message.payload, headers={**message.headers, **headers})
    answer = await client.request(
        last.subject, last.payload, timeout=ANSWER_SECONDS, headers={**last.headers, **last_headers}
    )
    return last_sequence(answer.data)


def batch_headers(count: int) -> Iterator[dict[str, str]]:
    """Yield the headers of a batch of so many messages; the last message must be a request."""
    batch = uuid4().hex
    for number in range(1, count + 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        yield {**headers, "Nats-Batch-Commit": "1"} if number == count else headers


def last_sequence(answer: bytes) -> int:
    """Return the sequence of a batch's last message; `answer` is the stream's.

    Raises:
        BatchRefused: with the server's err_code; nothing was stored.

    """
    try:
        ack = _ack.decode(answer)
    except msgspec.DecodeError as error:
        raise BatchRefused(0, f"expected an acknowledgement, found {answer[:80]!r}") from error
    if ack.error is not None:
        raise BatchRefused(ack.error.err_code, ack.error.description)
    return ack.seq
