"""A recorded order's life proof for tests, its changed copies, and what a check says of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from ledger_blobs import BLOB_SESSIONS
from life_proofs import POLICY, life_proof, proven_session

from ledger_proof import (
    LifeProof,
    ProofEnd,
    ProofReport,
    TrustPolicy,
    check_proof,
    write_document,
)
from order_events import OrderStatus

SESSION = BLOB_SESSIONS / "hybrid_both_books.json.gz"


def filled_order() -> tuple[str, int]:
    """Return an order of the session that traded in parts and was canceled."""
    session = proven_session(SESSION)
    return next(
        key for key, order in session.orders.items() if order.gave and order.status is OrderStatus.CANCELED
    )


@lru_cache(maxsize=1)
def proof() -> LifeProof:
    return life_proof(proven_session(SESSION), *filled_order())


def report(changed: LifeProof | bytes, policy: TrustPolicy = POLICY) -> ProofReport:
    return check_proof(changed if isinstance(changed, bytes) else write_document(changed), policy)


def with_(**parts: Any) -> LifeProof:  # noqa: ANN401 - any part of a proof
    return msgspec.structs.replace(proof(), **parts)


def refusal(changed: LifeProof | bytes, policy: TrustPolicy = POLICY) -> str:
    """Return what the last step of the chain says; the proof must be refused."""
    found = report(changed, policy)
    assert found.end is ProofEnd.REFUSED
    assert found.verdict is None
    last = found.chain[-1]
    assert not last.ok
    return f"{last.what}: expected {last.expected}, found {last.found}"
