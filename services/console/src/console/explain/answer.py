"""The answer, as `--json` prints it: one object, amounts raw (drops for XRP, decimal tokens) in strings."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from console.explain.evidence import (
    NEEDS_FUNDS,
    EvidenceNode,
    EvidenceState,
    change_to,
    nodes,
    states,
)
from console.explain.history import History
from console.explain.life import Life, Touch
from console.explain.parties import Party, counterparties
from console.tables import quoted
from offer_lifecycle import (
    XRP,
    Kind,
    OfferChange,
    Order,
    Transaction,
    format_decimal,
    ripple_time_to_datetime,
)
from order_events import (
    Amount,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    RemovalReason,
    Resolution,
    Side,
)


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """So much of one asset (`XRP`, `<currency>.<issuer>`, an MPT issuance id (48 hexadecimal digits))."""

    asset: str
    value: str
    """Drops for XRP, decimal tokens otherwise."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction that touched the order, or named it."""

    time: datetime
    """Close time of its ledger, UTC."""
    ledger_index: int
    transaction_index: int
    hash: str
    type: str
    result: str
    by: str
    """The account that sent it."""
    delegate: str | None
    """Who signed it in that account's place."""
    counterparties: tuple[Party, ...]
    """With whom the order traded in it."""
    effect: Literal["placed", "traded", "ended", "none"]
    status: OrderStatus | None
    """The order's status after it; null: it changed nothing."""
    removal_reason: RemovalReason | None
    gave: str
    """What the order gave in it, of `gives`' asset."""
    got: str
    left_gives: str | None
    """What the entry still had to give after it (of a removed one: what it never gave); null: no entry."""
    left_asks: str | None


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that the answer names."""

    hash: str
    type: str
    by: str
    ledger_index: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one order, up to one validated ledger."""

    account: str
    sequence: int
    node: str
    """Who was asked."""
    ledger_index: int
    """The validated ledger up to which it holds."""
    status: OrderStatus
    removal_reason: RemovalReason | None
    removed_by: str | None
    """Hash of the transaction that ended it."""
    unfunded_since: Mention | None
    """Of an unfunded one: the transaction that left its owner nothing to give."""
    resolution: Resolution | None
    """`resolved`: a rule proves its end and no transaction is missing; null: it lives."""
    listed: bool
    """It is on the book at that ledger (an expired one may be)."""
    market: str
    side: Side
    price: str | None
    """The limit in quote per base, in units; null where the placement was not read."""
    gives: Quantity
    """TakerGets as placed."""
    asks: Quantity
    """TakerPays as placed."""
    expiration: datetime | None
    gave: str
    """In all its trades."""
    got: str
    avg_px: str | None
    transactions: tuple[Step, ...]
    """In the ledger's order."""
    rule: str | None
    """The rule of docs/causes.md that applied; null: it lives."""
    evidence: str | None
    evidence_nodes: tuple[EvidenceNode, ...]
    evidence_state: tuple[EvidenceState, ...]
    missing_transactions: tuple[str, ...]
    """Transactions that touched it and that the node did not show."""
    unproven: tuple[str, ...]
    """What could not be proven, and why."""


def explanation(*, order: Order, life: Life, history: History, validated: int, node: str) -> Explanation:
    """Put together what the kernel says of the order; `node` is how messages call the node."""
    rule, evidence = _cause(life)
    since = next((tx for tx in history.transactions if tx.hash == life.unfunded_since), None)
    return Explanation(
        account=order.account,
        sequence=order.sequence,
        node=node,
        ledger_index=validated,
        status=order.status,
        removal_reason=order.removal_reason,
        removed_by=order.removed_by,
        unfunded_since=None
        if since is None
        else Mention(hash=since.hash, type=since.type, by=since.account, ledger_index=since.ledger_index),
        resolution=order.resolution,
        listed=order.listed,
        market=order.market,
        side=order.side,
        price=None if order.price is None else format_decimal(order.price),
        gives=Quantity(asset=order.gets.asset, value=format_decimal(order.gets.value)),
        asks=Quantity(asset=order.pays.asset, value=format_decimal(order.pays.value)),
        expiration=None if order.expiration is None else ripple_time_to_datetime(order.expiration),
        gave=format_decimal(order.gave),
        got=format_decimal(order.got),
        avg_px=None if order.avg_px is None else format_decimal(order.avg_px),
        transactions=tuple(_step(touch, order) for touch in life.touches),
        rule=rule,
        evidence=evidence,
        evidence_nodes=tuple(nodes(order, life, since)),
        evidence_state=tuple(states(life.answers)),
        missing_transactions=order.missing,
        unproven=tuple(_unproven(order, life, history, node)),
    )


def _cause(life: Life) -> tuple[str | None, str | None]:
    if life.verdict is not None:
        return life.verdict.rule, life.verdict.evidence
    for event in itertools.chain.from_iterable(touch.events for touch in life.touches):
        if isinstance(event, OrderRejected):
            return "own_transaction", f"OfferCreate {event.transaction_hash}: result {event.result}"
    return None, None


def _step(touch: Touch, order: Order) -> Step:
    tx, gives, asks = touch.tx, order.gets.asset, order.pays.asset
    change = change_to(order, tx)
    fills = [event for event in touch.events if isinstance(event, OrderFilled)]
    last: OrderEvent | None = touch.events[-1] if touch.events else None
    return Step(
        time=ripple_time_to_datetime(touch.header.close_time),
        ledger_index=tx.ledger_index,
        transaction_index=tx.index,
        hash=tx.hash,
        type=tx.type,
        result=tx.result,
        by=tx.account,
        delegate=tx.delegate,
        counterparties=counterparties(tx, order.account, order.sequence, gives, asks) if fills else (),
        effect=_effect(tx, order, change, fills),
        status=last.status if last else None,
        removal_reason=last.removal_reason if last else None,
        gave=format_decimal(fills[0].gave.value) if fills else "0",
        got=format_decimal(fills[0].got.value) if fills else "0",
        left_gives=None if change is None else format_decimal(change.gets_left.value),
        left_asks=None if change is None else format_decimal(change.pays_left.value),
    )


def _effect(
    tx: Transaction, order: Order, change: OfferChange | None, fills: list[OrderFilled]
) -> Literal["placed", "traded", "ended", "none"]:
    if tx.account == order.account and tx.sequence == order.sequence:
        return "placed"
    if change is not None and change.kind is Kind.DELETED:
        return "ended"
    return "traded" if fills else "none"


def _unproven(order: Order, life: Life, history: History, node: str) -> Iterator[str]:
    if history.placed is None:
        yield (
            f"How it was placed and what happened to it before: {node} has no ledger before "
            f"{history.oldest}. What it offered is what was left when it was first seen."
        )
    for missing in order.missing:
        yield f"What a transaction did to it that {node} does not show: {missing}"
    if order.removal_reason is RemovalReason.UNEXPLAINED:
        yield "Why the transaction removed it: no rule proves a cause."
    for question in life.unanswered:
        yield f"What {node} can't say: {question}"
    for damage in life.damaged:
        yield f"What can't be read: {damage}"
    unfunded = order.removal_reason is RemovalReason.UNFUNDED and life.unfunded_since is None
    if unfunded and not _traded_at_the_end(order, life):
        yield "Since when its owner had nothing to give: no transaction after the placement shows it."
    funds_count = order.removal_reason in NEEDS_FUNDS and order.gets.asset == XRP
    if funds_count and not life.reserves_known:
        base, increment = (
            quoted(Amount(XRP, Decimal(kept))) for kept in msgspec.structs.astuple(life.reserves)
        )
        yield (
            f"The reserve of that time, which {node} does not show: taken as today's, {base} and {increment} "
            "for each object."
        )


def _traded_at_the_end(order: Order, life: Life) -> bool:
    """Whether the transaction that ended it took a part of it first: then that took its owner's last."""
    ending = (touch.events for touch in life.touches if touch.tx.hash == order.removed_by)
    return any(isinstance(event, OrderFilled) for event in itertools.chain.from_iterable(ending))
