"""The reader of one account's ledgers on one server: nothing is missing, nothing is of another chain.

Ledgers that the server's stream has shown whole, and in which no transaction affects the account, are not
asked for. Otherwise the history is what `account_tx` shows from the cursor up to ledger H. Four checks hold
it against gaps and foreign ledgers:
1. the server holds all ledgers from the cursor to H, and serves exactly that range;
2. the cursor's ledger is read again and must show the same transactions as before;
3. the headers link up with the cursor's hash and among themselves;
4. every transaction names the hash of its ledger's header.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from ledger_client import (
    Lagging,
    LedgerServer,
    LedgerTransaction,
    ProtocolViolation,
    Refused,
    ServerStatus,
    WrongChain,
    account_history,
    has_stream,
    ledger_header,
    reserves_at,
    untouched_ledgers,
)
from offer_lifecycle import AccountRecord, Header, LedgerFacts, Transaction

LEDGERS_A_READING = 256
"""At most; a longer range is read in steps, and each step is committed."""
WHOLE_LEDGERS_A_READING = 16
"""At most, where nothing but whole ledgers is believed of a server."""
_HEADERS_AT_ONCE = 8


class HistoryMissing(Exception):
    """The server lacks ledgers after the cursor; another server may have them, or this one later."""


def last_readable_ledger(server: LedgerServer, status: ServerStatus, cursor: int) -> int:
    """Return the ledger up to which this server can be read now; the cursor itself if nothing is new.

    Raises:
        Lagging: if its newest ledger is older than the cursor.
        HistoryMissing: if it lacks ledgers after the cursor.

    """
    if status.validated < cursor:
        raise Lagging(
            server.name,
            f"server_info: expected ledger {cursor}, already followed, or a later one, "
            f"found {status.validated} as the newest: it lags",
        )
    only_whole = has_stream(server) and server.reads_only_whole
    upto = min(status.validated, cursor + (WHOLE_LEDGERS_A_READING if only_whole else LEDGERS_A_READING))
    if not status.covers(cursor, upto):
        raise HistoryMissing(
            f"{server.name}: history missing: expected ledgers {cursor}-{upto}, found {status.held}; "
            "add a server with more history to FILLPROOF_XRPL_URLS, or wait until it has caught up"
        )
    return upto


async def check_cursor(server: LedgerServer, record: AccountRecord) -> None:
    """Hold the record's cursor against a server that has not been read for the account yet.

    Raises:
        ServerError: as every request; WrongChain if it shows another ledger there.

    """
    cursor = record.ledger_index
    _check_overlap(server, record, await account_history(server, record.account, cursor, cursor))
    _check_chain(server, record, [await ledger_header(server, cursor)])


async def read_ledgers(
    server: LedgerServer,
    status: ServerStatus,
    record: AccountRecord,
    upto: int,
    deadlines: Collection[int],
) -> list[LedgerFacts]:
    """Return the facts of the ledgers after the record's cursor up to `upto`, oldest first.

    A ledger without a transaction of the account is left out, unless it is one of `deadlines` or the last.
    Where the server has the range but not the header of `upto`, it is read up to its newest ledger. Waits a
    bounded time for the stream to show the ledgers whole.

    Raises:
        ServerError: as every request; WrongChain, ProtocolViolation: see the module.

    """
    try:
        return await _read_up_to(server, status, record, upto, deadlines)
    except Refused as refusal:
        if refusal.code != "lgrNotFound" or upto == status.validated:
            raise
    return await _read_up_to(server, status, record, status.validated, deadlines)


async def _read_up_to(
    server: LedgerServer,
    status: ServerStatus,
    record: AccountRecord,
    upto: int,
    deadlines: Iterable[int],
) -> list[LedgerFacts]:
    cursor = record.ledger_index
    due = {upto, *(ledger for ledger in deadlines if cursor < ledger < upto)}
    quiet = await untouched_ledgers(server, record.account, record.ledger_hash, cursor + 1, upto)
    if quiet is not None:
        return [_quiet_facts(status, header) for header in quiet if header.ledger_index in due]
    # At the same time: a server may be far away. The last header is wanted in any case.
    history, newest = await asyncio.gather(
        account_history(server, record.account, cursor, upto), ledger_header(server, upto)
    )
    overlap = [one for one in history if one.transaction.ledger_index == cursor]
    _check_overlap(server, record, overlap)
    by_ledger: defaultdict[int, list[LedgerTransaction]] = defaultdict(list)
    for one in history[len(overlap) :]:
        by_ledger[one.transaction.ledger_index].append(one)
    wanted = {*due, *by_ledger}
    before = {*wanted, *([cursor] if cursor + 1 not in wanted else [])} - {upto}
    headers = [*await _headers(server, sorted(before)), newest]
    _check_chain(server, record, headers)
    reserves = await reserves_at(server, status, cursor, upto, by_ledger)
    return [
        LedgerFacts(
            header=header,
            reserves=reserves.get(header.ledger_index, status.reserves),
            transactions=_checked(server, header, by_ledger.get(header.ledger_index, [])),
            proven=_are_proven(by_ledger.get(header.ledger_index, [])),
        )
        for header in headers[-len(wanted) :]
    ]


def _are_proven(rows: Sequence[LedgerTransaction]) -> bool:
    """Whether there are any, and each is proven: that there is none, no bytes show here."""
    return bool(rows) and all(one.proven for one in rows)


def _quiet_facts(status: ServerStatus, header: Header) -> LedgerFacts:
    return LedgerFacts(header=header, reserves=status.reserves, transactions=())


def _check_overlap(server: LedgerServer, record: AccountRecord, overlap: Sequence[LedgerTransaction]) -> None:
    found = tuple(one.transaction.hash for one in overlap)
    if found != record.transactions:
        raise WrongChain(
            server.name,
            f"account_tx: expected ledger {record.ledger_index} to show {record.account} the same "
            f"{len(record.transactions)} transactions as when it was followed, found {len(found)} "
            f"(differing: {sorted(set(found) ^ set(record.transactions))[:3]})",
        )


async def _headers(server: LedgerServer, wanted: Sequence[int]) -> list[Header]:
    headers: list[Header] = []
    for first in range(0, len(wanted), _HEADERS_AT_ONCE):
        some = wanted[first : first + _HEADERS_AT_ONCE]
        headers += await asyncio.gather(*(ledger_header(server, ledger_index) for ledger_index in some))
    return headers


def _check_chain(server: LedgerServer, record: AccountRecord, headers: Sequence[Header]) -> None:
    for parent_index, parent_hash, found in _links(record, headers):
        if parent_hash != found:
            raise WrongChain(
                server.name,
                f"ledger: expected hash {parent_hash} of ledger {parent_index}, found {found}: "
                "it is on another chain than the ledgers followed so far",
            )


def _links(record: AccountRecord, headers: Sequence[Header]) -> Iterator[tuple[int, str, str]]:
    """Yield every pair of hashes that must be equal: (ledger, one hash of it, the other)."""
    first = headers[0]
    at_cursor = first.ledger_index == record.ledger_index
    yield record.ledger_index, record.ledger_hash, first.ledger_hash if at_cursor else first.parent_hash
    for before, after in pairwise(headers):
        if after.ledger_index == before.ledger_index + 1:
            yield before.ledger_index, before.ledger_hash, after.parent_hash


def _checked(
    server: LedgerServer, header: Header, transactions: Sequence[LedgerTransaction]
) -> tuple[Transaction, ...]:
    for one in transactions:
        if one.ledger_hash != header.ledger_hash:
            raise ProtocolViolation(
                server.name,
                f"account_tx: expected hash {header.ledger_hash} of ledger {header.ledger_index} in "
                f"transaction {one.transaction.hash}, found {one.ledger_hash}",
            )
    return tuple(one.transaction for one in transactions)
