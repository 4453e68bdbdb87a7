"""From the question (an account, a sequence, a node) to the answer, or to why there is none."""

from typing import Any

import msgspec

from console.errors import HistoryMissing, NeverPlaced, NoSuchAccount
from console.explain.answer import Explanation, explanation
from console.explain.history import History, Watch, read_back
from console.explain.life import follow
from ledger_client import (
    InvalidRequest,
    LedgerServer,
    ProtocolViolation,
    Refused,
    account_root,
    ledger_entry,
    server_status,
)
from offer_lifecycle import Order


async def explain(server: LedgerServer, account: str, sequence: int, watch: Watch) -> Explanation:
    """Say what happened to an account's order up to the server's newest validated ledger.

    An explanation with `missing_transactions` is incomplete: the server lacks a part of the history.

    Raises:
        NoSuchAccount, NeverPlaced, HistoryMissing: there is nothing to explain, and why.
        ServerError: the server can't be used.

    """
    status = await server_status(server)
    asked = _Question(server=server, account=account, sequence=sequence, upto=status.validated)
    root = await account_root(server, account, status.validated)
    await asked.check_sequence(_next_sequence(server, root))
    history = await read_back(server, account, sequence, status.validated, watch)
    asked.check_history(history, exists=root is not None)
    life = await follow(server, account, sequence, history, status)
    if life.order is None:
        if history.placed is not None:
            raise ProtocolViolation(server.name, f"the order can't be read: {'; '.join(life.damaged)}")
        raise HistoryMissing(await asked.placed_before(history))
    told = explanation(
        order=life.order, life=life, history=history, validated=status.validated, node=server.name
    )
    unproven = (*told.unproven, *await asked.contradiction(life.order))
    return msgspec.structs.replace(told, unproven=unproven)


def _next_sequence(server: LedgerServer, root: dict[str, Any] | None) -> int | None:
    """Return the Sequence that the account uses next; None: it is not on the ledger."""
    if root is None:
        return None
    found = root.get("Sequence")
    if not isinstance(found, int):
        raise ProtocolViolation(
            server.name, f"account_info: expected the account's Sequence, found {found!r}"
        )
    return found


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """An order of an account, asked of a server as of one validated ledger."""

    server: LedgerServer
    account: str
    sequence: int
    upto: int

    async def check_sequence(self, following: int | None) -> None:
        """Raise NeverPlaced where the account's next sequence or a ticket shows that it is not used yet."""
        unused = f"order {self.sequence} of {self.account} was never placed up to ledger {self.upto}"
        if following is not None and self.sequence >= following:
            raise NeverPlaced(f"{unused}: the account's next sequence is {following}")
        if await self._has({"ticket": {"account": self.account, "ticket_seq": self.sequence}}):
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
                f"{history.oldest}-{self.upto} of {self.server.name}: is the address right, and the network?"
            )
        if history.whole:
            raise NeverPlaced(
                f"order {self.sequence} of {self.account} never existed: none of the account's transactions "
                f"since its creation in ledger {history.transactions[0].ledger_index} used that sequence"
            )

    async def placed_before(self, history: History) -> str:
        """Say what can't be proven, and why."""
        listed = await self._has(self._entry)
        where = "" if listed is None else f"; at the end it is {'' if listed else 'not '}on the book"
        return (
            f"order {self.sequence} of {self.account} was not placed in ledgers "
            f"{history.oldest}-{self.upto}, the history that {self.server.name} has{where}. Whether it was "
            "placed before and what became of it can't be proven: ask a node with ledgers before "
            f"{history.oldest}"
        )

    async def contradiction(self, order: Order) -> tuple[str, ...]:
        """Hold what the transactions say against the book itself; return where they differ."""
        listed = await self._has(self._entry)
        if listed is None or listed is order.listed:
            return ()
        shown = "still on the book" if listed else "not on the book"
        found = (
            f"That nothing is missing: at ledger {self.upto} it is {shown}, and not so by the "
            f"transactions that {self.server.name} shows."
        )
        return (found,)

    @property
    def _entry(self) -> dict[str, object]:
        return {"offer": {"account": self.account, "seq": self.sequence}}

    async def _has(self, entry: dict[str, object]) -> bool | None:
        """Whether the ledger has the entry; None: the server can't say."""
        try:
            return await ledger_entry(self.server, self.upto, entry) is not None
        except (Refused, InvalidRequest):
            return None
