"""One order and its state up to some validated ledger."""

from decimal import Decimal
from uuid import UUID

import msgspec

from offer_lifecycle.amounts import EXACT, RATIO, ZERO, canonical_amount, in_units, limit_price, market_of
from offer_lifecycle.chain import missing_link
from offer_lifecycle.changes import OfferChange
from offer_lifecycle.nodes import Kind
from offer_lifecycle.placement import Placement
from offer_lifecycle.transaction import Transaction
from order_events import Amount, OrderStatus, RemovalReason, Resolution, Side

ENDED = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.REMOVED,
        OrderStatus.LOST,
    }
)


CANCEL_LEDGERS = 256
"""How long a cancel without a LastLedgerSequence may be on its way: a quarter of an hour."""
MOST_CANCELS = 16
"""Announced cancels that are kept of an order: those announced last."""
MOST_HASHES = 16
"""Announced hashes that are kept of an order: those announced last."""


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel that the engine says it sent."""

    transaction_hash: str | None
    sent_after: int | None
    """The newest validated ledger the engine knew when it sent it; None: not known."""
    validated: bool = False
    """It, or another transaction with its Sequence, is in a validated ledger: it is in flight no longer."""
    sequence: int | None = None
    """Its own Sequence or TicketSequence; None: not known."""
    last_ledger_sequence: int | None = None
    """The last ledger that may hold it; None: `CANCEL_LEDGERS` after it was sent, if that is known."""

    def in_flight(self, ledger_index: int) -> bool:
        """Whether it could have been on its way when that ledger was made."""
        if self.validated or (self.sent_after is not None and self.sent_after >= ledger_index):
            return False
        last = self.last_ledger_sequence
        if last is None and self.sent_after is not None:
            last = self.sent_after + CANCEL_LEDGERS
        return last is None or ledger_index <= last

    def is_transaction(self, transaction_hash: str, sequence: int | None = None) -> bool:
        """Whether it is this transaction, by its hash or its own Sequence: a higher fee changes the hash."""
        return self.transaction_hash == transaction_hash or (
            self.sequence is not None and self.sequence == sequence
        )


def with_cancel(cancels: tuple[Cancel, ...], announced: Cancel) -> tuple[Cancel, ...]:
    """Return the cancels with one that was announced; announced again, it changes nothing."""
    same = (one for one in cancels if one.transaction_hash == announced.transaction_hash is not None)
    if announced in cancels or next(same, None) is not None:
        return cancels
    return (*cancels, announced)[-MOST_CANCELS:]


def end_cancels(
    cancels: tuple[Cancel, ...], transaction_hash: str, sequence: int | None = None
) -> tuple[Cancel, ...]:
    """Return the cancels after this transaction was validated: those that it is are in flight no longer."""
    return tuple(
        msgspec.structs.replace(cancel, validated=True)
        if cancel.is_transaction(transaction_hash, sequence)
        else cancel
        for cancel in cancels
    )


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order; `gets` is what it gives, `pays` what it asks (drops for XRP, decimal tokens otherwise)."""

    account: str
    sequence: int
    gets: Amount
    pays: Amount
    price: Decimal | None
    """Quote per base, in units."""
    expiration: int | None
    """Seconds since the ripple epoch."""
    status: OrderStatus
    listed: bool = False
    """Its entry is on the ledger (an expired one may still be)."""
    gets_left: Decimal = ZERO
    pays_left: Decimal = ZERO
    gave: Decimal = ZERO
    got: Decimal = ZERO
    removal_reason: RemovalReason | None = None
    removed_by: str | None = None
    resolution: Resolution | None = None
    anomaly: bool = False
    ended_at: int | None = None
    """The ledger in which it ended."""
    last_txn_id: str | None = None
    """The transaction that touched its entry last; None: not known (found on the ledger when adopted)."""
    missing: tuple[str, ...] = ()
    """Transactions that touched the entry and are not among what was read (PreviousTxnID names them)."""
    external: bool = True
    client_order_id: str | None = None
    session_id: str | None = None
    submitted_hash: str | None = None
    """The announced hash of its transaction, of the latest deadline; None: not announced."""
    earlier_hashes: tuple[str, ...] = ()
    """Hashes announced before for the same Sequence: any of them may be the one that is validated."""
    last_ledger_sequence: int | None = None
    cancels: tuple[Cancel, ...] = ()
    lost_event: UUID | None = None
    """Id of the `order.disappeared` that told that its deadline had passed, until it is withdrawn."""
    times_lost: int = 0
    """How often that was told: an order may be announced again after it."""

    @property
    def ended(self) -> bool:
        """It will not trade again (an expired one may still be listed)."""
        return self.status in ENDED

    @property
    def market(self) -> str:
        """`<base>/<quote>`."""
        return market_of(self.gets.asset, self.pays.asset)[0]

    @property
    def side(self) -> Side:
        """Seen from the base."""
        return market_of(self.gets.asset, self.pays.asset)[1]

    @property
    def quantity(self) -> Decimal:
        """What was placed, in base units."""
        return self._base(self.gets.value, self.pays.value)

    @property
    def filled_qty(self) -> Decimal:
        """What traded, in base units."""
        return self._base(self.gave, self.got)

    @property
    def remaining(self) -> Decimal:
        """What the entry holds, or held when it was removed, in base units."""
        return self._base(self.gets_left, self.pays_left)

    @property
    def avg_px(self) -> Decimal | None:
        """Quote per base over all fills."""
        return self.price_of(self.gave, self.got)

    def price_of(self, gave: Decimal, got: Decimal) -> Decimal | None:
        """Return quote per base of a trade, in units; None where no base moved."""
        if not (gave or got):
            return None
        given, gotten = in_units(self.gets.asset, gave), in_units(self.pays.asset, got)
        base, quote = (given, gotten) if self.side is Side.SELL else (gotten, given)
        return RATIO.divide(quote, base) if base else None

    def base_of(self, gave: Decimal, got: Decimal) -> Decimal:
        """Return a trade's quantity in base units."""
        return self._base(gave, got)

    def cancel_in_flight(self, ledger_index: int) -> bool:
        """Whether a cancel of the engine's may have been on its way when that ledger was made."""
        return any(cancel.in_flight(ledger_index) for cancel in self.cancels)

    def canceled_by_engine(self, transaction_hash: str, sequence: int | None = None) -> bool:
        """Whether the engine announced this very cancel; `sequence`: the cancel's own."""
        return any(cancel.is_transaction(transaction_hash, sequence) for cancel in self.cancels)

    def cancel_may_be_sent_again(self, ledger_index: int) -> bool:
        """Whether a cancel is in flight whose own Sequence is not known: a higher fee changes its hash."""
        return any(cancel.sequence is None and cancel.in_flight(ledger_index) for cancel in self.cancels)

    def cancel_validated(self, transaction_hash: str, sequence: int | None = None) -> "Order":
        """Note that the engine's cancel, or another transaction with its Sequence, was validated."""
        return msgspec.structs.replace(self, cancels=end_cancels(self.cancels, transaction_hash, sequence))

    def is_announced_as(self, transaction_hash: str, gets: Amount, pays: Amount) -> bool:
        """Whether the engine announced this OfferCreate: a higher fee changes only its hash."""
        known = {self.submitted_hash, *self.earlier_hashes}
        return bool(known & {None, transaction_hash}) or (self.gets, self.pays) == (gets, pays)

    def traded(self, gave: Decimal, got: Decimal) -> "Order":
        """Add a trade."""
        return msgspec.structs.replace(self, gave=EXACT.add(self.gave, gave), got=EXACT.add(self.got, got))

    def touched(self, change: OfferChange, by: str, *, traded: bool = True) -> "Order":
        """Take a transaction's change to the entry; `traded`: the change of its amounts is a trade."""
        missed = missing_link(self.last_txn_id, change, by)
        return msgspec.structs.replace(
            self.traded(change.gave, change.got) if traded else self,
            listed=change.kind is not Kind.DELETED,
            gets_left=change.gets_left.value,
            pays_left=change.pays_left.value,
            last_txn_id=by,
            missing=self.missing if missed is None else (*self.missing, missed),
        )

    def _base(self, gets: Decimal, pays: Decimal) -> Decimal:
        return in_units(self.gets.asset, gets) if self.side is Side.SELL else in_units(self.pays.asset, pays)


def canonical(order: Order) -> Order:
    """Return the order with its assets' one name; earlier versions wrote MPTs otherwise."""
    gets, pays = canonical_amount(order.gets), canonical_amount(order.pays)
    if gets is order.gets and pays is order.pays:
        return order
    return msgspec.structs.replace(order, gets=gets, pays=pays)


def order_with_missing_past(change: OfferChange, by: str, session_id: str | None) -> Order:
    """Begin an order at a change to an entry whose creation was not read: its past is missing."""
    return Order(
        account=change.account,
        sequence=change.sequence,
        gets=Amount(change.gives, EXACT.add(change.gets_left.value, change.gave)),
        pays=Amount(change.asks, EXACT.add(change.pays_left.value, change.got)),
        price=None,
        expiration=change.expiration,
        status=OrderStatus.ACCEPTED,
        listed=True,
        missing=(change.previous_txn_id or f"before {by}",),
        session_id=session_id,
    )


def order_after_placement(
    placement: Placement,
    tx: Transaction,
    known: Order | None,
    session_id: str | None,
    early_cancels: tuple[Cancel, ...] = (),
) -> Order:
    """Return the order after its own transaction; what an engine announced of it is kept.

    `early_cancels`: those announced before anything was known of the order.
    """
    gets, pays, entry = placement.gets, placement.pays, placement.entry
    announced = known if known is not None and not known.external else None
    rejected = placement.status is OrderStatus.REJECTED
    return Order(
        account=tx.account,
        sequence=tx.sequence,
        gets=gets,
        pays=pays,
        price=limit_price(market_of(gets.asset, pays.asset)[1], gets, pays),
        expiration=tx.expiration,
        status=placement.status,
        listed=entry is not None,
        gets_left=entry.gets_left.value if entry else max(EXACT.subtract(gets.value, placement.gave), ZERO),
        pays_left=entry.pays_left.value if entry else max(EXACT.subtract(pays.value, placement.got), ZERO),
        gave=placement.gave,
        got=placement.got,
        resolution=Resolution.RESOLVED if rejected else None,
        ended_at=tx.ledger_index if rejected else None,
        last_txn_id=tx.hash,
        external=announced is None,
        client_order_id=announced.client_order_id if announced else None,
        session_id=announced.session_id if announced else session_id,
        submitted_hash=announced.submitted_hash if announced else None,
        earlier_hashes=announced.earlier_hashes if announced else (),
        cancels=announced.cancels if announced else early_cancels,
        times_lost=known.times_lost if known else 0,
    )
