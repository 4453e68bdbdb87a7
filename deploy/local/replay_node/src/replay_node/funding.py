"""How much of each offer in a book its owner can pay, as the node works it out row by row."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import TYPE_CHECKING

from replay_node.fees import RESERVE_BASE, RESERVE_INCREMENT
from replay_node.keys import mpt_issuance_key, mpt_issuer, mptoken_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replay_node.session import Json
    from replay_node.views import LedgerView

_DIGITS = Context(prec=16)
_MANTISSA_DIGITS = 16
_PLAIN_EXPONENTS = range(-25, -4)
_PARITY = 1_000_000_000
_GLOBAL_FREEZE = 0x00400000
_MPT_LOCKED = 0x00000001
_MPT_FEE_UNITS = 100_000
"""TransferFee of an MPT is in thousandths of a percent."""
_ZERO = Decimal(0)
_ONE = Decimal(1)


def book_rows(view: LedgerView, offers: Iterable[Json]) -> list[Json]:
    """Return a book's rows: `owner_funds` on an owner's first, funded amounts where funds fall short.

    Dead offers, expired or without funds, stay in the list as they do on the real node.
    """
    left: dict[str, Decimal] = {}
    return [_row(view, offer, left) for offer in offers]


def _row(view: LedgerView, offer: Json, left: dict[str, Decimal]) -> Json:
    owner, gets, pays = offer["Account"], offer["TakerGets"], offer["TakerPays"]
    issues_it = _issuer(gets) == owner
    shows_funds = issues_it or owner not in left
    funds = (
        amount_value(gets) if issues_it else left[owner] if owner in left else _funds(view, owner, gets, pays)
    )
    rate = _ONE if issues_it else _transfer_rate(view, gets)
    quality = Decimal(quality_text(offer["BookDirectory"]))
    row = offer | {"quality": quality_text(offer["BookDirectory"])}
    if shows_funds:
        row["owner_funds"] = amount_text(funds)
    deliverable = funds if rate == _ONE else _DIGITS.divide(funds, rate)
    if deliverable >= amount_value(gets):
        deliverable = amount_value(gets)
    else:
        row["taker_gets_funded"] = _amount(gets, deliverable)
        price = _DIGITS.multiply(deliverable, quality)
        row["taker_pays_funded"] = _amount(pays, min(amount_value(pays), price))
    cost = deliverable if rate == _ONE else _DIGITS.multiply(deliverable, rate)
    left[owner] = funds - min(funds, cost)
    return row


def _funds(view: LedgerView, owner: str, gets: str | Json, pays: str | Json) -> Decimal:
    """Return what the owner can spend: drops above the reserve, or the balance of an unfrozen line."""
    state = view.account(owner)
    if state is None or _frozen_globally(view, gets) or _frozen_globally(view, pays):
        return _ZERO
    if isinstance(gets, str):
        root = state["account_data"]
        reserve = RESERVE_BASE + RESERVE_INCREMENT * int(root["OwnerCount"])
        return max(_ZERO, Decimal(root["Balance"]) - reserve)
    if "mpt_issuance_id" in gets:
        token = view.entry(mptoken_key(gets["mpt_issuance_id"], owner)) or {}
        return _ZERO if token.get("Flags", 0) & _MPT_LOCKED else Decimal(token.get("MPTAmount", "0"))
    for line in state["lines"]:
        if line["account"] == gets["issuer"] and line["currency"] == gets["currency"]:
            return _ZERO if line.get("freeze_peer") else max(_ZERO, Decimal(line["balance"]))
    return _ZERO


def _transfer_rate(view: LedgerView, amount: str | Json) -> Decimal:
    issuance = _issuance(view, amount)
    if issuance is not None:
        return _ONE + Decimal(issuance.get("TransferFee", 0)) / _MPT_FEE_UNITS
    issuer = view.account(_issuer(amount) or "")
    rate = issuer["account_data"].get("TransferRate", _PARITY) if issuer else _PARITY
    return Decimal(rate) / _PARITY


def _frozen_globally(view: LedgerView, amount: str | Json) -> bool:
    issuance = _issuance(view, amount)
    if issuance is not None:
        return bool(issuance.get("Flags", 0) & _MPT_LOCKED)
    issuer = view.account(_issuer(amount) or "")
    return bool(issuer and issuer["account_data"]["Flags"] & _GLOBAL_FREEZE)


def _issuer(amount: str | Json) -> str | None:
    if isinstance(amount, str):
        return None
    return mpt_issuer(amount["mpt_issuance_id"]) if "mpt_issuance_id" in amount else str(amount["issuer"])


def _issuance(view: LedgerView, amount: str | Json) -> Json | None:
    """Return the MPTokenIssuance of an amount; None where it is of no MPT, or not known."""
    if isinstance(amount, str) or "mpt_issuance_id" not in amount:
        return None
    return view.entry(mpt_issuance_key(amount["mpt_issuance_id"]))


def amount_value(amount: str | Json) -> Decimal:
    """Return an amount in drops or tokens."""
    return Decimal(amount if isinstance(amount, str) else amount["value"])


def _amount(like: str | Json, value: Decimal) -> str | Json:
    if isinstance(like, str):
        return str(value.to_integral_value(rounding=ROUND_DOWN))
    return like | {"value": amount_text(value)}


def quality_text(book_directory: str) -> str:
    """Return the quality that a book directory's key ends with, as text."""
    exponent, mantissa = int(book_directory[48:50], 16) - 100, int(book_directory[50:], 16)
    return amount_text(Decimal(mantissa).scaleb(exponent))


def amount_text(value: Decimal) -> str:
    """Return a value as the ledger writes it: plain in its usual range, else 16 digits and an exponent."""
    if not value:
        return "0"
    plain = f"{value.normalize():f}"
    exponent = value.adjusted() - _MANTISSA_DIGITS + 1
    if exponent in _PLAIN_EXPONENTS or value == value.to_integral_value():
        return plain
    return f"{value.scaleb(-exponent).to_integral_value():f}e{exponent}"
