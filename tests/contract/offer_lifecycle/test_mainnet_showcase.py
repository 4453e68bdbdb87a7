"""One mainnet transaction for each trap, under the name that the collection gives it."""

from collections import Counter
from decimal import Decimal

import mainnet
from mainnet import Recorded

from offer_lifecycle import Kind, OfferChange, pool_accounts
from order_events import (
    LiquiditySide,
    OrderAccepted,
    OrderDisappeared,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    RemovalReason,
)

pytestmark = mainnet.needed

XRP = "XRP"
EUR = "EUR.rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq"
ELS = "ELS.rHXuEaRYnnJHbDeuBH5w8yPh5uwNVh5zAg"
USD, BTC = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "BTC.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"


def case(name: str) -> tuple[Recorded, OfferChange]:
    """Return the case's transaction and what it did to the case's offer."""
    found = next(case for case in mainnet.showcase() if case["case"] == name)
    one = mainnet.recorded()[found["hash"]]
    return one, one.change(found["offer_index"])


def alone(name: str) -> Recorded:
    """Return the transaction of a case that is about no single offer."""
    found = next(case for case in mainnet.showcase() if case["case"] == name)
    return mainnet.recorded()[found["hash"]]


def reason(one: Recorded, change: OfferChange) -> RemovalReason:
    return one.outcome(change.account).verdicts[change.sequence].reason


def amounts(change: OfferChange) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return change.gave, change.got, change.gets_left.value, change.pays_left.value


def decimals(*written: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in written)


def taken(one: Recorded) -> OrderFilled:
    """Return what the sender's own order traded in its own transaction."""
    told = one.outcome(one.tx.account).events
    [fill] = [event for event in told if isinstance(event, OrderFilled) and event.sequence == one.tx.sequence]
    assert fill.liquidity_side is LiquiditySide.TAKER
    return fill


def consumed(one: Recorded) -> list[OfferChange]:
    return [change for change in one.changes if change.consumed]


def test_every_case_of_the_showcase_is_a_test_by_its_name() -> None:
    assert {f"test_{case['case']}" for case in mainnet.showcase()} <= set(globals())


def test_consumed_to_zero() -> None:
    one, change = case("consumed_to_zero")
    assert reason(one, change) is RemovalReason.FILLED
    assert amounts(change) == decimals("1605250518", "401.3126295", "0", "0")
    assert (len(consumed(one)), len({change.account for change in consumed(one)})) == (27, 17)
    # A fill-or-kill order that the issuer's fee of 0.2% kept from giving all: its rest is killed
    order = taken(one)
    assert (order.status, order.removal_reason) == (OrderStatus.CANCELED, RemovalReason.KILLED)
    assert order.gave.value == sum(change.got for change in consumed(one)) == Decimal("9580.8383233532934")
    assert one.delta(one.tx.account, EUR) == Decimal("-9599.9999999999976")


def test_filled_with_dust_residual() -> None:
    one, change = case("filled_with_dust_residual")
    assert reason(one, change) is RemovalReason.FILLED
    assert amounts(change) == decimals("1256.942454072965", "31423447", "3500000000000000e-26", "0")


def test_partial_then_unfunded_same_tx() -> None:
    one, change = case("partial_then_unfunded_same_tx")
    assert reason(one, change) is RemovalReason.UNFUNDED
    assert amounts(change) == decimals("2322.147694", "57871584", "1690.439366", "42128416")
    outcome = one.outcome(change.account)
    [gone] = [
        event
        for event in outcome.events
        if isinstance(event, OrderDisappeared) and event.sequence == change.sequence
    ]
    assert (gone.filled_qty, gone.remaining, gone.leaves_qty) == decimals("57.871584", "42.128416", "0")
    assert gone.unfunded_since == one.tx.hash


def test_became_unfunded_no_fill() -> None:
    one, change = case("became_unfunded_no_fill")
    assert reason(one, change) is RemovalReason.UNFUNDED
    assert amounts(change) == decimals("0", "0", "4012.185801", "100000000")
    drained_by = [other for other in consumed(one) if other.account == change.account]
    assert sum(other.gave for other in drained_by) == -one.delta(change.account, ELS)
    assert one.balance(change.account, ELS).after.balance == 0


def test_tiny_removed_rmSmallIncreasedQ() -> None:  # noqa: N802 - the case's name
    one, change = case("tiny_removed_rmSmallIncreasedQ")
    assert reason(one, change) is RemovalReason.TINY
    left = one.balance(change.account, change.gets_left.asset).after.balance
    assert left == Decimal("26.4578")
    assert left * change.pays_left.value / change.gets_left.value < Decimal("0.0601")  # drops
    assert not change.consumed


def test_mass_unfunded_sweep() -> None:
    one = alone("mass_unfunded_sweep")
    owner = "rHhuL3YUYgXEwzKxB2YtfLAun1iFshXWcH"
    xrp = one.balance(owner, XRP)
    assert (xrp.before.owner_count, xrp.after.owner_count) == (2137, 921)
    # What it keeps is the reserve with all 2,137 objects counted, those that went included
    assert xrp.after.balance == 20_000_000 + 5_000_000 * 2137
    verdicts = one.outcome(owner).verdicts.values()
    reasons = Counter(verdict.reason for verdict in verdicts)
    assert reasons == {RemovalReason.UNFUNDED: 1203, RemovalReason.FILLED: 13}


def test_self_cross() -> None:
    one, change = case("self_cross")
    assert reason(one, change) is RemovalReason.SELF_CROSSED
    assert (one.tx.offer_sequence, change.consumed, change.account) == (None, False, one.tx.account)
    told = one.outcome(one.tx.account).events
    [accepted] = [event for event in told if isinstance(event, OrderAccepted)]
    assert (accepted.sequence, accepted.filled_qty) == (one.tx.sequence, Decimal(0))


def test_self_cross_with_other_fills() -> None:
    one, _ = case("self_cross_with_other_fills")
    gone = [change for change in one.changes if change.kind is Kind.DELETED]
    reasons = {change.entry[:8]: reason(one, change) for change in gone}
    assert reasons == {
        "F14E2182": RemovalReason.SELF_CROSSED,
        "A8F46A54": RemovalReason.UNFUNDED,  # after a partial fill
        "7E6DE400": RemovalReason.UNFUNDED,  # with none: the same owner's
        "469F6EA9": RemovalReason.UNEXPLAINED,  # found so: its owner's tokens are not in the metadata
    }
    order = taken(one)
    assert (order.gave.value, order.got.value) == decimals("208921096", "3342.762072549799")
    assert order.gave.value == sum(change.got for change in consumed(one))
    assert order.status is OrderStatus.FILLED


def test_expired_by_third_party() -> None:
    one, change = case("expired_by_third_party")
    assert reason(one, change) is RemovalReason.EXPIRED
    assert one.tx.account != change.account
    assert change.expiration is not None
    assert change.expiration <= one.parent_close_time
    assert consumed(one) == []
    [rejected] = one.outcome(one.tx.account).events  # the stranger's own order took nothing
    assert isinstance(rejected, OrderRejected)
    assert rejected.result == "tesSUCCESS"


def test_expired_by_payment() -> None:
    one, change = case("expired_by_payment")
    assert one.tx.type == "Payment"
    told = one.outcome(change.account).events
    assert [(type(event), event.filled_qty) for event in told] == [(OrderExpired, Decimal(0))] * 2
    reasons = Counter(reason(one, change) for change in one.changes if change.kind is Kind.DELETED)
    # Two were found unfunded, which the metadata doesn't show; one was a funded rest (see the last case)
    assert reasons == {RemovalReason.EXPIRED: 2, RemovalReason.UNEXPLAINED: 3}
    assert len(consumed(one)) == 3


def test_modified_one_side_only() -> None:
    one, change = case("modified_one_side_only")
    assert (change.kind, change.consumed) == (Kind.MODIFIED, True)
    assert amounts(change) == decimals("0", "2841e-15", "59310000000", "1.720583099997159")
    [fill] = one.outcome(change.account).events
    assert isinstance(fill, OrderFilled)
    assert (fill.gave.value, fill.got.value) == decimals("0", "2841e-15")
    assert fill.last_px is None  # nothing was given: there is no price


def test_cancel() -> None:
    one, change = case("cancel")
    assert reason(one, change) is RemovalReason.CANCELED
    assert one.tx.offer_sequence == change.sequence == 1122978
    assert amounts(change) == decimals("0", "0", "34700537395", "3200")


def test_cancel_no_op() -> None:
    one = alone("cancel_no_op")
    assert (one.tx.type, one.tx.result, one.tx.offer_sequence) == ("OfferCancel", "tesSUCCESS", 7973)
    outcome = one.outcome(one.tx.account)
    assert (outcome.events, outcome.changed, outcome.verdicts) == ((), {}, {})


def test_amm_only_taker_fill() -> None:
    one = alone("amm_only_taker_fill")
    assert one.changes == ()
    order = taken(one)
    assert (order.gave.value, order.got.value) == decimals("9915204", "25799")
    [pool] = pool_accounts(one.tx)
    assert one.delta(pool, XRP) == order.gave.value
    assert one.delta(pool, order.got.asset) == -order.got.value
    assert order.status is OrderStatus.FILLED  # all it asked for, for less than the 10.5 XRP it offered


def test_amm_plus_clob() -> None:
    one = alone("amm_plus_clob")
    [change] = one.changes
    order = taken(one)
    [pool] = pool_accounts(one.tx)
    # Bridged: the offer on the book took the token for 3 drops, the pool those for the other token
    assert (change.gave, one.delta(pool, XRP)) == decimals("3", "3")
    # The taker's balance is so much larger that its change is known to one digit less
    assert (change.got, order.gave.value) == decimals("0.00002469380201", "0.00002469380201")
    pool_gave = -one.delta(pool, order.got.asset)
    assert (order.got.value, pool_gave) == decimals("2.3619298e-7", "2.3619298e-7")
    assert order.status is OrderStatus.FILLED


def test_never_placed_unfunded() -> None:
    refused("never_placed_unfunded", "tecUNFUNDED_OFFER", fee=10)


def test_never_placed_reserve() -> None:
    refused("never_placed_reserve", "tecINSUF_RESERVE_OFFER", fee=10_000)


def refused(name: str, result: str, fee: int) -> None:
    one = alone(name)
    [event] = one.outcome(one.tx.account).events
    assert isinstance(event, OrderRejected)
    assert (event.result, event.status, event.filled_qty) == (result, OrderStatus.REJECTED, Decimal(0))
    assert one.delta(one.tx.account, XRP) == -fee


def test_transfer_fee_maker() -> None:
    one = alone("transfer_fee_maker")
    maker = one.change("E9F98B89")
    assert maker.gave == Decimal("57.5510124870203")
    debited = -one.delta(maker.account, USD)
    assert debited == Decimal("57.6661145119")
    assert (debited / maker.gave).quantize(Decimal("1.000000")) == Decimal("1.002")
    # The taker's side of it: what it gave is what the makers got, the rest of the debit is the fee
    order = taken(one)
    assert order.gave.value == sum(change.got for change in consumed(one)) == Decimal("0.2167361918832048")
    assert one.delta(one.tx.account, BTC) == Decimal("-0.2171696642669712")
    assert order.got.value == one.delta(one.tx.account, USD) == Decimal("57.5510124906279")


def test_created_and_filled_in_one_ledger() -> None:
    told = followed("created_and_filled_in_one_ledger")
    assert [one.tx.index for one, _ in told] == [1, 8, 11, 12, 13, 14, 15, 16]
    assert {one.tx.ledger_index for one, _ in told} == {11119601}
    partials = [change for _, change in told if change.kind is Kind.MODIFIED]
    assert [change.gave for change in partials] == [2, 2, 2, 2, 2, 4]
    assert sum(change.gave for _, change in told) == Decimal("17.99526544397257")
    assert sum(change.got for _, change in told) == Decimal("131.7253430498792")
    one, change = told[-1]
    assert reason(one, change) is RemovalReason.FILLED


def test_ten_partials_then_fill_one_ledger() -> None:
    told = followed("ten_partials_then_fill_one_ledger")
    assert [one.tx.index for one, change in told if change.consumed] == list(range(16, 27))
    assert [change.kind for _, change in told] == [Kind.CREATED, *[Kind.MODIFIED] * 10, Kind.DELETED]
    assert sum(change.gave for _, change in told) == Decimal("81.96721311475409")
    assert sum(change.got for _, change in told) == Decimal("601.639344262295")


def followed(name: str) -> tuple[tuple[Recorded, OfferChange], ...]:
    _, change = case(name)
    return mainnet.by_entry()[change.entry]


def test_legacy_2015_residual() -> None:
    one, change = case("legacy_2015_residual")
    assert reason(one, change) is RemovalReason.UNEXPLAINED
    assert amounts(change) == decimals("5188943199", "0.3030203028661843", "937924443", "0.0547722605324008")
    funds = one.balance(change.account, XRP).after
    assert funds.balance - 20_000_000 - 5_000_000 * 209 > change.gets_left.value  # it could have paid
