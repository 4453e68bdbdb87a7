"""What is done about a disappearance, and when an account waits for an operator.

| the account | the disappearance | `action_taken` |
|---|---|---|
| any | a proven fill | `fill_applied` |
| halted | any other | `halted` |
| not halted | explained | `closed` |
| not halted, policy `presume_filled` | an anomaly that nothing explains | `presumed_filled` |
| not halted | anything else that nothing explains | `held` |

Facts are published in every case. A presumption is an event of its own (`order.filled` of provenance
`presumed`) and never becomes part of the account's state: what is told of the order, then and later, is
what is proven.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from offer_lifecycle import (
    AccountRecord,
    Drift,
    Header,
    LedgerOutcome,
    Order,
    exact_sum,
    issuer_of,
    ripple_time_to_datetime,
)
from order_events import (
    Action,
    Amount,
    BalanceDrift,
    LiquiditySide,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrdersEvent,
    Provenance,
    ReconcilerHalted,
    Resolution,
    event_id,
    reconciler_event_id,
)
from reconciler.safety.balance_check import KeptBalances


class Unexplained(StrEnum):
    """What a disappearance is taken for that nothing explains."""

    HOLD = "hold"
    """For what it is: unresolved."""
    PRESUME_FILLED = "presume_filled"
    """For a fill, as engines used to, to compare with: a guess, and marked as one."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment has decided."""

    unexplained: Unexplained = Unexplained.HOLD
    halt_after_unresolved: int = 0
    """0: never."""
    halt_on_drift: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands with its deployment's policy."""

    unresolved: int = 0
    """Disappearances that nothing explains, since it was adopted or last resumed."""
    halted: ReconcilerHalted | None = None
    balances: KeptBalances | None = None
    """None: they are not followed."""


def judge(
    policy: Policy, standing: Standing, outcome: LedgerOutcome, header: Header
) -> tuple[Standing, list[OrdersEvent]]:
    """Return a ledger's events with what is done about each, and where the account stands after them."""
    events: list[OrdersEvent] = []
    before = standing
    for event in outcome.events:
        if not isinstance(event, OrderDisappeared):
            events.append(event)
            continue
        fill = _presumed_fill(outcome.changed[event.sequence], event)
        action = _action(policy, standing, event, has_rest=fill is not None)
        events.append(msgspec.structs.replace(event, action_taken=action))
        if fill is not None and action == Action.PRESUMED_FILLED:
            events.append(fill)
        standing = _counted(policy, standing, event, outcome.record, header)
    return standing, [*events, *_newly_halted(before, standing)]


def drifted(
    policy: Policy, standing: Standing, drifts: Sequence[Drift], record: AccountRecord, header: Header
) -> tuple[Standing, list[OrdersEvent]]:
    """Return the events that tell of a drift found at `header`, and where the account stands after them."""
    found = _balance_drifts(drifts, record, header)
    before = standing
    if found and policy.halt_on_drift:
        reason = (
            f"expected balances that fills, fees and payments explain, found {found[0].amount:f} of "
            f"{found[0].currency} that nothing does, since ledger {found[0].since_ledger}"
        )
        standing = _halted(policy, standing, ("balance_drift", reason), record, header)
    action = Action.NONE if standing.halted is None else Action.HALTED
    told = [msgspec.structs.replace(drift, action_taken=action) for drift in found]
    return standing, [*told, *_newly_halted(before, standing)]


def _action(policy: Policy, standing: Standing, event: OrderDisappeared, *, has_rest: bool) -> str:
    if event.action_taken == Action.FILL_APPLIED:
        return event.action_taken
    if standing.halted is not None:
        return Action.HALTED
    presumes = policy.unexplained is Unexplained.PRESUME_FILLED and event.anomaly and has_rest
    if event.action_taken == Action.HELD and presumes:
        return Action.PRESUMED_FILLED
    return event.action_taken


def _counted(
    policy: Policy, standing: Standing, event: OrderDisappeared, record: AccountRecord, header: Header
) -> Standing:
    if event.resolution is not Resolution.UNRESOLVED:
        return standing
    standing = msgspec.structs.replace(standing, unresolved=standing.unresolved + 1)
    limit = policy.halt_after_unresolved
    if not limit or standing.unresolved < limit:
        return standing
    reason = (
        f"expected fewer than {limit} unresolved disappearances, found {standing.unresolved}; "
        f"the last is order {event.sequence}"
    )
    return _halted(policy, standing, ("unresolved", reason), record, header)


def _halted(
    policy: Policy, standing: Standing, why: tuple[str, str], record: AccountRecord, header: Header
) -> Standing:
    if standing.halted is not None:
        return standing
    cause, reason = why
    event = ReconcilerHalted(
        **_about_account("reconciler.halted", (header.ledger_index, cause), record, header),
        cause=cause,
        reason=reason,
        unresolved=standing.unresolved,
        policy=policy.unexplained,
    )
    return msgspec.structs.replace(standing, halted=event)


def _newly_halted(before: Standing, after: Standing) -> list[ReconcilerHalted]:
    return [] if after.halted is None or before.halted is not None else [after.halted]


def _balance_drifts(drifts: Sequence[Drift], record: AccountRecord, header: Header) -> list[BalanceDrift]:
    """Tell of each asset once for each ledger in which its drift began."""
    together: dict[tuple[str, int], list[Drift]] = {}
    for drift in drifts:
        together.setdefault((drift.asset, drift.began), []).append(drift)
    return [
        BalanceDrift(
            **_about_account("reconciler.balance_drift", (asset, began), record, header),
            currency=asset.partition(".")[0],
            issuer=issuer_of(asset),
            amount=amount,
            since_ledger=began,
            shown_by=parts[0].transaction_hash,
            missing_transactions=tuple(dict.fromkeys(part.missing for part in parts if part.missing)),
        )
        for (asset, began), parts in together.items()
        if (amount := exact_sum(part.amount for part in parts))
    ]


def _about_account(
    kind: str, about: tuple[object, ...], record: AccountRecord, header: Header
) -> dict[str, Any]:
    named = reconciler_event_id(network_id=record.network_id, kind=kind, account=record.account, about=about)
    return {
        "event_id": named,
        "network_id": record.network_id,
        "account": record.account,
        "session_id": record.session_id,
        "ledger_index": header.ledger_index,
        "occurred_at": ripple_time_to_datetime(header.close_time),
    }


def _presumed_fill(order: Order, event: OrderDisappeared) -> OrderFilled | None:
    """Return the fill that an engine would take the order's rest for; None where nothing is left of it."""
    gave, got = _rest(order)
    if not gave and not got:
        return None
    kind = "order.filled.presumed"  # a proven fill of the same transaction has a name of its own
    named = event_id(
        network_id=event.network_id,
        kind=kind,
        account=event.account,
        sequence=event.sequence,
        transaction_hash=event.transaction_hash,
    )
    common = {name: getattr(event, name) for name in OrderEvent.__struct_fields__}
    return OrderFilled(
        **{**common, "event_id": named, "provenance": Provenance.PRESUMED},
        trade_id=str(named),
        last_qty=order.base_of(gave, got),
        last_px=order.price_of(gave, got),
        gave=Amount(order.gets.asset, gave),
        got=Amount(order.pays.asset, got),
        liquidity_side=LiquiditySide.MAKER,
    )


def _rest(order: Order) -> tuple[Decimal, Decimal]:
    left = order.gets_left, order.pays_left
    never_shown = not any((*left, order.gave, order.got))
    return (order.gets.value, order.pays.value) if never_shown else left
