"""`fillproof verify --row`: the proof, for somebody without the database, that an event is in the log."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from audit_log import (
    Batch,
    Checkpoint,
    Consistency,
    Refused,
    RowProof,
    batch_rows,
    check_row,
    consistency_spans,
    hashes_of,
    inclusion_spans,
    read_checkpoint,
    write_row_proof,
)
from console.errors import BadOption
from console.proof.chain import Trust
from console.proof.connecting import connected
from console.proof.tables import sql


def prove_row(database: str, event_id: UUID, trust: Trust, held: Sequence[str]) -> bytes:
    """Return the proof that an event is in the log, up to the newest signed checkpoint that covers it.

    Args:
        database: the owner's address.
        event_id: the event.
        trust: signed checkpoints, with the notes that they were read from.
        held: notes of checkpoints that the reader of the proof has.

    Raises:
        BadOption: no such event, no checkpoint that covers it, or a log that is not the one that was signed.

    """
    try:
        others = [(note, read_checkpoint(note, trust.keys)) for note in held]
        document = asyncio.run(_prove(database, event_id, trust, others))
        check_row(document, trust.keys, held)
    except Refused as error:
        raise BadOption(f"this can't be shown: {error}; `fillproof verify` says what was changed") from error
    return document


async def _prove(
    database: str, event_id: UUID, trust: Trust, others: Sequence[tuple[str, Checkpoint]]
) -> bytes:
    async with connected(database) as connection:
        payload, batch = await _row(connection, event_id)
        newest = max(trust.notes, key=lambda note: trust.notes[note].position, default=None)
        if newest is None or trust.notes[newest].position < batch.position:
            raise BadOption(
                f"expected a signed checkpoint at or after batch {batch.position} (--checkpoints), found "
                "none: the audit writer signs one a minute"
            )
        size = max(trust.notes[newest].position, *(one.position for _, one in others), 0)
        digests = [
            row["digest"]
            for row in await connection.fetch(
                "SELECT digest FROM public.batch_digest WHERE position <= $1 ORDER BY position", size
            )
        ]
    made = trust.notes[newest].position
    return write_row_proof(
        RowProof(
            event_id=event_id,
            payload=payload,
            position=batch.position,
            previous=batch.previous.hex(),
            rows=batch_rows(batch),
            path=tuple(hashes_of(inclusion_spans(batch.position - 1, made), digests)),
            checkpoint=newest,
            consistent=tuple(
                Consistency(checkpoint=note, path=_path(one.position, made, digests)) for note, one in others
            ),
        )
    )


def _path(one: int, other: int, digests: Sequence[bytes]) -> tuple[bytes, ...]:
    earlier, later = sorted((one, other))
    return tuple(hashes_of(consistency_spans(earlier, later), digests))


async def _row(connection: asyncpg.Connection, event_id: UUID) -> tuple[str, Batch]:
    row = await connection.fetchrow(sql("batch_of_event"), event_id)
    if row is None:
        raise BadOption(f"expected the id of a stored event, found no event with {event_id}")
    return row["payload"], Batch(
        position=row["position"],
        previous=row["previous"],
        digest=row["digest"],
        event_ids=tuple(row["event_ids"]),
        occurred_at=tuple(row["occurred_at"]),
        payload_digests=tuple(row["payload_digests"]),
    )
