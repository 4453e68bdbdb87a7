"""What a transaction did to the offers on the book, each side on its own."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, STRANGER, line, met, offer, root, tx, usd

from offer_lifecycle import (
    MalformedTransaction,
    OfferChange,
    Placement,
    balance_changes,
    decide_placement,
    offer_changes,
    ordered_amounts,
    read_transaction,
)
from order_events import OrderStatus, RemovalReason

BEFORE = {"TakerGets": "10000000", "TakerPays": usd("5")}


def changes(*nodes: made.Raw, account: str | None = None) -> list[OfferChange]:
    return list(offer_changes(read_transaction(tx("Payment", list(nodes))), account))


def of(owner: str, sequence: int) -> made.Raw:
    return offer("ModifiedNode", sequence, "6000000", usd("3"), before=BEFORE, owner=owner)


def test_a_change_says_which_entry_it_was_and_what_it_gave_and_got() -> None:
    [change] = changes(of(OWNER, 7))
    assert (change.entry, change.account, change.sequence) == ("O7", OWNER, 7)
    assert (change.gives, change.asks) == ("XRP", made.USD)
    assert (change.gave, change.got, change.consumed) == (Decimal(4_000_000), Decimal(2), True)


def test_changes_are_everybodys_or_one_accounts_wherever_they_stand() -> None:
    nodes = (of(STRANGER, 3), of(OWNER, 7), of(STRANGER, 4), of(OWNER, 8))
    assert [change.sequence for change in changes(*nodes)] == [3, 7, 4, 8]
    assert [change.sequence for change in changes(*nodes, account=OWNER)] == [7, 8]


def test_an_account_that_is_only_named_in_an_amount_is_not_the_offers_owner() -> None:
    assert changes(of(OWNER, 7), account=ISSUER) == []


def test_other_peoples_broken_offers_are_no_trouble_to_one_account() -> None:
    broken = of(STRANGER, 3)
    broken["ModifiedNode"]["FinalFields"]["TakerGets"] = "x"
    assert [change.sequence for change in changes(broken, of(OWNER, 7), account=OWNER)] == [7]
    with pytest.raises(MalformedTransaction, match="transaction T1: Offer O3: TakerGets"):
        changes(broken, of(OWNER, 7))


def test_a_side_that_is_listed_as_changed_and_is_the_same_gave_nothing() -> None:
    [change] = changes(offer("ModifiedNode", 7, "10000000", usd("4"), before=BEFORE))
    assert (change.gave, change.got, change.consumed) == (Decimal(0), Decimal(1), True)


def placement(*nodes: made.Raw, result: str = "tesSUCCESS", **more: object) -> Placement:
    fields = {"TakerGets": "10000000", "TakerPays": usd("5"), **more}
    create = read_transaction(
        tx("OfferCreate", list(nodes), account=OWNER, sequence=9, result=result, **fields)
    )  # type: ignore[arg-type]
    balances = list(balance_changes(create, OWNER))
    return decide_placement(create, list(offer_changes(create)), balances, made.RESERVES)


PAID = root(50_000_000 - 12, before=50_000_000)
GAVE = root(40_000_000 - 12, before=50_000_000)
GOT = line("1005", "1000")


RESTS = offer("CreatedNode", 9, "10000000", usd("5"))


@pytest.mark.parametrize(
    ("nodes", "result", "status", "reason", "evidence"),
    [
        ([PAID], "tecKILLED", OrderStatus.REJECTED, None, "result tecKILLED"),
        (
            [PAID],
            "tesSUCCESS",
            OrderStatus.REJECTED,
            None,
            "result tesSUCCESS, no offer created and nothing traded",
        ),
        ([PAID, RESTS], "tesSUCCESS", OrderStatus.ACCEPTED, None, "CreatedNode of its offer"),
        (
            [GAVE, GOT, met("10000000", usd("5"))],
            "tesSUCCESS",
            OrderStatus.FILLED,
            RemovalReason.FILLED,
            "all of it was taken at once",
        ),
    ],
    ids=["failed", "nothing happened", "rests", "taken"],
)
def test_a_placement_says_what_became_of_the_order_and_what_shows_it(
    nodes: list[made.Raw], result: str, status: OrderStatus, reason: RemovalReason | None, evidence: str
) -> None:
    placed = placement(*nodes, result=result)
    assert (placed.status, placed.reason) == (status, reason)
    assert placed.evidence == f"OfferCreate T1: {evidence}"


def test_only_an_offer_create_orders_something() -> None:
    with pytest.raises(MalformedTransaction, match="transaction T1: TakerGets: expected an amount"):
        ordered_amounts(read_transaction(tx("Payment", [])))
