"""Transactions: an account's history in pages, and single ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from replay_node.errors import RpcError, expected
from replay_node.request import check_address, is_unsigned
from replay_node.shapes import V2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.request import Request
    from replay_node.session import Json
    from replay_node.transactions import AppliedTransaction

_LARGEST_PAGE = 200
_LARGEST_RANGE = 1000
_NO_BOUND = -1
_LAST_PLACE = 2**32
_HASH_LENGTH = 64
_CTID_LENGTH = 16


def account_tx(request: Request) -> Json:
    """Return a page of an account's history within the ledgers that the server has without a hole."""
    forward = request.strict_flag("forward")
    if request.strict_flag("binary"):
        raise RpcError("notImpl")
    limit = _limit(request)
    account = request.text("account")
    check_address(account)
    first, last = _range(request)
    ahead = _ahead(request, _between(request, account, first, last), forward=forward)
    size = min(limit or _LARGEST_PAGE, _LARGEST_PAGE)
    page, following = ahead[:size], ahead[size:]
    marker = following[0].place if following else None
    if request.node.faults.take("empty_pages"):
        page, marker = [], ahead[0].place if ahead else (last, 0)
    return {
        "account": account,
        "ledger_index_max": last,
        "ledger_index_min": first,
        "limit": limit,
        "transactions": [
            request.node.shapes.in_history(transaction, request.api_version) for transaction in page
        ],
        "validated": True,
        **({"marker": {"ledger": marker[0], "seq": marker[1]}} if marker else {}),
    }


def _limit(request: Request) -> int:
    """Return the limit as the answer echoes it: zero where the request named none."""
    limit = request.params.get("limit", 0)
    if not is_unsigned(limit):
        raise expected("limit", "unsigned integer")
    return limit


def _range(request: Request) -> tuple[int, int]:
    """Return the first and the last ledger of the answer.

    api_version 1 cuts the range down to what the server has; from 2 on a range that does not fit is an error.
    """
    chain, params = request.node.chain, request.params
    names_range = "ledger_index_min" in params or "ledger_index_max" in params
    names_ledger = "ledger_hash" in params or "ledger_index" in params
    if names_range and names_ledger and request.api_version >= V2:
        raise RpcError("invalidParams", "invalidParams")
    if names_ledger and not names_range:
        found = chain.lookup(params)
        if found.is_open:
            raise RpcError("lgrNotValidated")
        return found.ledger.ledger_index, found.ledger.ledger_index
    # The real node's range is the one without a hole that ends at the validated ledger.
    ranges = chain.ranges()
    if not ranges:
        raise RpcError("lgrIdxsInvalid")
    have_first, have_last = ranges[-1]
    first, last = _bound(params, "ledger_index_min"), _bound(params, "ledger_index_max")
    if request.api_version >= V2 and (last > have_last or 0 < first < have_first):
        raise RpcError("lgrIdxMalformed")
    first = max(first, have_first)
    last = have_last if last == _NO_BOUND else min(last, have_last)
    if last < first:
        raise RpcError("lgrIdxsInvalid" if request.api_version < V2 else "invalidLgrRange")
    return first, last


def _bound(params: Json, field: str) -> int:
    bound = params.get(field, _NO_BOUND)
    if not isinstance(bound, int) or isinstance(bound, bool):
        raise RpcError("internal")  # the real node fails to convert it, and says no more than this
    return max(bound, _NO_BOUND)


def _between(request: Request, account: str, first: int, last: int) -> Sequence[AppliedTransaction]:
    history = request.node.transactions.of_account(account)
    start = bisect_left(history, (first, 0), key=lambda transaction: transaction.place)
    end = bisect_right(history, (last, _LAST_PLACE), key=lambda transaction: transaction.place)
    return history[start:end]


def _ahead(
    request: Request, history: Sequence[AppliedTransaction], *, forward: bool
) -> Sequence[AppliedTransaction]:
    """Return what is still to be read, next first; a marker names the next one, in either direction."""
    marker = request.params.get("marker")
    if marker is None:
        return history if forward else history[::-1]
    if not isinstance(marker, dict) or not all(is_unsigned(marker.get(name)) for name in ("ledger", "seq")):
        raise RpcError(
            "invalidParams",
            "invalid marker. Provide ledger index via ledger field, "
            "and transaction sequence number via seq field",
        )
    place = (marker["ledger"], marker["seq"])
    if forward:
        return history[bisect_left(history, place, key=lambda transaction: transaction.place) :]
    return history[: bisect_right(history, place, key=lambda transaction: transaction.place)][::-1]


def tx(request: Request) -> Json:
    """Return one transaction by its hash or its compact id."""
    _check_range(request.params)
    transaction = _named(request)
    chain = request.node.chain
    if transaction is None or not chain.has(transaction.ledger.ledger_index):
        raise RpcError("txnNotFound", context=_searched(request))
    return request.node.shapes.alone(transaction, request.api_version)


def _named(request: Request) -> AppliedTransaction | None:
    params, transactions = request.params, request.node.transactions
    if ("transaction" in params) == ("ctid" in params):
        raise RpcError("invalidParams")
    if "transaction" in params:
        if not _is_hex(params["transaction"], _HASH_LENGTH):
            raise RpcError("notImpl")
        return transactions.by_hash(params["transaction"])
    ctid = params["ctid"]
    if not _is_hex(ctid, _CTID_LENGTH) or not ctid.upper().startswith("C"):
        raise RpcError("invalidParams")
    network_id = int(ctid[12:], 16)
    if network_id != (request.node.network_id or 0):
        raise RpcError(
            "wrongNetwork",
            f"Wrong network. You should submit this request to a node running on NetworkID: {network_id}",
        )
    return transactions.at((int(ctid[1:8], 16), int(ctid[8:12], 16)))


def _is_hex(value: object, length: int) -> bool:
    return (
        isinstance(value, str) and len(value) == length and not set(value.upper()) - set("0123456789ABCDEF")
    )


def _check_range(params: Json) -> None:
    if not {"min_ledger", "max_ledger"} <= params.keys():
        return
    first, last = params["min_ledger"], params["max_ledger"]
    if not is_unsigned(first) or not is_unsigned(last) or last < first:
        raise RpcError("invalidLgrRange")
    if last - first > _LARGEST_RANGE:
        raise RpcError("excessiveLgrRange")


def _searched(request: Request) -> Json:
    """Say whether the server has every ledger of the range in which the transaction was looked for."""
    params = request.params
    if not {"min_ledger", "max_ledger"} <= params.keys():
        return {}
    searched = range(params["min_ledger"], params["max_ledger"] + 1)
    return {"searched_all": all(request.node.chain.has(index) for index in searched)}
