"""What happened to this order: why a transaction deleted its offer.

Every offer that left the book has exactly one DeletedNode. `decide` holds it against the rules below,
first match wins; each rule returns its evidence (which node and field show it) or None. What no rule
proves is UNEXPLAINED: nothing is presumed. Rule numbers follow the decision procedure in
`docs/causes.md`.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import RATIO, XRP
from offer_lifecycle.changes import OfferChange, ordered
from offer_lifecycle.transaction import Header, Transaction
from order_events import RemovalReason


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rules may look at."""

    tx: Transaction
    change: OfferChange
    header: Header
    funds_before: Decimal | None
    """What the owner could give of TakerGets before the transaction (drops, tokens); None: not known."""
    funds_after: Decimal | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Why the offer is gone, by which rule, and what shows it."""

    reason: RemovalReason
    rule: str
    evidence: str


def decide(case: Case) -> Verdict:
    """Say why the transaction deleted the offer."""
    for name, reason, test in RULES:
        evidence = test(case)
        if evidence is not None:
            return Verdict(reason=reason, rule=name, evidence=evidence)
    return Verdict(
        reason=RemovalReason.UNEXPLAINED,
        rule="9 no rule",
        evidence=f"{case.tx.type} {case.tx.result} deleted the offer and its metadata does not say why",
    )


def _canceled(case: Case) -> str | None:
    if case.tx.type == "OfferCancel" and _own(case) and _names_it(case):
        return "OfferCancel of the owner, OfferSequence names the offer"
    return None


def _replaced(case: Case) -> str | None:
    if case.tx.type == "OfferCreate" and case.tx.result == "tesSUCCESS" and _own(case) and _names_it(case):
        return "OfferCreate of the owner, OfferSequence names the offer"
    return None


def _account_deleted(case: Case) -> str | None:
    if case.tx.type == "AccountDelete" and _own(case):
        return "AccountDelete of the owner"
    return None


def _filled(case: Case) -> str | None:
    # One side may keep dust that the other can no longer pay for
    if case.change.consumed and not (case.change.gets_left.value and case.change.pays_left.value):
        return "PreviousFields show a trade, and FinalFields have nothing left on one side"
    return None


def _expired(case: Case) -> str | None:
    expiration = case.change.expiration
    # Against the parent's close time: that is the clock the transaction was applied by
    if not case.change.consumed and expiration is not None and expiration <= case.header.parent_close_time:
        return (
            f"Expiration {expiration} is not after the parent ledger's close {case.header.parent_close_time}"
        )
    return None


def _became_unfunded(case: Case) -> str | None:
    if case.funds_after is not None and case.funds_after <= 0:
        return f"the owner has {case.funds_after} of {case.change.gets_left.asset} to give after it"
    return None


def _found_unfunded(case: Case) -> str | None:
    if case.change.consumed or _mirrors(case):
        return None  # an own order on the other side may have bought what the offer gives before meeting it
    if case.funds_before is not None and case.funds_before <= 0:
        return f"the owner had {case.funds_before} of {case.change.gets_left.asset} to give before it"
    return None


def _self_crossed(case: Case) -> str | None:
    if not case.change.consumed and _mirrors(case):
        return "OfferCreate of the owner on the other side of the same book; no amount changed"
    return None


def _tiny(case: Case) -> str | None:
    gets, pays = case.change.gets_left, case.change.pays_left
    if gets.asset == XRP or pays.asset != XRP or not gets.value:
        return None  # the engine drops small offers only where rounding to a drop would worsen the price
    funds = gets.value if case.funds_after is None else min(case.funds_after, gets.value)
    worth = RATIO.divide(RATIO.multiply(pays.value, funds), gets.value)
    if worth <= 1:
        return f"what is left, {funds} of {gets.asset}, is worth no more than a drop"
    return None


def _own(case: Case) -> bool:
    return case.tx.account == case.change.account


def _mirrors(case: Case) -> bool:
    if case.tx.type != "OfferCreate" or not _own(case):
        return False
    gets, pays = ordered(case.tx)
    return (gets.asset, pays.asset) == (case.change.pays_left.asset, case.change.gets_left.asset)


def _names_it(case: Case) -> bool:
    return case.tx.offer_sequence == case.change.sequence


RULES: tuple[tuple[str, RemovalReason, Callable[[Case], str | None]], ...] = (
    ("1 canceled by its owner's key", RemovalReason.CANCELED, _canceled),
    ("2 replaced", RemovalReason.REPLACED, _replaced),
    ("3 removed with its account", RemovalReason.ACCOUNT_DELETED, _account_deleted),
    ("4 filled", RemovalReason.FILLED, _filled),
    ("6 expired", RemovalReason.EXPIRED, _expired),
    ("5, 8 became unfunded", RemovalReason.UNFUNDED, _became_unfunded),
    ("8 found unfunded", RemovalReason.UNFUNDED, _found_unfunded),
    ("7 self-crossed", RemovalReason.SELF_CROSSED, _self_crossed),
    ("5, 8 too small to trade", RemovalReason.TINY, _tiny),
)
