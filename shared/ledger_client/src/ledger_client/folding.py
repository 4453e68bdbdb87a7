"""Fold a ledger, ask what was left open, fold it again with the answers."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar

import msgspec

from ledger_client.questions import state_before
from ledger_client.server import LedgerServer
from offer_lifecycle import AccountState, LedgerFacts, LedgerOutcome, StateAnswer, StateRequest, fold_ledger

_ROUNDS = 4
"""At most; a pool's LP tokens ask for its account, its assets and their lines, one after the other."""

T = TypeVar("T")
Ask = Callable[[StateRequest], Awaitable[StateAnswer | None]]
"""Asks for an entry of the ledger before; None: nobody can say what it was."""


async def fold_with_questions(server: LedgerServer, state: AccountState, facts: LedgerFacts) -> LedgerOutcome:
    """Fold the ledger, and again as long as the server answers what was left open.

    What it can't answer stays unexplained: nothing waits for it. `state` is left as it is.
    """
    return await decide_with_questions(
        lambda answers: fold_ledger(state, msgspec.structs.replace(facts, answers=answers)),
        lambda outcome: outcome.questions,
        partial(state_before, server),
    )


async def decide_with_questions(
    decide: Callable[[tuple[StateAnswer, ...]], T],
    questions: Callable[[T], Iterable[StateRequest]],
    ask: Ask,
) -> T:
    """Decide with no answers, then with those that `ask` has to what `questions` finds left open."""
    answers: tuple[StateAnswer, ...] = ()
    decided = decide(answers)
    for _ in range(_ROUNDS):
        asked = [await ask(question) for question in questions(decided)]
        known = tuple(answer for answer in asked if answer is not None)
        if not known:
            break
        answers = (*answers, *known)
        decided = decide(answers)
    return decided
