"""Folding a ledger, with what the server knows of the ledger before where a cause is open."""

import msgspec

from ledger_client.questions import state_before
from ledger_client.server import LedgerServer
from offer_lifecycle import AccountState, LedgerFacts, LedgerOutcome, fold_ledger

_ROUNDS = 3
"""A domain's answer asks for credentials; nothing asks further than that."""


async def explained(server: LedgerServer, state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Fold the ledger, and again as long as the server answers what was left open.

    What it can't answer stays unexplained: nothing waits for it.
    """
    outcome = fold_ledger(state, facts)
    for _ in range(_ROUNDS):
        answers = [await state_before(server, request) for request in outcome.questions]
        known = tuple(answer for answer in answers if answer is not None)
        if not known:
            break
        facts = msgspec.structs.replace(facts, answers=(*facts.answers, *known))
        outcome = fold_ledger(state, facts)
    return outcome
