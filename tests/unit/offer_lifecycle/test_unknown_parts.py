"""Types, entries and fields that the kernel does not know make what they touch unresolved, by name."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import OWNER, STRANGER, USD, line, listed, met, offer, root, state, step, tx, usd

from offer_lifecycle import LedgerOutcome, Source, balance_flows, explain_removals, read_transaction
from order_events import OrderDisappeared, OrderFilled, OrderStatus, RemovalReason, Resolution

BEFORE = 50_000_000
FEE = 12
PARTLY = {"TakerGets": usd("10"), "TakerPays": "20000000"}


def entry(kind: str, **fields: object) -> made.Raw:
    return {"ModifiedNode": {"LedgerEntryType": kind, "LedgerIndex": "X1", "FinalFields": fields}}


def with_field(node: made.Raw, name: str) -> made.Raw:
    [(_, parts)] = node.items()
    parts["FinalFields"][name] = "1"
    return node


def no_fill(outcome: LedgerOutcome) -> None:
    assert not [event for event in outcome.events if isinstance(event, OrderFilled)]


def taken(*more: made.Raw, **fields: object) -> LedgerOutcome:
    """Fold an order of the owner's that met a stranger's offer in full."""
    nodes = [
        root(BEFORE - FEE - 10_000_000, before=BEFORE),
        line("1005", "1000"),
        met("10000000", usd("5")),
        *more,
    ]
    body = {"TakerGets": "10000000", "TakerPays": usd("5"), **fields}
    return step(state(), 101, tx("OfferCreate", nodes, account=OWNER, sequence=9, **body))  # type: ignore[arg-type]


def test_an_unknown_type_that_changes_an_offer_makes_no_fill() -> None:
    account = state(offers=[listed(7, usd("10"), "20000000")])
    partly = offer("ModifiedNode", 7, usd("6"), "12000000", before=PARTLY)
    outcome = step(account, 101, tx("SwapAll", [partly, line("996", "1000")]))
    no_fill(outcome)
    order = outcome.changed[7]
    assert (order.status, order.gave, order.gets_left) == (OrderStatus.ACCEPTED, 0, Decimal(6))
    assert order.missing[-1] == "T1"
    assert outcome.unresolved == (
        "transaction T1: unknown transaction type SwapAll",
        "transaction T1: offer 7: unknown a trade in a transaction of type SwapAll",
    )


@pytest.mark.parametrize("kind", ["SwapAll", "EscrowFinish"])
def test_a_type_that_is_not_known_to_remove_offers_explains_no_removal(kind: str) -> None:
    account = state(offers=[listed(7, usd("10"), "20000000")], usd_balance="0")
    gone = offer("DeletedNode", 7, usd("0"), "0", before=PARTLY)
    outcome = step(account, 101, tx(kind, [gone]))
    no_fill(outcome)
    order = outcome.changed[7]
    assert (order.removal_reason, order.resolution) == (RemovalReason.UNEXPLAINED, Resolution.UNRESOLVED)
    assert outcome.verdicts[7].rule == "unknown_to_the_kernel"
    [event] = outcome.events
    assert isinstance(event, OrderDisappeared)
    assert kind in event.evidence


def test_an_unknown_field_of_an_offer_makes_its_change_unresolved() -> None:
    account = state(offers=[listed(7, usd("10"), "20000000"), listed(8, usd("10"), "20000000")])
    nodes = [
        with_field(offer("ModifiedNode", 7, usd("6"), "12000000", before=PARTLY), "HiddenAmount"),
        offer("ModifiedNode", 8, usd("6"), "12000000", before=PARTLY),
    ]
    outcome = step(account, 101, tx("OfferCreate", nodes))
    assert [event.sequence for event in outcome.events] == [8]
    assert outcome.changed[7].gave == 0
    assert outcome.unresolved == ("transaction T1: offer 7: unknown Offer.HiddenAmount",)


def test_an_unknown_field_of_a_removed_offer_leaves_its_end_unexplained() -> None:
    gone = with_field(offer("DeletedNode", 7, usd("0"), "0", before=PARTLY), "HiddenAmount")
    read = read_transaction(tx("OfferCreate", [gone]), ledger_index=101)
    [(_, verdict)] = explain_removals(read, parent_close_time=400, reserves=made.RESERVES)
    assert verdict.reason is RemovalReason.UNEXPLAINED
    assert verdict.evidence == "the kernel does not know Offer.HiddenAmount"


def test_known_parts_leave_nothing_unresolved() -> None:
    outcome = taken()
    assert outcome.unresolved == ()
    assert outcome.changed[9].status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (lambda: taken(MinimumFill="5"), "field OfferCreate.MinimumFill"),
        (lambda: taken(entry("OrderPool", Owner=OWNER)), "ledger entry OrderPool"),
    ],
    ids=["a field of the order", "an entry that names the owner"],
)
def test_an_own_order_that_something_unknown_touches_is_unresolved(outcome: object, name: str) -> None:
    found: LedgerOutcome = outcome()  # type: ignore[operator]
    no_fill(found)
    order = found.changed[9]
    assert (order.removal_reason, order.resolution) == (RemovalReason.UNEXPLAINED, Resolution.UNRESOLVED)
    assert found.unresolved[0] == f"transaction T1: unknown {name}"


def test_an_unknown_entry_of_others_touches_nothing_of_ours() -> None:
    outcome = taken(entry("OrderPool", Owner=STRANGER))
    assert outcome.changed[9].status is OrderStatus.FILLED
    assert outcome.unresolved == ()


def test_what_a_server_adds_to_a_record_is_no_field_of_the_order() -> None:
    assert taken(close_time_iso="2026-11-29T00:00:00Z", validated=True).unresolved == ()


def test_a_refused_order_stays_refused_whatever_is_unknown() -> None:
    create = tx(
        "OfferCreate",
        [root(BEFORE - FEE, before=BEFORE)],
        account=OWNER,
        sequence=9,
        result="tecKILLED",
        New="1",
    )
    assert step(state(), 101, create).changed[9].status is OrderStatus.REJECTED


def test_an_unknown_field_of_a_balance_makes_the_balance_unknown() -> None:
    account = state(offers=[listed(7, usd("10"), "20000000")])
    emptied = with_field(line("0", "1000"), "HeldBack")
    outcome = step(account, 101, tx("Payment", [emptied], account=OWNER, Destination=STRANGER))
    assert outcome.unresolved == ("transaction T1: unknown field RippleState.HeldBack",)
    assert USD not in outcome.record.holdings
    gone = tx("OfferCreate", [offer("DeletedNode", 7, usd("10"), "20000000")], name="T2")
    assert step(account, 102, gone).changed[7].removal_reason is RemovalReason.UNEXPLAINED


def test_what_an_unknown_type_moves_is_not_booked_as_anything_known() -> None:
    raw = tx("SwapAll", [root(BEFORE + 5, before=BEFORE), line("990", "1000")])
    flows = balance_flows(read_transaction(raw, ledger_index=101), OWNER)
    assert {(flow.asset, flow.source, flow.amount) for flow in flows} == {
        ("XRP", Source.UNKNOWN, Decimal(5)),
        (USD, Source.UNKNOWN, Decimal(-10)),
    }


@pytest.mark.parametrize("kind", ["DelegateSet", "CredentialAccept", "AMMVote", "SponsorshipTransfer"])
def test_types_that_move_nothing_explain_no_change(kind: str) -> None:
    raw = tx(kind, [root(BEFORE + 5, before=BEFORE)])
    [flow] = balance_flows(read_transaction(raw, ledger_index=101), OWNER)
    assert flow.source is Source.DRIFT


@pytest.mark.parametrize("kind", ["EscrowFinish", "VaultDeposit", "LoanPay", "SponsorshipSet"])
def test_types_that_move_by_themselves_explain_a_change(kind: str) -> None:
    raw = tx(kind, [root(BEFORE + 5, before=BEFORE)])
    [flow] = balance_flows(read_transaction(raw, ledger_index=101), OWNER)
    assert flow.source is Source.OTHER
