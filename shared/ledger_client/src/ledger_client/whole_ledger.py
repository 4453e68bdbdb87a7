"""One whole ledger, proven by its bytes: every transaction with its metadata, and no other.

The ledger is asked for once, as blobs. The header's bytes hash to the ledger's hash, and all transactions
with their metadata hash to the root in the header; what the accounts read is decoded from these bytes.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import msgspec

from ledger_client.affected_accounts import UNREADABLE, named_accounts
from ledger_client.answers import Pinned, ask_pinned
from ledger_client.history import LedgerTransaction
from ledger_client.server import LedgerServer, NotProven, ProtocolViolation
from ledger_proof import BlobLedger, MalformedBlob, ProvenLedger, account_bytes, prove_blobs
from offer_lifecycle import Transaction

_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode
_ROWS_IN_THIS_THREAD = 40
"""More are hashed in a thread of their own: a fill may come meanwhile."""


class UnreadableBlob(Exception):
    """The bytes are the ledger's, and this version can't read a transaction of the account in them."""


class WholeLedger:
    """A ledger of which every byte is covered by its hash, as the accounts read it."""

    def __init__(self, proven: ProvenLedger) -> None:
        """Decode nothing yet: most of a ledger is other people's."""
        self.header = proven.facts()
        self._proven = proven
        metadata = [one for _, one in proven.rows]
        self._joined = b"".join(metadata)
        self._ends = list(accumulate(map(len, metadata)))
        self._read: dict[int, tuple[Transaction, frozenset[str]]] = {}

    @property
    def names(self) -> set[str]:
        """The hashes of all transactions, in hexadecimal."""
        return {name.hex().upper() for name, _ in self._proven.leaves}

    def of(self, account: str) -> list[LedgerTransaction]:
        """Return the transactions that affect the account, as its `account_tx` shows them, in their order.

        Raises:
            UnreadableBlob: if one can't be read.

        """
        found = [self._transaction(place) for place in sorted(self._places(account))]
        affecting = sorted((tx for tx, accounts in found if account in accounts), key=lambda tx: tx.index)
        ledger_hash = self.header.ledger_hash
        return [LedgerTransaction(transaction=tx, ledger_hash=ledger_hash, proven=True) for tx in affecting]

    def transactions(self) -> Iterator[Transaction]:
        """Yield all transactions that can be read, whichever accounts they affect."""
        for place in range(len(self._proven.rows)):
            try:
                yield self._transaction(place)[0]
            except UnreadableBlob:
                continue  # the account that it affects reads it by another way

    def _places(self, account: str) -> set[int]:
        """Return the rows in whose metadata the account's bytes stand; it may be as something else."""
        name, places = account_bytes(account), set()
        at = self._joined.find(name)
        while at >= 0:
            places.add(bisect_right(self._ends, at))
            at = self._joined.find(name, at + 1)
        return places

    def _transaction(self, place: int) -> tuple[Transaction, frozenset[str]]:
        if place not in self._read:  # the first account that it affects reads it for all
            try:
                tx = self._proven.transaction(place)
                self._read[place] = tx, frozenset(_affected(tx))
            except (MalformedBlob, *UNREADABLE) as error:
                raise UnreadableBlob(f"ledger {self.header.ledger_index}: {error}") from error
        return self._read[place]


def _affected(tx: Transaction) -> Iterator[str]:
    for node in tx.nodes:
        if node.fields:
            yield from named_accounts(_decode_fields(node.fields).items())


class BlobsAnswer(Pinned, kw_only=True):
    """The answer to `ledger`, binary and expanded."""

    ledger: BlobLedger
    ledger_hash: str | None = None


async def read_whole(
    server: LedgerServer, ledger_index: int, *, ledger_hash: str | None = None
) -> WholeLedger:
    """Ask for one validated ledger with all of its transactions, and prove it.

    `ledger_hash`: the hash that it must have; None: the one that the answer names.

    Raises:
        NotProven: the bytes are not those of the ledger that their header names.
        ServerError: as every request.

    """
    answer = await ask_pinned(
        server,
        "ledger",
        BlobsAnswer,
        ledger_index=ledger_index,
        transactions=True,
        expand=True,
        binary=True,
    )
    try:
        expected = bytes.fromhex(ledger_hash or answer.ledger_hash or "") or None
        if len(answer.ledger.transactions) > _ROWS_IN_THIS_THREAD:
            proven = await asyncio.to_thread(prove_blobs, answer.ledger, ledger_hash=expected)
        else:
            proven = prove_blobs(answer.ledger, ledger_hash=expected)
    except ValueError as error:  # an Unproven, or a hash that is none
        raise NotProven(server.name, f"ledger: {error}") from error
    if proven.header.ledger_index != ledger_index:
        raise ProtocolViolation(
            server.name, f"ledger: expected ledger {ledger_index}, found {proven.header.ledger_index}"
        )
    return WholeLedger(proven)
