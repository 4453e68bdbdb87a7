"""The chain of batch digests: what it is made of, and where it breaks. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

START = bytes(32)
"""What stands for the digest before the first batch's."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_DIGEST_BYTES = 32


class Break(StrEnum):
    """What was done to a row, or to the chain."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    UNLIKE_LEDGER = "unlike the ledger"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the tables are not what was stored."""

    what: Break
    table: str
    batch: int | None = None
    """Position of the batch that the row came with, where the chain knows it."""
    ledger_index: int | None = None
    event_id: str | None = None
    detail: str = ""


class Head(msgspec.Struct, frozen=True):
    """The end of a chain; written `POSITION:DIGEST`, the digest in hex."""

    position: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `batch_digest`: a batch of events, or a step of retention (`dropped`) without any."""

    position: int
    previous: bytes
    digest: bytes
    first_ledger: int | None
    last_ledger: int | None
    event_ids: tuple[UUID, ...]
    occurred_at: tuple[datetime, ...]
    payload_digests: tuple[bytes, ...]
    dropped: tuple[datetime, datetime] | None
    """From (included) and before when (excluded) events were dropped."""


def parse_head(written: str) -> Head:
    """Read `POSITION:DIGEST`; raises ValueError with what was expected and what was found."""
    position, _, digest = written.partition(":")
    try:
        head = Head(int(position), bytes.fromhex(digest))
    except ValueError:
        head = Head(0, b"")
    if head.position < 1 or len(head.digest) != _DIGEST_BYTES:
        raise ValueError(
            f"expected a head as verify prints it, POSITION:DIGEST with 64 hex digits, found {written!r}"
        )
    return head


def digest_of(link: Link) -> bytes:
    """Return the digest that the link must have; the migration's `batch_digest.sql` defines it."""
    found = hashlib.sha256(link.previous + _eight_bytes(link.position))
    for leaf in zip(link.event_ids, link.occurred_at, link.payload_digests, strict=True):
        found.update(leaf[0].bytes + _moment(leaf[1]) + leaf[2])
    for moment in link.dropped or ():
        found.update(_moment(moment))
    return found.digest()


def _eight_bytes(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def _moment(moment: datetime) -> bytes:
    return _eight_bytes((moment - _EPOCH) // timedelta(microseconds=1))


class Chain:
    """Follows the links in the order of their positions."""

    def __init__(self, noted: Iterable[Head] = ()) -> None:
        """Take the heads that somebody wrote down earlier."""
        self.head = Head(0, START)
        self._noted = {head.position: head for head in noted}

    def follow(self, link: Link) -> Iterator[Finding]:
        """Take the next link and tell what is wrong with it."""
        expected = self.head.position + 1
        if link.position != expected:
            gone = f"batches {expected} to {link.position - 1} are not in the chain"
            yield _broken(Break.MISSING, expected, gone)
        elif link.previous != self.head.digest:
            yield _broken(Break.CHANGED, link.position, "does not follow from the batch before it")
        if len({len(link.event_ids), len(link.occurred_at), len(link.payload_digests)}) != 1:
            yield _broken(Break.CHANGED, link.position, "its lists are not of one length")
        elif digest_of(link) != link.digest:
            yield _broken(Break.CHANGED, link.position, "its digest is not that of what it lists")
        noted = self._noted.pop(link.position, None)
        if noted is not None and noted.digest != link.digest:
            yield _broken(
                Break.CHANGED, link.position, f"the noted head is {noted}, found {link.digest.hex()}"
            )
        self.head = Head(link.position, link.digest)

    def end(self, written: Head | None) -> Iterator[Finding]:
        """Tell what is missing at the end; `written`: the head that the database keeps (None: none)."""
        if written != self.head:
            yield Finding(
                what=Break.MISSING if written and written.position > self.head.position else Break.CHANGED,
                table="chain_head",
                batch=self.head.position,
                detail=f"expected {self.head} after the last batch, found {written}",
            )
        for noted in self._noted.values():
            gone = f"the noted head is {noted}, the chain ends at {self.head.position}"
            yield _broken(Break.MISSING, noted.position, gone)


def _broken(what: Break, position: int, detail: str) -> Finding:
    return Finding(what=what, table="batch_digest", batch=position, detail=detail)
