"""Nodes that can't be read: named, and no harm to the others."""

import made_ledger as made
import pytest
from made_ledger import OWNER, STRANGER, line, listed, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import AccountState, MalformedTransaction, normalise, parse_amount
from order_events import OrderFilled, OrderStatus, RemovalReason

SELLS_XRP = listed(7, "10000000", usd("5"))
BEFORE = {"TakerGets": "10000000", "TakerPays": usd("5")}
NOT_A_NODE: made.Raw = {"ModifiedNode": {"LedgerEntryType": 7}}


def spoiled(node: made.Raw, **fields: object) -> made.Raw:
    """Write fields over a node's own."""
    [entry] = node.values()
    entry["FinalFields" if "FinalFields" in entry else "NewFields"].update(fields)
    return node


def announced(**more: object) -> AccountState:
    ledger = state()
    order = submitted(9, parse_amount("10000000"), parse_amount(usd("5")), **more)
    ledger.announce(order)
    return ledger


def placement(*nodes: made.Raw) -> made.Raw:
    fields = {"TakerGets": "10000000", "TakerPays": usd("5")}
    return tx("OfferCreate", list(nodes), account=OWNER, sequence=9, name="PLACED", **fields)  # type: ignore[arg-type]


RESTED = (offer("CreatedNode", 9, "10000000", usd("5")), root(49_999_988, before=50_000_000))


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (
            spoiled(offer("ModifiedNode", 7, "1", usd("5"), before=BEFORE), TakerGets="1.5"),
            "Offer O7: TakerGets",
        ),
        (spoiled(offer("ModifiedNode", 7, "1", usd("5"), before=BEFORE), Sequence=None), "Offer O7: "),
        (spoiled(root(1, before=2), Balance="plenty"), f"AccountRoot A{OWNER}: "),
        (spoiled(line("1", "2"), Balance={"value": "1e999"}), f"RippleState T{OWNER}USD: "),
        (NOT_A_NODE, "AffectedNodes[0]: "),
    ],
    ids=["an amount", "a field that must be there", "drops", "a balance too large", "no node at all"],
)
def test_a_node_that_cannot_be_read_is_named_with_its_transaction_and_field(
    node: made.Raw, named: str
) -> None:
    outcome = step(state(offers=[SELLS_XRP]), 101, tx("Payment", [node], name="SPOILED"))
    [damage] = outcome.damaged
    assert damage.startswith(f"transaction SPOILED: {named}")


def test_one_node_that_cannot_be_read_does_not_stop_the_others() -> None:
    ledger = state(offers=[SELLS_XRP, listed(8, "4000000", usd("2"))])
    bad = spoiled(offer("ModifiedNode", 8, "2000000", usd("1"), before=BEFORE), TakerPays="all")
    fill = offer("ModifiedNode", 7, "6000000", usd("3"), before=BEFORE)
    outcome = step(ledger, 101, tx("OfferCreate", [bad, NOT_A_NODE, fill]))
    [event] = outcome.events
    assert isinstance(event, OrderFilled)
    assert (event.sequence, str(event.last_qty)) == (7, "4")
    assert len(outcome.damaged) == 2


def test_a_damaged_node_makes_up_no_fill_and_no_end_of_its_order() -> None:
    ledger = state(offers=[SELLS_XRP])
    gone = spoiled(offer("DeletedNode", 7, "0", usd("0"), before=BEFORE), TakerGets={"value": "0"})
    outcome = step(ledger, 101, tx("OfferCreate", [gone]))
    assert outcome.events == ()
    assert ledger.orders[7].status is OrderStatus.ACCEPTED


def test_balances_that_damage_made_unknown_become_known_as_transactions_show_them_again() -> None:
    ledger = state(offers=[listed(7, usd("5"), "10000000")])
    step(ledger, 101, tx("Payment", [spoiled(line("0", "1000"), Balance={"value": "?"})]))
    assert (ledger.record.holdings, ledger.record.holdings_known) == ({}, False)
    step(ledger, 102, tx("Payment", [line("0", "3")]))
    assert set(ledger.record.holdings) == {made.USD}
    assert ledger.record.holdings_known is False


def test_balances_that_damage_made_unknown_prove_nothing_any_more() -> None:
    ledger = state(offers=[listed(7, usd("5"), "10000000")], usd_balance="0")
    step(ledger, 101, tx("Payment", [NOT_A_NODE]))
    outcome = step(ledger, 102, tx("OfferCreate", [offer("DeletedNode", 7, usd("5"), "10000000")]))
    assert outcome.changed[7].removal_reason is RemovalReason.UNEXPLAINED
    assert "the owner's balance of what the offer gives" in [question.why for question in outcome.questions]


def test_the_part_of_a_damaged_transaction_that_can_be_read_still_shows_balances() -> None:
    ledger = state()
    step(ledger, 101, tx("Payment", [NOT_A_NODE, line("7", "5")]))
    assert str(ledger.record.holdings[made.USD].balance) == "7"
    assert "XRP" not in ledger.record.holdings


@pytest.mark.parametrize(
    "nodes",
    [
        (*RESTED, NOT_A_NODE),
        (spoiled(offer("CreatedNode", 9, "10000000", usd("5")), TakerGets="x"), RESTED[1]),
        (RESTED[0], spoiled(root(1, before=2), Balance="x")),
    ],
    ids=["no node", "its own entry", "its owner's balance"],
)
def test_an_order_whose_own_transaction_cannot_be_read_stays_open_and_is_never_lost(
    nodes: tuple[made.Raw, ...],
) -> None:
    ledger = announced(last_ledger_sequence=103)
    assert step(ledger, 101, placement(*nodes)).events == ()
    order = ledger.orders[9]
    assert (order.status, order.missing) == (OrderStatus.SUBMITTED, ("PLACED",))
    assert step(ledger, 120).events == ()
    assert ledger.deadlines(120) == []


def test_such_an_order_goes_on_with_the_next_change_that_can_be_read_and_its_end_is_unresolved() -> None:
    ledger = announced()
    step(ledger, 101, placement(*RESTED, NOT_A_NODE))
    gone = offer("DeletedNode", 9, "10000000", usd("5"), previous="PLACED")
    [event] = step(
        ledger, 102, tx("OfferCancel", [gone], account=OWNER, sequence=10, OfferSequence=9)
    ).events[-1:]
    assert (event.removal_reason, event.resolution, event.missing_transactions) == (
        RemovalReason.CANCELED,
        "unresolved",
        ("PLACED",),
    )


def test_an_order_that_nobody_announced_is_not_made_up_from_a_transaction_that_cannot_be_read() -> None:
    ledger = state()
    outcome = step(ledger, 101, placement(*RESTED, NOT_A_NODE))
    assert (outcome.events, ledger.orders) == ((), {})


def test_what_a_pool_received_is_part_of_the_orders_own_transaction() -> None:
    pool = line("505", "500", account="rPool", flags=0x0100_0000)
    bad = spoiled(line("1", "0", account=STRANGER, currency="EUR"), LowLimit="none")
    taken = (root(49_999_988, before=50_000_000), line("994.9", "1000"), pool, bad)
    fields = {"TakerGets": usd("5"), "TakerPays": made.eur("4")}
    create = tx("OfferCreate", list(taken), account=OWNER, sequence=9, name="PLACED", **fields)  # type: ignore[arg-type]
    ledger = announced()
    outcome = step(ledger, 101, create)
    assert outcome.events == ()
    assert "RippleState" in outcome.damaged[0]


@pytest.mark.parametrize(
    "record",
    [b"", b"[]", b'{"hash": "H"}', b'{"hash": "H", "meta": 7}', b"\xff"],
    ids=["nothing", "a list", "no metadata", "metadata of another kind", "no text"],
)
def test_only_a_record_that_is_no_transaction_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedTransaction, match="expected a validated transaction"):
        normalise(record)
