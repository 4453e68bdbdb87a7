"""Completeness of an offer's history, proven by the PreviousTxnID links of its entry.

Each transaction that touches an entry leaves its hash there, and the next one's metadata repeats it as
PreviousTxnID. Where that names another transaction than the last one read, the one named was missed: a
fill perhaps, or many.
"""

from decimal import Decimal

from offer_lifecycle.amounts import EXACT
from offer_lifecycle.changes import OfferChange


def missing_link(last_txn_id: str | None, change: OfferChange, by: str) -> str | None:
    """Return the transaction that touched the entry before `change` and was not read; None: none is known.

    `last_txn_id` is the last transaction read that touched the entry (None: not known), `by` the one
    that made the change. The answer is a transaction's hash, of several that were missed the last one's;
    where the metadata names none, it says before which transaction it was.
    """
    if last_txn_id is None or change.previous_txn_id == last_txn_id:
        return None
    return change.previous_txn_id or f"before {by}"


def amounts_continue(gets_left: Decimal, pays_left: Decimal, change: OfferChange) -> bool:
    """Whether `change` begins with the amounts that the entry was left with, each side to the last digit.

    Drops for XRP, decimal tokens otherwise. It needs no link, so it can also be asked of an offer found
    in account_offers; but a missed transaction need not have changed an amount.
    """
    gets_before = EXACT.add(change.gets_left.value, change.gave)
    pays_before = EXACT.add(change.pays_left.value, change.got)
    return (gets_before, pays_before) == (gets_left, pays_left)
