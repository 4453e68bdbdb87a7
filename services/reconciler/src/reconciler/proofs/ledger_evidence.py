"""The evidence of one ledger: its transactions that changed followed orders, each with its path. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ledger_proof import OwnerSearch, ProvenLedger, account_bytes, path_bytes
from offer_lifecycle import Transaction, offer_changes
from order_events import ProvenOrder, ProvenTransaction

OrderKey = tuple[str, int]
"""Account and sequence."""


def changed_orders(
    ledger: ProvenLedger, accounts: Sequence[str], told: Mapping[str, Iterable[OrderKey]]
) -> list[ProvenTransaction]:
    """Return the transactions that changed orders of the accounts, in the order of the ledger.

    `told`: by transaction hash, the orders of which the ledger's events told something: also one whose
    sequence a transaction used for something else.

    Raises:
        Unproven: for a transaction that can't be read.

    """
    followed = frozenset(accounts)
    search = OwnerSearch(map(account_bytes, accounts))
    found: list[tuple[int, ProvenTransaction]] = []
    for transaction in ledger.transactions(search):
        orders = set(_changed(transaction, followed)) | set(told.get(transaction.hash, ()))
        if orders:
            found.append((transaction.index, _proven(ledger, transaction.hash, orders)))
    return [proven for _, proven in sorted(found, key=lambda one: one[0])]


def _changed(transaction: Transaction, followed: frozenset[str]) -> Iterator[OrderKey]:
    for change in offer_changes(transaction):
        if change.account in followed:
            yield change.account, change.sequence
    if transaction.type == "OfferCreate" and transaction.account in followed:
        yield transaction.account, transaction.sequence


def _proven(ledger: ProvenLedger, name: str, orders: Iterable[OrderKey]) -> ProvenTransaction:
    key = bytes.fromhex(name)
    place = next(place for place, (one, _) in enumerate(ledger.leaves) if one == key)
    blob, metadata = ledger.rows[place]
    return ProvenTransaction(
        transaction_hash=name,
        transaction=blob,
        metadata=metadata,
        path=path_bytes(ledger.path(key), key),
        orders=tuple(ProvenOrder(account=account, sequence=sequence) for account, sequence in sorted(orders)),
    )
