"""Unknown parts: types, entries and fields of one transaction that the kernel does not know.

What they touch is unresolved: an unknown type may have moved anything, an unknown entry may hold a balance of
the account that it names, an unknown field may change what an order or a balance means.
"""

import msgspec

from offer_lifecycle.computed_once import computed_once
from offer_lifecycle.formats import ENTRIES, TRANSACTIONS
from offer_lifecycle.nodes import Node
from offer_lifecycle.transaction import Transaction


class UnknownParts(msgspec.Struct, frozen=True, kw_only=True):
    """What of a transaction the kernel does not know, as far as it touches one account; each by its name."""

    types: tuple[str, ...] = ()
    """The transaction's type, or the types of ledger entries that name the account."""
    order_fields: tuple[str, ...] = ()
    """Fields of the account's own OfferCreate."""
    balance_fields: tuple[str, ...] = ()
    """Fields of entries that hold the account's balances."""

    @property
    def about_order(self) -> str | None:
        """What makes the account's own order unresolved; None: nothing."""
        return _list([*self.types, *self.order_fields])

    @property
    def names(self) -> tuple[str, ...]:
        """All of it."""
        return (*self.types, *self.order_fields, *self.balance_fields)


def unknown_parts(tx: Transaction, account: str) -> UnknownParts:
    """Return what of the transaction the kernel does not know and that touches the account."""
    types = [] if tx.type in TRANSACTIONS else [f"transaction type {tx.type}"]
    fields: list[str] = []
    for entry in tx.entries_of(account):
        try:
            unknown = entry.unknown_fields
        except ValueError:
            continue  # one that can't be read is told of where its balance is
        fields += unknown
    name = account.encode()
    types += [f"ledger entry {node.entry_type}" for node in _unknown_entries(tx) if node.names(name)]
    own = tx.unknown_fields if tx.account == account else ()
    if not (types or fields or own):
        return _NOTHING
    return UnknownParts(
        types=tuple(dict.fromkeys(types)),
        order_fields=tuple(f"field {tx.type}.{one}" for one in own),
        balance_fields=tuple(f"field {one}" for one in dict.fromkeys(fields)),
    )


@computed_once
def _unknown_entries(tx: Transaction) -> list[Node]:
    return [node for node in tx.nodes if node.entry_type not in ENTRIES]


def _list(names: list[str]) -> str | None:
    return f"the kernel does not know {', '.join(names)}" if names else None


_NOTHING = UnknownParts()
