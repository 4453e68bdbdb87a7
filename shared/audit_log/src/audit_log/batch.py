"""One row of the chain, table `batch_digest`: a batch of events, or an operator's act. Its digest."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

START = bytes(32)
"""What stands for the digest before the first batch's."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
Moment = datetime | int
"""An int: microseconds since 2000-01-01 UTC, for what PostgreSQL holds and Python's calendar does not."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one row of the chain says; the lists are of one length."""

    position: int
    previous: bytes
    """The digest of the row before."""
    digest: bytes
    event_ids: tuple[UUID, ...]
    occurred_at: tuple[Moment, ...]
    payload_digests: tuple[bytes, ...]
    """SHA-256 of each payload's text."""
    dropped: tuple[Moment, Moment] | None = None
    """Of a step of retention that nobody signed (before version 0009 of the schema): from and before when."""
    act: str | None = None
    """The signed act of an operator."""


def digest_of(batch: Batch) -> bytes:
    """Return the digest that the row must have; the schema's comment on `batch_digest` defines it.

    Raises:
        ValueError: its lists are not of one length.

    """
    found = hashlib.sha256(batch.previous + _eight_bytes(batch.position))
    for event_id, moment, payload in zip(
        batch.event_ids, batch.occurred_at, batch.payload_digests, strict=True
    ):
        found.update(event_id.bytes + moment_bytes(moment) + payload)
    for moment in batch.dropped or ():
        found.update(moment_bytes(moment))
    found.update((batch.act or "").encode())
    return found.digest()


def microseconds(moment: Moment) -> int:
    """Return microseconds since 2000-01-01 UTC."""
    return moment if isinstance(moment, int) else (moment - EPOCH) // timedelta(microseconds=1)


def moment_bytes(moment: Moment) -> bytes:
    """Return microseconds since 2000-01-01 UTC, 8 bytes, big-endian: PostgreSQL's `timestamptz_send`."""
    return _eight_bytes(microseconds(moment))


def _eight_bytes(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)
