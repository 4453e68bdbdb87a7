"""Decision why a transaction deleted an order's offer.

Every offer that left the book has exactly one DeletedNode. `decide_removal` tests it against the rules
below; the first match wins. Each rule returns its evidence (the node and field that show it) or None. A
removal that no rule proves is UNEXPLAINED: nothing is presumed. The rules' names are stable: events and
`fillproof explain` show them, and `docs/causes.md` lists them.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from offer_lifecycle.amounts import RATIO, XRP, is_mpt, is_whole, issuer_of
from offer_lifecycle.changes import OfferChange, ordered_amounts
from offer_lifecycle.formats import REMOVES_OFFERS
from offer_lifecycle.funds import Holding, Reserves, spendable
from offer_lifecycle.state_before import StateAnswer, StateBefore, StateRequest
from offer_lifecycle.transaction import MalformedTransaction, Transaction
from order_events import RemovalReason


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that the rules may look at."""

    tx: Transaction
    change: OfferChange
    parent_close_time: int
    """Ripple seconds: the clock by which the transaction was applied."""
    reserves: Reserves
    holding_before: Holding | None
    """The owner's holding of TakerGets before the transaction; None: not known."""
    holding_after: Holding | None
    owner_count: int | None
    """The owner's OwnerCount before it: the offer still counts towards the reserve while it is tried."""
    answers: tuple[StateAnswer, ...]
    """What is known of the ledger before."""

    @property
    def funds_before(self) -> Decimal | None:
        """What the owner could give of TakerGets before it (drops, tokens); None: not known."""
        holding = self.holding_before
        return spendable(self.change.gets_left.asset, self.change.account, holding, self.reserves)

    @property
    def funds_after(self) -> Decimal | None:
        """What the owner can give of it afterwards, the offer still counted; None: not known."""
        asset, account = self.change.gets_left.asset, self.change.account
        return spendable(asset, account, self.holding_after, self.reserves, self.owner_count)

    @property
    def unfunded_since(self) -> str | None:
        """The transaction since which the owner has nothing of it to give; None: has some, or not known."""
        before, after = self.funds_before, self.funds_after
        if before is not None and before > 0:
            # What is left after it still counts the offer: a reserve that shrank by it brings nothing back
            return self.tx.hash if after is not None and after <= 0 else None
        return self.holding_before.emptied_by if self.holding_before else None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order ended, by which rule, and what shows it."""

    reason: RemovalReason
    rule: str
    evidence: str
    questions: tuple[StateRequest, ...] = ()
    """Of an unexplained end: the entries of the ledger before that would tell."""


def decide_removal(case: Case) -> Verdict:
    """Say why the transaction deleted the offer."""
    unknown = _unknown(case)
    if unknown is not None:
        return Verdict(reason=RemovalReason.UNEXPLAINED, rule="unknown_to_the_kernel", evidence=unknown)
    for name, reason, test in RULES:
        evidence = test(case)
        if evidence is not None:
            return Verdict(reason=reason, rule=name, evidence=evidence)
    state = StateBefore(case.change.account, case.tx.ledger_index - 1, case.answers)
    for name, reason, ask in STATE_RULES:
        evidence = ask(case, state)
        if evidence is not None:
            return Verdict(reason=reason, rule=name, evidence=f"at the ledger before, {evidence}")
    return Verdict(
        reason=RemovalReason.UNEXPLAINED,
        rule="unexplained",
        evidence=f"{case.tx.type} {case.tx.result} deleted the offer and its metadata does not say why",
        questions=state.questions,
    )


def _unknown(case: Case) -> str | None:
    if case.tx.type not in REMOVES_OFFERS:
        return f"the kernel does not know that a transaction of type {case.tx.type} deletes offers"
    if case.change.unknown_fields:
        return f"the kernel does not know {', '.join(case.change.unknown_fields)}"
    return None


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
    if case.change.used_up:
        return "PreviousFields show a trade, and FinalFields have nothing left on one side"
    return None


def _expired(case: Case) -> str | None:
    expiration = case.change.expiration
    # Against the parent's close time: that is the clock the transaction was applied by
    if not case.change.consumed and expiration is not None and expiration <= case.parent_close_time:
        return f"Expiration {expiration} is not after the parent ledger's close {case.parent_close_time}"
    return None


def _became_unfunded(case: Case) -> str | None:
    if case.funds_after is not None and case.funds_after <= 0:
        return f"the owner has {case.funds_after} of {case.change.gives} to give after it"
    return None


def _found_unfunded(case: Case) -> str | None:
    if case.change.consumed or _mirrors(case):
        return None  # an own order on the other side may have bought what the offer gives before meeting it
    if case.funds_before is not None and case.funds_before <= 0:
        return (
            f"the owner had {case.funds_before} of {case.change.gives} to give before it{_why_frozen(case)}"
        )
    return None


def _why_frozen(case: Case) -> str:
    if case.holding_before is None or not case.holding_before.frozen:
        return ""
    if is_mpt(case.change.gives):
        return ": the MPT was locked"
    return ": its issuer had frozen the line"


def _self_crossed(case: Case) -> str | None:
    if not case.change.consumed and _mirrors(case):
        return "OfferCreate of the owner on the other side of the same book; no amount changed"
    return None


def _tiny(case: Case) -> str | None:
    gets, pays = case.change.gets_left, case.change.pays_left
    if gets.asset == XRP or not is_whole(pays.asset) or not gets.value:
        return (
            None  # the engine drops small offers only where rounding to a whole unit would worsen the price
        )
    if pays.asset != XRP and pays.value >= gets.value:
        return None
    funds = gets.value if case.funds_after is None else min(case.funds_after, gets.value)
    worth = RATIO.divide(RATIO.multiply(pays.value, funds), gets.value)
    if worth <= 1:
        unit = "a drop" if pays.asset == XRP else f"one unit of {pays.asset}"
        return f"what is left, {funds} of {gets.asset}, is worth no more than {unit}"
    return None


def _own(case: Case) -> bool:
    return case.tx.account == case.change.account


def _mirrors(case: Case) -> bool:
    if case.tx.type != "OfferCreate" or not _own(case):
        return False
    try:
        gets, pays = ordered_amounts(case.tx)
    except MalformedTransaction:
        return False  # what it ordered can't be read: that is told of the order itself
    return (gets.asset, pays.asset) == (case.change.asks, case.change.gives)


def _names_it(case: Case) -> bool:
    return case.tx.offer_sequence == case.change.sequence


def _deep_frozen(case: Case, state: StateBefore) -> str | None:
    asset = case.change.asks
    if _may_lack(case, asset) and asset != XRP and state.deep_frozen(asset):
        how = "MPToken of {} was locked" if is_mpt(asset) else "line for {} was deep-frozen"
        return f"the owner's {how.format(asset)}: it could receive none"
    return None


def _out_of_domain(case: Case, state: StateBefore) -> str | None:
    domain = case.change.domain
    if case.change.is_hybrid and case.tx.domain is None:
        return None  # the open book, in which it stands too, asks for no credential
    if case.change.consumed or domain is None or not state.outside(domain, case.parent_close_time):
        return None
    return f"the owner held no credential that the domain {domain} accepts"


def _found_empty(case: Case, state: StateBefore) -> str | None:
    asset = case.change.gives
    if not _may_lack(case, asset) or case.holding_before is not None:
        return None
    funds = spendable(asset, case.change.account, state.holding(asset), case.reserves)
    if funds is not None and funds <= 0:
        return f"the owner had {funds} of {asset} to give"
    return None


def _frozen(case: Case, state: StateBefore) -> str | None:
    asset = case.change.gives
    if _may_lack(case, asset) and asset != XRP and state.globally_frozen(asset):
        flag = "lsfMPTLocked of the issuance" if is_mpt(asset) else "lsfGlobalFreeze"
        return f"the issuer of {asset} had frozen all of it ({flag})"
    return None


def _pool_frozen(case: Case, state: StateBefore) -> str | None:
    asset = case.change.gives
    frozen = state.frozen_in_pool(asset) if _may_lack(case, asset) else None
    return None if frozen is None else f"LP tokens of a pool count as nothing while its {frozen} is frozen"


def _unauthorized(case: Case, state: StateBefore) -> str | None:
    for asset in (case.change.gives, case.change.asks):
        if _may_lack(case, asset) and asset != XRP and state.unauthorized(asset):
            return f"the owner was not authorized by the issuer of {asset}"
    return None


def _may_lack(case: Case, asset: str) -> bool:
    """Whether the ledger before can tell: nothing traded, and the asset is one that the owner may lack."""
    own_issue = issuer_of(asset) == case.change.account and not is_mpt(asset)
    return not case.change.consumed and not own_issue and not _mirrors(case)


RULES: tuple[tuple[str, RemovalReason, Callable[[Case], str | None]], ...] = (
    ("canceled_by_owner", RemovalReason.CANCELED, _canceled),
    ("replaced", RemovalReason.REPLACED, _replaced),
    ("account_deleted", RemovalReason.ACCOUNT_DELETED, _account_deleted),
    ("filled", RemovalReason.FILLED, _filled),
    ("expired", RemovalReason.EXPIRED, _expired),
    ("unfunded_before", RemovalReason.UNFUNDED, _found_unfunded),
    ("unfunded_after", RemovalReason.UNFUNDED, _became_unfunded),
    ("self_crossed", RemovalReason.SELF_CROSSED, _self_crossed),
    ("too_small", RemovalReason.TINY, _tiny),
)
"""What the transaction proves, with what is known of the owner's balances."""
STATE_RULES: tuple[tuple[str, RemovalReason, Callable[[Case, StateBefore], str | None]], ...] = (
    ("deep_frozen", RemovalReason.FROZEN, _deep_frozen),
    ("out_of_domain", RemovalReason.OUT_OF_DOMAIN, _out_of_domain),
    ("unfunded_in_ledger_before", RemovalReason.UNFUNDED, _found_empty),
    ("globally_frozen", RemovalReason.UNFUNDED, _frozen),
    ("pool_frozen", RemovalReason.UNFUNDED, _pool_frozen),
    ("unauthorized", RemovalReason.UNAUTHORIZED, _unauthorized),
)
"""What needs the ledger before, in the order in which the ledger's own engine looks."""
