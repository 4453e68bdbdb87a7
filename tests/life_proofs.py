"""Life proofs of recorded sessions for tests, signed by made validators."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ledger_blobs import session_ledgers
from made_validators import MadeNetwork

from console.replay import steps as replayed
from ledger_proof import (
    LifeProof,
    ProvenLedger,
    ProvenStep,
    TrustPolicy,
    account_bytes,
    assemble_life_proof,
    prove_ledger,
    steps_in,
)
from offer_lifecycle import Order, Reserves
from replay_node.session import read_session

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = MadeNetwork(size=35)
RESERVES = Reserves(base=10_000_000, increment=2_000_000)
"""Of the node that recorded the sessions with its own bytes."""
POLICY = TrustPolicy(publishers=[NETWORK.trusted], reserves=RESERVES)


class ProvenSession(NamedTuple):
    """A recorded session as a prover has it, and what `replay` says of its orders."""

    ledgers: list[ProvenLedger]
    headers: dict[int, bytes]
    orders: dict[tuple[str, int], Order]

    @property
    def last(self) -> ProvenLedger:
        return self.ledgers[-1]

    def steps(self, account: str, sequence: int) -> list[ProvenStep]:
        """Return the transactions that touched an order, and its own."""
        own = account_bytes(account)
        return [step for ledger in self.ledgers for step in steps_in(ledger, own, sequence)]


@lru_cache(maxsize=2)
def proven_session(path: Path) -> ProvenSession:
    """Prove a session's ledgers and fold its orders."""
    ledgers, headers = [], {}
    for one in session_ledgers(path):
        proven = prove_ledger(one.header or b"", one.rows)
        ledgers.append(proven)
        headers[proven.header.ledger_index] = one.header or b""
    orders = {}
    for step in replayed(read_session(path)):
        for account, state in step.states.items():
            orders |= {(account, sequence): order for sequence, order in state.orders.items()}
    return ProvenSession(ledgers, headers, orders)


def life_proof(
    session: ProvenSession,
    account: str,
    sequence: int,
    *,
    steps: list[ProvenStep] | None = None,
    votes: int = 28,
) -> LifeProof:
    """Return the proof of an order; the session's last ledger is the anchor."""
    header = session.last.header
    return assemble_life_proof(
        account=account_bytes(account),
        sequence=sequence,
        steps=session.steps(account, sequence) if steps is None else steps,
        headers=session.headers,
        validations={header.ledger_index: validations(header.ledger_index, session, votes)},
        lists=[NETWORK.list],
    )


def validations(ledger_index: int, session: ProvenSession, votes: int = 28) -> list[bytes]:
    """Return the made validators' validations of a ledger."""
    header = next(one.header for one in session.ledgers if one.header.ledger_index == ledger_index)
    return NETWORK.validations(header, votes)
