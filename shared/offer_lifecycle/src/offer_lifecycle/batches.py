"""Batches: which of a Batch's inner transactions were not applied.

An inner transaction that was applied is a transaction of its own in the same ledger. A validated Batch whose
inner transaction is not there proves that this one never was: an all-or-nothing Batch that failed, the later
ones of an only-one Batch, those after the failure of an until-failure Batch.
"""

from collections.abc import Iterable, Iterator

from offer_lifecycle.transaction import InnerTransaction, Transaction


def not_applied(
    batch: Transaction, ledger: Iterable[Transaction], account: str
) -> Iterator[InnerTransaction]:
    """Yield the account's inner transactions of a Batch that are not among the ledger's transactions."""
    if not batch.inner:
        return
    applied = {(tx.account, tx.sequence) for tx in ledger if tx.hash != batch.hash}
    for inner in batch.inner:
        if inner.account == account and (inner.account, inner.sequence) not in applied:
            yield inner
