"""Rows held against the ledger's own transactions, asked for by their hashes. Pure, but for who asks."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from console.proof.chain import Break, Finding
from offer_lifecycle import (
    MalformedTransaction,
    Reserves,
    Transaction,
    balance_changes,
    decide_placement,
    offer_changes,
    read_transaction,
)
from order_events import LiquiditySide, OrderEvent, OrderFilled

Ask = Callable[[str], dict[str, Any] | None]
"""Given a transaction's hash, returns the `result` of the node's method `tx`; None where it has none."""

_ANY_RESERVE = Reserves(base=0, increment=0)
"""What was traded does not depend on the reserve."""


class OnLedger(msgspec.Struct, kw_only=True):
    """What became of the sample."""

    held: int = 0
    """Rows whose transaction the node showed."""
    unknown: int = 0
    """Rows whose transaction the node does not have: its history may be too short, which proves nothing."""


def hold_against(events: Iterable[OrderEvent], ask: Ask, result: OnLedger) -> Iterator[Finding]:
    """Tell of each event that is not what the ledger says of its transaction; counts go to `result`.

    Whatever `ask` raises goes through.
    """
    for event in events:
        answer = ask(event.transaction_hash or "")
        if answer is None:
            result.unknown += 1
            continue
        result.held += 1
        if detail := _difference(event, answer):
            yield Finding(
                what=Break.UNLIKE_LEDGER,
                table="order_event",
                ledger_index=event.ledger_index,
                event_id=str(event.event_id),
                detail=detail,
            )


def _difference(event: OrderEvent, answer: dict[str, Any]) -> str | None:
    if answer.get("validated") is not True:
        return f"the transaction {event.transaction_hash} is not validated"
    try:
        tx = read_transaction(answer)
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
