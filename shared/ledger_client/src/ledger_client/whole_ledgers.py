"""Whole ledgers, each read once for all accounts.

With many accounts, a ledger is asked for as a whole instead of once for each of them, and the accounts'
histories are taken from it: a reader of an account sees no difference. A ledger is asked for twice, at
once: as JSON, which is what is read, and as blobs, which prove it. The blobs give the ledger's hash, the
root of its tree of transactions and every transaction's hash; the JSON must show just these transactions.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

import msgspec
import structlog

from ledger_client import transaction_tree as tree
from ledger_client.affected_accounts import UNREADABLE, AffectingRow
from ledger_client.answers import Pinned, ask_pinned
from ledger_client.history import LedgerTransaction, account_history
from ledger_client.ledger_stream import LedgerStream, stream_of
from ledger_client.server import InvalidRequest, LedgerServer, ProtocolViolation, Refused
from ledger_client.single_flight import SingleFlight
from ledger_client.status import ServerStatus, server_status
from offer_lifecycle import Header, MalformedTransaction, Transaction, read_transaction

_log = structlog.get_logger()

NEAREST = 16
"""Ledgers: an account that is further behind reads its own history; few share its way."""
_KEPT = 2 * NEAREST
_SECONDS_KEPT = 20.0
"""Until the next ledgers are read; what answers under a server's name may change, so not for long."""


class WholeLedger:
    """A ledger with all of its transactions, proven complete."""

    def __init__(self, server: LedgerServer, header: Header, rows: Sequence[msgspec.Raw]) -> None:
        """`rows`: the transactions as the server wrote them.

        Raises:
            ProtocolViolation: if the metadata of one can't be read.

        """
        self.header = header
        self.hashes: list[str] = []
        """Of the transactions, as the server wrote them."""
        self._server = server
        self._rows = rows
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        self._read: dict[int, LedgerTransaction] = {}
        for place, row in enumerate(rows):
            try:
                affecting = _AFFECTING.decode(row)
                accounts = affecting.accounts()
            except UNREADABLE as error:
                _violation(server, f"transaction {_hash_of(row)}: expected metadata, found {error!r}")
            self.hashes.append(affecting.hash)
            for account in accounts:
                self._places[account].append(place)

    def of(self, account: str) -> Iterator[LedgerTransaction]:
        """Yield the transactions in whose metadata the account stands, as its `account_tx` shows them.

        Raises:
            ProtocolViolation: if one can't be read.

        """
        for place in self._places.get(account, ()):
            if place not in self._read:  # the first account that it affects reads it for all
                self._read[place] = self._transaction(self._rows[place])
            yield self._read[place]

    def transactions(self) -> Iterator[Transaction]:
        """Yield all transactions that can be read, whichever accounts they affect."""
        for row in self._rows:
            try:
                yield read_transaction(row, ledger_index=self.header.ledger_index)
            except MalformedTransaction:
                continue  # the account that it affects reports it

    def _transaction(self, row: msgspec.Raw) -> LedgerTransaction:
        try:
            transaction = read_transaction(row, ledger_index=self.header.ledger_index)
        except MalformedTransaction as error:
            _violation(self._server, str(error))
        return LedgerTransaction(transaction=transaction, ledger_hash=self.header.ledger_hash)


class WholeLedgerServer:
    """A server that takes accounts' histories from whole ledgers, once enough accounts are followed."""

    def __init__(
        self,
        server: LedgerServer,
        *,
        accounts: Callable[[], int],
        from_accounts: int,
        clock: Callable[[], float],
        on_read: Callable[[WholeLedger], None] | None = None,
    ) -> None:
        """Take the histories of `server`'s accounts from whole ledgers.

        Args:
            server: that is asked.
            accounts: how many are followed.
            from_accounts: from how many on ledgers are read whole.
            clock: seconds, monotonic.
            on_read: called with each whole ledger, once it is proven complete; None: nothing is.

        """
        self._on_read = on_read
        self._server = server
        self._accounts = accounts
        self._from_accounts = from_accounts
        self._ledgers: SingleFlight[int, WholeLedger] = SingleFlight(
            keep=_KEPT, seconds=_SECONDS_KEPT, clock=clock
        )
        self._refused = False

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    @property
    def stream(self) -> LedgerStream | None:
        """The server's stream (see `StreamedServer`)."""
        return stream_of(self._server)

    @property
    def reads_every_ledger(self) -> bool:
        """Whether enough accounts are followed: then one reading of a ledger serves them all."""
        return self._accounts() >= self._from_accounts

    async def status(self) -> ServerStatus:
        """Return what the server has by now (see `StatusServer`)."""
        return await server_status(self._server)

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        match method, params:
            case "ledger", {"ledger_index": int(ledger_index)} if len(params) == 1:
                held = await self._ledgers.get_if_asked(ledger_index)
                if held is not None:
                    answer = {"ledger_index": ledger_index, "validated": True, "ledger": held.header}
                    return msgspec.Raw(msgspec.json.encode(answer))
        return await self._server.request(method, **params)

    async def account_history(self, account: str, first: int, last: int) -> list[LedgerTransaction]:
        """Return the account's transactions in [first, last], in the ledger's order (see `HistoryServer`)."""
        if not self.reads_every_ledger or not first <= last <= first + NEAREST:
            return await account_history(self._server, account, first, last)
        try:
            ledgers = [await self._ledger(ledger_index) for ledger_index in range(first, last + 1)]
        except (Refused, InvalidRequest) as refusal:
            if not self._refused:
                _log.warning("no whole ledger, each account is read by itself", problem=str(refusal))
            self._refused = True
            return await account_history(self._server, account, first, last)
        self._refused = False
        found = [one for ledger in ledgers for one in ledger.of(account)]
        return sorted(found, key=lambda one: (one.transaction.ledger_index, one.transaction.index))

    async def close(self) -> None:
        """Close the connection, and end the reading of ledgers that nobody waits for any more."""
        await self._ledgers.close()
        await self._server.close()

    async def _ledger(self, ledger_index: int) -> WholeLedger:
        return await self._ledgers.get(ledger_index, lambda: self._read_whole(ledger_index))

    async def _read_whole(self, ledger_index: int) -> WholeLedger:
        ledger = await read_whole(self._server, ledger_index)
        if self._on_read is not None:
            self._on_read(ledger)
        return ledger


async def read_whole(server: LedgerServer, ledger_index: int) -> WholeLedger:
    """Ask for one validated ledger with all of its transactions, and prove it complete.

    Raises:
        ServerError: as every request; ProtocolViolation if it is not the ledger that its hash names.

    """
    question = {"ledger_index": ledger_index, "transactions": True, "expand": True}
    proof, shown = await asyncio.gather(
        ask_pinned(server, "ledger", _BlobsAnswer, **question, binary=True),
        ask_pinned(server, "ledger", _RowsAnswer, **question),
    )
    header = shown.ledger.header
    if header.ledger_index != ledger_index:
        _violation(server, f"expected ledger {ledger_index}, found {header.ledger_index}")
    ledger = WholeLedger(server, header, shown.ledger.transactions)
    proven = _proven(server, proof.ledger, header.ledger_hash)
    if set(ledger.hashes) != proven or len(ledger.hashes) != len(proven):
        _violation(
            server,
            f"expected the {len(proven)} transactions that make the tree of ledger {ledger_index}, found "
            f"{len(ledger.hashes)} (differing: {sorted(proven.symmetric_difference(ledger.hashes))[:3]})",
        )
    return ledger


class _Blobs(msgspec.Struct, gc=False):
    tx_blob: str
    meta_blob: str


class _BlobLedger(msgspec.Struct):
    ledger_data: str
    transactions: list[_Blobs]


class _BlobsAnswer(Pinned, kw_only=True):
    ledger: _BlobLedger


class _RowLedger(msgspec.Struct):
    ledger_index: int
    ledger_hash: str
    parent_hash: str
    close_time: int
    parent_close_time: int
    transactions: list[msgspec.Raw]

    @property
    def header(self) -> Header:
        return Header(
            ledger_index=self.ledger_index,
            ledger_hash=self.ledger_hash,
            parent_hash=self.parent_hash,
            close_time=self.close_time,
            parent_close_time=self.parent_close_time,
        )


class _RowsAnswer(Pinned, kw_only=True):
    ledger: _RowLedger


def _proven(server: LedgerServer, proof: _BlobLedger, ledger_hash: str) -> set[str]:
    """Return the hashes of all transactions of the ledger with this hash."""
    try:
        header = bytes.fromhex(proof.ledger_data)
        leaves = dict(
            tree.leaf(bytes.fromhex(one.tx_blob), bytes.fromhex(one.meta_blob)) for one in proof.transactions
        )
    except ValueError as error:
        _violation(server, f"expected blobs in hexadecimal: {error}")
    if (found := tree.ledger_hash(header)) != ledger_hash:
        _violation(server, f"expected a header with the hash {ledger_hash}, found one with {found}")
    if (root := tree.root_of(leaves)) != tree.root_in(header):
        _violation(
            server,
            f"expected {tree.root_in(header).hex().upper()} as the root of the tree of transactions, "
            f"found {root.hex().upper()} from {len(leaves)}: some are missing or spoiled",
        )
    return {name.hex().upper() for name in leaves}


_AFFECTING = msgspec.json.Decoder(AffectingRow)


def _hash_of(row: msgspec.Raw) -> str | None:
    """Return the hash of a row of which perhaps nothing else can be read."""
    try:
        return msgspec.json.decode(row, type=_Named).hash
    except msgspec.DecodeError:
        return None


class _Named(msgspec.Struct):
    hash: str | None = None


def _violation(server: LedgerServer, text: str) -> NoReturn:
    raise ProtocolViolation(server.name, f"ledger: {text}")
