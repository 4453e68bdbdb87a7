"""Rows held against the ledger's own transactions, asked for by their hashes. Pure, but for who asks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from decimal import Decimal

import msgspec

from console.proof.chain import Break, Finding
from ledger_client import ProtocolViolation
from offer_lifecycle import (
    MalformedTransaction,
    Reserves,
    Transaction,
    balance_changes,
    decide_placement,
    offer_changes,
)
from order_events import LiquiditySide, OrderEvent, OrderFilled

Ask = Callable[[str], Awaitable[Transaction | None]]
"""Given a transaction's hash, returns the validated transaction; None where the server does not have it."""

_ANY_RESERVE = Reserves(base=0, increment=0)
"""What was traded does not depend on the reserve."""


class OnLedger(msgspec.Struct, kw_only=True):
    """What became of the sample."""

    held: int = 0
    """Rows whose transaction the node showed."""
    unknown: int = 0
    """Rows whose transaction the node does not have: its history may be too short, which proves nothing."""
    derived: int = 0
    """Orders whose life the kernel has derived again."""
    not_derived: int = 0
    """Orders that were adopted while they rested, or whose history the node does not have."""


async def hold_against(events: Iterable[OrderEvent], ask: Ask, result: OnLedger) -> AsyncIterator[Finding]:
    """Tell of each event that is not what the ledger says of its transaction; counts go to `result`.

    Whatever `ask` raises goes through.
    """
    for event in events:
        try:
            tx = await ask(event.transaction_hash or "")
        except ProtocolViolation as error:
            detail: str | None = error.problem
        else:
            if tx is None:
                result.unknown += 1
                continue
            detail = _difference(event, tx)
        result.held += 1
        if detail:
            yield Finding(
                what=Break.UNLIKE_LEDGER,
                table="order_event",
                ledger_index=event.ledger_index,
                event_id=str(event.event_id),
                detail=detail,
            )


def _difference(event: OrderEvent, tx: Transaction) -> str | None:
    try:
        found: list[tuple[str, object, object]] = [
            ("transaction", event.transaction_hash, tx.hash),
            ("ledger", event.ledger_index, tx.ledger_index),
            ("transaction index", event.transaction_index, tx.index),
        ]
        if isinstance(event, OrderFilled):
            gave, got = _traded(event, tx)
            found += [("gave", event.gave.value, gave), ("got", event.got.value, got)]
    except (MalformedTransaction, ValueError) as error:
        return str(error)
    for name, stored, says in found:
        if stored != says:
            return f"{name}: stored {stored}, the ledger says {says}"
    if not tx.touches(event.account):
        return f"the transaction {tx.hash} does not touch {event.account}"
    return None


def _traded(event: OrderFilled, tx: Transaction) -> tuple[Decimal | None, Decimal | None]:
    """Return what the order gave and got in the transaction; None where it did not trade in it."""
    changes = list(offer_changes(tx))
    if event.liquidity_side is LiquiditySide.TAKER:
        if (tx.account, tx.sequence, tx.type) != (event.account, event.sequence, "OfferCreate"):
            return None, None
        placement = decide_placement(tx, changes, list(balance_changes(tx, tx.account)), _ANY_RESERVE)
        return placement.gave, placement.got
    for change in changes:
        if (change.account, change.sequence) == (event.account, event.sequence):
            return change.gave, change.got
    return None, None
