"""What holds for every recorded history: each account of each session, at every ledger."""

import random
from decimal import Decimal

import pytest
from forward import AFTER, assert_forward
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_history import (
    LARGE,
    SESSIONS,
    RecordedAccount,
    accounts_of,
    copy_of,
    follow,
    kept,
    recorded_account,
    told,
    with_transactions,
)

from offer_lifecycle import (
    SELL,
    LedgerFacts,
    Order,
    Transaction,
    balance_changes,
    fold_beginning,
    fold_ledger,
    offer_changes,
    pool_accounts,
    read_transaction,
    sort_transactions,
)
from order_events import LiquiditySide, OrderFilled, OrderStatus

DIGITS = 16
"""Of a token balance."""
DOUBLED = 0.3
"""The share of records that arrive twice."""

small = st.sampled_from([name for name in SESSIONS if name not in LARGE]).flatmap(
    lambda name: st.sampled_from([(name, account) for account in accounts_of(name)])
)


def rounding(tx: Transaction, account: str, asset: str) -> Decimal:
    """Return how far off it may be: a unit in the last digit of each balance, and a drop of XRP.

    The balances are the account's and its counterparts': those say what it traded.
    """
    parties = {account, *pool_accounts(tx), *(change.account for change in offer_changes(tx))}
    balances = [
        balance
        for party in parties
        for change in balance_changes(tx, party)
        if change.asset == asset != "XRP"
        for balance in (change.before.balance, change.after.balance)
    ]
    drop = Decimal(1 if asset == "XRP" else 0)
    return sum((Decimal(1).scaleb(balance.adjusted() - DIGITS + 1) for balance in balances), drop)


def is_of(tx: Transaction, account: str, facts: LedgerFacts) -> bool:
    return tx.ledger_index == facts.header.ledger_index and tx.touches(account)


def sums(order: Order) -> tuple[Decimal, Decimal]:
    """Return what was given and is left to give, and the same for what it asks."""
    return order.gave + order.gets_left, order.got + order.pays_left


def assert_placed(order: Order, tx: Transaction) -> None:
    """Hold what an order took at once and what it then had left against what it ordered.

    The rest is what the order did not get yet (with the sell flag: did not give yet); the other side is
    that at the limit price, as far off as what the first was rounded to is worth; a better price leaves
    something out of both.
    """
    gives, asks = sums(order)
    gets_off = rounding(tx, order.account, order.gets.asset)
    pays_off = rounding(tx, order.account, order.pays.asset)
    if tx.flags & SELL:
        assert abs(gives - order.gets.value) <= gets_off
        assert asks >= order.pays.value - pays_off - gets_off * order.pays.value / order.gets.value
    else:
        assert abs(asks - order.pays.value) <= pays_off
        assert gives <= order.gets.value + gets_off + pays_off * order.gets.value / order.pays.value


def assert_conserved(before: Order | None, after: Order, facts: LedgerFacts) -> None:
    """What was filled and what is left make what was placed: exactly, once it rests."""
    if before is not None and before.listed:
        assert sums(after) == sums(before)
        return
    own = [tx for tx in facts.transactions if (tx.account, tx.sequence) == (after.account, after.sequence)]
    if own and after.status is not OrderStatus.REJECTED:
        assert_placed(after, own[0])


@pytest.mark.parametrize("name", SESSIONS)
def test_filled_and_left_make_what_was_placed_and_nothing_goes_back(name: str) -> None:
    followed = 0
    for account in accounts_of(name):
        one = RecordedAccount(name, account)
        state = one.adopted()
        before = dict(state.orders)
        for facts, outcome in zip(one.facts, follow(state, one.facts), strict=True):
            for sequence, order in outcome.changed.items():
                followed += 1
                if sequence in before:
                    assert_forward(before[sequence], order)
                assert_conserved(before.get(sequence), order, facts)
            before |= outcome.changed
    assert followed >= len(accounts_of(name))


@pytest.mark.parametrize("name", SESSIONS)
def test_an_order_that_took_nothing_at_once_is_conserved_to_the_last_digit(name: str) -> None:
    for account in accounts_of(name):
        one = RecordedAccount(name, account)
        state = one.adopted()
        takers = {
            event.sequence
            for outcome in follow(state, one.facts)
            for event in outcome.events
            if isinstance(event, OrderFilled) and event.liquidity_side is LiquiditySide.TAKER
        }
        for order in state.orders.values():
            rested = order.status not in {OrderStatus.SUBMITTED, OrderStatus.REJECTED, OrderStatus.LOST}
            if rested and order.sequence not in takers:
                assert sums(order) == (order.gets.value, order.pays.value)


@given(small)
@settings(deadline=None, max_examples=25)
def test_the_same_ledgers_from_the_same_state_give_the_same_events_to_the_byte(
    which: tuple[str, str],
) -> None:
    one = recorded_account(*which)
    state = one.adopted()
    for facts in one.facts:
        first, again = fold_ledger(state, facts), fold_ledger(copy_of(state), facts)
        assert told([first]) == told([again])
        assert first == again
        state.apply(first)
    assert told(follow(one.adopted(), one.facts)) == told(follow(one.adopted(), one.facts))


@given(small)
@settings(deadline=None, max_examples=25)
def test_the_events_of_a_ledger_s_beginning_are_the_first_ones_of_the_ledger(which: tuple[str, str]) -> None:
    one = recorded_account(*which)
    state = one.adopted()
    for facts in one.facts:
        whole = fold_ledger(state, facts)
        for count in range(len(facts.transactions) + 1):
            beginning = fold_beginning(state, with_transactions(facts, facts.transactions[:count]))
            assert told([beginning]) == told([whole])[: len(beginning.events)]
        state.apply(whole)


@given(small, st.data())
@settings(deadline=None, max_examples=40)
def test_a_restart_after_any_ledger_changes_no_event(which: tuple[str, str], data: st.DataObject) -> None:
    one = recorded_account(*which)
    restarts = data.draw(st.sets(st.sampled_from(range(len(one.facts))), min_size=1, max_size=5))
    uninterrupted = told(follow(one.adopted(), one.facts))
    state, events = one.adopted(), []
    for place, facts in enumerate(one.facts):
        if place in restarts:
            state = kept(state)
        events += told(follow(state, [facts]))
    assert events == uninterrupted


@given(small, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_shuffled_and_doubled_arrival_within_a_ledger_changes_nothing(
    which: tuple[str, str], chance: random.Random
) -> None:
    one = recorded_account(*which)
    arrived = []
    for facts in one.facts:
        index = facts.header.ledger_index
        records = one.records[index] + [raw for raw in one.records[index] if chance.random() < DOUBLED]
        chance.shuffle(records)
        again = sort_transactions(read_transaction(raw, ledger_index=index) for raw in records)
        assert again == facts.transactions
        arrived.append(with_transactions(facts, again))
    assert told(follow(one.adopted(), arrived)) == told(follow(one.adopted(), one.facts))


@given(small, st.data())
@settings(deadline=None, max_examples=40)
def test_overlapping_pages_change_nothing(which: tuple[str, str], data: st.DataObject) -> None:
    one = recorded_account(*which)
    whole = [tx for facts in one.facts for tx in facts.transactions]
    pages, start = [], 0
    while start < len(whole):
        size, overlap = data.draw(st.integers(1, 50)), data.draw(st.integers(0, 5))
        pages.append(whole[max(start - overlap, 0) : start + size])
        start += size
    read = sort_transactions(tx for page in pages for tx in page)
    assert list(read) == whole


@pytest.mark.parametrize("name", SESSIONS)
def test_the_stream_says_the_same_as_the_ledgers(name: str) -> None:
    for account in accounts_of(name):
        one = RecordedAccount(name, account)
        received = [read_transaction(message) for message in one.stream]
        live = [
            with_transactions(facts, sort_transactions(tx for tx in received if is_of(tx, account, facts)))
            for facts in one.facts
        ]
        assert told(follow(one.adopted(), live)) == told(follow(one.adopted(), one.facts))


def test_what_may_come_after_what_is_an_order() -> None:
    for before, later in AFTER.items():
        for after in later:
            assert before not in AFTER.get(after, frozenset())
            assert AFTER.get(after, frozenset()) <= later
