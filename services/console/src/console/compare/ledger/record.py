"""What the ledger says of the accounts' orders in a range of ledgers, and the port by which it is asked."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from order_events import OrderStatus, RemovalReason, Side

Watch = Callable[[str, int, int], None]
"""Called while reading: (what is read, how many of it, of how many; 0: not known)."""


class Moment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One validated ledger."""

    ledger_index: int
    time: datetime
    """Its close time, UTC."""


class LedgerFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One trade of one order: one transaction's change to it. Amounts in units, XRP in XRP."""

    transaction: str
    at: Moment
    base: Decimal
    quote: Decimal


class LedgerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the ledger has it, up to the last ledger that was read. Quantities are in base."""

    account: str
    sequence: int
    placed_tx: str | None
    """Hash of its OfferCreate; None: it was placed before the ledgers that were read."""
    base: str
    """Asset: `XRP`, `CODE.issuer` or `MPT.<id>`."""
    quote: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    status: OrderStatus
    reason: RemovalReason | None
    removed_by: str | None
    """Hash of the transaction that ended it."""
    ended_by_owner: bool
    """That transaction is the owner's own cancel or replacement."""
    placed: Moment | None
    """None: before the ledgers that were read."""
    ended: Moment | None
    """None: it lives, or it passed its Expiration with no transaction (then `expired_at`)."""
    expired_at: datetime | None = None
    """Of an expired one that no transaction has removed yet."""
    fills: tuple[LedgerFill, ...] = ()
    distance_bps: Decimal | None = None
    """Its price's distance from the mid when it ended, positive away from it, where it was recorded."""

    @property
    def key(self) -> tuple[str, int]:
        """Account and sequence."""
        return self.account, self.sequence

    @property
    def traded(self) -> bool:
        """Whether it has any fill."""
        return bool(self.fills)

    @property
    def end(self) -> datetime | None:
        """When it ended, by the ledgers' clock."""
        return self.ended.time if self.ended is not None else self.expired_at

    @property
    def age_seconds(self) -> int | None:
        """How long it lived, from its placement to its end."""
        if self.placed is None or self.end is None:
            return None
        return max(0, int((self.end - self.placed.time).total_seconds()))


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledgers of an account were read without a gap."""

    account: str
    source: str
    first: Moment
    last: Moment
    first_hash: str | None = None
    last_hash: str | None = None
    next_sequence: int | None = None
    """The account's next Sequence after the last ledger; None: not known."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Ledgers in between that no server could show."""

    def holds(self, time: datetime) -> bool:
        """Whether a moment lies in the range; the first ledger's own is no longer in it."""
        return self.first.time < time <= self.last.time


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All orders of the accounts, and the ledgers that say so."""

    source: str
    orders: Sequence[LedgerOrder]
    coverage: Sequence[Coverage]
    explain: tuple[str, ...]
    """The options with which `fillproof explain` asks the same source; empty: it can't."""
    notes: tuple[str, ...] = ()


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """The best prices of other accounts for a pair at one ledger, in quote per base."""

    ledger_index: int
    bid: Decimal | None
    ask: Decimal | None

    @property
    def mid(self) -> Decimal | None:
        """The middle of the two; None where one side is empty."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


class LedgerRecord(Protocol):
    """Tells what became of orders: from a recorded session, the audit database, or a server's history."""

    knows_markets: bool
    """`market` costs no question to a server."""

    def accounts(self) -> Iterable[str]:
        """Return the accounts that it can tell of, where it can name them."""

    def read(self, accounts: Sequence[str], first: int | None, last: int | None, watch: Watch) -> Reading:
        """Return the accounts' orders from ledger `first` (None: its first) up to `last` (None: its last).

        Raises:
            BadOption: it knows nothing of an account or of the range.

        """

    def market(self, order: LedgerOrder, ledger_index: int) -> Market | None:
        """Return the market of an order's pair at that ledger, without its own account; None: not known."""
