"""Single ledger entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.errors import RpcError
from replay_node.fees import FEE_SETTINGS
from replay_node.keys import account_key, is_address, line_key, offer_key
from replay_node.request import is_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from replay_node.request import Request
    from replay_node.session import Json

_HEX = set("0123456789ABCDEF")
_KEY_LENGTH = 64
_SIDES_OF_A_LINE = 2


def ledger_entry(request: Request) -> Json:
    """Return one entry by its key, or by what makes its key: an offer, an account, a trust line."""
    found = request.node.chain.lookup(request.params)
    named = next((name for name in _KEYS if name in request.params), None)
    if named is None:
        name = "unknownOption" if request.api_version == 1 else "invalidParams"
        raise RpcError(name, context=found.fields)
    try:
        key = _KEYS[named](request.params[named])
    except RpcError as error:
        error.body = found.fields | error.body
        raise
    node = FEE_SETTINGS if key == FEE_SETTINGS["index"] else request.node.view(found.ledger).entry(key)
    if node is None:
        raise RpcError("entryNotFound", context=found.fields)
    return {"index": key, "node": node, **found.fields}


def _index(value: object) -> str:
    if not isinstance(value, str) or len(value) != _KEY_LENGTH or set(value.upper()) - _HEX:
        raise RpcError("malformedRequest")
    return value.upper()


def _account_root(value: object) -> str:
    return account_key(_address(value))


def _offer(value: object) -> str:
    if not isinstance(value, dict):
        return _index(value)
    sequence = value.get("seq")
    if not isinstance(sequence, int) or not is_unsigned(sequence):
        raise RpcError("malformedRequest")
    return offer_key(_address(value.get("account")), sequence)


def _ripple_state(value: object) -> str:
    if not isinstance(value, dict):
        return _index(value)
    accounts, currency = value.get("accounts"), value.get("currency")
    if not isinstance(accounts, list) or len(accounts) != _SIDES_OF_A_LINE:
        raise RpcError("malformedRequest")
    if not isinstance(currency, str):
        raise RpcError("malformedRequest")
    one, other = map(_address, accounts)
    try:
        return line_key(one, other, currency)
    except ValueError:
        raise RpcError("malformedCurrency") from None


def _address(value: object) -> str:
    if not is_address(value):
        raise RpcError("malformedAddress")
    return value


_KEYS: dict[str, Callable[[object], str]] = {
    "index": _index,
    "account_root": _account_root,
    "offer": _offer,
    "ripple_state": _ripple_state,
}
