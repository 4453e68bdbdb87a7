"""From the question (an account, a sequence, a node) to the answer, or to why there is none."""

from collections.abc import Iterator

import msgspec

from console.errors import HistoryMissing, NeverPlaced, NoSuchAccount
from console.explain.answer import Explanation, explanation
from console.explain.history import (
    History,
    Watch,
    ledger_entry,
    newest_ledger,
    next_sequence,
    read_back,
)
from console.explain.life import follow
from console.explain.node import Node, NodeMisbehaves, Refused
from offer_lifecycle import Order


def explain(node: Node, account: str, sequence: int, watch: Watch) -> Explanation:
    """Say what happened to an account's order up to the node's newest validated ledger.

    An explanation with `missing_transactions` is incomplete: the node lacks a part of the history.

    Raises:
        NoSuchAccount, NeverPlaced, HistoryMissing: there is nothing to explain, and why.
        NodeSilent, NodeMisbehaves, Refused: the node can't be used.

    """
    newest = newest_ledger(node)
    asked = _Question(node=node, account=account, sequence=sequence, upto=newest.ledger_index)
    following = next_sequence(node, account, newest.ledger_index)
    asked.check_sequence(following)
    history = read_back(node, account, sequence, newest.ledger_index, watch)
    asked.check_history(history, exists=following is not None)
    life = follow(node, account, sequence, history, newest)
    if life.order is None:
        if history.placed is not None:
            raise NodeMisbehaves(f"{node.name}: the order can't be read: {'; '.join(life.damaged)}")
        raise HistoryMissing(asked.placed_before(history))
    told = explanation(order=life.order, life=life, history=history, newest=newest, node=node.name)
    unproven = (*told.unproven, *asked.contradiction(life.order))
    return msgspec.structs.replace(told, unproven=unproven)


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """An order of an account, asked of a node as of one validated ledger."""

    node: Node
    account: str
    sequence: int
    upto: int

    def check_sequence(self, following: int | None) -> None:
        """Raise NeverPlaced where the account's next sequence or a ticket shows that it is not used yet."""
        unused = f"order {self.sequence} of {self.account} was never placed up to ledger {self.upto}"
        if following is not None and self.sequence >= following:
            raise NeverPlaced(f"{unused}: the account's next sequence is {following}")
        if self._has({"ticket": {"account": self.account, "ticket_seq": self.sequence}}):
            raise NeverPlaced(f"{unused}: it is the number of a ticket that is not used yet")

    def check_history(self, history: History, *, exists: bool) -> None:
        """Raise what stands against it where an OfferCreate can't have used the sequence."""
        placed = history.placed
        if placed is not None:
            if placed.type != "OfferCreate":
                raise NeverPlaced(
                    f"order {self.sequence} of {self.account} never existed: its sequence was used by "
                    f"{placed.type} {placed.hash} in ledger {placed.ledger_index} ({placed.result})"
                )
            return
        if not exists and not history.transactions:
            raise NoSuchAccount(
                f"expected an account that exists, found none at {self.account} in ledgers "
                f"{history.oldest}-{self.upto} of {self.node.name}: is the address right, and the network?"
            )
        if history.whole:
            raise NeverPlaced(
                f"order {self.sequence} of {self.account} never existed: none of the account's transactions "
                f"since its creation in ledger {history.transactions[0].ledger_index} used that sequence"
            )

    def placed_before(self, history: History) -> str:
        """Say what can't be proven, and why."""
        listed = self._has(self._entry)
        where = "" if listed is None else f"; at the end it is {'' if listed else 'not '}on the book"
        return (
            f"order {self.sequence} of {self.account} was not placed in ledgers "
            f"{history.oldest}-{self.upto}, the history that {self.node.name} has{where}. Whether it was "
            "placed before and what became of it can't be proven: ask a node with ledgers before "
            f"{history.oldest}"
        )

    def contradiction(self, order: Order) -> Iterator[str]:
        """Hold what the transactions say against the book itself; yield where they differ."""
        listed = self._has(self._entry)
        if listed is not None and listed is not order.listed:
            shown = "still on the book" if listed else "not on the book"
            yield (
                f"That nothing is missing: at ledger {self.upto} it is {shown}, and not so by the "
                f"transactions that {self.node.name} shows."
            )

    @property
    def _entry(self) -> dict[str, object]:
        return {"offer": {"account": self.account, "seq": self.sequence}}

    def _has(self, entry: dict[str, object]) -> bool | None:
        """Whether the ledger has the entry; None: the node can't say."""
        try:
            return ledger_entry(self.node, self.upto, entry) is not None
        except Refused:
            return None
