"""The evidence of an order's life as the audit database keeps it, when no server has the history any more.

Nothing here is believed by the check of the file that is made of it.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from console.errors import BadOption, HistoryMissing
from console.kept_votes import KeptVotes, is_newer_than_listed
from console.life_evidence import LifeEvidence
from console.proof.connecting import connected
from console.proof.tables import sql
from ledger_proof import (
    ProvenStep,
    SignedList,
    Unproven,
    ValidatorList,
    account_bytes,
    check_list,
    read_header,
    read_manifest,
    read_step,
    read_validation,
)


class KeptLife(msgspec.Struct, frozen=True, kw_only=True):
    """What the database has of an order's life."""

    evidence: LifeEvidence
    votes: KeptVotes


async def kept_life_in(
    database: str, account: str, sequence: int, lists: Sequence[ValidatorList] = ()
) -> KeptLife:
    """Read what the database at this address keeps of an order's life, as `read_kept_life`.

    Raises:
        BadOption: the database does not answer, or the role may not read its proofs.
        HistoryMissing, Unproven: as `read_kept_life`.

    """
    async with (
        connected(database) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await read_kept_life(connection, account, sequence, lists)


async def read_kept_life(
    connection: asyncpg.Connection, account: str, sequence: int, lists: Sequence[ValidatorList] = ()
) -> KeptLife:
    """Read what the database keeps of an order's life; `lists`: beside those that are kept.

    Raises:
        BadOption: it keeps orders of several networks under this key.
        HistoryMissing: nothing is kept of the order.
        Unproven: what is kept can't be read.

    """
    transactions = await connection.fetch(sql("order_transactions"), account, sequence)
    hashes = sorted({row["ledger_hash"] for row in transactions})
    proofs = await connection.fetch(sql("ledger_proofs"), hashes)
    published = await connection.fetch(sql("validator_lists"))
    if not transactions:
        raise HistoryMissing(
            f"expected kept proofs of order {sequence} of {account}, found none: they are kept while the "
            "reconciler follows the account; `fillproof rebuild` fetches what a server still has"
        )
    if len(networks := {row["network_id"] for row in transactions}) > 1:
        raise BadOption(f"expected proofs of one network, found {sorted(networks)} in one database")
    best = _best_by_ledger(proofs)
    steps = _steps(transactions, best, account, sequence)
    anchors: dict[int, Sequence[bytes]] = {}
    headers: dict[int, bytes] = {}
    for name in {name for name, _ in steps}:
        chain = [bytes(one) for one in best[name]["headers"]]
        headers |= {read_header(one).ledger_index: one for one in chain}
        anchors[read_header(chain[-1]).ledger_index] = best[name]["validations"]
    kept_lists = [check_list(SignedList(**row)) for row in published]
    used = _lists_in_force([*kept_lists, *lists], [headers[index] for index in anchors])
    manifests = [read_manifest(blob) for blob in {blob for row in best.values() for blob in row["manifests"]}]
    return KeptLife(
        evidence=LifeEvidence(
            steps=[step for _, step in steps], ledgers={}, headers=headers, anchors=anchors
        ),
        votes=KeptVotes(
            validations={
                index: [read_validation(one) for one in validations] for index, validations in anchors.items()
            },
            lists=used,
            manifests=[one for one in manifests if is_newer_than_listed(one, used)],
        ),
    )


def _best_by_ledger(proofs: Iterable[asyncpg.Record]) -> Mapping[str, asyncpg.Record]:
    best: dict[str, asyncpg.Record] = {}
    for row in proofs:  # the best first
        best.setdefault(row["ledger_hash"], row)
    return best


def _steps(
    transactions: Iterable[asyncpg.Record],
    best: Mapping[str, asyncpg.Record],
    account: str,
    sequence: int,
) -> list[tuple[str, ProvenStep]]:
    """Return the steps with their ledgers' hashes; of a transaction in two ledgers the better proven."""
    found: dict[str, asyncpg.Record] = {}
    proven = [row for row in transactions if row["ledger_hash"] in best]
    for row in sorted(proven, key=lambda row: not best[row["ledger_hash"]]["confirmed"]):
        found.setdefault(row["transaction_hash"], row)
    steps = []
    for row in found.values():
        step = read_step(
            account_bytes(account),
            sequence,
            row["transaction"],
            row["metadata"],
            row["path"],
            ledger_index=row["ledger_index"],
        )
        if step is not None:
            steps.append((row["ledger_hash"], step))
    if not steps:
        raise Unproven("kept proofs", expected="transactions that changed the order", found="none")
    return sorted(steps, key=lambda one: (one[1].touching.ledger_index, one[1].touching.index))


def _lists_in_force(lists: Iterable[ValidatorList], anchors: Iterable[bytes]) -> list[ValidatorList]:
    """Return each publisher's newest list that was in force when an anchor closed."""
    used: dict[str, ValidatorList] = {}
    for close_time in {read_header(anchor).close_time for anchor in anchors}:
        newest: dict[bytes, ValidatorList] = {}
        for one in sorted(lists, key=lambda listed: listed.sequence):
            if one.in_force(close_time):
                newest[one.publisher] = one
        used |= {one.published.signature: one for one in newest.values()}
    return list(used.values())
