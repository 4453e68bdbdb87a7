"""What validated metadata says of an offer's life. Pure: no I/O, no clock, no chance.

`adopt` begins to follow an account, `AccountState.announce` takes what the engine says of itself,
`fold` takes one validated ledger and returns the events, and `AccountState.apply` goes on to the state
after it. The decision "what happened to this order" is `removal.decide` for an order that was on the
book, and `placement.place` for one in its own transaction.

`cross` goes on after ledgers that no server can show, and `heal` takes them in once one can.
`look_again` decides once more what nothing explained.

`Conservation` adds up an account's balances beside all that: what the fills, fees and payments of its
transactions do not explain is drift.

1. Only validated transactions end an order (and the ledger's clock, and a LastLedgerSequence passed).
2. The same ledgers give the same events, whatever was looked at when.
3. Amounts are exact; only prices are rounded, to 34 digits.
4. What no rule proves is UNEXPLAINED, what no transaction shows is LOST.
"""

from offer_lifecycle.adoption import adopt, begin, found, holdings_of
from offer_lifecycle.amounts import parse_amount, plain
from offer_lifecycle.anybody import removals
from offer_lifecycle.conservation import Conservation, Drift, Shown
from offer_lifecycle.events import utc
from offer_lifecycle.flows import Flow, Source, flows
from offer_lifecycle.fold import fold
from offer_lifecycle.funds import Holding
from offer_lifecycle.gap_backfill import Contradiction, heal
from offer_lifecycle.history_gaps import Gap, cross, gap_event, remembering
from offer_lifecycle.order import Order
from offer_lifecycle.removal import Verdict
from offer_lifecycle.second_look import look_again, settled
from offer_lifecycle.state import AccountRecord, AccountState, Doubt, LedgerFacts, LedgerOutcome
from offer_lifecycle.state_before import StateAnswer, StateRequest
from offer_lifecycle.transaction import (
    RIPPLE_EPOCH,
    Header,
    MalformedTransaction,
    Reserves,
    Transaction,
    TransactionRecord,
    in_order,
    normalise,
)

__all__ = [
    "RIPPLE_EPOCH",
    "AccountRecord",
    "AccountState",
    "Conservation",
    "Contradiction",
    "Doubt",
    "Drift",
    "Flow",
    "Gap",
    "Header",
    "Holding",
    "LedgerFacts",
    "LedgerOutcome",
    "MalformedTransaction",
    "Order",
    "Reserves",
    "Shown",
    "Source",
    "StateAnswer",
    "StateRequest",
    "Transaction",
    "TransactionRecord",
    "Verdict",
    "adopt",
    "begin",
    "cross",
    "flows",
    "fold",
    "found",
    "gap_event",
    "heal",
    "holdings_of",
    "in_order",
    "look_again",
    "normalise",
    "parse_amount",
    "plain",
    "remembering",
    "removals",
    "settled",
    "utc",
]
