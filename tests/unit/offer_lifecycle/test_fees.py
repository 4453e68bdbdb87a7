"""The payer of a fee, from the metadata; and the reserves that sponsors change."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import OWNER, STRANGER, line, listed, met, offer, root, state, step, tx, usd

from offer_lifecycle import LedgerOutcome, Source, adopt_account, balance_flows, read_transaction
from order_events import OrderFilled, OrderStatus, RemovalReason

SPONSOR = "rSponsor"
BEFORE = 50_000_000
FEE = 12
RESTS = offer("CreatedNode", 9, usd("5"), "10000000")
SPONSORED = {"Sponsor": SPONSOR, "SponsorFlags": 1}


def sponsorship(after: str | None, before: str) -> made.Raw:
    """One Sponsorship whose sponsor has set FeeAmount aside; None: nothing is left of it."""
    entry: made.Raw = {
        "LedgerEntryType": "Sponsorship",
        "LedgerIndex": "S1",
        "FinalFields": {"Owner": SPONSOR, "Sponsee": OWNER, **({"FeeAmount": after} if after else {})},
        "PreviousFields": {"FeeAmount": before},
    }
    return {"ModifiedNode": entry}


def placed(nodes: list[made.Raw], **more: object) -> LedgerOutcome:
    create = tx(
        "OfferCreate", nodes, account=OWNER, sequence=9, TakerGets=usd("5"), TakerPays="10000000", **more
    )  # type: ignore[arg-type]
    return step(state(), 101, create)


def fees(nodes: list[made.Raw], account: str, **more: object) -> dict[str, int]:
    raw = tx("OfferCreate", nodes, account=OWNER, TakerGets=usd("5"), TakerPays="10000000", **more)  # type: ignore[arg-type]
    return {
        flow.source.value: int(flow.amount)
        for flow in balance_flows(read_transaction(raw, ledger_index=101), account)
        if flow.asset == "XRP"
    }


@pytest.mark.parametrize(
    "nodes",
    [
        [root(BEFORE), root(88, before=100, account=SPONSOR), RESTS],
        [root(BEFORE), sponsorship("88", "100"), RESTS],
        [root(BEFORE), sponsorship(None, "12"), RESTS],
        [root(BEFORE), RESTS],
    ],
    ids=[
        "the sponsor co-signed",
        "paid in advance",
        "the last of the advance",
        "nobody is shown to have paid",
    ],
)
def test_a_fee_that_another_paid_makes_no_fill(nodes: list[made.Raw]) -> None:
    outcome = placed(nodes, **SPONSORED)
    assert outcome.changed[9].status is OrderStatus.ACCEPTED
    assert not [event for event in outcome.events if isinstance(event, OrderFilled)]
    assert outcome.unresolved == ()


def test_an_order_whose_fee_was_sponsored_and_that_placed_nothing_is_rejected() -> None:
    outcome = placed([root(BEFORE)], **SPONSORED)
    assert outcome.changed[9].status is OrderStatus.REJECTED


@pytest.mark.parametrize("paid", [0, FEE], ids=["another paid", "the owner paid"])
def test_a_sponsored_order_that_trades_is_filled_by_what_the_others_gave(paid: int) -> None:
    sponsors = [] if paid else [root(88, before=100, account=SPONSOR)]
    nodes = [root(BEFORE - paid + 10_000_000, before=BEFORE), line("995", "1000"), met(usd("5"), "10000000")]
    outcome = placed([*nodes, *sponsors], **SPONSORED)
    [fill] = [event for event in outcome.events if isinstance(event, OrderFilled)]
    assert (fill.gave.value, fill.got.value) == (Decimal(5), Decimal(10_000_000))


def test_a_fee_that_the_sponsor_paid_is_no_part_of_the_owners_flows() -> None:
    nodes = [root(BEFORE), root(88, before=100, account=SPONSOR), RESTS]
    assert fees(nodes, OWNER, **SPONSORED) == {}
    assert fees(nodes, SPONSOR, **SPONSORED) == {Source.FEE: -12}


def test_a_sponsor_of_reserves_alone_pays_no_fee() -> None:
    nodes = [root(BEFORE - FEE, before=BEFORE), RESTS]
    assert fees(nodes, OWNER, Sponsor=SPONSOR, SponsorFlags=2) == {Source.FEE: -12}


def test_a_delegate_pays_unless_the_fee_is_sponsored() -> None:
    delegated = [root(BEFORE), root(88, before=100, account="rDelegate"), RESTS]
    assert fees(delegated, "rDelegate", Delegate="rDelegate") == {Source.FEE: -12}
    assert fees(delegated, OWNER, Delegate="rDelegate") == {}
    sponsored = [root(BEFORE), root(88, before=100, account=SPONSOR), root(100, account="rDelegate"), RESTS]
    assert fees(sponsored, "rDelegate", Delegate="rDelegate", **SPONSORED) == {}
    assert fees(sponsored, SPONSOR, Delegate="rDelegate", **SPONSORED) == {Source.FEE: -12}


def test_where_the_metadata_shows_no_payer_the_owners_loss_is_no_fee() -> None:
    assert fees([root(BEFORE - FEE, before=BEFORE), RESTS], OWNER, **SPONSORED) == {Source.DRIFT: -12}


def account_with(**counts: int | str) -> dict[str, object]:
    return {"Account": OWNER, "Balance": "3000000", "OwnerCount": 1, **counts}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"OwnerCount": 10}, RemovalReason.UNFUNDED),
        ({"OwnerCount": 10, "SponsoredOwnerCount": 1}, RemovalReason.UNEXPLAINED),
        ({"SponsoringOwnerCount": 9}, RemovalReason.UNFUNDED),
        ({"SponsoringOwnerCount": 8}, RemovalReason.UNEXPLAINED),
        ({"OwnerCount": 5, "SponsoringAccountCount": 1}, RemovalReason.UNFUNDED),
        ({"OwnerCount": 4, "SponsoringAccountCount": 1}, RemovalReason.UNEXPLAINED),
        ({"OwnerCount": 15, "Sponsor": SPONSOR}, RemovalReason.UNFUNDED),
        ({"OwnerCount": 14, "Sponsor": SPONSOR}, RemovalReason.UNEXPLAINED),
    ],
    ids=[
        "2 XRP for ten objects, 1 for the account",
        "one of them is sponsored",
        "nine objects of others",
        "eight objects of others",
        "another's account",
        "another's account, with fewer objects",
        "an account that is sponsored itself",
        "the same with fewer objects",
    ],
)
def test_what_an_owner_must_keep_counts_what_is_sponsored(
    counts: dict[str, int | str], reason: RemovalReason
) -> None:
    owner = adopt_account(
        network_id=0,
        account=OWNER,
        header=made.header(made.START),
        account_data=account_with(**counts),
        lines=[],
        offers=[listed(7, "1000000", usd("2"))],
    )
    gone = tx("OfferCreate", [offer("DeletedNode", 7, "1000000", usd("2"))], account=STRANGER)
    assert step(owner, 101, gone).changed[7].removal_reason is reason


def test_metadata_shows_the_same_counts_before_and_after() -> None:
    swept = root(2_999_999, before=3_000_000, owners=1)
    swept["ModifiedNode"]["FinalFields"] |= {"SponsoringOwnerCount": 9}
    swept["ModifiedNode"]["PreviousFields"] |= {"OwnerCount": 2}
    owner = state(offers=[listed(7, "1000000", usd("2"))])
    gone = tx("OfferCreate", [swept, offer("DeletedNode", 7, "1000000", usd("2"))], account=STRANGER)
    outcome = step(owner, 101, gone)
    assert outcome.changed[7].removal_reason is RemovalReason.UNFUNDED
    assert outcome.record.holdings["XRP"].owner_count == 10
