"""One validated transaction with its metadata, in one shape for all that servers write.

`transaction_record` reads it. What its nodes hold is decoded only where it is asked for (see `nodes`).
"""

from collections.abc import Iterable
from itertools import chain
from typing import Annotated

import msgspec

from offer_lifecycle.amounts import WrittenAmount
from offer_lifecycle.computed_once import computed_once
from offer_lifecycle.entries import BalanceEntry
from offer_lifecycle.formats import unknown_order_fields
from offer_lifecycle.nodes import BALANCES, OFFER, AffectedNode, Kind, Node, UInt32, read_nodes

RIPPLE_EPOCH = 946_684_800
"""2000-01-01T00:00:00Z in Unix seconds: the ledger counts its seconds from there."""
SPONSOR_PAYS_FEE = 0x0000_0001
"""spfSponsorFee, of SponsorFlags."""


HashText = Annotated[str, msgspec.Meta(max_length=64)]
"""A hash of 32 bytes in hexadecimal."""


class MalformedTransaction(ValueError):
    """A record that is no validated transaction: says the transaction, the node and the field."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a validated ledger's header says; times in seconds since the ripple epoch."""

    ledger_index: UInt32
    ledger_hash: HashText
    parent_hash: HashText
    close_time: UInt32
    parent_close_time: UInt32


class InnerTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One of a Batch's RawTransactions: what the Batch was to do. Applied, it is a transaction of its own."""

    type: str
    account: str
    sequence: int
    """Its Sequence, or its TicketSequence where it uses a ticket."""
    offer_sequence: int | None = None
    """OfferSequence: the offer that it was to cancel or replace."""


class Transaction(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A validated transaction."""

    hash: str
    ledger_index: int
    index: int
    """TransactionIndex: its place in the ledger."""
    type: str
    account: str
    sequence: int
    """Its Sequence, or its TicketSequence where a ticket was used."""
    result: str
    fee: int
    """Drops: see `fees.fee_paid_by`."""
    flags: int
    expiration: int | None
    """Of an OfferCreate, in ripple seconds."""
    offer_sequence: int | None
    """OfferSequence: the offer that it cancels or replaces."""
    taker_gets: WrittenAmount | None
    """Of an OfferCreate, as written: see `changes.ordered_amounts`."""
    taker_pays: WrittenAmount | None
    destination: str | None
    """Of a Payment."""
    delegate: str | None
    """The account that signed it in the account's place."""
    sponsor: str | None
    """The account that pays its fee, or the reserve of what it creates (see `sponsor_flags`)."""
    sponsor_flags: int
    domain: str | None
    """DomainID: the permissioned domain whose book it walks; None: the open book."""
    parent_batch: str | None
    """ParentBatchID: the Batch of which it is an inner transaction."""
    inner: tuple[InnerTransaction, ...]
    """RawTransactions of a Batch."""
    affected: msgspec.Raw | list[AffectedNode]
    """AffectedNodes, read or as the server wrote them, in an order that means nothing: see `nodes`."""
    order_record: bytes | msgspec.Raw
    """Of an OfferCreate: its record as a server wrote it, whatever the shape (see `unknown_fields`)."""

    def __eq__(self, other: object) -> bool:
        """Compare what is told, which other servers may write otherwise."""
        if not isinstance(other, Transaction):
            return NotImplemented
        written = {"affected", "order_record"}
        names = (name for name in self.__struct_fields__ if name not in written)
        return self.nodes == other.nodes and all(
            getattr(self, name) == getattr(other, name) for name in names
        )

    def __hash__(self) -> int:
        """Return the hash of what names it."""
        return hash(self.hash)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Fields of an OfferCreate that the kernel does not know; looked for only when they are asked for."""
        return unknown_order_fields(self.order_record) if self.order_record else ()

    @property
    def nodes(self) -> list[Node]:
        """The entries that it touched; those that can't be read are left out and named in `damaged`."""
        return self._nodes_and_damage[0]

    @property
    def damaged(self) -> tuple[str, ...]:
        """The nodes that can't be read at all, each with its place and what was found."""
        return self._nodes_and_damage[1]

    @computed_once
    def offers(self) -> list[Node]:
        """Return the offers that it touched."""
        return [node for node in self.nodes if node.entry_type == OFFER]

    @property
    def deleted_offers(self) -> list[Node]:
        """The offers that it deleted; no other node is looked into where they are read already."""
        if isinstance(self.affected, list):
            deleted = [one.deleted for one in self.affected if one.deleted is not None]
            return [node for node in deleted if node.entry_type == OFFER]
        return [node for node in self.offers if node.kind is Kind.DELETED]

    @computed_once
    def balances(self) -> list[Node]:
        """Return the accounts, trust lines, MPTs and MPT issuances that it touched."""
        return [node for node in self.nodes if node.entry_type in BALANCES]

    @computed_once
    def _nodes_and_damage(self) -> tuple[list[Node], tuple[str, ...]]:
        return read_nodes(self.affected)

    @computed_once
    def balance_entries(self) -> list[BalanceEntry]:
        """Return what those entries hold, each read once for all accounts."""
        return [BalanceEntry(node) for node in self.balances]

    def entries_of(self, account: str) -> list[BalanceEntry]:
        """Return the entries that may hold a balance of the account: they name it, or show no field."""
        known = self._entries_by_account
        if account not in known:
            name = account.encode()
            known[account] = [
                one for one in self.balance_entries if not one.node.fields or one.node.names(name)
            ]
        return known[account]

    @computed_once
    def _entries_by_account(self) -> dict[str, list[BalanceEntry]]:
        return {}

    def touches(self, account: str) -> bool:
        """Whether it is the account's own or was to do something for it, or changed an entry of it."""
        if account == self.account or any(account == one.account for one in self.inner):
            return True
        name = account.encode()
        return any(node.names(name) for node in chain(self.balances, self.offers))


def sort_transactions(transactions: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """Return each transaction once, as the ledgers applied them: by ledger and TransactionIndex."""
    once = {tx.hash: tx for tx in transactions}
    return tuple(sorted(once.values(), key=lambda tx: (tx.ledger_index, tx.index)))
