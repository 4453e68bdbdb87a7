"""What an engine has to be told of: ends that it neither asked for nor planned."""

from decimal import Decimal

import pytest
from made_ledger import OWNER, USD

from offer_lifecycle import Cancel, Order, is_anomaly, is_disappearance
from order_events import Amount, OrderStatus, RemovalReason

ORDINARY = {RemovalReason.FILLED, RemovalReason.KILLED, RemovalReason.EXPIRED}
ASKED_FOR = {RemovalReason.CANCELED, RemovalReason.REPLACED}
UNASKED = set(RemovalReason) - ORDINARY - ASKED_FOR
REASONS = sorted(RemovalReason)


def order(
    status: OrderStatus = OrderStatus.ACCEPTED, *, external: bool = False, cancels: tuple[Cancel, ...] = ()
) -> Order:
    return Order(
        account=OWNER,
        sequence=9,
        gets=Amount("XRP", Decimal(10)),
        pays=Amount(USD, Decimal(5)),
        price=None,
        expiration=None,
        status=status,
        external=external,
        cancels=cancels,
    )


@pytest.mark.parametrize("reason", REASONS)
def test_an_end_that_the_engine_did_not_bring_about_is_an_anomaly_unless_it_is_ordinary(
    reason: RemovalReason,
) -> None:
    assert is_anomaly(order(), reason, by_engine=False, ledger_index=5) is (reason not in ORDINARY)


@pytest.mark.parametrize("reason", REASONS)
def test_what_the_engine_brought_about_is_an_anomaly_only_where_it_meant_something_else(
    reason: RemovalReason,
) -> None:
    assert is_anomaly(order(), reason, by_engine=True, ledger_index=5) is (reason in UNASKED)


@pytest.mark.parametrize("reason", REASONS)
def test_whose_cancel_it_was_nobody_can_tell_of_an_order_that_no_engine_announced(
    reason: RemovalReason,
) -> None:
    assert is_anomaly(order(external=True), reason, by_engine=False, ledger_index=5) is (reason in UNASKED)


@pytest.mark.parametrize("reason", REASONS)
def test_the_sweep_of_an_order_that_expired_is_never_an_anomaly(reason: RemovalReason) -> None:
    assert not is_anomaly(order(OrderStatus.EXPIRED), reason, by_engine=False, ledger_index=5)


@pytest.mark.parametrize(
    ("cancel", "anomaly"),
    [
        (Cancel(transaction_hash="C", sent_after=4), False),
        (Cancel(transaction_hash="C", sent_after=None), False),
        (Cancel(transaction_hash="C", sent_after=5), True),
        (Cancel(transaction_hash="C", sent_after=4, validated=True), True),
    ],
    ids=["sent before it", "sent nobody knows when", "sent after it", "validated before it"],
)
def test_no_end_is_an_anomaly_while_a_cancel_of_the_engines_is_in_flight(
    cancel: Cancel,
    anomaly: bool,  # noqa: FBT001 - the expectation
) -> None:
    ended = order(cancels=(cancel,))
    assert is_anomaly(ended, RemovalReason.UNFUNDED, by_engine=False, ledger_index=5) is anomaly


@pytest.mark.parametrize("reason", sorted(ASKED_FOR))
def test_a_cancel_may_be_the_engines_up_to_the_ledger_until_which_announcements_were_lost(
    reason: RemovalReason,
) -> None:
    def anomaly(ledger_index: int) -> bool:
        return is_anomaly(order(), reason, by_engine=False, ledger_index=ledger_index, lost_until=5)

    assert [anomaly(ledger_index) for ledger_index in (4, 5, 6)] == [False, False, True]


def test_no_announcement_counts_as_lost_unless_it_is_said_not_even_in_the_first_ledger() -> None:
    assert is_anomaly(order(), RemovalReason.CANCELED, by_engine=False, ledger_index=1)


@pytest.mark.parametrize("reason", REASONS)
def test_an_engine_misses_an_order_that_it_did_not_end_itself_and_that_set_itself_no_limit(
    reason: RemovalReason,
) -> None:
    limited = {RemovalReason.KILLED, RemovalReason.EXPIRED}
    assert is_disappearance(order(), reason, by_engine=False) is (reason not in limited)
    assert is_disappearance(order(), reason, by_engine=True) is (reason not in limited | ASKED_FOR)
    missed = is_disappearance(order(external=True), reason, by_engine=False)
    assert missed is (reason not in limited | ASKED_FOR)
