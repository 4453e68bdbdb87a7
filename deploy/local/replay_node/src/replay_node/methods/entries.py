"""Single ledger entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.errors import RpcError
from replay_node.fees import FEE_SETTINGS
from replay_node.keys import (
    account_key,
    credential_key,
    is_address,
    line_key,
    mpt_issuance_key,
    mptoken_key,
    offer_key,
)
from replay_node.request import is_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from replay_node.request import Request
    from replay_node.session import Json

_HEX = set("0123456789ABCDEF")
_KEY_LENGTH = 64
_ISSUANCE_LENGTH = 48
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
    view = request.node.view(found.ledger)
    node = FEE_SETTINGS if key == FEE_SETTINGS["index"] else view.entry(key)
    if node is None:
        wanted = {named: request.params[named]}
        unknown = named in _OWNERS and view.lacks(key, _OWNERS[named](request.params[named]))
        if unknown and not view.was_absent(wanted):
            raise RpcError("lgrNotFound", "The recording lacks this entry.", context=found.fields)
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


def _mptoken(value: object) -> str:
    if not isinstance(value, dict):
        return _index(value)
    return mptoken_key(_issuance_id(value.get("mpt_issuance_id")), _address(value.get("account")))


def _mpt_issuance(value: object) -> str:
    return mpt_issuance_key(_issuance_id(value))


def _issuance_id(value: object) -> str:
    if not isinstance(value, str) or len(value) != _ISSUANCE_LENGTH or set(value.upper()) - _HEX:
        raise RpcError("malformedRequest")
    return value.upper()


def _credential(value: object) -> str:
    if not isinstance(value, dict):
        return _index(value)
    kind = value.get("credential_type")
    if not isinstance(kind, str) or set(kind.upper()) - _HEX or len(kind) % 2:
        raise RpcError("malformedRequest")
    return credential_key(_address(value.get("subject")), _address(value.get("issuer")), kind)


def _owner(value: object) -> str:
    """Return the account that would own an entry: of a credential the subject, of an MPToken the holder."""
    if not isinstance(value, dict):
        return ""
    return str(value.get("subject") or value.get("account"))


def _address(value: object) -> str:
    if not is_address(value):
        raise RpcError("malformedAddress")
    return value


_KEYS: dict[str, Callable[[object], str]] = {
    "index": _index,
    "account_root": _account_root,
    "offer": _offer,
    "ripple_state": _ripple_state,
    "mptoken": _mptoken,
    "mpt_issuance": _mpt_issuance,
    "credential": _credential,
    "permissioned_domain": _index,
    "amm": _index,
}
_OWNERS: dict[str, Callable[[object], str]] = {
    "mptoken": _owner,
    "credential": _owner,
    "mpt_issuance": lambda _: "",
    "permissioned_domain": lambda _: "",
    "amm": lambda _: "",
}
"""Entries that the recorded rows of an account do not show, with who would own them ("": not known)."""
