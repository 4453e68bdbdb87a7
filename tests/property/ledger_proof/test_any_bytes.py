"""The decoder takes any bytes: it returns a value, or refuses by the one error that it names."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import ledger_blobs as blobs
from hypothesis import given
from hypothesis import strategies as st

from ledger_proof.binary.metadata import decode_metadata
from ledger_proof.binary.objects import decode_object
from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.errors import MalformedBlob
from ledger_proof.transaction_tree import leaf


@lru_cache(maxsize=1)
def recorded() -> tuple[tuple[bytes, bytes], ...]:
    sessions = sorted(blobs.BLOB_SESSIONS.glob("*.json.gz"))
    return tuple(row for path in sessions for ledger in blobs.session_ledgers(path) for row in ledger.rows)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a recorded transaction and its metadata, of which a few bytes were changed, cut or put in."""
    transaction, metadata = draw(st.sampled_from(recorded()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(metadata)))
        match draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                metadata = metadata[:at] + draw(st.binary(min_size=1, max_size=1)) + metadata[at + 1 :]
            case "cut":
                metadata = metadata[:at] + metadata[at + draw(st.integers(1, 40)) :]
            case "insert":
                metadata = metadata[:at] + draw(st.binary(max_size=8)) + metadata[at:]
            case _:
                metadata = metadata[:at] + metadata[max(at - 40, 0) : at] + metadata[at:]
    return transaction, metadata


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(blob: bytes) -> None:
    for decode in (decode_object, decode_metadata):
        with suppress(MalformedBlob):
            assert isinstance(decode(blob), dict)


@given(mutated())
def test_changed_metadata_is_read_or_refused(row: tuple[bytes, bytes]) -> None:
    transaction, metadata = row
    name, _ = leaf(transaction, metadata)
    try:
        read = decode_transaction(name, transaction, metadata, ledger_index=1)
    except MalformedBlob:
        return
    assert read.hash == name.hex().upper()


@given(mutated())
def test_whatever_is_read_fast_the_walk_reads_too(row: tuple[bytes, bytes]) -> None:
    _, metadata = row
    try:
        fast = decode_metadata(metadata)
    except MalformedBlob:
        fast = None
    try:
        walked = decode_object(metadata)
    except MalformedBlob:
        walked = None
    # The walk also refuses what only a directory may hold: a field written twice
    assert walked is None or fast is not None
    if fast is not None and walked is not None:
        assert fast.get("TransactionIndex") == walked.get("TransactionIndex")
        assert fast.get("TransactionResult") == walked.get("TransactionResult")
