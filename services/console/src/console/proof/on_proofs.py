"""Rows held against the proofs that the audit database keeps of their orders: no server is asked."""

from collections.abc import Callable

import asyncpg
import msgspec

from console.errors import BadOption, HistoryMissing
from console.kept_proofs import read_kept_life
from console.proof.chain import Break, Finding
from console.proof.from_proofs import differences_from_proof
from console.proof.tables import order_events, sql
from ledger_proof import (
    ProofEnd,
    ProofReport,
    TrustPolicy,
    Unproven,
    account_bytes,
    assemble_life_proof,
    check_proof,
    write_document,
)


class OnProofs(msgspec.Struct, kw_only=True):
    """What became of the sample."""

    findings: list[Finding] = []
    proven: int = 0
    """Orders whose kept proof holds, by validators whom the reader trusts."""
    unconfirmed: int = 0
    """Orders whose kept proof hangs on the hash of a ledger, or has too few votes."""
    unprovable: list[str] = []
    """Why the kept proof of others proves nothing: it may begin after the order was placed."""


async def hold_against_proofs(
    connection: asyncpg.Connection, policy: TrustPolicy, sample: int, advance: Callable[[int], None]
) -> OnProofs:
    """Derive the events of so many orders again from their kept proofs, and compare every field.

    Raises:
        asyncpg.PostgresError: as every question.

    """
    result = OnProofs()
    for row in await connection.fetch(sql("proven_orders"), sample):
        advance(1)
        account, sequence = row["account"], row["sequence"]
        try:
            proof = await kept_proof(connection, policy, account, sequence)
        except (BadOption, HistoryMissing, Unproven) as error:
            result.unprovable.append(f"order {sequence} of {account}: {error}")
            continue
        if proof.end is ProofEnd.REFUSED:
            failed = proof.chain[-1]
            reason = f"{failed.what}: expected {failed.expected}, found {failed.found}"
            result.unprovable.append(f"order {sequence} of {account}: {reason}")
            continue
        if proof.end in {ProofEnd.PROVED_CLOSED, ProofEnd.PROVED_UNTIL}:
            result.proven += 1
        else:
            result.unconfirmed += 1
        stored = await connection.fetch(sql("events_of_order"), account, sequence)
        events = order_events(one["payload"] for one in stored)
        result.findings += [
            Finding(
                what=Break.UNLIKE_LEDGER,
                table="order_event",
                ledger_index=one.event.ledger_index,
                event_id=str(one.event.event_id),
                detail=one.detail,
            )
            for one in differences_from_proof(events, proof)
        ]
    return result


async def kept_proof(
    connection: asyncpg.Connection, policy: TrustPolicy, account: str, sequence: int
) -> ProofReport:
    """Return the check of the life proof that the database's own evidence of an order makes.

    Raises:
        BadOption, HistoryMissing, Unproven: it makes none.

    """
    kept = await read_kept_life(connection, account, sequence)
    proof = assemble_life_proof(
        account=account_bytes(account),
        sequence=sequence,
        steps=kept.evidence.steps,
        headers=kept.evidence.headers,
        validations=kept.evidence.anchors,
        lists=[one.published for one in kept.votes.lists],
        manifests=[one.signed.blob for one in kept.votes.manifests],
    )
    return check_proof(write_document(proof), policy)
