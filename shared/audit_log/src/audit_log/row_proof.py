"""That one row is in the log, shown to somebody who has a checkpoint and no database.

The document has the row's payload, the batch that it came with, the path from that batch to a checkpoint's
root, and what shows that other checkpoints are of the same log. Nothing in it is believed: the check
recomputes the digests and the roots, and asks for a signature by a key that the reader names.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from audit_log.batch import EPOCH, Batch, digest_of, microseconds
from audit_log.checkpoint import Checkpoint, read_checkpoint, written_time
from audit_log.errors import Refused
from audit_log.merkle_tree import is_consistent, root_by_inclusion
from audit_log.signed_note import VerifierKey

FORMAT = "fillproof-row-1"
MOST_BYTES = 4_000_000
"""A larger document is refused unread: a batch of 1,000 rows takes some 150 kB."""


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the batch: who, when (microseconds since 2000-01-01 UTC) and its payload's digest in hex."""

    event_id: UUID
    occurred_at: int
    payload_digest: str


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """Another checkpoint of the log, and the path between it and the proof's own; hashes in base64."""

    checkpoint: str
    path: tuple[bytes, ...]


class RowProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document; hashes of paths in base64, digests in hex."""

    format: str = FORMAT
    event_id: UUID
    payload: str
    position: int
    previous: str
    rows: tuple[BatchRow, ...]
    path: tuple[bytes, ...]
    checkpoint: str
    """The signed note of a checkpoint at or after the batch."""
    consistent: tuple[Consistency, ...] = ()


class CheckedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a document proves."""

    event_id: UUID
    occurred_at: datetime
    payload: str
    position: int
    checkpoint: Checkpoint
    """The log had the row when this was signed."""
    consistent: tuple[Checkpoint, ...]
    """Those that are shown to be of the same log."""


def batch_rows(batch: Batch) -> tuple[BatchRow, ...]:
    """Return a batch's rows for a document."""
    return tuple(
        BatchRow(
            event_id=event_id,
            occurred_at=microseconds(moment),
            payload_digest=digest.hex(),
        )
        for event_id, moment, digest in zip(
            batch.event_ids, batch.occurred_at, batch.payload_digests, strict=True
        )
    )


def write_row_proof(proof: RowProof) -> bytes:
    """Return the document's bytes."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=1) + b"\n"


def check_row(document: bytes, keys: Sequence[VerifierKey], held: Iterable[str] = ()) -> CheckedRow:
    """Check a document by its bytes and return what it proves.

    Args:
        document: as :func:`write_row_proof` makes it.
        keys: whose signature under a checkpoint is believed.
        held: signed notes of checkpoints that the reader has had all along; each must be of the same log.

    Raises:
        Refused: with the first thing that does not hold.

    """
    proof = _read(document)
    checkpoint = read_checkpoint(proof.checkpoint, keys)
    row = _row_of(proof)
    batch = _batch_of(proof)
    if not 1 <= proof.position <= checkpoint.position:
        raise Refused(f"expected a batch of 1 to {checkpoint.position}, found {proof.position}")
    root = root_by_inclusion(digest_of(batch), proof.position - 1, checkpoint.position, proof.path)
    if root != checkpoint.root:
        raise Refused(
            f"expected the root {checkpoint.root.hex()} of the checkpoint of position {checkpoint.position}, "
            f"found {root.hex() if root else 'a path of another tree'}"
        )
    shown = {note.checkpoint: note.path for note in proof.consistent} | {proof.checkpoint: ()}
    consistent = [_consistent(checkpoint, note, path, keys) for note, path in shown.items()]
    for note in held:
        own = read_checkpoint(note, keys)
        if own not in consistent:
            raise Refused(
                f"expected a path to the checkpoint of position {own.position} that you hold, found none: "
                "ask for a document that is made with --held"
            )
    return CheckedRow(
        event_id=proof.event_id,
        occurred_at=EPOCH + timedelta(microseconds=row.occurred_at),
        payload=proof.payload,
        position=proof.position,
        checkpoint=checkpoint,
        consistent=tuple(consistent),
    )


def row_lines(row: CheckedRow) -> list[str]:
    """Return in lines what the document proves."""
    made = row.checkpoint
    lines = [
        f"event {row.event_id} of {written_time(row.occurred_at)}: in batch {row.position} of {made.origin}",
        f"as its checkpoint of position {made.position} says, signed at {written_time(made.time)}",
        *(
            f"of the same log: the checkpoint of position {one.position}, signed at {written_time(one.time)}"
            for one in row.consistent
            if one != made
        ),
        row.payload,
    ]
    return ["".join(char if char.isprintable() else "?" for char in line) for line in lines]


def _read(document: bytes) -> RowProof:
    if len(document) > MOST_BYTES:
        raise Refused(f"expected at most {MOST_BYTES} bytes, found {len(document)}")
    try:
        proof = msgspec.json.decode(document, type=RowProof)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"expected the proof of a row: {error}") from error
    if proof.format != FORMAT:
        raise Refused(f"expected the format {FORMAT}, found {proof.format!r}")
    return proof


def _row_of(proof: RowProof) -> BatchRow:
    rows = [row for row in proof.rows if row.event_id == proof.event_id]
    if len(rows) != 1:
        raise Refused(f"expected event {proof.event_id} once in its batch, found it {len(rows)} times")
    found = hashlib.sha256(proof.payload.encode()).hexdigest()
    if found != rows[0].payload_digest:
        raise Refused(f"expected a payload with the digest {rows[0].payload_digest}, found {found}")
    return rows[0]


def _batch_of(proof: RowProof) -> Batch:
    try:
        return Batch(
            position=proof.position,
            previous=_digest(proof.previous),
            digest=b"",
            event_ids=tuple(row.event_id for row in proof.rows),
            occurred_at=tuple(EPOCH + timedelta(microseconds=row.occurred_at) for row in proof.rows),
            payload_digests=tuple(_digest(row.payload_digest) for row in proof.rows),
        )
    except (OverflowError, ValueError) as error:
        raise Refused(f"expected digests in hex and times of our calendar, found: {error}") from error


def _digest(written: str) -> bytes:
    digest = bytes.fromhex(written)
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError(f"a digest of {len(digest)} bytes")
    return digest


def _consistent(
    checkpoint: Checkpoint, note: str, path: Sequence[bytes], keys: Sequence[VerifierKey]
) -> Checkpoint:
    other = read_checkpoint(note, keys)
    earlier, later = sorted(((one.position, one.root) for one in (checkpoint, other)), key=lambda one: one[0])
    if other.origin != checkpoint.origin or not is_consistent(earlier, later, path):
        raise Refused(
            f"expected the checkpoints of positions {earlier[0]} and {later[0]} to be of one log, found that "
            "the path between them does not hold"
        )
    return other
