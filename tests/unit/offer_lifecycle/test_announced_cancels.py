"""Announced cancels: before their order, sent again with a higher fee, and past their deadline."""

from decimal import Decimal

import pytest
from made_ledger import OWNER, STRANGER, USD, Raw, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import CANCEL_LEDGERS, MOST_CANCELS, AccountState
from order_events import Amount, CancelRequested, OrderDisappeared

GETS, PAYS = Amount(USD, Decimal(50)), Amount("XRP", Decimal(100_000_000))


def cancel(name: str | None = "C1", sent_after: int | None = 100, **more: int) -> CancelRequested:
    return CancelRequested(
        account=OWNER, sequence=20, transaction_hash=name, validated_ledger_index=sent_after, **more
    )


def announced(*cancels: CancelRequested, to: AccountState | None = None) -> AccountState:
    ledger = to or state()
    for one in cancels:
        ledger.announce(one)
    ledger.announce(
        submitted(20, GETS, PAYS, transaction_hash="H1", last_ledger_sequence=105, validated_ledger_index=100)
    )
    return ledger


def placed() -> Raw:
    nodes = [offer("CreatedNode", 20, usd("50"), "100000000"), root(49999988, before=50000000, owners=2)]
    fields = {"TakerGets": usd("50"), "TakerPays": "100000000"}
    return tx("OfferCreate", nodes, account=OWNER, sequence=20, name="H1", **fields)


def canceled(name: str = "C1", sequence: int = 21) -> Raw:
    nodes = [
        offer("DeletedNode", 20, usd("50"), "100000000", previous="H1"),
        root(49999976, before=49999988, owners=1),
    ]
    return tx("OfferCancel", nodes, account=OWNER, sequence=sequence, name=name, OfferSequence=20)


def swept() -> Raw:
    nodes = [offer("DeletedNode", 20, usd("50"), "100000000", previous="H1")]
    return tx("OfferCreate", nodes, account=STRANGER, name="SWEPT")


def ends(ledger: AccountState, index: int, end: Raw) -> tuple[list[str], list[bool]]:
    """Return the kinds of the events of the order's end, and whether its disappearances are anomalies."""
    events = step(ledger, index, end).events
    anomalies = [event.anomaly for event in events if isinstance(event, OrderDisappeared)]
    return [str(event.__struct_config__.tag) for event in events], anomalies


ENGINES_OWN = (["order.canceled"], [])


def test_a_cancel_announced_before_its_order_is_the_engines() -> None:
    ledger = announced(cancel())
    step(ledger, 101, placed())
    assert ends(ledger, 102, canceled()) == ENGINES_OWN
    assert ledger.record.early_cancels == {}


def test_a_cancel_of_an_order_that_is_announced_by_nothing_else_is_the_engines() -> None:
    ledger = state()
    ledger.announce(cancel())
    step(ledger, 101, placed())
    assert ends(ledger, 102, canceled()) == ENGINES_OWN


def test_a_cancel_whose_order_never_comes_is_forgotten_once_it_can_not_be_in_flight() -> None:
    ledger = state()
    ledger.announce(cancel(last_ledger_sequence=103))
    step(ledger, 102)
    assert 20 in ledger.record.early_cancels
    step(ledger, 103)
    assert ledger.record.early_cancels == {}


def test_cancels_of_unknown_orders_and_of_one_order_are_remembered_in_bounded_number() -> None:
    ledger = announced()
    for number in range(1000):
        ledger.announce(cancel(f"C{number}"))
        ledger.announce(CancelRequested(account=OWNER, sequence=1000 + number, transaction_hash=f"C{number}"))
    assert len(ledger.orders[20].cancels) == MOST_CANCELS
    assert ledger.orders[20].cancels[-1].transaction_hash == "C999"
    assert len(ledger.record.early_cancels) == 64
    assert 1999 in ledger.record.early_cancels


@pytest.mark.parametrize(
    "sent",
    [
        cancel("c1"),
        cancel("OTHER", cancel_sequence=21),
        cancel(None, cancel_sequence=21),
        cancel("OTHER"),
    ],
    ids=[
        "a hash in lower case",
        "sent again with a higher fee",
        "known by its own Sequence alone",
        "sent again with a higher fee, its Sequence not told",
    ],
)
def test_a_cancel_is_the_engines_by_its_hash_in_either_case_or_by_its_own_sequence(
    sent: CancelRequested,
) -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(sent)
    assert ends(ledger, 102, canceled("C1")) == ENGINES_OWN


@pytest.mark.parametrize(("late", "anomalies"), [(0, []), (1, [True]), (20_000, [True])])
def test_a_cancel_with_another_hash_is_the_engines_only_until_the_engines_deadline(
    late: int, anomalies: list[bool]
) -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(cancel("OTHER", last_ledger_sequence=110))
    assert ends(ledger, 110 + late, canceled("C1"))[1] == anomalies


def test_a_cancel_with_another_sequence_than_the_engines_is_not_the_engines_own() -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(cancel("OTHER", cancel_sequence=22))
    kinds, anomalies = ends(ledger, 102, canceled("C1"))
    assert "order.disappeared" in kinds
    assert anomalies == [False]  # it raced with the engine's, which is in flight


@pytest.mark.parametrize(
    ("sent", "until"),
    [
        (cancel(last_ledger_sequence=110), 110),
        (cancel(), 100 + CANCEL_LEDGERS),
        (cancel(sent_after=None), 101 + CANCEL_LEDGERS),
    ],
    ids=["its own deadline", "no deadline", "nobody knows when it was sent"],
)
@pytest.mark.parametrize("late", [0, 1, 20_000])
def test_past_its_deadline_a_cancel_is_in_flight_no_longer(
    sent: CancelRequested, until: int, late: int
) -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(sent)
    assert ends(ledger, until + late, swept())[1] == [late > 0]


def test_a_cancel_whose_sequence_another_transaction_used_is_in_flight_no_longer() -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(cancel(cancel_sequence=21, last_ledger_sequence=200))
    payment = tx("Payment", [root(49999976, before=49999988)], account=OWNER, sequence=21, name="P")
    step(ledger, 102, payment)
    assert ends(ledger, 103, swept())[1] == [True]


def test_a_cancel_that_failed_under_another_hash_is_in_flight_no_longer() -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(cancel("OTHER", cancel_sequence=21, last_ledger_sequence=200))
    failed = tx("OfferCancel", [], account=OWNER, sequence=21, name="C1", OfferSequence=20, result="tecX")
    step(ledger, 102, failed)
    assert ends(ledger, 103, swept())[1] == [True]


@pytest.mark.parametrize(("pays", "anomalies"), [("100000000", []), ("100000001", [True])])
def test_a_replacement_sent_again_with_a_higher_fee_is_the_engines_by_sequence_and_amounts(
    pays: str, anomalies: list[bool]
) -> None:
    ledger = announced()
    step(ledger, 101, placed())
    ledger.announce(submitted(21, GETS, PAYS, transaction_hash="H2"))
    nodes = [
        offer("DeletedNode", 20, usd("50"), "100000000", previous="H1"),
        offer("CreatedNode", 21, usd("50"), pays),
    ]
    bumped = tx(
        "OfferCreate",
        nodes,
        account=OWNER,
        sequence=21,
        name="H3",
        OfferSequence=20,
        TakerGets=usd("50"),
        TakerPays=pays,
    )
    assert ends(ledger, 102, bumped)[1] == anomalies
