"""Transactions over which an asset does not add up are told: an account's, and all of a whole ledger."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

import pytest
from in_memory_bus import Memory, MemoryOrders
from made_ledger import Raw, header, root, state, tx
from waiting import until

from offer_lifecycle import (
    LedgerFacts,
    MalformedTransaction,
    Reserves,
    Transaction,
    fold_ledger,
    read_transaction,
)
from order_events import InvariantBroken
from reconciler.metrics import Metrics
from reconciler.safety.account_safety import AccountSafety, SharedSafety
from reconciler.safety.ledger_invariants import WholeLedgerInvariants
from reconciler.safety.policy import PolicyState

MINTING = tx("Payment", [root(1_000_000, before=12, account="rMint")], account="rMint", name="MINT")
PLAIN = tx("Payment", [root(88, before=100, account="rPlain")], account="rPlain", name="PLAIN")


class ReadWhole:
    """A ledger that was read whole."""

    def __init__(self, rows: Sequence[Raw], index: int) -> None:
        self.header = header(index)
        self._rows = rows

    def transactions(self) -> Iterator[Transaction]:
        for row in self._rows:
            with suppress(MalformedTransaction):
                yield read_transaction(row, ledger_index=self.header.ledger_index)


def whole(*rows: Raw, index: int = 101) -> ReadWhole:
    return ReadWhole(rows, index)


async def told_of(*ledgers: ReadWhole, metrics: Metrics) -> list[InvariantBroken]:
    """Return what is published of some ledgers; the last one breaks an invariant."""
    memory = Memory()
    invariants = WholeLedgerInvariants(MemoryOrders(memory), metrics, network_id=lambda: 7)
    running = asyncio.create_task(invariants.run())
    for ledger in ledgers:
        invariants.add(ledger)
    last = ledgers[-1].header.ledger_index
    await until(lambda: any(event.ledger_index == last for event in memory.stream))
    running.cancel()
    return [event for event in memory.stream if isinstance(event, InvariantBroken)]


async def test_a_whole_ledger_is_checked_in_full_whoever_is_followed() -> None:
    metrics = Metrics()
    [event] = await told_of(whole(PLAIN, MINTING), metrics=metrics)
    assert (event.account, event.transaction_hash, event.transaction_type) == ("rMint", "MINT", "Payment")
    assert (event.asset, event.found, event.network_id) == ("XRP", Decimal(999_988), 7)
    assert metrics.registry.get_sample_value("reconciler_broken_invariants_total") == 1


async def test_a_ledger_that_several_servers_show_is_checked_once() -> None:
    metrics = Metrics()
    other = {**MINTING, "hash": "OTHER"}
    events = await told_of(whole(MINTING), whole(MINTING), whole(other, index=102), metrics=metrics)
    assert [event.ledger_index for event in events] == [101, 102]
    assert metrics.registry.get_sample_value("reconciler_broken_invariants_total") == 2


async def test_a_transaction_that_can_not_be_read_hides_no_other() -> None:
    damaged = {**PLAIN, "TransactionType": 5}
    assert len(await told_of(whole(damaged, MINTING), metrics=Metrics())) == 1


@pytest.mark.parametrize(("row", "told"), [(MINTING, 1), (PLAIN, 0)])
def test_an_account_s_own_ledger_is_checked_before_it_is_committed(row: Raw, told: int) -> None:
    ledger = state()
    facts = LedgerFacts(
        header=header(101),
        reserves=Reserves(base=1, increment=1),
        transactions=(read_transaction(row, ledger_index=101),),
    )
    safety = AccountSafety(ledger.record.account, SharedSafety())
    decided = safety.decide_ledger(PolicyState(), ledger.record, facts, fold_ledger(ledger, facts))
    assert len([event for event in decided.events if isinstance(event, InvariantBroken)]) == told
