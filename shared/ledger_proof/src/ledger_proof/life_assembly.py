"""The making of a life proof from proven ledgers, headers, validations and lists.

What is put together here is not believed by the check: a mistake in it gives a file that is refused.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from ledger_proof.base58 import account_address
from ledger_proof.confirmation import confirm_ledger
from ledger_proof.errors import Unproven
from ledger_proof.hashes import offer_index
from ledger_proof.header import HEADER_BYTES, LedgerHeader, read_header
from ledger_proof.life_chain import TouchingTransaction, read_touching
from ledger_proof.life_document import (
    FORMAT,
    VERSION,
    LifeProof,
    Run,
    Step,
    read_path,
    to_base64,
    write_headers,
    write_path,
)
from ledger_proof.manifests import Manifest, read_manifest
from ledger_proof.transaction_tree import Branches, leaf
from ledger_proof.validations import Validation, read_validation
from ledger_proof.validator_lists import SignedList, ValidatorList, check_list
from ledger_proof.whole_ledger import ProvenLedger


class ProvenStep(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that touched an order, with its path in its ledger's tree."""

    touching: TouchingTransaction
    name: bytes
    transaction: bytes
    metadata: bytes
    path: Sequence[Branches]


def steps_in(ledger: ProvenLedger, account: bytes, sequence: int) -> Iterator[ProvenStep]:
    """Yield a proven ledger's transactions that touched an order, in the order they were applied.

    They are its own transaction (which may have left no entry) and those that changed its entry.

    Raises:
        Unproven: for a transaction that can't be read.

    """
    entry = offer_index(account, sequence)
    marks = bytes.fromhex(entry), account
    found = []
    for (name, _), (transaction, metadata) in zip(ledger.leaves, ledger.rows, strict=True):
        if not any(mark in metadata for mark in marks):
            continue
        index = ledger.header.ledger_index
        one = read_touching(name, transaction, metadata, ledger_index=index, entry=entry)
        own = (one.account, one.sequence) == (account_address(account), sequence)
        if own or one.kind is not None:
            path = ledger.path(name)
            found.append(
                ProvenStep(touching=one, name=name, transaction=transaction, metadata=metadata, path=path)
            )
    yield from sorted(found, key=lambda step: step.touching.index)


def read_step(  # noqa: PLR0913 - the parts of one step
    account: bytes,
    sequence: int,
    transaction: bytes,
    metadata: bytes,
    path: bytes,
    *,
    ledger_index: int,
) -> ProvenStep | None:
    """Read a kept step of an order's life; None: it did not touch the order.

    `path`: as `path_bytes` writes it.

    Raises:
        Unproven: if it can't be read.

    """
    name, own = leaf(transaction, metadata)
    one = read_touching(
        name, transaction, metadata, ledger_index=ledger_index, entry=offer_index(account, sequence)
    )
    if one.kind is None and (one.account, one.sequence) != (account_address(account), sequence):
        return None
    branches = read_path(to_base64(path), name, own)
    return ProvenStep(touching=one, name=name, transaction=transaction, metadata=metadata, path=branches)


def assemble_life_proof(  # noqa: PLR0913 - the parts of one document, all named
    *,
    account: bytes,
    sequence: int,
    steps: Sequence[ProvenStep],
    headers: Mapping[int, bytes],
    validations: Mapping[int, Sequence[bytes]],
    lists: Sequence[SignedList],
    manifests: Iterable[bytes] = (),
) -> LifeProof:
    """Put a life proof together.

    `headers`: the bytes by ledger index, from the first step's ledger to the anchor's at least;
    `validations`: those of ledgers that can be anchors. Without any, the newest header is the anchor,
    and all hangs on its hash.

    Raises:
        Unproven: if a header between a step and its anchor is missing.

    """
    indexes = sorted({step.touching.ledger_index for step in steps})
    anchors = validations or {max(headers): ()}
    newer = [read_manifest(one) for one in manifests]
    checked = [check_list(one) for one in lists]
    return LifeProof(
        format=FORMAT,
        version=VERSION,
        account=account_address(account),
        sequence=sequence,
        steps=[
            Step(
                ledger_index=step.touching.ledger_index,
                transaction=to_base64(step.transaction),
                metadata=to_base64(step.metadata),
                path=write_path(step.path, step.name),
            )
            for step in steps
        ],
        runs=[
            Run(
                headers=write_headers(_headers(headers, first, last)),
                validations=_votes(read_header(headers[last]), anchors[last], checked, newer),
            )
            for first, last in _runs(indexes, anchors, headers)
        ],
        lists=[msgspec.structs.replace(one, signature=one.signature.upper()) for one in lists],
        manifests=[to_base64(one.signed.blob) for one in newer],
    )


def _votes(
    header: LedgerHeader,
    validations: Sequence[bytes],
    lists: Iterable[ValidatorList],
    manifests: Sequence[Manifest],
) -> list[str]:
    """Return the validations that are votes, no more than the lists' quorums need."""
    read = {validation.signing_key: validation for validation in map(read_validation, validations)}
    chosen: dict[bytes, Validation] = {}
    for one in lists:
        if one.in_force(header.close_time):
            counted = confirm_ledger(header, read.values(), one, manifests)
            own = sorted(counted.signers, key=lambda key: (key not in chosen, key))
            chosen |= {key: read[key] for key in own[: one.quorum]}
    return [to_base64(validation.signed.blob) for validation in chosen.values()]


def _runs(
    indexes: Sequence[int], anchors: Mapping[int, Sequence[bytes]], headers: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Yield the first and last ledgers of the runs: a new one where votes are shorter than headers.

    Or where headers between them are missing.
    """
    first, last = indexes[0], _anchor_after(indexes[0], anchors)
    for index in indexes[1:]:
        if index <= last:
            continue
        later = _anchor_after(index, anchors)
        is_longer = (index - last) * HEADER_BYTES > sum(map(len, anchors[later]))
        if is_longer or any(between not in headers for between in range(last, index)):
            yield first, last
            first = index
        last = later
    yield first, last


def _anchor_after(index: int, anchors: Iterable[int]) -> int:
    later = [anchor for anchor in anchors if anchor >= index]
    if not later:
        raise Unproven("anchor", expected=f"a ledger after {index}", found="none")
    return min(later)


def _headers(headers: Mapping[int, bytes], first: int, last: int) -> Iterator[bytes]:
    for index in range(first, last + 1):
        if index not in headers:
            raise Unproven("headers", expected=f"all from {first} to {last}", found=f"none of {index}")
        yield headers[index]
