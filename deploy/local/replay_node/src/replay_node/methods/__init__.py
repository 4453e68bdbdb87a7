"""The methods that the node serves, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.methods import accounts, admin, entries, history, ledgers, market, server, subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from replay_node.request import Request
    from replay_node.session import Json

METHODS: dict[str, Callable[[Request], Json]] = {
    "account_info": accounts.account_info,
    "account_lines": accounts.account_lines,
    "account_objects": accounts.account_objects,
    "account_offers": accounts.account_offers,
    "account_tx": history.account_tx,
    "amm_info": market.amm_info,
    "book_offers": market.book_offers,
    "fee": server.fee,
    "ledger": ledgers.ledger,
    "ledger_accept": admin.ledger_accept,
    "ledger_closed": ledgers.ledger_closed,
    "ledger_current": ledgers.ledger_current,
    "ledger_entry": entries.ledger_entry,
    "ping": server.ping,
    "replay_fault": admin.replay_fault,
    "server_info": server.server_info,
    "server_state": server.server_state,
    "subscribe": subscriptions.subscribe,
    "tx": history.tx,
    "unsubscribe": subscriptions.unsubscribe,
}

ADMIN = frozenset({"ledger_accept", "replay_fault"})
"""Methods with which a test steers the node; no fault holds for them."""
