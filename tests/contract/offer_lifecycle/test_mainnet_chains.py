"""The chains of offers' changes on mainnet: what was not read is found and named, and nothing else is."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import made_ledger as made
import mainnet
import pytest
from mainnet import Break, Recorded, links

from offer_lifecycle import (
    EXACT,
    XRP,
    AccountState,
    Kind,
    LedgerFacts,
    Order,
    adopt_without_snapshot,
    amounts_continue,
    fold_ledger,
    parse_amount,
)
from order_events import OrderCanceled, Resolution

pytestmark = mainnet.needed

UNBROKEN_LINKS = 782
WITH_THEIR_CREATION = 637


def known_breaks() -> Iterator[Break]:
    for gap in mainnet.gaps():
        for after, before, missing, _ in gap["broken_between"]:
            yield Break(gap["offer_index"], gap["account"], gap["sequence"], after, before, missing)


def test_the_chains_break_at_the_five_known_gaps_and_nowhere_else() -> None:
    found = sorted(link.gap for link in links() if link.gap is not None)
    assert found == sorted(known_breaks())
    assert len(found) == 5


def test_what_a_broken_chain_names_was_not_recorded() -> None:
    for gap in mainnet.gaps():
        for after, before, missing, in_ledger in gap["broken_between"]:
            assert missing not in mainnet.recorded()
            assert in_ledger not in mainnet.ledgers()
            assert after < in_ledger < before


def test_where_the_chain_is_whole_each_change_begins_with_what_the_last_one_left() -> None:
    whole = [link for link in links() if link.gap is None]
    assert len(whole) == UNBROKEN_LINKS
    for link in whole:
        left = link.earlier
        assert amounts_continue(left.gets_left.value, left.pays_left.value, link.later)


def test_each_broken_chain_hides_a_fill() -> None:
    for link in links():
        if link.gap is not None:
            left, later = link.earlier, link.later
            assert not amounts_continue(left.gets_left.value, left.pays_left.value, later)
            assert link.lost.value > 0


def test_fills_and_the_rest_add_up_to_what_was_created() -> None:
    added_up = 0
    for life in mainnet.lifecycles():
        written, changes = life["events"], [change for _, change in mainnet.by_entry()[life["offer_index"]]]
        if written[0]["kind"] != "CreatedNode" or not life["chain_unbroken"]:
            continue
        assert len(changes) == len(written)
        created, last = written[0], written[-1]
        gave = total(change.gave for change in changes)
        got = total(change.got for change in changes)
        assert EXACT.add(gave, parse_amount(last["gets"]).value) == parse_amount(created["gets"]).value
        assert EXACT.add(got, parse_amount(last["pays"]).value) == parse_amount(created["pays"]).value
        added_up += 1
    assert added_up == WITH_THEIR_CREATION


def total(amounts: Iterator[Decimal]) -> Decimal:
    added = Decimal(0)
    for amount in amounts:
        added = EXACT.add(added, amount)
    return added


@lru_cache(maxsize=1)
def followed() -> dict[str, tuple[AccountState, dict[int, Order]]]:
    """Follow every account through all that was recorded of it; return its state and all its orders."""
    touching: dict[str, dict[int, list[Recorded]]] = defaultdict(lambda: defaultdict(list))
    for one in mainnet.in_order():
        for account in {one.tx.account, *(change.account for change in one.changes)}:
            touching[account][one.tx.ledger_index].append(one)
    found = {}
    for account, ledgers in touching.items():
        before = mainnet.header(min(ledgers) - 1, 0)
        state = adopt_without_snapshot(network_id=mainnet.MAINNET_ID, account=account, header=before)
        orders: dict[int, Order] = {}
        for recorded in ledgers.values():
            one, transactions = recorded[0], tuple(one.tx for one in recorded)
            facts = LedgerFacts(header=one.header, reserves=one.reserves, transactions=transactions)
            outcome = fold_ledger(state, facts)
            state.apply(outcome)
            orders |= outcome.changed
        found[account] = state, orders
    return found


def test_following_every_account_names_the_same_missing_transactions() -> None:
    first = {
        (changes[0][1].account, changes[0][1].sequence): changes[0][1]
        for changes in mainnet.by_entry().values()
    }
    found = set()
    for account, (_, orders) in followed().items():
        for sequence, order in orders.items():
            change = first.get((account, sequence))
            # Of an order that was on the book before anything was recorded, its whole past is missing
            seen_from_the_start = change is None or change.kind is Kind.CREATED
            assert seen_from_the_start or order.missing[0] == change.previous_txn_id  # type: ignore[union-attr]
            missing = order.missing if seen_from_the_start else order.missing[1:]
            found |= {(account, sequence, hash_) for hash_ in missing}
    assert found == {(gap.account, gap.sequence, gap.missing) for gap in known_breaks()}


@pytest.mark.parametrize("place", range(5))
def test_an_order_whose_chain_is_broken_ends_unresolved_and_names_what_is_missing(place: int) -> None:
    gap = list(known_breaks())[place]
    state, _ = followed()[gap.account]
    order = state.orders[gap.sequence]
    assert order.resolution is None  # none of the five ends in what was recorded: its end here is made up
    left = made.offer(
        "DeletedNode",
        gap.sequence,
        written(order.gets.asset, order.gets_left),
        written(order.pays.asset, order.pays_left),
        owner=gap.account,
        previous=order.last_txn_id,
    )
    cancel = made.tx("OfferCancel", [left], account=gap.account, OfferSequence=gap.sequence)
    after = AccountState(state.record, state.orders.values())
    [told] = made.step(after, state.record.ledger_index + 1, cancel).events
    assert isinstance(told, OrderCanceled)
    assert told.resolution is Resolution.UNRESOLVED
    assert gap.missing in told.missing_transactions


def written(asset: str, value: Decimal) -> object:
    currency, _, issuer = asset.partition(".")
    return str(value) if asset == XRP else {"currency": currency, "issuer": issuer, "value": str(value)}
