"""Streams over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.errors import RpcError
from replay_node.fees import BASE_FEE, RESERVE_BASE, RESERVE_INCREMENT
from replay_node.keys import is_address

if TYPE_CHECKING:
    from replay_node.request import Request
    from replay_node.session import Json
    from replay_node.streams import Subscription

_ALL_TRANSACTIONS = frozenset({"rt_transactions", "transactions", "transactions_proposed"})
# The real node knows these; in a session nothing was recorded for them, so they stay silent.
_SILENT = frozenset({"book_changes", "consensus", "peer_status", "server"})
_SWITCHED = frozenset({"ledger", "validations", "manifests"})
"""Streams that a subscription has on or off by their names."""
_ACCOUNT_LISTS = ("accounts", "accounts_proposed", "rt_accounts")


def subscribe(request: Request) -> Json:
    """Turn streams on; with the ledger stream the answer shows the validated ledger."""
    subscription, streams, accounts = _asked(request)
    subscription.api_version = request.api_version
    for name in streams & _SWITCHED:
        setattr(subscription, name, True)
    subscription.transactions |= bool(streams & _ALL_TRANSACTIONS)
    subscription.accounts |= accounts
    return _ledger_now(request) if "ledger" in streams else {}


def unsubscribe(request: Request) -> Json:
    """Turn streams off."""
    subscription, streams, accounts = _asked(request)
    for name in streams & _SWITCHED:
        setattr(subscription, name, False)
    subscription.transactions &= not streams & _ALL_TRANSACTIONS
    subscription.accounts -= accounts
    return {}


def _asked(request: Request) -> tuple[Subscription, set[str], set[str]]:
    """Return the connection's subscription and the streams and accounts that the request names.

    Nothing is changed by a request that has an error in it.
    """
    if request.subscription is None or "url" in request.params:
        raise RpcError("invalidParams")
    if "books" in request.params:
        raise RpcError("notSupported")
    streams: set[str] = set()
    for name in _array(request.params, "streams"):
        if name not in _SWITCHED | _ALL_TRANSACTIONS | _SILENT:
            raise RpcError("malformedStream")
        streams.add(name)
    return request.subscription, streams, _accounts(request.params)


def _accounts(params: Json) -> set[str]:
    accounts: set[str] = set()
    for field in _ACCOUNT_LISTS:
        named = _array(params, field)
        if field in params and not named:
            raise RpcError("actMalformed")
        for address in named:
            if not is_address(address):
                raise RpcError("actMalformed")
            accounts.add(address)
    return accounts


def _array(params: Json, field: str) -> list[str]:
    """Return a list of strings; one that holds anything else is returned as text, to be found malformed."""
    value = params.get(field, [])
    if not isinstance(value, list):
        raise RpcError("invalidParams")
    return [str(member) for member in value]


def _ledger_now(request: Request) -> Json:
    chain = request.node.chain
    return {
        "fee_base": BASE_FEE,
        "ledger_hash": chain.hash_of(chain.validated),
        "ledger_index": chain.validated.ledger_index,
        "ledger_time": chain.validated.header["close_time"],
        "reserve_base": RESERVE_BASE,
        "reserve_inc": RESERVE_INCREMENT,
        "validated_ledgers": chain.complete_ledgers(),
    }
