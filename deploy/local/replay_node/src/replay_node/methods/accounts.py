"""Accounts: their roots, trust lines and offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.errors import RpcError, expected, invalid
from replay_node.request import LimitRange, check_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.chain import Lookup
    from replay_node.request import Request
    from replay_node.session import Json
    from replay_node.views import Owned

_PAGES = LimitRange(smallest=10, default=200, largest=400)
_TYPES = {
    "amm": "AMM",
    "check": "Check",
    "credential": "Credential",
    "delegate": "Delegate",
    "escrow": "Escrow",
    "mpt_issuance": "MPTokenIssuance",
    "mptoken": "MPToken",
    "offer": "Offer",
    "permissioned_domain": "PermissionedDomain",
    "sponsorship": "Sponsorship",
    "state": "RippleState",
    "ticket": "Ticket",
}
"""The method's `type` -> LedgerEntryType."""
_START = f"{'0' * 64},0"
_ACCOUNT_FLAGS = {
    "allowTrustLineClawback": 0x80000000,
    "defaultRipple": 0x00800000,
    "depositAuth": 0x01000000,
    "disableMasterKey": 0x00100000,
    "disallowIncomingCheck": 0x08000000,
    "disallowIncomingNFTokenOffer": 0x04000000,
    "disallowIncomingPayChan": 0x10000000,
    "disallowIncomingTrustline": 0x20000000,
    "disallowIncomingXRP": 0x00080000,
    "globalFreeze": 0x00400000,
    "noFreeze": 0x00200000,
    "passwordSpent": 0x00010000,
    "requireAuthorization": 0x00040000,
    "requireDestinationTag": 0x00020000,
}


def account_info(request: Request) -> Json:
    """Return an account's root and its flags by name."""
    address, found = _account_at(request)
    state = request.node.view(found.ledger).account(address)
    if state is None:
        raise RpcError("actNotFound", context={"account": address, **found.fields})
    root = state["account_data"]
    flags = {name: bool(root["Flags"] & bit) for name, bit in _ACCOUNT_FLAGS.items()}
    return {"account_data": root, "account_flags": flags, **found.fields}


def account_lines(request: Request) -> Json:
    """Return a page of an account's trust lines, with `peer` only those to that account."""
    address, found, directory = _directory(request)
    peer = request.params.get("peer")
    page, marker = _page(request, directory)
    lines = [owned.line for owned in page if owned.line and peer in (None, owned.line["account"])]
    return {"account": address, "lines": lines, **marker, **found.fields}


def account_offers(request: Request) -> Json:
    """Return a page of an account's offers; the page counts everything that the account owns."""
    address, found, directory = _directory(request)
    page, marker = _page(request, directory)
    if request.node.faults.take("empty_pages"):
        page, marker = [], {"limit": request.limit(_PAGES), "marker": request.params.get("marker", _START)}
    offers = [owned.offer for owned in page if owned.offer]
    return {"account": address, "offers": offers, **marker, **found.fields}


def account_objects(request: Request) -> Json:
    """Return what an account owns, with `type` only that, as far as the recording knows it: on one page."""
    address, found = _account_at(request)
    view = request.node.view(found.ledger)
    if view.account(address) is None:
        raise RpcError("actNotFound")
    wanted = request.params.get("type")
    if wanted is not None and wanted not in _TYPES:
        raise invalid("type")
    objects = [one for one in view.objects(address) if wanted is None or _is_of(one, wanted)]
    return {"account": address, "account_objects": objects, **found.fields}


def _is_of(entry: Json, wanted: str) -> bool:
    return bool(entry["LedgerEntryType"] == _TYPES[wanted])


def _account_at(request: Request) -> tuple[str, Lookup]:
    address = request.text("account")
    found = request.node.chain.lookup(request.params)
    check_address(address, found.fields)
    return address, found


def _directory(request: Request) -> tuple[str, Lookup, list[Owned]]:
    address, found = _account_at(request)
    view = request.node.view(found.ledger)
    if view.account(address) is None:
        raise RpcError("actNotFound")
    return address, found, view.directory(address)


def _page(request: Request, directory: Sequence[Owned]) -> tuple[Sequence[Owned], Json]:
    """Return a page and, where more follows, its size and the marker of its last object."""
    limit = request.limit(_PAGES)
    start = _after_marker(request, directory)
    page = directory[start : start + limit]
    if start + limit >= len(directory):
        return page, {}
    return page, {"limit": limit, "marker": f"{page[-1].key},{page[-1].page}"}


def _after_marker(request: Request, directory: Sequence[Owned]) -> int:
    marker = request.params.get("marker", _START)
    if not isinstance(marker, str):
        raise expected("marker", "string")
    key, _, hint = marker.partition(",")
    if not hint.isdecimal():
        raise invalid("marker")
    if marker == _START:
        return 0
    # The object may be gone from this ledger: then the real node can't go on either.
    place = next((place for place, owned in enumerate(directory) if owned.key == key), None)
    if place is None:
        raise RpcError("invalidParams")
    return place + 1
