"""What is asked about one validated ledger: each answer is checked against the question and given a type."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
import structlog

from ledger_client.answers import Pinned, ask_pinned, check_pinned, decode, pages
from ledger_client.server import LedgerServer, ProtocolViolation, Refused, ServerError, TooSlow
from offer_lifecycle import (
    Header,
    MalformedTransaction,
    StateAnswer,
    StateRequest,
    Transaction,
    read_transaction,
)

_log = structlog.get_logger()

_PAGE = 400
"""Entries a page of account_offers and account_lines: the largest that every server grants."""
_NO_SUCH_ENTRY = frozenset({"entryNotFound", "objectNotFound"})
"""The error codes of rippled and Clio, old and new."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An account at one validated ledger."""

    account_data: dict[str, Any] | None
    """None: the account is not on the ledger."""
    lines: list[Mapping[str, Any]]
    offers: list[Mapping[str, Any]]
    mpts: list[Mapping[str, Any]] | None = None
    """MPToken and MPTokenIssuance entries; None: not asked for, or the server can't list them."""


async def ledger_header(server: LedgerServer, ledger_index: int) -> Header:
    """Ask for one validated ledger's header.

    Raises:
        ServerError: as every request; ProtocolViolation if it is another ledger, or not validated.

    """
    header = (await ask_pinned(server, "ledger", _HeaderAnswer, ledger_index=ledger_index)).ledger
    if header.ledger_index != ledger_index:
        raise ProtocolViolation(
            server.name, f"ledger: expected ledger {ledger_index}, found {header.ledger_index}"
        )
    return header


async def account_snapshot(server: LedgerServer, account: str, ledger_index: int) -> Snapshot:
    """Ask for the account's root, trust lines and offers at one validated ledger.

    Raises:
        ServerError: as every request.

    """
    balances = await account_balances(server, account, ledger_index)
    if balances.account_data is None:
        return balances
    offers = await listed_offers(server, account, ledger_index)
    mpts = await account_mpts(server, account, ledger_index)
    return msgspec.structs.replace(balances, offers=offers, mpts=mpts)


async def account_balances(server: LedgerServer, account: str, ledger_index: int) -> Snapshot:
    """Ask for the account's root and trust lines at one validated ledger, and not for its offers.

    Raises:
        ServerError: as every request.

    """
    root = await account_root(server, account, ledger_index)
    if root is None:
        return Snapshot(account_data=None, lines=[], offers=[])
    lines: list[Mapping[str, Any]] = []
    read = partial(_read_listing, server, "account_lines", _Lines, ledger_index)
    async for page in pages(server, "account_lines", read, **_listing(account, ledger_index)):
        lines += page.rows
    return Snapshot(account_data=root, lines=lines, offers=[])


async def account_root(server: LedgerServer, account: str, ledger_index: int) -> dict[str, Any] | None:
    """Ask for the account's own entry (AccountRoot) at one validated ledger; None: it is not there.

    Raises:
        ServerError: as every request.

    """
    try:
        answer = await ask_pinned(
            server, "account_info", _RootAnswer, account=account, ledger_index=ledger_index
        )
    except Refused as refusal:
        if refusal.code == "actNotFound":
            return None
        raise
    return answer.account_data


async def listed_offers(server: LedgerServer, account: str, ledger_index: int) -> list[Mapping[str, Any]]:
    """Ask for the account's offers at one validated ledger.

    Raises:
        ServerError: as every request.

    """
    offers: list[Mapping[str, Any]] = []
    # A page may be empty and have a marker: the limit counts all of the owner's objects
    read = partial(_read_listing, server, "account_offers", _Offers, ledger_index)
    async for page in pages(server, "account_offers", read, **_listing(account, ledger_index)):
        offers += page.rows
    return offers


async def account_mpts(
    server: LedgerServer, account: str, ledger_index: int
) -> list[Mapping[str, Any]] | None:
    """Ask for the MPTs that the account holds and has issued, at one validated ledger.

    None: the server does not know such objects, as one of an earlier version.

    Raises:
        ServerError: as every request.

    """
    mpts: list[Mapping[str, Any]] = []
    read = partial(_read_listing, server, "account_objects", _Objects, ledger_index)
    for kind in ("mptoken", "mpt_issuance"):
        question = {**_listing(account, ledger_index), "type": kind}
        try:
            async for page in pages(server, "account_objects", read, **question):
                mpts += page.rows
        except Refused as refusal:
            if refusal.code == "lgrNotFound":
                raise
            return None
    return mpts


async def ledger_entry(
    server: LedgerServer, ledger_index: int, entry: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Ask for one entry's fields at one validated ledger; None: there was no such entry.

    `entry`: the parameters of method `ledger_entry` that name it, as {"offer": {"account":..., "seq":...}}.

    Raises:
        Refused: the server can't say.
        ServerError: as every request.

    """
    try:
        answer = await ask_pinned(server, "ledger_entry", _EntryAnswer, ledger_index=ledger_index, **entry)
    except Refused as refusal:
        if refusal.code in _NO_SUCH_ENTRY:
            return None
        raise
    return answer.node


async def find_transaction(server: LedgerServer, transaction_hash: str) -> Transaction | None:
    """Ask for a validated transaction by its hash; None: the server does not have it.

    Raises:
        ServerError: as every request; ProtocolViolation if it is not validated, or can't be read.

    """
    try:
        result = await server.request("tx", transaction=transaction_hash, binary=False)
    except Refused as refusal:
        if refusal.code == "txnNotFound":
            return None
        raise
    if decode(server.name, "tx", result, Pinned).validated is not True:
        raise ProtocolViolation(server.name, f"tx: the transaction {transaction_hash} is not validated")
    try:
        return read_transaction(result)
    except MalformedTransaction as error:
        raise ProtocolViolation(server.name, f"tx: {error}") from error


async def state_before(server: LedgerServer, request: StateRequest) -> StateAnswer | None:
    """Ask for a ledger entry that would tell why an offer was removed; None: the server can't say.

    Never more than a wish: an unexplained removal is published as what it is.

    Raises:
        TooSlow: the whole reading is given up.

    """
    try:
        fields = await ledger_entry(server, request.ledger_index, request.entry)
    except TooSlow:
        raise
    except ServerError as error:
        _log.warning("state not known", error=str(error), ledger_index=request.ledger_index)
        return None
    return StateAnswer(request=request, fields=fields)


class _HeaderAnswer(Pinned, kw_only=True):
    ledger: Header


class _RootAnswer(Pinned, kw_only=True):
    account_data: dict[str, Any]


class _EntryAnswer(Pinned, kw_only=True):
    node: dict[str, Any]


class _Listing(Pinned, kw_only=True):
    rows: list[dict[str, Any]]
    marker: Any = None


class _Lines(_Listing, kw_only=True):
    rows: list[dict[str, Any]] = msgspec.field(name="lines")


class _Offers(_Listing, kw_only=True):
    rows: list[dict[str, Any]] = msgspec.field(name="offers")


class _Objects(_Listing, kw_only=True):
    rows: list[dict[str, Any]] = msgspec.field(name="account_objects")


def _listing(account: str, ledger_index: int) -> dict[str, Any]:
    return {"account": account, "ledger_index": ledger_index, "limit": _PAGE}


def _read_listing(
    server: LedgerServer, method: str, kind: type[_Listing], ledger_index: int, result: msgspec.Raw
) -> _Listing:
    page = decode(server.name, method, result, kind)
    check_pinned(server, method, page, ledger_index)
    return page
