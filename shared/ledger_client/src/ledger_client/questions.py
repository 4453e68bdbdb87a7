"""What is asked of a server: each answer is checked against the question and given a type."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import structlog

from ledger_client.server import Answer, LedgerServer, ProtocolViolation, Refused, ServerError
from offer_lifecycle import (
    Header,
    MalformedTransaction,
    Reserves,
    StateAnswer,
    StateRequest,
    Transaction,
    read_transaction,
)

_log = structlog.get_logger()

DROPS_PER_XRP = 1_000_000
_PAGE = 400
"""Entries a page of account_offers and account_lines: the largest that every server grants."""
_NO_SUCH_ENTRY = frozenset({"entryNotFound", "objectNotFound"})
"""The error codes of rippled and Clio, old and new."""
_STALLS = 10
"""Pages in a row with the same marker, before the server is taken to turn in a circle."""

T = TypeVar("T")


class _ValidatedLedger(msgspec.Struct):
    seq: int
    reserve_base_xrp: Decimal
    reserve_inc_xrp: Decimal


class _ServerInfo(msgspec.Struct):
    complete_ledgers: str
    validated_ledger: _ValidatedLedger | None = None
    network_id: int = 0


class _HistoryPage(msgspec.Struct):
    ledger_index_min: int
    ledger_index_max: int
    transactions: list[dict[str, Any]]
    marker: Any = None


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says it has."""

    validated: int
    """The newest validated ledger."""
    complete: tuple[tuple[int, int], ...]
    """The ranges of ledgers that it holds whole."""
    network_id: int
    reserves: Reserves

    @property
    def held(self) -> str:
        """The ranges as people write them."""
        return ",".join(f"{low}-{high}" for low, high in self.complete) or "none"

    def up_to(self, last: int | None) -> "ServerStatus":
        """Return what it has, as if no ledger had been validated after `last`."""
        if last is None or self.validated <= last:
            return self
        return msgspec.structs.replace(self, validated=last)

    def covers(self, first: int, last: int) -> bool:
        """Whether one unbroken range holds all of them."""
        return any(low <= first and last <= high for low, high in self.complete)


class LedgerTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A validated transaction, and the hash of the ledger that the server says it is in."""

    transaction: Transaction
    ledger_hash: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An account at one validated ledger."""

    account_data: dict[str, Any] | None
    """None: the account is not on the ledger."""
    lines: list[Mapping[str, Any]]
    offers: list[Mapping[str, Any]]


async def server_status(server: LedgerServer) -> ServerStatus:
    """Ask for the server's newest validated ledger, its history and its network.

    Raises:
        Refused: if it has validated no ledger yet.
        ServerError: as every request.

    """
    answer = await server.request("server_info")
    info = typed(server, "server_info", answer.get("info"), _ServerInfo)
    ledger = info.validated_ledger
    if ledger is None:
        raise Refused(server.name, "noValidatedLedger", "server_info: it has validated no ledger yet")
    reserves = Reserves(
        base=int(ledger.reserve_base_xrp * DROPS_PER_XRP),
        increment=int(ledger.reserve_inc_xrp * DROPS_PER_XRP),
    )
    return ServerStatus(
        validated=ledger.seq,
        complete=_ranges(server, info.complete_ledgers),
        network_id=info.network_id,
        reserves=reserves,
    )


def _ranges(server: LedgerServer, text: str) -> tuple[tuple[int, int], ...]:
    """Read `2-10,15,20-30` or `empty`."""
    if text in {"empty", ""}:
        return ()
    try:
        bounds = [part.partition("-") for part in text.split(",")]
        return tuple((int(low), int(high or low)) for low, _, high in bounds)
    except ValueError as error:
        raise ProtocolViolation(
            server.name, f"server_info: expected complete_ledgers like 2-10,15, found {text!r}"
        ) from error


async def ledger_header(server: LedgerServer, ledger_index: int) -> Header:
    """Ask for one validated ledger's header.

    Raises:
        ServerError: as every request; ProtocolViolation if it is another ledger, or not validated.

    """
    answer = await server.request("ledger", ledger_index=ledger_index)
    check_pinned(server, "ledger", answer, ledger_index)
    header = typed(server, "ledger", answer.get("ledger"), Header)
    if header.ledger_index != ledger_index:
        raise ProtocolViolation(
            server.name, f"ledger: expected ledger {ledger_index}, found {header.ledger_index}"
        )
    return header


async def account_history(
    server: LedgerServer, account: str, first: int, last: int
) -> list[LedgerTransaction]:
    """Ask for all of the account's validated transactions in [first, last], in the ledger's order.

    Raises:
        ServerError: as every request; ProtocolViolation if the range served is not the one asked for.

    """
    found: dict[str, LedgerTransaction] = {}
    question = {"account": account, "ledger_index_min": first, "ledger_index_max": last, "forward": True}
    async for page in _pages(server, "account_tx", question):
        served = typed(server, "account_tx", page, _HistoryPage)
        if (served.ledger_index_min, served.ledger_index_max) != (first, last):
            raise ProtocolViolation(
                server.name,
                f"account_tx: expected the range {first}-{last}, "
                f"found {served.ledger_index_min}-{served.ledger_index_max}",
            )
        for record in served.transactions:
            one = _validated(server, record, first, last)
            found[one.transaction.hash] = one
    return sorted(found.values(), key=lambda one: (one.transaction.ledger_index, one.transaction.index))


def _validated(server: LedgerServer, record: Mapping[str, Any], first: int, last: int) -> LedgerTransaction:
    try:
        transaction = read_transaction(record)
    except MalformedTransaction as error:
        raise ProtocolViolation(server.name, f"account_tx: {error}") from error
    if record.get("validated") is not True or not first <= transaction.ledger_index <= last:
        raise ProtocolViolation(
            server.name,
            f"account_tx: expected a validated transaction of ledgers {first}-{last}, "
            f"found {transaction.hash} of ledger {transaction.ledger_index}, "
            f"validated {record.get('validated')}",
        )
    return LedgerTransaction(transaction=transaction, ledger_hash=str(record.get("ledger_hash")))


async def account_snapshot(server: LedgerServer, account: str, ledger_index: int) -> Snapshot:
    """Ask for the account's root, trust lines and offers at one validated ledger.

    Raises:
        ServerError: as every request.

    """
    balances = await account_balances(server, account, ledger_index)
    if balances.account_data is None:
        return balances
    pinned = {"account": account, "ledger_index": ledger_index}
    offers = await _listed(server, "account_offers", "offers", pinned)
    return msgspec.structs.replace(balances, offers=offers)


async def account_balances(server: LedgerServer, account: str, ledger_index: int) -> Snapshot:
    """Ask for the account's root and trust lines at one validated ledger, and not for its offers.

    Raises:
        ServerError: as every request.

    """
    pinned = {"account": account, "ledger_index": ledger_index}
    try:
        answer = await server.request("account_info", **pinned)
    except Refused as refusal:
        if refusal.code == "actNotFound":
            return Snapshot(account_data=None, lines=[], offers=[])
        raise
    check_pinned(server, "account_info", answer, ledger_index)
    return Snapshot(
        account_data=typed(server, "account_info", answer.get("account_data"), dict[str, Any]),
        lines=await _listed(server, "account_lines", "lines", pinned),
        offers=[],
    )


async def listed_offers(server: LedgerServer, account: str, ledger_index: int) -> list[Mapping[str, Any]]:
    """Ask for the account's offers at one validated ledger.

    Raises:
        ServerError: as every request.

    """
    pinned = {"account": account, "ledger_index": ledger_index}
    return await _listed(server, "account_offers", "offers", pinned)


async def state_before(server: LedgerServer, request: StateRequest) -> StateAnswer | None:
    """Ask for a ledger entry that would tell why an offer was removed; None: the server can't say.

    Never more than a wish: an unexplained removal is published as what it is.
    """
    fields: dict[str, Any] | None = None
    try:
        answer = await server.request("ledger_entry", ledger_index=request.ledger_index, **request.entry)
        check_pinned(server, "ledger_entry", answer, request.ledger_index)
        fields = typed(server, "ledger_entry", answer.get("node"), dict[str, Any])
    except ServerError as error:
        if not isinstance(error, Refused) or error.code not in _NO_SUCH_ENTRY:
            _log.warning("state not known", error=str(error), ledger_index=request.ledger_index)
            return None
    return StateAnswer(request=request, fields=fields)


async def _listed(
    server: LedgerServer, method: str, field: str, pinned: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    # A page may be empty and have a marker: the limit counts all of the owner's objects
    async for page in _pages(server, method, {**pinned, "limit": _PAGE}):
        check_pinned(server, method, page, pinned["ledger_index"])
        rows += typed(server, method, page.get(field), list[dict[str, Any]])
    return rows


async def _pages(server: LedgerServer, method: str, question: Mapping[str, Any]) -> AsyncIterator[Answer]:
    marker: Any = None
    stalls = 0
    while stalls < _STALLS:
        answer = await server.request(method, **question, **({} if marker is None else {"marker": marker}))
        yield answer
        # Only a missing marker ends; the same one again may be an empty page of a busy server
        before, marker = marker, answer.get("marker")
        if marker is None:
            return
        stalls = stalls + 1 if marker == before else 0
    raise ProtocolViolation(server.name, f"{method}: expected a new marker, found {marker!r} again and again")


def check_pinned(server: LedgerServer, method: str, answer: Answer, ledger_index: int) -> None:
    """Check that an answer is of the validated ledger that was asked for.

    Raises:
        ProtocolViolation: if it is of another one, or not validated.

    """
    found = answer.get("ledger_index")
    if answer.get("validated") is not True or found != ledger_index:
        raise ProtocolViolation(
            server.name,
            f"{method}: expected validated ledger {ledger_index}, "
            f"found ledger {found}, validated {answer.get('validated')}",
        )


def typed(server: LedgerServer, method: str, value: object, kind: type[T]) -> T:
    """Give a part of an answer its type.

    Raises:
        ProtocolViolation: if it is of another kind, naming the field.

    """
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProtocolViolation(server.name, f"{method}: {error}") from error
