"""The messages of a ledger's proof: one, or several where its transactions are too large for one. Pure."""

from collections.abc import Iterator, Sequence

from ledger_proof import CheckedValidations
from offer_lifecycle import ripple_time_to_datetime
from order_events import LedgerProof, ProvenTransaction, PublishedList, proof_id
from reconciler.proofs.blob_reader import ProvenHeader

_LARGEST = 400_000
"""Bytes of transactions in one message; NATS takes 1 MB by default, and Base64 makes four of three."""


def proof_messages(
    network_id: int,
    headers: Sequence[ProvenHeader],
    transactions: Sequence[ProvenTransaction],
    validations: CheckedValidations,
    *,
    with_lists: bool,
) -> Iterator[LedgerProof]:
    """Yield the messages that prove a ledger.

    `headers`: its own, and those up to the one whose validations are taken; `with_lists`: it is an anchor.
    """
    own, last = headers[0].header, headers[-1].header
    votes = validations.of_ledger(last.ledger_hash)
    signers = {one.signing_key for one in votes}
    confirmed = validations.confirms(last.ledger_hash, last.close_time)
    lists = [one.published for one in validations.lists if one.in_force(last.close_time)]
    for some in _bounded(transactions):
        yield LedgerProof(
            event_id=proof_id(
                network_id=network_id,
                ledger_hash=own.ledger_hash.hex().upper(),
                confirmed=confirmed,
                transactions=[one.transaction_hash for one in some],
            ),
            network_id=network_id,
            ledger_index=own.ledger_index,
            ledger_hash=own.ledger_hash.hex().upper(),
            occurred_at=ripple_time_to_datetime(own.close_time),
            headers=tuple(one.blob for one in headers),
            validations=tuple(one.signed.blob for one in votes),
            confirmed=confirmed,
            transactions=tuple(some),
            lists=tuple(
                PublishedList(manifest=one.manifest, blob=one.blob, signature=one.signature) for one in lists
            )
            if with_lists
            else (),
            manifests=tuple(one.signed.blob for one in validations.manifests if one.signing_key in signers),
        )


def _bounded(transactions: Sequence[ProvenTransaction]) -> Iterator[Sequence[ProvenTransaction]]:
    """Yield the transactions in parts of a bounded size; one part of none for an anchor."""
    part: list[ProvenTransaction] = []
    size = 0
    for one in transactions:
        own = len(one.transaction) + len(one.metadata) + len(one.path)
        if part and size + own > _LARGEST:
            yield part
            part, size = [], 0
        part.append(one)
        size += own
    yield part
