"""What validated metadata says of an offer's life. Pure: no I/O, no clock, no randomness.

The entry points, in the order in which a reader needs them:

- `read_transaction` reads one validated transaction in any shape that servers write.
- `explain_removals` says why a transaction removed offers, of any account, from that transaction alone.
- `adopt_account` begins to follow an account; `AccountState.announce` takes the engine's own announcements;
  `fold_ledger` turns one validated ledger into events; `AccountState.apply` commits its outcome.
- `decide_removal` decides what happened to an order that was on the book, `decide_placement` what became of
  an order in its own transaction.
- `cross_history_gap` goes on after ledgers that no server has; `backfill_history_gap` adds them later.
- `explain_again` decides an unexplained removal once more, with what a server knows by then.
- `Conservation` adds up an account's balances: what fills, fees and payments do not explain is drift.
- `broken_invariants` checks that XRP, MPTs and tokens add up over a whole transaction.

Invariants:

1. Only a validated transaction, the ledger's clock or a passed LastLedgerSequence ends an order.
2. The same ledgers give the same events, in whatever portions they are read.
3. Amounts are exact. Only prices are rounded, to 34 digits.
4. A removal that no rule proves is UNEXPLAINED. An order that no transaction explains is LOST.
5. No fill without its counterpart: what an order gave, others got, and what it got, others gave. Where the
   two sides do not meet, the order is unresolved. So is what an unknown type, entry or field touches.
"""

from offer_lifecycle.adoption import (
    accepted_at_adoption,
    adopt_account,
    adopt_without_snapshot,
    read_holdings,
)
from offer_lifecycle.amounts import (
    EXACT,
    RATIO,
    XRP,
    ZERO,
    canonical_amount,
    canonical_asset,
    exact_sum,
    format_decimal,
    is_mpt,
    issuer_of,
    limit_price,
    market_of,
    parse_amount,
    units,
)
from offer_lifecycle.anomaly import is_anomaly, is_disappearance
from offer_lifecycle.balances import BalanceChange, balance_changes, line_rounding, pool_accounts
from offer_lifecycle.chain import amounts_continue, missing_link
from offer_lifecycle.changes import OfferChange, offer_changes, ordered_amounts
from offer_lifecycle.conservation import Conservation, Drift, LastShown
from offer_lifecycle.entries import AMM_LINE, HIGH_FREEZE
from offer_lifecycle.events import ripple_time_to_datetime
from offer_lifecycle.flows import Flow, Source, balance_flows
from offer_lifecycle.fold import fold_beginning, fold_ledger
from offer_lifecycle.funds import Holding, Reserves
from offer_lifecycle.gap_backfill import Contradiction, backfill_history_gap
from offer_lifecycle.history_gaps import Gap, cross_history_gap, history_gap_event, keep_incomplete_orders
from offer_lifecycle.invariants import InvariantBreak, broken_invariants
from offer_lifecycle.late_explanation import correct_disappearance, explain_again
from offer_lifecycle.nodes import Kind, Node
from offer_lifecycle.order import CANCEL_LEDGERS, MOST_CANCELS, Cancel, Order
from offer_lifecycle.placement import SELL, Placement, decide_placement
from offer_lifecycle.removal import Verdict
from offer_lifecycle.removal_explanations import explain_removals
from offer_lifecycle.state import (
    KEEP_ENDED_LEDGERS,
    AccountRecord,
    AccountState,
    LedgerFacts,
    LedgerOutcome,
    UnexplainedRemoval,
)
from offer_lifecycle.state_before import StateAnswer, StateBefore, StateRequest
from offer_lifecycle.told_wrongly import correct_told_event
from offer_lifecycle.transaction import (
    RIPPLE_EPOCH,
    Header,
    MalformedTransaction,
    Transaction,
    sort_transactions,
)
from offer_lifecycle.transaction_record import TransactionRecord, read_transaction

__all__ = [
    "AMM_LINE",
    "CANCEL_LEDGERS",
    "EXACT",
    "HIGH_FREEZE",
    "KEEP_ENDED_LEDGERS",
    "MOST_CANCELS",
    "RATIO",
    "RIPPLE_EPOCH",
    "SELL",
    "XRP",
    "ZERO",
    "AccountRecord",
    "AccountState",
    "BalanceChange",
    "Cancel",
    "Conservation",
    "Contradiction",
    "Drift",
    "Flow",
    "Gap",
    "Header",
    "Holding",
    "InvariantBreak",
    "Kind",
    "LastShown",
    "LedgerFacts",
    "LedgerOutcome",
    "MalformedTransaction",
    "Node",
    "OfferChange",
    "Order",
    "Placement",
    "Reserves",
    "Source",
    "StateAnswer",
    "StateBefore",
    "StateRequest",
    "Transaction",
    "TransactionRecord",
    "UnexplainedRemoval",
    "Verdict",
    "accepted_at_adoption",
    "adopt_account",
    "adopt_without_snapshot",
    "amounts_continue",
    "backfill_history_gap",
    "balance_changes",
    "balance_flows",
    "broken_invariants",
    "canonical_amount",
    "canonical_asset",
    "correct_disappearance",
    "correct_told_event",
    "cross_history_gap",
    "decide_placement",
    "exact_sum",
    "explain_again",
    "explain_removals",
    "fold_beginning",
    "fold_ledger",
    "format_decimal",
    "history_gap_event",
    "is_anomaly",
    "is_disappearance",
    "is_mpt",
    "issuer_of",
    "keep_incomplete_orders",
    "limit_price",
    "line_rounding",
    "market_of",
    "missing_link",
    "offer_changes",
    "ordered_amounts",
    "parse_amount",
    "pool_accounts",
    "read_holdings",
    "read_transaction",
    "ripple_time_to_datetime",
    "sort_transactions",
    "units",
]
