"""Conservation: an account's balances over a range of ledgers, added up to the last digit.

Taken ledger by ledger. Every transaction's flows add up to the change that it shows, and every balance
that it shows before itself must be the one held so far; a server's balances at a ledger must be those held
there. What differs is drift: a transaction that was not read, or an answer that is wrong.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import EXACT, ZERO, is_mpt
from offer_lifecycle.balances import balance_changes, previous_touch
from offer_lifecycle.flows import Flow, Source, balance_flows, held_and_owed
from offer_lifecycle.funds import NOTHING, Holding, Holdings
from offer_lifecycle.transaction import MalformedTransaction, Transaction, sort_transactions


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a balance that nothing explains: drops for XRP, decimal tokens otherwise."""

    asset: str
    amount: Decimal
    began: int
    """The first ledger in which it may have begun: before it, the balance was what was held."""
    ledger_index: int
    """The ledger that shows it: it began no later."""
    transaction_hash: str | None
    """The transaction whose metadata shows it; None: the balances that a server showed."""
    missing: str | None
    """A transaction that was not read, and that changed the balance last before it (PreviousTxnID)."""


class LastShown(msgspec.Struct, frozen=True):
    """When a balance was last shown by a transaction."""

    ledger_index: int
    transaction_hash: str


class Conservation:
    """One account's balances, from an opening on."""

    def __init__(  # noqa: PLR0913 - what an earlier one has left, each by its name
        self,
        account: str,
        ledger_index: int,
        holdings: Holdings | None,
        *,
        complete: bool = True,
        mpts_complete: bool = True,
        shown: Mapping[str, LastShown] | None = None,
    ) -> None:
        """Open with the balances by the end of a ledger; None: unknown until a transaction shows them.

        To go on from an earlier one, give its `opened`, balances and `shown`. `complete`: what is not
        among the holdings is nothing, and not merely unknown; `mpts_complete`: so are MPTs.
        """
        self.account = account
        self.ledger_index = ledger_index
        """The last ledger taken."""
        self.drifts: list[Drift] = []
        """All found so far, oldest first."""
        self.unread: list[str] = []
        """What could not be read, by transaction: the totals are without it."""
        self._balances: dict[str, Decimal] = {}
        self._totals: dict[str, dict[Source, Decimal]] = {}
        self._mpts_complete = mpts_complete
        self._open(holdings)
        self._shown.update(shown or {})
        if not complete:
            self._complete = False

    @property
    def opened(self) -> int:
        """The last ledger at which the balances were taken from outside, or given up as unread."""
        return self._opened

    @property
    def shown(self) -> Mapping[str, LastShown]:
        """The balances that a transaction has shown since, and the last one that did."""
        return self._shown

    @property
    def totals(self) -> Mapping[str, Mapping[Source, Decimal]]:
        """What changed each asset's balance since the opening, by source; with the drift, all of it."""
        return self._totals

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """The balances now held, XRP and trust lines by name, as far as they are known."""
        return self._balances

    def add_ledger(self, ledger_index: int, transactions: Iterable[Transaction]) -> tuple[Drift, ...]:
        """Add up one ledger's transactions of the account (others do no harm); return the drift they show.

        Ledgers without any may be left out.

        Raises:
            ValueError: if the ledger is not after the last one.

        """
        if ledger_index <= self.ledger_index:
            raise ValueError(
                f"expected a ledger after {self.ledger_index}, the last one taken, found {ledger_index}"
            )
        self.ledger_index = ledger_index
        known = len(self.drifts)
        for tx in sort_transactions(transactions):
            self._add_transaction(tx)
        return tuple(self.drifts[known:])

    def compare_balances(
        self, ledger_index: int, holdings: Holdings, *, mpts_listed: bool = True
    ) -> tuple[Drift, ...]:
        """Compare with all the balances that a server showed at a ledger, and go on from those.

        Every transaction of the account up to that ledger has been taken. `mpts_listed`: the server showed
        the account's MPTs too; those that it did not show are then 0.

        Raises:
            ValueError: if a later ledger was taken.

        """
        if ledger_index < self.ledger_index:
            raise ValueError(
                f"expected balances at ledger {self.ledger_index}, the last one taken, or later, "
                f"found {ledger_index}"
            )
        self.ledger_index = ledger_index
        known = len(self.drifts)
        unlisted = {} if mpts_listed else {name: one for name, one in self._balances.items() if is_mpt(name)}
        for asset in sorted({*self._balances, *holdings} - set(unlisted)):
            self._compare(asset, holdings.get(asset, NOTHING).balance)
        self._mpts_complete = self._mpts_complete and mpts_listed
        self._open({**{name: Holding(balance=one) for name, one in unlisted.items()}, **holdings})
        return tuple(self.drifts[known:])

    def _open(self, holdings: Holdings | None) -> None:
        self._opened = self.ledger_index
        self._complete = holdings is not None
        self._balances = {asset: holding.balance for asset, holding in (holdings or {}).items()}
        self._shown: dict[str, LastShown] = {}

    def _add_transaction(self, tx: Transaction) -> None:
        if tx.damaged:
            self._give_up(f"transaction {tx.hash}: {'; '.join(tx.damaged)}")
            return
        try:
            changes = list(balance_changes(tx, self.account))
            moved = balance_flows(tx, self.account, self._balances)
        except MalformedTransaction as damage:
            self._give_up(str(damage))
            return
        for change in changes:
            self._compare(change.asset, change.before.balance, tx)
            self._balances[change.asset] = change.after.balance
            self._shown[change.asset] = LastShown(self.ledger_index, tx.hash)
        for flow in moved:
            self._add(flow)
            if flow.source is Source.DRIFT:
                self._drift(flow.asset, flow.amount, self.ledger_index, tx)

    def _give_up(self, damage: str) -> None:
        """Go on from nothing known: any balance may be in what can't be read."""
        self.unread.append(damage)
        self._open(None)

    def _compare(self, asset: str, shown: Decimal, tx: Transaction | None = None) -> None:
        """Compare one balance with the one held."""
        known = self._complete and (self._mpts_complete or not is_mpt(asset))
        held = self._balances.get(asset, ZERO if known else None)
        if held is None or held == shown:
            return
        last = self._shown.get(asset)
        previous = previous_touch(tx, self.account, asset) if tx else None
        missing = None if last and previous == last.transaction_hash else previous
        began = last.ledger_index if last else self._opened + 1
        for name, before, after in held_and_owed(asset, self.account, held, shown):
            flow = Flow(asset=name, source=Source.DRIFT, amount=EXACT.subtract(after, before))
            if flow.amount:
                self._add(flow)
                self._drift(name, flow.amount, began, tx, missing)

    def _add(self, flow: Flow) -> None:
        sources = self._totals.setdefault(flow.asset, {})
        sources[flow.source] = EXACT.add(sources.get(flow.source, ZERO), flow.amount)

    def _drift(
        self, asset: str, amount: Decimal, began: int, tx: Transaction | None, missing: str | None = None
    ) -> None:
        drift = Drift(
            asset=asset,
            amount=amount,
            began=began,
            ledger_index=self.ledger_index,
            transaction_hash=tx.hash if tx else None,
            missing=missing,
        )
        self.drifts.append(drift)
