"""Backfill of a history gap: its ledgers, read later, are added to the state known by then.

The fold gives the events of those ledgers, as always. Events published meanwhile about orders that were given
up, or known only in part, are corrected: `order.corrected` points at each of them.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import EXACT, ZERO
from offer_lifecycle.events import Fact
from offer_lifecycle.funds import Holding
from offer_lifecycle.history_gaps import Gap
from offer_lifecycle.order import Cancel, Order
from offer_lifecycle.state import KEEP_ENDED_LEDGERS, AccountState, LedgerOutcome
from offer_lifecycle.transaction import Header
from order_events import Correction, OrderEvent, OrderStatus, RemovalReason, Resolution, event_id

_LAST_TOLD = {
    OrderStatus.FILLED: "order.filled",
    OrderStatus.CANCELED: "order.canceled",
    OrderStatus.EXPIRED: "order.expired",
    OrderStatus.REMOVED: "order.disappeared",
}
"""The event that told of an order's end; one that is LOST was lost in another gap, which will tell."""


class Contradiction(Exception):
    """A gap's ledgers don't lead to what was seen after them: expected, found."""


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One order in four states: before the gap, after it, now, and whether it was given up."""

    gap: Gap
    before: Order | None
    """When the gap began; None: not known then."""
    after: Order
    """As the gap's ledgers, read after all, left it."""
    known: Order | None
    """By now, without them; None: not known, or forgotten."""

    @property
    def given_up(self) -> bool:
        """It was told to be LOST in this gap."""
        known = self.known
        return known is not None and known.status is OrderStatus.LOST and self.gap.name in known.missing

    @property
    def placed_in_it(self) -> bool:
        """It came onto the book in the gap."""
        return self.before is None or self.before.status is OrderStatus.SUBMITTED

    @property
    def touched_since(self) -> bool:
        """A transaction after the gap changed its entry."""
        last = self.before.last_txn_id if self.before else None
        return self.known is not None and self.known.last_txn_id != last


def backfill_history_gap(
    state: AccountState, before: AccountState, after: AccountState, gap: Gap, header: Header
) -> LedgerOutcome:
    """Return the outcome of adding a gap's ledgers to the state at the cursor, which is at `header`.

    `before` is the account as it was when they were left out, `after` as they leave it, with every order
    that they touched. `state` is left as it is.

    Raises:
        Contradiction: if they don't lead to the snapshot that was taken after them.

    """
    record = state.record
    fact = Fact(network_id=record.network_id, ledger_index=header.ledger_index, time=header.close_time)
    changed: dict[int, Order] = {}
    corrections: list[OrderEvent] = []
    for sequence, order in after.orders.items():
        seen = _Seen(
            gap=gap, before=before.orders.get(sequence), after=order, known=state.orders.get(sequence)
        )
        now = _joined(seen, header.ledger_index)
        if now is None or now == seen.known:
            continue
        changed[sequence] = now
        corrects = _outdone(seen, now, record.network_id)
        if corrects is not None:
            correction = events.corrected(
                now,
                fact,
                f"{gap.name} were read after all",
                corrects=corrects,
                by=gap.name,
                correction=Correction.WITHDRAWN if seen.given_up else Correction.AMENDED,
            )
            corrections.append(correction)
    holdings = _holdings(record.holdings, after.record.holdings)
    return LedgerOutcome(
        events=tuple(corrections),
        record=msgspec.structs.replace(record, holdings=holdings),
        changed=changed,
    )


def _joined(seen: _Seen, cursor: int) -> Order | None:
    """Return the order as it is known now; None: the gap adds nothing to it."""
    after, known = seen.after, seen.known
    if known is None:
        recent = after.ended_at is not None and after.ended_at > cursor - KEEP_ENDED_LEDGERS
        return after if recent and not after.listed and after != seen.before else None
    if after.listed:
        if seen.given_up:
            raise Contradiction(
                f"expected order {after.sequence} of {after.account} to be gone after {seen.gap.name}, as "
                "account_offers showed it, found it on the book"
            )
        return _lived_through(seen, known)
    if seen.given_up:
        return _with_claims(after, known)
    if after.status is OrderStatus.SUBMITTED or after == seen.before:
        return None
    if not known.ended and known.status is not OrderStatus.SUBMITTED:
        raise Contradiction(
            f"expected order {after.sequence} of {after.account} on the book after {seen.gap.name}, as "
            f"account_offers showed it, found it {after.status}"
        )
    return _with_claims(after, known)


def _lived_through(seen: _Seen, known: Order) -> Order:
    """Return an order that was on the book after the gap, with what it traded there and since."""
    after, before = seen.after, seen.before
    missing = _missing(seen, known)
    end = known if known.ended else after
    open_end = end.removal_reason in {RemovalReason.UNEXPLAINED, RemovalReason.UNKNOWN} or bool(missing)
    resolution = Resolution.UNRESOLVED if open_end else Resolution.RESOLVED
    return msgspec.structs.replace(
        _with_claims(after, known),
        status=known.status if known.ended or seen.touched_since else after.status,
        listed=known.listed,
        gets_left=known.gets_left,
        pays_left=known.pays_left,
        gave=EXACT.add(after.gave, EXACT.subtract(known.gave, before.gave if before else ZERO)),
        got=EXACT.add(after.got, EXACT.subtract(known.got, before.got if before else ZERO)),
        removal_reason=end.removal_reason,
        removed_by=end.removed_by,
        resolution=resolution if end.ended else None,
        anomaly=end.anomaly,
        ended_at=end.ended_at,
        last_txn_id=known.last_txn_id if seen.touched_since else after.last_txn_id,
        missing=missing,
    )


def _missing(seen: _Seen, known: Order) -> tuple[str, ...]:
    """Return what still is; the first change after the gap names the last transaction in it."""
    found = {seen.gap.name, seen.after.last_txn_id}
    left = (one for one in known.missing if one not in found)
    return tuple(dict.fromkeys([*seen.after.missing, *left]))


def _with_claims(order: Order, known: Order) -> Order:
    """Return the order with what the engine has said of it until now."""
    claimed = order if known.external else known
    return msgspec.structs.replace(
        order,
        external=claimed.external,
        client_order_id=claimed.client_order_id,
        session_id=claimed.session_id,
        submitted_hash=claimed.submitted_hash,
        cancels=_cancels(order.cancels, known.cancels),
    )


def _cancels(read: tuple[Cancel, ...], known: tuple[Cancel, ...]) -> tuple[Cancel, ...]:
    validated = {cancel.transaction_hash for cancel in read if cancel.validated}
    return tuple(
        msgspec.structs.replace(cancel, validated=True) if cancel.transaction_hash in validated else cancel
        for cancel in known or read
    )


def _holdings(known: Mapping[str, Holding], read: Mapping[str, Holding]) -> dict[str, Holding]:
    """Return the holdings with since when they are empty: in the gap, if nothing has moved them after it."""
    gone = {name: one for name, one in read.items() if name not in known and not one.balance}
    return {name: _with_past(one, read.get(name)) for name, one in known.items()} | gone


def _with_past(holding: Holding, read: Holding | None) -> Holding:
    if read is not None and msgspec.structs.replace(read, emptied_by=None) == holding:
        return read
    return holding


def _outdone(seen: _Seen, now: Order, network_id: int) -> UUID | None:
    """Return the id of the earlier event that is now wrong; None if there is none."""
    known = seen.known
    kind: str | None
    by: str | None
    if known is None:
        return None
    if seen.given_up:
        kind, by = "order.disappeared", seen.gap.fact
    elif not seen.after.listed or _tells(now) == _tells(known):
        return None
    elif known.ended:
        kind, by = _LAST_TOLD.get(known.status), known.removed_by
    elif seen.touched_since:
        kind, by = "order.filled", known.last_txn_id
    elif seen.placed_in_it:
        kind, by = "order.accepted", None
    else:
        kind, by = None, None
    if kind is None:
        return None
    return event_id(
        network_id=network_id,
        kind=kind,
        account=now.account,
        sequence=now.sequence,
        transaction_hash=by,
    )


def _tells(order: Order) -> tuple[object, ...]:
    """Return what events tell of an order's standing."""
    amounts = (order.gets, order.pays, order.price, order.gave, order.got, order.remaining)
    return (*amounts, order.status, order.resolution, order.missing, order.anomaly)
