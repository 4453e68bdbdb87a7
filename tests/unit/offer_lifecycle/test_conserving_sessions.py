"""Recorded sessions: every account's balances add up at every ledger, and nothing goes missing unseen."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import RANDOM, SCRIPTED, SESSIONS_OF_2026

from console.replay import steps
from console.sessions import find_session
from offer_lifecycle import (
    EXACT,
    ZERO,
    Conservation,
    Drift,
    Holding,
    Source,
    Transaction,
    balance_flows,
    exact_sum,
    is_mpt,
    read_holdings,
    read_transaction,
)
from order_events import OrderFilled

NAMES = sorted((*SCRIPTED, *RANDOM))

MPT_ENTRIES = {"MPToken", "MPTokenIssuance"}
Balances = dict[str, Decimal]


class Ledger(NamedTuple):
    """A recorded ledger, with the balances that the node showed after it, by account."""

    index: int
    transactions: tuple[Transaction, ...]
    after: Mapping[str, dict[str, Holding]]
    shows_mpts: bool


@cache
def ledgers(name: str) -> tuple[Ledger, ...]:
    session = find_session(name).session
    return tuple(
        Ledger(
            index=recorded.ledger_index,
            transactions=tuple(
                read_transaction(raw, ledger_index=recorded.ledger_index) for raw in recorded.transactions
            ),
            after={session.accounts[role]: holdings(shown) for role, shown in recorded.after.items()},
            shows_mpts=all("objects" in shown for shown in recorded.after.values()),
        )
        for recorded in session.ledgers
    )


def holdings(shown: Mapping[str, Any]) -> dict[str, Holding]:
    if "account_data" not in shown:
        return {}  # not funded yet, or deleted
    mpts = [one for one in shown.get("objects", []) if one["LedgerEntryType"] in MPT_ENTRIES]
    return read_holdings(shown["account_data"], shown["lines"], mpts)


def opened(name: str, account: str) -> Conservation:
    first = ledgers(name)[0]
    return Conservation(account, first.index, first.after[account], mpts_complete=first.shows_mpts)


def summed(amounts: Iterable[tuple[str, Decimal]]) -> Balances:
    """Add up by asset, without a rounding; leave out what comes to nothing."""
    found: Balances = {}
    for asset, amount in amounts:
        found[asset] = EXACT.add(found.get(asset, ZERO), amount)
    return {asset: amount for asset, amount in found.items() if amount}


def worth(conservation: Conservation) -> Balances:
    """Return what is held by asset: what is owed, on whichever lines, is the account's own issue."""
    return summed(
        (
            line if balance >= 0 or is_mpt(line) else f"{line.partition('.')[0]}.{conservation.account}",
            balance,
        )
        for line, balance in conservation.balances.items()
    )


@pytest.mark.parametrize("name", [*NAMES, *SESSIONS_OF_2026])
def test_every_accounts_balances_add_up_at_every_ledger(name: str) -> None:
    first, *others = ledgers(name)
    compared = 0
    for account in first.after:
        conservation = opened(name, account)
        before = worth(conservation).items()
        for ledger in others:
            found = conservation.add_ledger(ledger.index, touching(account, ledger))
            found += conservation.compare_balances(
                ledger.index, ledger.after[account], mpts_listed=ledger.shows_mpts
            )
            assert found == ()
            compared += 1
        totals = conservation.totals
        changes = ((asset, exact_sum(sources.values())) for asset, sources in totals.items())
        assert summed(chain(before, changes)) == worth(conservation)
        assert not set(totals.get("XRP", {})) & {Source.ROUNDING, Source.TRANSFER_FEE, Source.RIPPLED}
        assert conservation.unread == []
        assert Source.UNKNOWN not in set(chain.from_iterable(totals.values()))
    assert compared == len(others) * len(first.after)


def touching(account: str, ledger: Ledger) -> Iterator[Transaction]:
    return (tx for tx in ledger.transactions if tx.touches(account))


@pytest.mark.parametrize("name", [*NAMES, *SESSIONS_OF_2026])
def test_the_fills_that_add_up_are_the_fills_that_are_told(name: str) -> None:
    told: dict[str, list[tuple[str, Decimal]]] = {}
    session = find_session(name).session
    for event in chain.from_iterable(step.events for step in steps(session)):
        if isinstance(event, OrderFilled):
            gave = event.gave.asset, event.gave.value.copy_negate()
            told.setdefault(event.account, []).extend([gave, (event.got.asset, event.got.value)])
    assert told or not name.startswith("random")
    for account, fills in told.items():
        booked = (
            (flow.asset, flow.amount)
            for ledger in ledgers(name)[1:]
            for tx in touching(account, ledger)
            for flow in balance_flows(tx, account)
            if flow.source is Source.FILL
        )
        assert summed(booked) == summed(fills)


def moved(tx: Transaction, account: str) -> Balances:
    return summed((flow.asset, flow.amount) for flow in balance_flows(tx, account))


@cache
def moving(name: str) -> tuple[tuple[str, Transaction], ...]:
    """Return each account with each transaction that moves one of its balances."""
    first, *others = ledgers(name)
    return tuple(
        (account, tx)
        for account in first.after
        for ledger in others
        for tx in touching(account, ledger)
        if moved(tx, account)
    )


@st.composite
def left_out(draw: st.DrawFn) -> tuple[str, str, Transaction]:
    """Draw a session, an account, and one transaction that moves a balance of the account."""
    name = draw(st.sampled_from([name for name in NAMES if moving(name)]))
    return (name, *draw(st.sampled_from(moving(name))))


def drifts_without(name: str, account: str, missing: Transaction, *, checked: bool) -> list[Drift]:
    """Take the session without a transaction; `checked`: with the node's balances after every ledger."""
    conservation = opened(name, account)
    *others, last = ledgers(name)[1:]
    for ledger in (*others, last):
        conservation.add_ledger(ledger.index, (tx for tx in touching(account, ledger) if tx is not missing))
        if checked or ledger is last:
            conservation.compare_balances(ledger.index, ledger.after[account])
    return conservation.drifts


@settings(max_examples=100, deadline=None)
@given(left_out())
def test_a_transaction_left_out_is_drift_of_just_what_it_moved(case: tuple[str, str, Transaction]) -> None:
    name, account, missing = case
    found = drifts_without(name, account, missing, checked=False)
    assert summed((drift.asset, drift.amount) for drift in found) == moved(missing, account)
    for drift in found:
        assert drift.began <= missing.ledger_index <= drift.ledger_index
        assert drift.missing == (missing.hash if drift.transaction_hash else None)


@settings(max_examples=50, deadline=None)
@given(left_out())
def test_with_balances_shown_after_every_ledger_it_is_known_where_drift_began(
    case: tuple[str, str, Transaction],
) -> None:
    name, account, missing = case
    found = drifts_without(name, account, missing, checked=True)
    assert summed((drift.asset, drift.amount) for drift in found) == moved(missing, account)
    known = max(ledger.index for ledger in ledgers(name) if ledger.index < missing.ledger_index)
    for drift in found:
        # Another transaction of the same ledger may show it before the balances at its end do
        assert known < drift.began <= drift.ledger_index == missing.ledger_index
