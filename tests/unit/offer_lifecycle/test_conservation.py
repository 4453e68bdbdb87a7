"""One account over a range of ledgers: what is missing or contradicts shows as drift, with where it began."""

from decimal import Decimal

import pytest
from made_ledger import OWNER, START, STRANGER, USD, Raw, line, root, tx, usd

from offer_lifecycle import Conservation, Drift, Holding, Source, read_transaction


def held(drops: int, dollars: str = "1000") -> dict[str, Holding]:
    return {"XRP": Holding(balance=Decimal(drops)), USD: Holding(balance=Decimal(dollars))}


def opened() -> Conservation:
    return Conservation(OWNER, START, held(1000))


def paid(name: str, node: Raw, *, previous: str | None = None, index: int = 0) -> Raw:
    """A stranger's payment to the owner, with the transaction that touched the balance before."""
    node["ModifiedNode"]["PreviousTxnID"] = previous
    return tx("Payment", [node], name=name, index=index, Destination=OWNER)


def take(conservation: Conservation, ledger_index: int, *raws: Raw) -> tuple[Drift, ...]:
    read = [read_transaction(raw, ledger_index=ledger_index) for raw in raws]
    return conservation.add_ledger(ledger_index, read)


def test_flows_add_up_from_the_opening_to_what_is_held() -> None:
    conservation = opened()
    found = take(conservation, 101, paid("A", root(1500, before=1000)))
    found += take(conservation, 103, tx("AccountSet", [root(1488, before=1500)], account=OWNER, name="B"))
    assert found == ()
    assert conservation.totals == {"XRP": {Source.PAYMENT: 500, Source.FEE: -12}}
    assert conservation.balances == {"XRP": 1488, USD: 1000}
    assert conservation.compare_balances(103, held(1488)) == ()


def test_a_ledgers_transactions_count_once_and_in_the_order_applied() -> None:
    conservation = opened()
    first, second = paid("A", root(1500, before=1000)), paid("B", root(1600, before=1500), index=1)
    assert take(conservation, 101, second, first, second) == ()
    assert conservation.totals == {"XRP": {Source.PAYMENT: 600}}


def test_a_missing_transaction_is_drift_that_begins_after_the_balance_was_last_known() -> None:
    conservation = opened()
    take(conservation, 102, paid("A", root(1500, before=1000)))
    found = take(conservation, 107, paid("C", root(1700, before=1600), previous="B"))
    assert found == (
        Drift(
            asset="XRP",
            amount=Decimal(100),
            began=102,
            ledger_index=107,
            transaction_hash="C",
            missing="B",
        ),
    )
    assert conservation.drifts == list(found)
    assert conservation.totals["XRP"][Source.DRIFT] == 100
    assert conservation.compare_balances(107, held(1700)) == ()


def test_before_its_first_transaction_a_balance_is_known_by_the_opening() -> None:
    (found,) = take(opened(), 107, paid("C", line("20", "15"), previous="B"))
    assert (found.asset, found.amount, found.began) == (USD, Decimal(-985), 101)


def test_a_line_that_nobody_knew_of_held_nothing() -> None:
    (found,) = take(opened(), 107, paid("C", line("20", "15", currency="EUR"), previous="B"))
    assert (found.asset, found.amount, found.began) == ("EUR.rIssuer", Decimal(15), 101)


def test_a_balance_that_contradicts_the_transaction_before_it_misses_none() -> None:
    conservation = opened()
    take(conservation, 102, paid("A", root(1500, before=1000)))
    (found,) = take(conservation, 103, paid("B", root(1700, before=1501), previous="A"))
    assert (found.amount, found.began, found.missing) == (1, 102, None)


def test_what_a_transaction_itself_does_not_explain_began_in_its_ledger() -> None:
    raw = tx("OfferCreate", [root(900, before=1000)], name="A", TakerGets="1", TakerPays=usd("1"))
    (found,) = take(opened(), 104, raw)
    assert (found.amount, found.began, found.transaction_hash, found.missing) == (-100, 104, "A", None)


def test_balances_shown_by_a_server_are_held_against_those_added_up() -> None:
    conservation = opened()
    take(conservation, 102, paid("A", root(1500, before=1000)))
    found = conservation.compare_balances(110, held(1510, "990"))
    assert [(d.asset, d.amount, d.began, d.ledger_index) for d in found] == [
        (USD, Decimal(-10), 101, 110),
        ("XRP", Decimal(10), 102, 110),
    ]
    assert {drift.transaction_hash for drift in found} == {None}


def test_drift_is_told_once_and_the_balances_shown_hold_from_then_on() -> None:
    conservation = opened()
    assert len(conservation.compare_balances(110, held(1510))) == 1
    assert conservation.compare_balances(111, held(1510)) == ()
    (later,) = take(conservation, 120, paid("B", root(1700, before=1600), previous="X"))
    assert (later.amount, later.began) == (90, 112)


def test_a_line_that_a_server_does_not_show_holds_nothing() -> None:
    (found,) = opened().compare_balances(101, {"XRP": Holding(balance=Decimal(1000))})
    assert (found.asset, found.amount) == (USD, -1000)


def test_an_unknown_balance_is_known_once_a_transaction_shows_it() -> None:
    conservation = Conservation(OWNER, START, None)
    assert take(conservation, 101, paid("A", root(1500, before=1000))) == ()
    (found,) = take(conservation, 105, paid("C", root(1700, before=1600), previous="B"))
    assert (found.amount, found.began) == (100, 101)
    (shown,) = conservation.compare_balances(105, held(1701))
    assert shown.asset == "XRP"  # of the dollars nothing was known that could differ


def test_after_what_cannot_be_read_nothing_is_known_and_nothing_is_drift() -> None:
    conservation = opened()
    broken = paid("A", root(1500, before=1000))
    broken["metaData"]["AffectedNodes"][0]["ModifiedNode"]["FinalFields"]["Balance"] = "plenty"
    assert take(conservation, 101, broken) == ()
    assert take(conservation, 102, paid("B", root(1700, before=1600), previous="A")) == ()
    assert [text for text in conservation.unread if "A" in text] == conservation.unread
    assert conservation.balances == {"XRP": 1700}


def test_a_node_that_is_none_leaves_nothing_known_either() -> None:
    conservation = opened()
    broken = paid("A", root(1500, before=1000))
    broken["metaData"]["AffectedNodes"].append({"ModifiedNode": {"LedgerEntryType": 7}})
    assert take(conservation, 101, broken) == ()
    assert len(conservation.unread) == 1
    assert conservation.balances == {}


def test_transactions_of_others_do_no_harm() -> None:
    conservation = opened()
    raw = tx("AccountSet", [root(88, before=100, account=STRANGER)])
    assert take(conservation, 101, raw) == ()
    assert conservation.totals == {}


def test_a_ledger_is_taken_once() -> None:
    conservation = opened()
    take(conservation, 105)
    with pytest.raises(ValueError, match=r"expected a ledger after 105.*found 105"):
        take(conservation, 105)
    with pytest.raises(ValueError, match=r"expected balances at ledger 105.*found 104"):
        conservation.compare_balances(104, held(1))


def test_what_an_account_owes_drifts_as_its_own_issue() -> None:
    conservation = Conservation("rIssuer", START, {f"USD.{OWNER}": Holding(balance=Decimal(-1000))})
    (found,) = conservation.compare_balances(101, {f"USD.{OWNER}": Holding(balance=Decimal(-990))})
    assert (found.asset, found.amount) == (USD, 10)
