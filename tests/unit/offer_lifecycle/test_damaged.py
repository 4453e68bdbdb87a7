"""Nodes that can't be read: named, and no harm to the others."""

import made_ledger as made
import pytest
from made_ledger import OWNER, STRANGER, line, listed, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import (
    AccountState,
    MalformedTransaction,
    OfferChange,
    Verdict,
    explain_removals,
    parse_amount,
    read_transaction,
)
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


def sold(left: object, before: object = "10000000", **more: object) -> made.Raw:
    """A trade of the offer in USD for XRP, of which the XRP side is as given."""
    node = offer("ModifiedNode", 7, left, usd("3"), before={"TakerGets": before, "TakerPays": usd("5")})
    return spoiled(node, **more)


def without(node: made.Raw, *names: str) -> made.Raw:
    [entry] = node.values()
    for name in names:
        del entry[name]
    return node


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (sold("1.5"), "Offer O7: TakerGets"),
        (sold("-1"), "Offer O7: TakerGets"),
        (sold("10000001"), "Offer O7: TakerGets"),
        (sold(usd("6")), "Offer O7: TakerGets"),
        (sold("6000000", {"value": "7"}), "Offer O7: TakerGets"),
        (sold("6000000", Sequence=None), "Offer O7: "),
        (sold("6000000", Expiration=2**32), "Offer O7: "),
        (without(sold("6000000"), "FinalFields"), "Offer O7: FinalFields"),
        (without(offer("DeletedNode", 7, "0", usd("0")), "FinalFields"), "Offer O7: FinalFields"),
        (without(offer("CreatedNode", 7, "5", usd("5")), "NewFields"), "Offer O7: NewFields"),
        (spoiled(root(1, before=2), Balance="plenty"), f"AccountRoot A{OWNER}: Balance"),
        (spoiled(root(1, before=2), Balance="1.5"), f"AccountRoot A{OWNER}: Balance"),
        (spoiled(root(1, before=2), Balance=None), f"AccountRoot A{OWNER}: Balance"),
        (spoiled(root(1, before=2), OwnerCount=-1), f"AccountRoot A{OWNER}: "),
        (without(root(1, before=2), "FinalFields"), f"AccountRoot A{OWNER}: FinalFields"),
        (spoiled(line("1", "2"), Balance={"value": "1e999"}), f"RippleState T{OWNER}USD: Balance"),
        (spoiled(line("1", "2"), HighLimit={"value": "0"}), f"RippleState T{OWNER}USD: HighLimit"),
        (without(line("1", "2"), "FinalFields"), f"RippleState T{OWNER}USD: FinalFields"),
        (NOT_A_NODE, "AffectedNodes[0]: "),
        ({}, "AffectedNodes[0]: "),
        ({"MovedNode": {"LedgerEntryType": "Offer"}}, "AffectedNodes[0]: "),
    ],
    ids=[
        "a part of a drop",
        "less than nothing left",
        "more left than there was",
        "another asset left",
        "an amount of no asset",
        "no sequence",
        "a time that no ledger knows",
        "an offer that changed into nobody knows what",
        "a deleted offer of nobody knows whom",
        "a new offer of nobody knows whom",
        "no drops",
        "a part of a drop to spend",
        "no balance",
        "fewer objects than none",
        "a root that changed into nobody knows what",
        "a balance too large",
        "a limit of no asset",
        "a line that changed into nobody knows what",
        "no entry",
        "nothing",
        "an unknown kind of change",
    ],
)
def test_a_node_that_cannot_be_read_is_named_with_its_transaction_and_field(
    node: made.Raw, named: str
) -> None:
    outcome = step(state(offers=[SELLS_XRP]), 101, tx("Payment", [node], name="SPOILED"))
    [damage] = outcome.damaged
    assert damage.startswith(f"transaction SPOILED: {named}")
    assert (outcome.events, set(outcome.changed)) == ((), set())


@pytest.mark.parametrize("kind", ["Offer", "AccountRoot", "RippleState"])
@pytest.mark.parametrize("shown", [{}, {"PreviousFields": {}}])
def test_a_node_that_only_passes_the_link_on_is_not_damaged(kind: str, shown: made.Raw) -> None:
    linked = {"ModifiedNode": {"LedgerEntryType": kind, "LedgerIndex": "X", "PreviousTxnID": "P", **shown}}
    outcome = step(state(offers=[SELLS_XRP]), 101, tx("Payment", [linked]))
    assert (outcome.damaged, outcome.record.holdings_known) == ((), True)


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


def test_an_offer_that_was_used_up_is_explained_whatever_its_owners_balances_show() -> None:
    unreadable = root(49_000_000)
    spoiled(unreadable, Balance="many")
    left = offer("DeletedNode", 7, "0", usd("0"), before=BEFORE)
    untouched = offer("DeletedNode", 8, "10000000", usd("5"))
    [(_, verdict)] = explain(tx("Payment", [left, unreadable]))
    assert verdict.rule == "filled"
    with pytest.raises(MalformedTransaction, match="Balance"):
        explain(tx("Payment", [left, untouched, unreadable]))


def explain(raw: made.Raw) -> list[tuple[OfferChange, Verdict]]:
    read = read_transaction(raw, ledger_index=101)
    return list(explain_removals(read, parent_close_time=400, reserves=made.RESERVES))


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


def test_a_placement_without_its_senders_root_does_not_take_the_fee_for_a_trade() -> None:
    ledger = announced()
    outcome = step(ledger, 101, placement(line("1000", "1000")))
    assert outcome.events == ()
    assert outcome.damaged == ("transaction PLACED: expected the sender's AccountRoot, found none",)


@pytest.mark.parametrize("side", ["TakerGets", "TakerPays"])
def test_an_order_that_is_no_order_is_named_and_stops_nothing_else(side: str) -> None:
    ledger = announced()
    create = placement(*RESTED, offer("DeletedNode", 7, usd("5"), "10000000"))
    outcome = step(ledger, 102, {**create, side: {"value": "10"}})
    assert outcome.damaged[0].startswith(f"transaction PLACED: {side}: ")
    assert outcome.changed[7].removal_reason is RemovalReason.UNEXPLAINED
    assert outcome.changed[9].status is OrderStatus.SUBMITTED


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
    [
        b"",
        b"[]",
        b'{"hash": "H"}',
        b'{"hash": "H", "meta": 7}',
        b"\xff",
        5000 * b"[",
        {"hash": "\ud800"},
        {"hash": {1, 2}, "meta": object()},
    ],
    ids=[
        "nothing",
        "a list",
        "no metadata",
        "other metadata",
        "no text",
        "an abyss",
        "half a letter",
        "a set",
    ],
)
def test_a_record_that_is_no_transaction_is_refused(record: bytes | made.Raw) -> None:
    with pytest.raises(MalformedTransaction, match="expected a validated transaction"):
        read_transaction(record)
