"""What Hummingbot's XRPL connector would have booked of a session: its rules restated.

1. An order's own transaction: its trade is what the account's balances changed, less the fee. Where it
   leaves no entry of the order, the order was filled if the balances changed by more than the fee, else it
   is canceled.
2. Any other transaction: xrpl-py's `get_order_book_changes` says what the order's entry lost, and how it
   stands: filled, partially-filled or cancelled.
3. A transaction that failed leaves no row.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from xrpl.utils import get_balance_changes, get_order_book_changes

from console.sessions import find_session
from engine_books.csv_formats import code
from engine_books.truth import BookedFill, BookedOrder, recorded, right_book
from offer_lifecycle import ripple_time_to_datetime

_STATES = {"filled": "filled", "partially-filled": "partially_filled", "cancelled": "canceled"}
_WORKING = {"open", "partially_filled"}
Json = dict[str, Any]


def booked_by_rules(session: str) -> list[BookedOrder]:
    """Return the engine's book of all its accounts' orders."""
    orders = {
        (order.account, order.sequence): replace(order, end="open", fills=[])
        for order in right_book(session, seed=1)
        if order.end != "rejected"
    }
    own = {order.placed_tx: order for order in orders.values()}
    for transaction, time in _transactions(session):
        changes = _offer_changes(transaction, set(recorded(session).accounts))
        placed = own.get(transaction["hash"])
        if placed is not None:
            _process_own(placed, transaction, changes.pop((placed.account, placed.sequence), None), time)
        for key, change in changes.items():
            if key in orders and orders[key].end in _WORKING:
                _process_change(orders[key], transaction, change, time)
    return list(orders.values())


def _transactions(session: str) -> Iterator[tuple[Json, datetime]]:
    for ledger in find_session(session).session.ledgers:
        for transaction in ledger.transactions:
            yield transaction, ripple_time_to_datetime(ledger.header["close_time"])


def _offer_changes(transaction: Json, accounts: set[str]) -> dict[tuple[str, int], Json]:
    return {
        (changes["maker_account"], change["sequence"]): change
        for changes in get_order_book_changes(transaction["metaData"])
        if changes["maker_account"] in accounts
        for change in changes["offer_changes"]
    }


def _process_own(order: BookedOrder, transaction: Json, change: Json | None, time: datetime) -> None:
    base, quote = _balances(order, transaction)
    if base and quote:
        order.fills.append(_fill(order, transaction, (base, quote), time, maker=False))
    if change is not None:
        order.end = _STATES.get(change["status"], order.end)
    elif not _has_entry(order, transaction["metaData"]):
        order.end = "filled" if base or quote else "canceled"


def _process_change(order: BookedOrder, transaction: Json, change: Json, time: datetime) -> None:
    order.end = _STATES.get(change["status"], order.end)
    if change["status"] in {"filled", "partially-filled"}:
        sides = (change["taker_gets"], change["taker_pays"])
        amounts = {part["currency"]: abs(Decimal(part["value"])) for part in sides}
        base, quote = (amounts.get(code(asset), Decimal(0)) for asset in order.pair)
        if base:
            order.fills.append(_fill(order, transaction, (base, quote), time, maker=True))


def _fill(
    order: BookedOrder, transaction: Json, amounts: tuple[Decimal, Decimal], time: datetime, *, maker: bool
) -> BookedFill:
    base, quote = amounts
    return BookedFill(
        transaction=transaction["hash"], base=base, quote=quote, time=time, side=order.side, maker=maker
    )


def _has_entry(order: BookedOrder, meta: Json) -> bool:
    created = (node["CreatedNode"] for node in meta["AffectedNodes"] if "CreatedNode" in node)
    return any(
        node["LedgerEntryType"] == "Offer"
        and (node["NewFields"]["Account"], node["NewFields"]["Sequence"]) == (order.account, order.sequence)
        for node in created
    )


def _balances(order: BookedOrder, transaction: Json) -> tuple[Decimal, Decimal]:
    fee = Decimal(transaction["Fee"]) / 1_000_000
    changed: dict[str, Decimal] = {}
    for account in get_balance_changes(transaction["metaData"]):
        if account["account"] == order.account:
            for balance in account["balances"]:
                value = Decimal(balance["value"]) + (fee if balance["currency"] == "XRP" else 0)
                changed[balance["currency"]] = abs(value)
    base, quote = (changed.get(code(asset), Decimal(0)) for asset in order.pair)
    return base, quote
