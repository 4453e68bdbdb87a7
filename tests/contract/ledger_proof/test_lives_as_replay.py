"""Every recorded order whose ledgers are there as bytes, proved, checked and held against `replay`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ledger_blobs import session_paths
from life_proofs import POLICY, life_proof, proven_session

from ledger_proof import ProofEnd, check_proof, write_document
from order_events import OrderStatus, RemovalReason

if TYPE_CHECKING:
    from pathlib import Path

EXHAUSTIVE = bool(os.environ.get("FILLPROOF_EXHAUSTIVE"))
SAMPLE = 12
"""How many orders of a session are proved: of a large one not all."""

BY_STATE = frozenset(
    {
        RemovalReason.FROZEN,
        RemovalReason.OUT_OF_DOMAIN,
        RemovalReason.UNAUTHORIZED,
        RemovalReason.UNEXPLAINED,
        RemovalReason.UNFUNDED,
    }
)
"""Causes that may hang on the state of the ledger before, which no proof carries."""


@pytest.mark.parametrize("path", session_paths(), ids=lambda path: path.name.partition(".")[0])
def test_every_recorded_order_is_proved_with_the_verdict_of_replay(path: Path) -> None:
    session = proven_session(path)
    orders = list(session.orders.items())
    orders = orders if EXHAUSTIVE else orders[:: max(len(orders) // SAMPLE, 1)]
    for (account, sequence), order in orders:
        steps = session.steps(account, sequence)
        if not steps:  # no transaction in any ledger: nothing to prove
            assert order.status is OrderStatus.LOST
            continue
        document = write_document(life_proof(session, account, sequence, steps=steps))
        found = check_proof(document, POLICY)
        assert found.end in {ProofEnd.PROVED_CLOSED, ProofEnd.PROVED_UNTIL}, found.chain[-1]
        assert found.verdict is not None
        proved = found.verdict.order
        if proved is None:
            assert order.status is OrderStatus.LOST
            continue
        assert found.closed == (order.ended and not order.listed)
        for name in ("status", "removed_by", "gave", "got", "gets_left"):
            assert getattr(proved, name) == getattr(order, name), name
        if proved.removal_reason is RemovalReason.UNEXPLAINED:
            assert order.removal_reason in BY_STATE
        else:
            assert (proved.removal_reason, proved.resolution) == (order.removal_reason, order.resolution)
