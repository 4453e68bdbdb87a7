"""The ledger's invariants: XRP, MPTs and tokens add up over every transaction that is read.

An account's own transactions are checked with its ledger, and what does not add up is published before the
ledger is committed. Where ledgers are read whole, all others are checked beside the accounts, which wait for
nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import structlog

from offer_lifecycle import (
    Header,
    InvariantBreak,
    MalformedTransaction,
    Transaction,
    broken_invariants,
    ripple_time_to_datetime,
)
from order_events import InvariantBroken, reconciler_event_id
from reconciler.metrics import Metrics
from reconciler.ports.bus import OrdersBus

_log = structlog.get_logger()

_MOST_WAITING = 32
"""Whole ledgers that wait to be checked; with more, the oldest is left out."""
_CHECKED_AT_ONCE = 16
"""Transactions between two moments in which something else may run."""


class ReadLedger(Protocol):
    """A ledger with all of its transactions (see `ledger_client.WholeLedger`)."""

    @property
    def header(self) -> Header:
        """Its header."""
        ...

    def transactions(self) -> Iterator[Transaction]:
        """Yield those that can be read."""
        ...


def broken_invariant_events(
    network_id: int, header: Header, transactions: Iterable[Transaction]
) -> Iterator[InvariantBroken]:
    """Yield an event for each asset that does not add up over one of a ledger's transactions."""
    for tx in transactions:
        for found in _broken(tx):
            yield InvariantBroken(
                event_id=reconciler_event_id(
                    network_id=network_id,
                    kind="ledger.invariant_broken",
                    account=tx.account,
                    about=(tx.hash, found.asset),
                ),
                network_id=network_id,
                account=tx.account,
                session_id=None,
                ledger_index=header.ledger_index,
                occurred_at=ripple_time_to_datetime(header.close_time),
                transaction_hash=tx.hash,
                transaction_type=tx.type,
                asset=found.asset,
                expected=found.expected,
                found=found.found,
            )


def report_broken_invariant(event: InvariantBroken, metrics: Metrics | None) -> None:
    """Log and count an asset that does not add up."""
    _log.error(
        "an asset does not add up over a transaction: the ledger is broken, or the server lies",
        transaction=event.transaction_hash,
        asset=event.asset,
        expected=event.expected,
        found=f"{event.found:f}",
    )
    if metrics is not None:
        metrics.broken_invariants.inc()


class WholeLedgerInvariants:
    """Checks every transaction of the ledgers that are read whole, each ledger once."""

    def __init__(self, bus: OrdersBus, metrics: Metrics, *, network_id: Callable[[], int | None]) -> None:
        """`network_id`: of the followed accounts; None: no account is followed yet."""
        self._bus = bus
        self._metrics = metrics
        self._network_id = network_id
        self._waiting: deque[ReadLedger] = deque(maxlen=_MOST_WAITING)
        self._checked: deque[int] = deque(maxlen=2 * _MOST_WAITING)
        self._more = asyncio.Event()

    def add(self, ledger: ReadLedger) -> None:
        """Have a ledger checked soon; one that was read from another server before is not checked again."""
        if ledger.header.ledger_index in self._checked:
            return
        if len(self._waiting) == _MOST_WAITING:
            _log.warning("a ledger's invariants are not checked", ledger=self._waiting[0].header.ledger_index)
        self._checked.append(ledger.header.ledger_index)
        self._waiting.append(ledger)
        self._more.set()

    async def run(self) -> None:
        """Check ledgers until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                ledger = self._waiting.popleft()
                try:
                    await self._check(ledger)
                except Exception:  # noqa: BLE001 - whatever it is, fills go on
                    _log.exception("invariants not checked", ledger=ledger.header.ledger_index)

    async def _check(self, ledger: ReadLedger) -> None:
        network_id = self._network_id()
        if network_id is None:
            return
        found: list[InvariantBroken] = []
        for number, tx in enumerate(ledger.transactions()):
            if number % _CHECKED_AT_ONCE == 0:
                await asyncio.sleep(0)
            found += broken_invariant_events(network_id, ledger.header, (tx,))
        for event in found:
            report_broken_invariant(event, self._metrics)
        if found:
            await self._bus.publish(found)


def _broken(tx: Transaction) -> tuple[InvariantBreak, ...]:
    try:
        return broken_invariants(tx)
    except MalformedTransaction:
        return ()  # what can't be read is reported as such
