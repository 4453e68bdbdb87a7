"""What orders took at once on mainnet is what others gave, be they offers or pools."""

from decimal import Decimal

import mainnet
from mainnet import Recorded

from offer_lifecycle import XRP, balance_changes, line_rounding, pool_accounts

pytestmark = mainnet.needed


def others(one: Recorded, asset: str) -> Decimal:
    """Return what offers and pools together got of an asset; negative: gave."""
    total = Decimal(0)
    for change in one.changes:
        if change.consumed:
            total += change.got if change.pays_left.asset == asset else 0
            total -= change.gave if change.gets_left.asset == asset else 0
    for pool in pool_accounts(one.tx):
        total += sum(balance.delta for balance in balance_changes(one.tx, pool) if balance.asset == asset)
    return total


def rounding(one: Recorded, asset: str) -> Decimal:
    """Return how far a sum may be off: each trade rounds the balance that it changes."""
    if asset == XRP:
        return Decimal(0)
    trades = sum(change.consumed for change in one.changes) + len(pool_accounts(one.tx))
    return trades * line_rounding(one.tx, asset.partition(".")[0])


def test_what_an_order_gave_and_got_at_once_is_what_others_got_and_gave() -> None:
    traded = [(one, placement) for one, placement in mainnet.placements() if placement.traded]
    assert len(traded) == 197
    for one, placement in traded:
        gets, pays = placement.gets.asset, placement.pays.asset
        assert abs(placement.gave - others(one, gets)) <= rounding(one, gets), one.tx.hash
        assert abs(placement.got + others(one, pays)) <= rounding(one, pays), one.tx.hash


def test_the_transfer_fee_on_a_trade_with_a_pool_of_two_tokens_is_not_what_the_order_gave() -> None:
    [hash_] = [hash_ for hash_ in mainnet.recorded() if hash_.startswith("8C165A48")]
    one = mainnet.recorded()[hash_]
    [placement] = [placement for placed, placement in mainnet.placements() if placed is one]
    asset = placement.gets.asset
    debited = -one.delta(one.tx.account, asset)
    assert (placement.gave, debited) == (Decimal("0.00162218899498"), Decimal("0.001622351213880319"))
    assert (debited / placement.gave).quantize(Decimal("1.000000")) == Decimal("1.0001")


def test_an_order_that_rests_whole_asks_what_it_ordered_and_gives_no_more_than_the_tick_size_allows() -> None:
    resting = [
        (placement, placement.entry)
        for _, placement in mainnet.placements()
        if placement.entry is not None and not placement.traded
    ]
    rounded = [(placement, entry) for placement, entry in resting if entry.gets_left != placement.gets]
    assert all(entry.pays_left == placement.pays for placement, entry in resting)
    assert all(entry.gets_left.value < placement.gets.value for placement, entry in rounded)
    assert (len(resting), len(rounded)) == (1295, 26)


def test_an_offer_that_the_ledger_of_2013_placed_at_a_negative_amount_is_read_as_it_stands() -> None:
    [hash_] = [hash_ for hash_ in mainnet.recorded() if hash_.startswith("2AEFB8AE")]
    [entry] = [placement.entry for one, placement in mainnet.placements() if one.tx.hash == hash_]
    assert entry is not None
    assert entry.pays_left.value == Decimal(-1810000000)  # it got 43,740 XRP and had asked for 41,930
