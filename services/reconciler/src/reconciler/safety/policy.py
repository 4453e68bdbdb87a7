"""The policy: what is done about a disappearance, and when an account waits for an operator.

| account | disappearance | `action_taken` |
|---|---|---|
| any | a proven fill | `fill_applied` |
| halted | any other | `halted` |
| not halted | explained | `closed` |
| not halted, policy `presume_filled` | an anomaly that nothing explains | `presumed_filled` |
| not halted | anything else that nothing explains | `held` |

Facts are published in every case. A presumption is an event of its own (`order.filled` of provenance
`presumed`) and never becomes part of the account's state: all other events of the order hold only what is
proven.
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
    OrderCorrected,
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
from reconciler.safety.balance_check import BalanceBaseline
from reconciler.safety.presumptions import Presumption, with_presumption, withdraw_presumptions


class Unexplained(StrEnum):
    """How a disappearance is treated that nothing explains."""

    HOLD = "hold"
    """It stays unresolved."""
    PRESUME_FILLED = "presume_filled"
    """A fill of the rest is published beside it, marked as presumed: engines used to guess so."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment has set."""

    unexplained: Unexplained = Unexplained.HOLD
    halt_after_unresolved: int = 0
    """0: never."""
    halt_on_drift: bool = False


class ContinuityBreak(msgspec.Struct, frozen=True, kw_only=True):
    """What the bus holds of an account's past is not what was stored there."""

    cause: str
    """`state_lost`, `state_rolled_back`, `state_damaged` or `announcements_lost`."""
    reason: str
    """What was expected and what was found."""


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy remembers of an account, stored with every commit."""

    unresolved: int = 0
    """Disappearances that nothing explains, since the account was adopted or last resumed."""
    halted: ReconcilerHalted | None = None
    """The halt that waits for an operator; None: there is none."""
    balances: BalanceBaseline | None = None
    """None: balances are not followed."""
    presumptions: tuple[Presumption, ...] = ()
    """Fills that were presumed, and not withdrawn since."""
    drift: str | None = None
    """The last balance drift, until a check of the balances finds none, or an operator resumes."""


def apply_policy(
    policy: Policy, state: PolicyState, outcome: LedgerOutcome, header: Header
) -> tuple[PolicyState, list[OrdersEvent]]:
    """Return the policy state after a ledger, and its events, each with what is done about it."""
    events: list[OrdersEvent] = []
    before = state
    state, withdrawals = withdraw(state, outcome)
    for event in outcome.events:
        if not isinstance(event, OrderDisappeared):
            events.append(event)
            continue
        fill = _presumed_fill(outcome.changed[event.sequence], event)
        action = _action(policy, state, event, has_rest=fill is not None)
        events.append(msgspec.structs.replace(event, action_taken=action))
        if fill is not None and action == Action.PRESUMED_FILLED:
            events.append(fill)
            made = Presumption(disappearance=event.event_id, fill=fill.event_id)
            presumptions = with_presumption(state.presumptions, made)
            state = msgspec.structs.replace(state, presumptions=presumptions)
        state = _counted(policy, state, event, outcome.record, header)
    return state, [*events, *withdrawals, *_newly_halted(before, state)]


def withdraw(state: PolicyState, outcome: LedgerOutcome) -> tuple[PolicyState, list[OrderCorrected]]:
    """Return the policy state after corrections, and what withdraws the fills presumed wrongly."""
    presumptions, withdrawals = withdraw_presumptions(state.presumptions, outcome.events)
    return msgspec.structs.replace(state, presumptions=presumptions), withdrawals


def apply_drift(
    policy: Policy, state: PolicyState, drifts: Sequence[Drift], record: AccountRecord, header: Header
) -> tuple[PolicyState, list[OrdersEvent]]:
    """Return the policy state after drift was found at `header`, and the events that report it."""
    found = _balance_drifts(drifts, record, header)
    before = state
    if found:
        reason = (
            f"expected balances that fills, fees and payments explain, found {found[0].amount:f} of "
            f"{found[0].currency} that nothing does, since ledger {found[0].since_ledger}"
        )
        state = msgspec.structs.replace(state, drift=reason)
    if found and policy.halt_on_drift:
        state = _halted(policy, state, ("balance_drift", reason), record, header)
    action = Action.NONE if state.halted is None else Action.HALTED
    events = [msgspec.structs.replace(drift, action_taken=action) for drift in found]
    return state, [*events, *_newly_halted(before, state)]


def halt(
    policy: Policy,
    state: PolicyState,
    breaks: Sequence[ContinuityBreak],
    record: AccountRecord,
    header: Header,
) -> tuple[PolicyState, list[OrdersEvent]]:
    """Return the policy state after the history was found broken, and the halt that reports it.

    It takes the place of a halt that waits already: an operator has to know of both.
    """
    reason = "; ".join(one.reason for one in breaks)
    if state.halted is not None:
        reason = f"{reason}; before that: {state.halted.reason}"
    state = msgspec.structs.replace(state, halted=None)
    state = _halted(policy, state, (breaks[0].cause, reason), record, header)
    return state, [] if state.halted is None else [state.halted]


def _action(policy: Policy, state: PolicyState, event: OrderDisappeared, *, has_rest: bool) -> str:
    if event.action_taken == Action.FILL_APPLIED:
        return event.action_taken
    if state.halted is not None:
        return Action.HALTED
    presumes = policy.unexplained is Unexplained.PRESUME_FILLED and event.anomaly and has_rest
    if event.action_taken == Action.HELD and presumes:
        return Action.PRESUMED_FILLED
    return event.action_taken


def _counted(
    policy: Policy, state: PolicyState, event: OrderDisappeared, record: AccountRecord, header: Header
) -> PolicyState:
    if event.resolution is not Resolution.UNRESOLVED:
        return state
    state = msgspec.structs.replace(state, unresolved=state.unresolved + 1)
    limit = policy.halt_after_unresolved
    if not limit or state.unresolved < limit:
        return state
    reason = (
        f"expected fewer than {limit} unresolved disappearances, found {state.unresolved}; "
        f"the last is order {event.sequence}"
    )
    return _halted(policy, state, ("unresolved", reason), record, header)


def _halted(
    policy: Policy, state: PolicyState, why: tuple[str, str], record: AccountRecord, header: Header
) -> PolicyState:
    if state.halted is not None:
        return state
    cause, reason = why
    event = ReconcilerHalted(
        **_about_account("reconciler.halted", (header.ledger_index, cause), record, header),
        cause=cause,
        reason=reason,
        unresolved=state.unresolved,
        policy=policy.unexplained,
    )
    return msgspec.structs.replace(state, halted=event)


def _newly_halted(before: PolicyState, after: PolicyState) -> list[ReconcilerHalted]:
    return [] if after.halted is None or before.halted is not None else [after.halted]


def _balance_drifts(drifts: Sequence[Drift], record: AccountRecord, header: Header) -> list[BalanceDrift]:
    """Return one event for each asset and each ledger in which its drift began."""
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
