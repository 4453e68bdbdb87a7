"""Plays the engine of a recorded session: what it would have announced on the bus.

A recording knows which orders and cancels were the engine's, and in which ledger each was validated; so
the newest validated ledger that the engine knew when it sent one is the ledger before. What never made
it into a ledger was sent before the first. The engine waits for its orders until the recording ends:
that is their LastLedgerSequence.
"""

from collections.abc import Iterator
from typing import Any

from offer_lifecycle import parse_amount, ripple_time_to_datetime
from order_events import CancelRequested, OrderSubmitted, SessionStarted
from replay_node.session import Session


def announcements(session: Session) -> Iterator[SessionStarted | OrderSubmitted | CancelRequested]:
    """Yield what the session's engine says of itself, in an order in which it may be said."""
    first, last = session.ledgers[0].ledger_index, session.ledgers[-1].ledger_index
    sent_after = {
        tx["hash"]: ledger.ledger_index - 1 for ledger in session.ledgers for tx in ledger.transactions
    }
    for account in engine_accounts(session):
        yield SessionStarted(account=account, session_id=session.name, validated_ledger_index=first)
    for order in session.orders:
        yield _submitted(order, session.name, sent_after.get(order["placed_tx"], first), last)
    for order in session.orders:
        if order["cancel_tx"] is not None:
            yield CancelRequested(
                account=order["account"],
                session_id=session.name,
                validated_ledger_index=sent_after.get(order["cancel_tx"], first),
                sequence=order["sequence"],
                transaction_hash=order["cancel_tx"],
            )


def engine_accounts(session: Session) -> list[str]:
    """Return the accounts that the engine trades on, in the order in which they first appear."""
    return list(dict.fromkeys(order["account"] for order in session.orders))


def _submitted(order: dict[str, Any], session_id: str, sent_after: int, last_ledger: int) -> OrderSubmitted:
    expiration = order["expiration"]
    return OrderSubmitted(
        account=order["account"],
        session_id=session_id,
        validated_ledger_index=sent_after,
        sequence=order["sequence"],
        taker_gets=parse_amount(order["taker_gets"]),
        taker_pays=parse_amount(order["taker_pays"]),
        flags=order["flags"],
        expiration=None if expiration is None else ripple_time_to_datetime(expiration),
        transaction_hash=order["placed_tx"],
        last_ledger_sequence=last_ledger,
    )
