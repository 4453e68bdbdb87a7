"""The proof of a row holds for that row, that batch and that log alone."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from signed_log import KEYS, LOG_KEY, STRANGER_KEY, checkpoint_of

from audit_log import (
    START,
    Batch,
    Consistency,
    Refused,
    RowProof,
    batch_rows,
    check_row,
    consistency_spans,
    digest_of,
    hashes_of,
    inclusion_spans,
    write_row_proof,
)
from audit_log.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

BATCHES = 9
AT = 4
"""The position of the batch whose row is shown."""
HELD = (2, 4, 6)
"""Positions of checkpoints that a reader may hold."""


def payload(number: int) -> str:
    return f'{{"number": {number}}}'


def chain() -> list[Batch]:
    batches: list[Batch] = []
    previous = START
    for position in range(1, BATCHES + 1):
        numbers = [10 * position, 10 * position + 1]
        batch = Batch(
            position=position,
            previous=previous,
            digest=b"",
            event_ids=tuple(UUID(int=number) for number in numbers),
            occurred_at=tuple(datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=one) for one in numbers),
            payload_digests=tuple(hashlib.sha256(payload(one).encode()).digest() for one in numbers),
        )
        batch = msgspec.structs.replace(batch, digest=digest_of(batch))
        batches.append(batch)
        previous = batch.digest
    return batches


CHAIN = chain()
DIGESTS = [batch.digest for batch in CHAIN]
NOTES = {size: checkpoint_of(DIGESTS[:size]).signed_by(LOG_KEY) for size in (*HELD, BATCHES)}


def proof() -> RowProof:
    batch = CHAIN[AT - 1]
    return RowProof(
        event_id=batch.event_ids[1],
        payload=payload(10 * AT + 1),
        position=AT,
        previous=batch.previous.hex(),
        rows=batch_rows(batch),
        path=tuple(hashes_of(inclusion_spans(AT - 1, BATCHES), DIGESTS)),
        checkpoint=NOTES[BATCHES],
        consistent=tuple(
            Consistency(
                checkpoint=NOTES[size], path=tuple(hashes_of(consistency_spans(size, BATCHES), DIGESTS))
            )
            for size in HELD
        ),
    )


def test_a_row_is_shown_to_whoever_has_checkpoints_alone() -> None:
    row = check_row(write_row_proof(proof()), KEYS, [NOTES[size] for size in HELD])
    assert (row.payload, row.position, row.event_id) == (payload(41), AT, UUID(int=41))
    assert row.occurred_at == CHAIN[AT - 1].occurred_at[1]
    assert [one.position for one in row.consistent] == [*HELD, BATCHES]


REWRITTEN = checkpoint_of([b"x" * 32, *DIGESTS[1:6]]).signed_by(LOG_KEY)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"payload": payload(42)}, "a payload with the digest"),
        ({"event_id": UUID(int=50)}, "once in its batch, found it 0 times"),
        ({"rows": batch_rows(CHAIN[AT])}, "once in its batch"),
        ({"rows": (*batch_rows(CHAIN[AT - 1]), *batch_rows(CHAIN[AT - 1]))}, "found it 2 times"),
        ({"rows": batch_rows(CHAIN[AT - 1])[::-1]}, "expected the root"),
        ({"position": AT + 1}, "expected the root"),
        ({"position": BATCHES + 1}, "expected a batch of 1 to 9"),
        ({"position": 10**30}, "expected a batch of 1 to 9"),
        ({"previous": "00" * 32}, "expected the root"),
        ({"previous": "zz"}, "expected digests in hex"),
        ({"path": ()}, "a path of another tree"),
        ({"checkpoint": checkpoint_of(DIGESTS).signed_by(STRANGER_KEY)}, "by a trusted key"),
        ({"checkpoint": NOTES[6]}, "expected"),
        ({"consistent": (Consistency(checkpoint=REWRITTEN, path=()),)}, "to be of one log"),
        ({"format": "other"}, "expected the format"),
    ],
)
def test_what_is_changed_is_refused(changed: dict[str, Any], expected: str) -> None:
    document = write_row_proof(msgspec.structs.replace(proof(), **changed))
    with pytest.raises(Refused, match=expected):
        check_row(document, KEYS)


def test_every_digit_of_the_evidence_counts() -> None:
    document = write_row_proof(proof())
    accepted = []
    for at in range(0, len(document), 7):
        changed = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
        try:
            row = check_row(changed, KEYS, [NOTES[size] for size in HELD])
        except Refused:
            continue
        accepted.append((at, row.payload))
    assert accepted == []


def test_a_checkpoint_that_the_reader_holds_and_the_document_does_not_know_is_refused() -> None:
    document = write_row_proof(msgspec.structs.replace(proof(), consistent=()))
    assert check_row(document, KEYS).position == AT
    for note in (NOTES[2], REWRITTEN):
        with pytest.raises(Refused, match="that you hold"):
            check_row(document, KEYS, [note])


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b" " * 5_000_000])
def test_what_is_no_proof_is_refused(document: bytes) -> None:
    with pytest.raises(Refused, match="expected"):
        check_row(document, KEYS)


def test_the_command_says_it_by_its_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, held = tmp_path / "row", tmp_path / "held"
    shown.write_bytes(write_row_proof(proof()))
    held.write_text(NOTES[2])
    key = str(KEYS[0])
    assert main(["check", str(shown), "--key", key, "--held", str(held)]) == 0
    assert payload(41) in capsys.readouterr().out
    held.write_text(REWRITTEN)
    assert main(["check", str(shown), "--key", key, "--held", str(held)]) == 1
    assert main(["check", str(shown), "--key", "nonsense"]) == 2
    assert main(["check", str(tmp_path / "none"), "--key", key]) == 2
