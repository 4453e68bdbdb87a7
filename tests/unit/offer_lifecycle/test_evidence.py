"""Each verdict names the rule that it follows from, and what shows it."""

import made_ledger as made
import pytest
from made_ledger import ISSUER, OWNER, eur, line, met, offer, root, state, step, tx, usd

from offer_lifecycle import HIGH_FREEZE, Verdict

IMMEDIATE_OR_CANCEL = 0x0002_0000
BEFORE = {"TakerGets": usd("5"), "TakerPays": "10000000"}
MIRROR = {"TakerGets": "10000000", "TakerPays": usd("5")}


def sold(left: str = "5", asks: str = "10000000", **more: object) -> made.Raw:
    """An offer of USD for XRP, removed with so much left."""
    return offer("DeletedNode", 7, usd(left), asks, **more)  # type: ignore[arg-type]


def verdict(removal: made.Raw, *, usd_balance: str = "1000", earlier: made.Raw | None = None) -> Verdict:
    listed = made.listed(7, usd("5"), "10000000")
    ledger = state(offers=[listed], usd_balance=usd_balance)
    if earlier is not None:
        step(ledger, 101, earlier)
    return step(ledger, 102, removal).verdicts[7]


@pytest.mark.parametrize(
    ("removal", "rule", "evidence"),
    [
        (
            tx("OfferCancel", [sold()], account=OWNER, OfferSequence=7),
            "canceled_by_owner",
            "OfferCancel of the owner, OfferSequence names the offer",
        ),
        (
            tx("OfferCreate", [sold(), root(49_000_000)], account=OWNER, OfferSequence=7),
            "replaced",
            "OfferCreate of the owner, OfferSequence names the offer",
        ),
        (
            tx("AccountDelete", [sold()], account=OWNER),
            "account_deleted",
            "AccountDelete of the owner",
        ),
        (
            tx("Payment", [sold("0", "0", before=BEFORE)]),
            "filled",
            "PreviousFields show a trade, and FinalFields have nothing left on one side",
        ),
        (
            tx("Payment", [sold(Expiration=404)]),
            "expired",
            "Expiration 404 is not after the parent ledger's close 404",
        ),
        (
            tx("Payment", [sold(), line("0", "2")]),
            "unfunded_after",
            f"the owner has 0 of {made.USD} to give after it",
        ),
        (
            tx("OfferCreate", [sold(), root(49_000_000)], account=OWNER, **MIRROR),  # type: ignore[arg-type]
            "self_crossed",
            "OfferCreate of the owner on the other side of the same book; no amount changed",
        ),
        (
            tx("Payment", [sold("0.0000004", "1", before=BEFORE)]),
            "too_small",
            f"what is left, 4E-7 of {made.USD}, is worth no more than a drop",
        ),
        (
            tx("Payment", [sold()], result="tecPATH_DRY"),
            "unexplained",
            "Payment tecPATH_DRY deleted the offer and its metadata does not say why",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) and given[0].isdigit() else "",
)
def test_a_removal_names_its_rule_and_its_evidence(removal: made.Raw, rule: str, evidence: str) -> None:
    told = verdict(removal)
    assert (told.rule, told.evidence) == (rule, evidence)


def test_an_owner_with_nothing_before_was_found_unfunded_whatever_came_in() -> None:
    told = verdict(tx("Payment", [sold(), line("3", "0")]), usd_balance="0")
    assert (told.rule, told.evidence) == (
        "unfunded_before",
        f"the owner had 0 of {made.USD} to give before it",
    )


def test_a_freeze_of_the_line_is_named_as_why_there_was_nothing_to_give() -> None:
    frozen = tx("TrustSet", [line("9", "9", flags=HIGH_FREEZE)], account=ISSUER)
    told = verdict(tx("Payment", [sold()]), earlier=frozen)
    assert told.evidence == (
        f"the owner had 0 of {made.USD} to give before it: its issuer had frozen the line"
    )


def test_what_can_still_be_given_decides_what_is_too_small() -> None:
    """5 USD for 10 XRP is not small; 0.0000004 of them, all that the owner has, is worth 0.8 drops."""
    told = verdict(tx("Payment", [sold(), line("0.0000004", "3")]))
    assert told.evidence == f"what is left, 4E-7 of {made.USD}, is worth no more than a drop"


def test_only_an_offer_of_tokens_for_xrp_is_ever_too_small() -> None:
    for_tokens = offer("DeletedNode", 7, usd("0.5"), eur("0.5"))
    assert verdict(tx("Payment", [for_tokens])).rule == "unexplained"
    of_xrp = offer("DeletedNode", 7, "1", usd("0.5"))
    assert verdict(tx("Payment", [of_xrp])).rule == "unexplained"


def test_a_strangers_order_on_the_other_side_self_crosses_nothing() -> None:
    assert verdict(tx("OfferCreate", [sold()], **MIRROR)).rule == "unexplained"  # type: ignore[arg-type]


def test_an_expired_offer_of_an_empty_owner_is_expired_as_that_is_looked_at_first() -> None:
    told = verdict(tx("Payment", [sold(Expiration=404)]), usd_balance="0")
    assert told.rule == "expired"


def test_an_empty_owners_offer_that_meets_its_own_order_is_unfunded_before_it_is_crossed() -> None:
    create = tx("OfferCreate", [sold(), line("0", "0"), root(49_000_000)], account=OWNER, **MIRROR)  # type: ignore[arg-type]
    assert verdict(create, usd_balance="0").rule == "unfunded_after"


def test_an_own_order_crosses_an_offer_however_small() -> None:
    create = tx("OfferCreate", [sold("0.0000004", "1"), root(49_000_000)], account=OWNER, **MIRROR)  # type: ignore[arg-type]
    assert verdict(create).rule == "self_crossed"


@pytest.mark.parametrize(
    ("more", "evidence"),
    [
        ({"Flags": IMMEDIATE_OR_CANCEL}, "a part was taken at once, the rest dropped"),
        ({"TakerPays": usd("1")}, "all of it was taken at once"),
        ({}, "a part was taken at once, and its metadata does not say why the rest is gone"),
    ],
)
def test_an_order_that_ended_in_its_own_transaction_names_it(more: dict[str, object], evidence: str) -> None:
    traded = met("1000000", usd("1"))
    nodes = [root(49_000_000 - 12, before=50_000_000), line("1001", "1000"), traded]
    fields = {"account": OWNER, "sequence": 9, "TakerGets": "10000000", "TakerPays": usd("5"), **more}
    told = step(state(), 101, tx("OfferCreate", nodes, **fields)).verdicts[9]  # type: ignore[arg-type]
    assert (told.rule, told.evidence) == ("own_transaction", f"OfferCreate T1: {evidence}")
