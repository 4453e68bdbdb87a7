"""Batches: what an inner transaction did, and that it was never applied."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import (
    OWNER,
    STRANGER,
    USD,
    cancel_requested,
    listed,
    offer,
    root,
    state,
    step,
    submitted,
    tx,
    usd,
)

from offer_lifecycle import AccountState, Source, balance_flows, read_transaction
from order_events import Amount, OrderDisappeared, OrderStatus, RemovalReason, Resolution

ORDER = Amount(USD, Decimal(100)), Amount("XRP", Decimal(50_000_000))


def inner(sequence: int, kind: str = "OfferCreate", account: str = OWNER, **more: object) -> made.Raw:
    return {"RawTransaction": {"TransactionType": kind, "Account": account, "Sequence": sequence, **more}}


def batch(*raw: made.Raw, account: str = OWNER, result: str = "tesSUCCESS") -> made.Raw:
    nodes = [root(49_999_980, before=50_000_000)]
    return tx(
        "Batch",
        nodes,
        account=account,
        sequence=7,
        name="B1",
        Fee="20",
        RawTransactions=list(raw),
        result=result,
    )


def applied(sequence: int, account: str = OWNER) -> made.Raw:
    created = offer("CreatedNode", sequence, usd("100"), "50000000", owner=account)
    raw = tx(
        "OfferCreate",
        [root(49_999_980, owners=2, account=account), created],
        account=account,
        sequence=sequence,
        name=f"I{sequence}",
        index=1,
        Fee="0",
        TakerGets=usd("100"),
        TakerPays="50000000",
    )
    raw["metaData"]["ParentBatchID"] = "B1"
    return raw


def announced(*sequences: int) -> AccountState:
    account = state()
    for sequence in sequences:
        account.announce(submitted(sequence, *ORDER, last_ledger_sequence=None))
    return account


def test_an_inner_order_is_an_order_of_its_own_that_pays_no_fee() -> None:
    outcome = step(announced(8), 101, batch(inner(8)), applied(8))
    assert outcome.changed[8].status is OrderStatus.ACCEPTED
    assert outcome.unresolved == ()
    assert balance_flows(read_transaction(applied(8), ledger_index=101), OWNER) == ()
    outer = balance_flows(read_transaction(batch(inner(8)), ledger_index=101), OWNER)
    assert [(flow.source, flow.amount) for flow in outer] == [(Source.FEE, Decimal(-20))]


@pytest.mark.parametrize("result", ["tesSUCCESS", "tecBATCH_FAILURE"])
def test_an_announced_inner_order_that_was_not_applied_was_never_placed(result: str) -> None:
    outcome = step(announced(8, 9), 101, batch(inner(8), inner(9), result=result))
    for sequence in (8, 9):
        order = outcome.changed[sequence]
        assert (order.status, order.removal_reason) == (OrderStatus.LOST, RemovalReason.UNKNOWN)
        assert (order.resolution, order.anomaly) == (Resolution.RESOLVED, True)
    told = [event for event in outcome.events if isinstance(event, OrderDisappeared)]
    assert [event.evidence for event in told] == ["Batch B1 was validated and did not apply it"] * 2
    assert {event.transaction_hash for event in told} == {"B1"}


def test_of_an_only_one_batch_just_the_rest_was_never_placed() -> None:
    outcome = step(announced(8, 9), 101, batch(inner(8), inner(9)), applied(8))
    assert outcome.changed[8].status is OrderStatus.ACCEPTED
    assert outcome.changed[9].status is OrderStatus.LOST


def test_an_inner_order_on_a_ticket_is_named_by_its_ticket() -> None:
    outcome = step(announced(44), 101, batch(inner(0, TicketSequence=44)))
    assert outcome.changed[44].status is OrderStatus.LOST


def test_another_accounts_inner_transaction_says_nothing_of_ours() -> None:
    outcome = step(announced(8), 101, batch(inner(8, account=STRANGER)))
    assert 8 not in outcome.changed


def test_a_batch_of_another_account_concerns_those_for_whom_it_was_to_act() -> None:
    raw = tx("Batch", [root(5, account=STRANGER)], account=STRANGER, Fee="20", RawTransactions=[inner(8)])
    read = read_transaction(raw, ledger_index=101)
    assert read.touches(OWNER)
    assert not read.touches("rElse")
    assert step(announced(8), 101, raw).changed[8].status is OrderStatus.LOST


def test_an_order_that_is_on_the_book_is_not_lost_by_a_batch() -> None:
    account = state(offers=[listed(8, usd("100"), "50000000")])
    assert 8 not in step(account, 101, batch(inner(8))).changed


@pytest.mark.parametrize(
    ("hashes", "in_flight"), [(["C1"], False), (["C1", "C2"], True)], ids=["the only cancel", "one of two"]
)
def test_a_cancel_that_a_batch_did_not_apply_is_in_flight_no_longer(
    hashes: list[str], *, in_flight: bool
) -> None:
    account = state(offers=[listed(5, usd("100"), "50000000")])
    for one in hashes:
        account.announce(cancel_requested(5, one))
    outcome = step(account, 101, batch(inner(8, "OfferCancel", OfferSequence=5)))
    order = outcome.changed.get(5) or account.orders[5]
    assert order.cancel_in_flight(102) is in_flight
