"""What each policy would have booked over the same history, and by how much it would have been wrong.

The question that a policy answers is what to book when an order that the engine believes to be working
is gone, and nobody has said why. So the history is that of the orders which rested on the book and ended
otherwise than by their owner's own cancel or replacement; partial fills before that moment are taken to
be known.

- `presume_filled` books the rest at the order's own price.
- `hold` books nothing until somebody explains it.
- halting after N holds too, and places nothing any more once N orders are gone unexplained: what it
  placed later in the history is neither right nor wrong, it was never there.
- the engine's own is what stands in the book.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from console.compare.changes import Change, added, signed
from console.compare.ledger import LedgerFill, LedgerOrder
from console.compare.verdicts import Judged
from offer_lifecycle import EXACT, RATIO, ZERO, exact_sum
from order_events import OrderStatus


class PolicyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One policy over the history."""

    name: str
    decided: int
    """Orders that were gone."""
    wrong: int
    """Of them, booked otherwise than they happened."""
    booked: Mapping[str, Decimal]
    """By asset: what it booked for them."""
    error: Mapping[str, Decimal]
    """By asset: what it booked less what happened."""
    worth: Mapping[str, Decimal]
    """By quote asset: what is wrong, without what cancels out."""
    not_placed: int = 0
    """Orders that a halt would have kept from being placed."""


class _Gone(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was gone, and what of it was not known at that moment."""

    order: LedgerOrder
    rest: Decimal
    """In base."""
    happened: Change


def policies(judged: Judged, halt_after: int) -> list[PolicyOutcome]:
    """Return what each policy would have done; `halt_after`: N of the third."""
    orders = [*{case.ledger.key: case.ledger for case in judged.cases}.values(), *judged.absent]
    gone = sorted(
        (one for order in orders if (one := _gone(order)) is not None),
        key=lambda one: (one.order.ended.ledger_index if one.order.ended else 0, one.order.key),
    )
    stopped = gone[halt_after - 1].order.ended if len(gone) >= halt_after else None
    reached = [one for one in gone if stopped is None or _placed_by(one.order, stopped.ledger_index)]
    not_placed = (
        0 if stopped is None else sum(not _placed_by(order, stopped.ledger_index) for order in orders)
    )
    return [
        _outcome("presume_filled", [(one, _presumed(one)) for one in gone]),
        _outcome("hold", [(one, (ZERO, ZERO)) for one in gone]),
        msgspec.structs.replace(
            _outcome(f"halt after {halt_after}", [(one, (ZERO, ZERO)) for one in reached]),
            not_placed=not_placed,
        ),
        _engines_own(judged, gone),
    ]


def _gone(order: LedgerOrder) -> _Gone | None:
    """Return the order as it was gone; None: it lives, never rested, or its owner ended it."""
    if order.ended is None or order.ended_by_owner or order.status is OrderStatus.REJECTED:
        return None
    if order.removed_by is None or order.removed_by == order.placed_tx:
        return None
    last = [fill for fill in order.fills if fill.transaction == order.removed_by]
    before = exact_sum(fill.base for fill in order.fills if fill.transaction != order.removed_by)
    return _Gone(
        order=order, rest=max(ZERO, EXACT.subtract(order.quantity, before)), happened=_change(order, last)
    )


def _presumed(one: _Gone) -> Change:
    price = one.order.price or ZERO
    return signed(one.order.side, one.rest, RATIO.multiply(one.rest, price))


def _change(order: LedgerOrder, fills: Iterable[LedgerFill]) -> Change:
    return added(signed(order.side, fill.base, fill.quote) for fill in fills)


def _placed_by(order: LedgerOrder, ledger_index: int) -> bool:
    return order.placed is None or order.placed.ledger_index <= ledger_index


def _outcome(name: str, decisions: Sequence[tuple[_Gone, Change]]) -> PolicyOutcome:
    booked: dict[str, Decimal] = defaultdict(lambda: ZERO)
    error: dict[str, Decimal] = defaultdict(lambda: ZERO)
    worth: dict[str, Decimal] = defaultdict(lambda: ZERO)
    wrong = 0
    for one, change in decisions:
        order = one.order
        off = EXACT.subtract(change[0], one.happened[0]), EXACT.subtract(change[1], one.happened[1])
        for asset, done, missed in ((order.base, change[0], off[0]), (order.quote, change[1], off[1])):
            booked[asset] = EXACT.add(booked[asset], done)
            error[asset] = EXACT.add(error[asset], missed)
        # A rest that traded at a better price than its own is booked right as far as the decision goes
        decided_wrongly = bool(one.happened[0]) is not bool(change[0])
        wrong += decided_wrongly
        if decided_wrongly:
            worth[order.quote] += abs(RATIO.multiply(off[0], order.price or ZERO))
    return PolicyOutcome(
        name=name,
        decided=len(decisions),
        wrong=wrong,
        booked=dict(booked),
        error=dict(error),
        worth=dict(worth),
    )


def _engines_own(judged: Judged, gone: Sequence[_Gone]) -> PolicyOutcome:
    """Return what the book made of the same orders."""
    keys = {one.order.key for one in gone}
    mine = [finding for finding in judged.findings if (finding.account, finding.sequence or 0) in keys]
    error: dict[str, Decimal] = defaultdict(lambda: ZERO)
    worth: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for finding in mine:
        for one in finding.position:
            error[one.asset] = EXACT.add(error[one.asset], one.value)
        worth[finding.quote] += finding.worth if finding.position else ZERO
    happened: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for missing in gone:
        for asset, change in zip((missing.order.base, missing.order.quote), missing.happened, strict=True):
            happened[asset] = EXACT.add(happened[asset], change)
    booked = {asset: EXACT.add(happened[asset], error[asset]) for asset in {*happened, *error}}
    wrong = {(finding.account, finding.sequence) for finding in mine if finding.position}
    return PolicyOutcome(
        name="the engine's own", decided=len(gone), wrong=len(wrong), booked=booked, error=dict(error),
        worth=dict(worth),
    )  # fmt: skip
