"""One ledger as a server's streams show it: what `ledgerClosed` says of it, and its transactions so far."""

from collections import defaultdict
from typing import Annotated, Any

import msgspec

from ledger_client.affected_accounts import AffectingRow
from offer_lifecycle import Reserves

UInt = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class ClosedLedger(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message `ledgerClosed`, or what the answer to `subscribe` says of the newest ledger."""

    ledger_index: UInt
    ledger_hash: str
    close_time: UInt = msgspec.field(name="ledger_time")
    """In ripple seconds."""
    txn_count: UInt | None = None
    """How many transactions the ledger has; None: it was closed before the stream began."""
    reserve_base: UInt | None = None
    reserve_inc: UInt | None = None
    """In drops, those in the state after the ledger."""
    validated_ledgers: str | None = None
    """The ranges of ledgers that the server holds."""

    @property
    def reserves(self) -> Reserves | None:
        """The reserves in the state after the ledger; None: the message does not say."""
        if self.reserve_base is None or self.reserve_inc is None:
            return None
        return Reserves(base=self.reserve_base, increment=self.reserve_inc)


class StreamedRow(msgspec.Struct, frozen=True, gc=False):
    """A transaction, as it is kept until its account asks for it."""

    hash: str
    accounts: frozenset[str]
    message: bytes
    """As the stream brought it."""


class RowMessage(AffectingRow, kw_only=True, gc=False):
    """A message `transaction` of the stream."""

    ledger_index: UInt
    ledger_hash: str
    validated: Any = None


class StreamedLedger:
    """One ledger, as far as the stream has shown it."""

    def __init__(self) -> None:
        self.closed: ClosedLedger | None = None
        self.hash: str | None = None
        self.contradictory = False
        """Two messages say different things of it."""
        self._rows: dict[int, StreamedRow] = {}
        """By TransactionIndex."""
        self._unbroken = 0
        """Its transactions that are there from the first one on, without a gap."""
        self._touched: defaultdict[str, list[int]] = defaultdict(list)
        """By account, the places of the transactions that affect it."""

    @property
    def whole(self) -> bool:
        """Whether all of its transactions are there, and nothing that does not belong to it."""
        return (
            self.closed is not None
            and not self.contradictory
            and self.closed.txn_count == self._unbroken == len(self._rows)
        )

    @property
    def names(self) -> set[str]:
        """The hashes of its transactions so far, in hexadecimal."""
        return {row.hash.upper() for row in self._rows.values()}

    def name_hash(self, ledger_hash: str) -> None:
        """Note the hash that a message names."""
        self.contradictory |= self.hash not in {None, ledger_hash}
        self.hash = ledger_hash

    def add(self, place: int, row: StreamedRow) -> set[str]:
        """Add a row, and return the accounts that it is news for."""
        known = self._rows.get(place)
        if known is not None:
            self.contradictory |= known.hash != row.hash
            return set()
        self._rows[place] = row
        for account in row.accounts:
            self._touched[account].append(place)
        concerned = set(row.accounts)
        while self._unbroken in self._rows:
            concerned |= self._rows[self._unbroken].accounts
            self._unbroken += 1
        return concerned

    def touches(self, account: str) -> bool:
        """Whether a transaction affects the account, of those that are there."""
        return account in self._touched

    def first_touching(self, account: str) -> list[bytes]:
        """Return the messages of the transactions that affect the account, up to the first gap."""
        places = sorted(place for place in self._touched.get(account, ()) if place < self._unbroken)
        return [self._rows[place].message for place in places]
