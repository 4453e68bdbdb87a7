"""The market: books of offers, and automated market makers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from replay_node.errors import RpcError, expected, missing
from replay_node.funding import amount_text, book_rows
from replay_node.keys import account_id, amm_key, asset, currency_bytes, is_address, mpt
from replay_node.request import LimitRange

if TYPE_CHECKING:
    from replay_node.chain import Lookup
    from replay_node.keys import Asset
    from replay_node.request import Request
    from replay_node.session import Json
    from replay_node.views import LedgerView

_PAGES = LimitRange(smallest=1, default=60, largest=100)
_AUCTION_SECONDS = 24 * 60 * 60
_AUCTION_INTERVALS = 20
_RIPPLE_EPOCH = 946_684_800


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A side of a book and the errors that the real node has for it."""

    field: str
    bad_currency: str
    bad_issuer: str


_PAYS = _Side(field="taker_pays", bad_currency="srcCurMalformed", bad_issuer="srcIsrMalformed")
_GETS = _Side(field="taker_gets", bad_currency="dstAmtMalformed", bad_issuer="dstIsrMalformed")


def book_offers(request: Request) -> Json:
    """Return the best offers of a book, expired and unfunded ones included as on the real node."""
    found = request.node.chain.lookup(request.params)
    sides = (_PAYS, _GETS)
    for side in sides:
        _check_side(request.params, side)
    pays, gets = (_asset_of_side(request.params[side.field], side) for side in sides)
    if pays == gets:
        raise RpcError("badMarket")
    limit = request.limit(_PAGES)
    view = request.node.view(found.ledger)
    return {
        "offers": book_rows(view, view.book(pays, gets, request.params.get("domain"))[:limit]),
        **found.fields,
    }


def _check_side(params: Json, side: _Side) -> None:
    if side.field not in params:
        raise missing(side.field)
    if not isinstance(params[side.field], dict):
        raise RpcError("invalidParams", f"Invalid field '{side.field}', not object.")
    if "mpt_issuance_id" in params[side.field]:
        return
    if "currency" not in params[side.field]:
        raise missing(f"{side.field}.currency")
    if not isinstance(params[side.field]["currency"], str):
        raise expected(f"{side.field}.currency", "string")


def _asset_of_side(named: Json, side: _Side) -> Asset:
    if "mpt_issuance_id" in named:
        return _mpt(named["mpt_issuance_id"], side)
    currency, issuer = named["currency"], named.get("issuer")
    try:
        currency_bytes(currency)
    except ValueError:
        text = f"Invalid field '{side.field}.currency', bad currency."
        raise RpcError(side.bad_currency, text) from None
    if currency == "XRP" and issuer is not None:
        text = f"Unneeded field '{side.field}.issuer' for XRP currency specification."
        raise RpcError(side.bad_issuer, text)
    if currency != "XRP" and issuer is None:
        text = f"Invalid field '{side.field}.issuer', expected non-XRP issuer."
        raise RpcError(side.bad_issuer, text)
    if issuer is not None and not is_address(issuer):
        raise RpcError(side.bad_issuer, f"Invalid field '{side.field}.issuer', bad issuer.")
    return asset(currency, issuer)


def _mpt(issuance_id: object, side: _Side) -> Asset:
    try:
        return mpt(issuance_id) if isinstance(issuance_id, str) else mpt("")
    except ValueError:
        raise RpcError(side.bad_currency, f"Invalid field '{side.field}.mpt_issuance_id'.") from None


def amm_info(request: Request) -> Json:
    """Return a pool, where the session's transactions show it: one that they never touch is `actNotFound`."""
    found = request.node.chain.lookup(request.params)
    one, other = (_pool_asset(request.params, field, found) for field in ("asset", "asset2"))
    key = amm_key(asset(one["currency"], one.get("issuer")), asset(other["currency"], other.get("issuer")))
    view = request.node.view(found.ledger)
    root = view.amm(key)
    if root is None:
        raise RpcError("actNotFound", context=found.fields)
    frozen = {
        field: False
        for field, kind in (("asset_frozen", one), ("asset2_frozen", other))
        if kind["currency"] != "XRP"
    }
    pool = {
        "account": root["Account"],
        "amount": _pool_holds(view, root, one),
        "amount2": _pool_holds(view, root, other),
        **frozen,
        **_terms(view, found, key, root["Account"]),
    }
    return {"amm": pool, **found.fields}


def _pool_asset(params: Json, field: str, found: Lookup) -> Json:
    if field not in params:
        raise RpcError("invalidParams", context=found.fields)
    named = params[field]
    try:
        asset(named["currency"], named.get("issuer"))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RpcError("issueMalformed", context=found.fields) from None
    kind: Json = named
    return kind


def _pool_holds(view: LedgerView, root: Json, kind: Json) -> str | Json:
    if kind["currency"] == "XRP":
        return str(root["Balance"])
    line = view.line_entry(root["Account"], kind["issuer"], kind["currency"])
    balance = Decimal(line["Balance"]["value"]) if line else Decimal(0)
    is_low = account_id(root["Account"]) < account_id(kind["issuer"])
    return kind | {"value": amount_text(balance if is_low else -balance)}


def _terms(view: LedgerView, found: Lookup, key: str, account: str) -> Json:
    """Return fee, votes and auction from the pool's entry.

    A pool older than the session has no entry in it: then the tokens are those of the recorded holders,
    and the fee, which nothing tells, is shown as 0.
    """
    entry = view.entry(key)
    if entry is None:
        return {"lp_token": view.pool_tokens(account), "trading_fee": 0}
    votes = [slot["VoteEntry"] for slot in entry.get("VoteSlots", [])]
    return {
        "auction_slot": _auction(entry["AuctionSlot"], found.ledger.header["parent_close_time"]),
        "lp_token": entry["LPTokenBalance"],
        "trading_fee": entry.get("TradingFee", 0),
        "vote_slots": [
            {
                "account": vote["Account"],
                "trading_fee": vote.get("TradingFee", 0),
                "vote_weight": vote["VoteWeight"],
            }
            for vote in votes
        ],
    }


def _auction(slot: Json, now: int) -> Json:
    into = now - (slot["Expiration"] - _AUCTION_SECONDS)
    running = 0 <= into < _AUCTION_SECONDS
    expires = datetime.fromtimestamp(slot["Expiration"] + _RIPPLE_EPOCH, UTC)
    return {
        "account": slot["Account"],
        "discounted_fee": slot.get("DiscountedFee", 0),
        "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "price": slot["Price"],
        "time_interval": into * _AUCTION_INTERVALS // _AUCTION_SECONDS if running else _AUCTION_INTERVALS,
    }
