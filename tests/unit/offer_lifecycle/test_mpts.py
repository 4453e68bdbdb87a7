"""MPTs: balances, funds, locks, authorisation, issuers as owners, tiny rests."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import (
    MPT,
    MPT_ISSUER,
    OWNER,
    STRANGER,
    answer,
    listed,
    mpt,
    mptoken,
    offer,
    root,
    step,
    tx,
    usd,
)

from offer_lifecycle import (
    AccountState,
    StateAnswer,
    Verdict,
    adopt_account,
    canonical_asset,
    explain_removals,
    issuer_of,
    read_holdings,
    read_transaction,
)
from order_events import Amount, OrderFilled, OrderStatus, RemovalReason, Resolution

LOCKED, REQUIRE_AUTH, AUTHORIZED = 0x1, 0x4, 0x2
ISSUANCE, TOKEN = {"mpt_issuance": MPT}, {"mptoken": {"mpt_issuance_id": MPT, "account": OWNER}}
HELD: made.Raw = {"LedgerEntryType": "MPToken", "Account": OWNER, "MPTokenIssuanceID": MPT}
ISSUED: made.Raw = {"LedgerEntryType": "MPTokenIssuance", "Issuer": MPT_ISSUER, "Sequence": 3}


def owner(*mpts: made.Raw, known: bool = True, offers: list[made.Raw] | None = None) -> AccountState:
    return adopt_account(
        network_id=0,
        account=OWNER,
        header=made.header(made.START),
        account_data={"Account": OWNER, "Balance": "50000000", "OwnerCount": 2},
        lines=[],
        offers=[listed(7, mpt("100"), "50000000")] if offers is None else offers,
        mpts=list(mpts) if known else None,
    )


def removed(**more: object) -> made.Raw:
    return offer("DeletedNode", 7, mpt("100"), "50000000", **more)  # type: ignore[arg-type]


def judge(node: made.Raw, *answers: StateAnswer, **more: object) -> Verdict:
    raw = tx("OfferCreate", [node], **more)  # type: ignore[arg-type]
    [(_, verdict)] = explain_removals(
        read_transaction(raw, ledger_index=101),
        parent_close_time=400,
        reserves=made.RESERVES,
        answers=answers,
    )
    return verdict


def issuance(flags: int = 0, **more: object) -> StateAnswer:
    return answer(ISSUANCE, {**ISSUED, "OutstandingAmount": "1000", "Flags": flags, **more})


def token(amount: str | None = "1000", flags: int = 0) -> StateAnswer:
    return answer(TOKEN, {**HELD, "Flags": flags, **({} if amount is None else {"MPTAmount": amount})})


def test_an_id_has_one_spelling_and_its_issuer_is_in_it() -> None:
    assert canonical_asset(MPT.lower()) == canonical_asset(f"MPT.{MPT.lower()}") == MPT
    assert canonical_asset("MPT.rIssuer") == "MPT.rIssuer"
    assert (issuer_of(MPT), issuer_of("MPT.rIssuer")) == (MPT_ISSUER, "rIssuer")


def test_an_engine_may_write_the_id_in_lower_case() -> None:
    state = owner(HELD, offers=[])
    announced = made.submitted(9, Amount(MPT.lower(), Decimal(40)), Amount("XRP", Decimal(20_000_000)))
    state.announce(announced)
    assert state.orders[9].gets == Amount(MPT, Decimal(40))


def test_holdings_are_read_from_account_objects() -> None:
    held = {**HELD, "MPTAmount": "60", "Flags": LOCKED}
    owed = {**ISSUED, "OutstandingAmount": "900", "MaximumAmount": "1000"}
    holdings = read_holdings(None, [], [held])
    assert (holdings[MPT].balance, holdings[MPT].frozen) == (Decimal(60), True)
    issued = read_holdings(None, [], [owed])[MPT]
    assert (issued.balance, issued.maximum) == (Decimal(-900), Decimal(1000))


def test_a_maker_whose_last_units_went_is_filled_in_part_and_unfunded() -> None:
    nodes = [
        mptoken(None, "60"),
        offer(
            "DeletedNode", 7, mpt("40"), "20000000", before={"TakerGets": mpt("100"), "TakerPays": "50000000"}
        ),
        root(80_000_000, before=50_000_000),
    ]
    outcome = step(owner({**HELD, "MPTAmount": "60"}), 101, tx("OfferCreate", nodes))
    [fill] = [event for event in outcome.events if isinstance(event, OrderFilled)]
    assert (fill.gave.value, fill.got.value) == (Decimal(60), Decimal(30_000_000))
    order = outcome.changed[7]
    assert (order.removal_reason, order.resolution) == (RemovalReason.UNFUNDED, Resolution.RESOLVED)


@pytest.mark.parametrize(
    ("held", "known", "reason"),
    [
        ([], True, RemovalReason.UNFUNDED),
        ([HELD], True, RemovalReason.UNFUNDED),
        ([{**HELD, "MPTAmount": "60"}], True, RemovalReason.UNEXPLAINED),
        ([{**HELD, "MPTAmount": "60", "Flags": LOCKED}], True, RemovalReason.UNFUNDED),
        ([], False, RemovalReason.UNEXPLAINED),
    ],
    ids=["no MPToken", "an empty one", "something", "locked", "not known"],
)
def test_what_is_held_before_it_decides(held: list[made.Raw], reason: RemovalReason, *, known: bool) -> None:
    outcome = step(owner(*held, known=known), 101, tx("OfferCreate", [removed()]))
    assert outcome.changed[7].removal_reason is reason


@pytest.mark.parametrize(
    ("answers", "reason", "rule"),
    [
        ([token(None)], RemovalReason.UNFUNDED, "unfunded_in_ledger_before"),
        ([token("5", LOCKED)], RemovalReason.UNFUNDED, "unfunded_in_ledger_before"),
        ([answer(TOKEN, None)], RemovalReason.UNFUNDED, "unfunded_in_ledger_before"),
        ([token(), issuance(LOCKED)], RemovalReason.UNFUNDED, "globally_frozen"),
        ([token(), issuance(REQUIRE_AUTH)], RemovalReason.UNAUTHORIZED, "unauthorized"),
        ([token("5", AUTHORIZED), issuance(REQUIRE_AUTH)], RemovalReason.UNEXPLAINED, "unexplained"),
        ([token(), issuance()], RemovalReason.UNEXPLAINED, "unexplained"),
    ],
    ids=["empty", "locked", "none", "issuance locked", "not authorized", "authorized", "nothing lacks"],
)
def test_the_ledger_before_is_asked(answers: list[StateAnswer], reason: RemovalReason, rule: str) -> None:
    verdict = judge(removed(), *answers)
    assert (verdict.reason, verdict.rule) == (reason, rule)


def test_an_mptoken_and_its_issuance_are_what_is_asked_for() -> None:
    wanted = [(question.entry, question.why) for question in judge(removed()).questions]
    assert wanted == [
        (TOKEN, "the owner's balance of what the offer gives"),
        (ISSUANCE, "a lock of the whole issuance"),
    ]
    more = judge(
        removed(), token(), answer(ISSUANCE, {"Flags": REQUIRE_AUTH, "Issuer": MPT_ISSUER, "Sequence": 3})
    )
    assert more.questions == ()


def test_who_may_not_receive_what_it_asks_is_frozen() -> None:
    asks = offer("DeletedNode", 7, "50000000", mpt("100"))
    verdict = judge(asks, token("0", LOCKED))
    assert (verdict.reason, verdict.rule) == (RemovalReason.FROZEN, "deep_frozen")
    assert (
        verdict.evidence
        == f"at the ledger before, the owner's MPToken of {MPT} was locked: it could receive none"
    )


@pytest.mark.parametrize(
    ("maximum", "reason"), [("1000", RemovalReason.UNFUNDED), ("1001", RemovalReason.UNEXPLAINED)]
)
def test_an_issuer_gives_no_more_than_its_maximum(maximum: str, reason: RemovalReason) -> None:
    gone = offer("DeletedNode", 7, mpt("100"), "50000000", owner=MPT_ISSUER)
    assert judge(gone, issuance(MaximumAmount=maximum)).reason is reason
    issuer = adopt_account(
        network_id=0,
        account=MPT_ISSUER,
        header=made.header(made.START),
        account_data={"Account": MPT_ISSUER, "Balance": "50000000", "OwnerCount": 2},
        lines=[],
        offers=[listed(7, mpt("100"), "50000000")],
        mpts=[{**ISSUED, "OutstandingAmount": "1000", "MaximumAmount": maximum}],
    )
    assert step(issuer, 101, tx("OfferCreate", [gone])).changed[7].removal_reason is reason


def test_what_an_issuer_owes_follows_its_issuance() -> None:
    issuer = adopt_account(
        network_id=0,
        account=MPT_ISSUER,
        header=made.header(made.START),
        account_data=None,
        lines=[],
        offers=[],
    )
    node = {
        "ModifiedNode": {
            "LedgerEntryType": "MPTokenIssuance",
            "LedgerIndex": "I1",
            "FinalFields": {**ISSUED, "OutstandingAmount": "100", "MaximumAmount": "100"},
            "PreviousFields": {"OutstandingAmount": "40"},
        }
    }
    holding = step(issuer, 101, tx("Payment", [node])).record.holdings[MPT]
    assert (holding.balance, holding.maximum, holding.emptied_by) == (Decimal(-100), Decimal(100), "T1")


@pytest.mark.parametrize(
    ("gets", "pays", "reason"),
    [
        (mpt("3"), "1", RemovalReason.TINY),
        (mpt("3"), "2", RemovalReason.UNEXPLAINED),
        (usd("3"), mpt("1"), RemovalReason.TINY),
        (usd("1"), mpt("1"), RemovalReason.UNEXPLAINED),
        (usd("3"), mpt("2"), RemovalReason.UNEXPLAINED),
        ("3", mpt("1"), RemovalReason.UNEXPLAINED),
        (mpt("3"), usd("1"), RemovalReason.UNEXPLAINED),
    ],
    ids=[
        "a drop",
        "two drops",
        "one unit for more",
        "one unit for no more",
        "two units",
        "gives XRP",
        "asks tokens",
    ],
)
def test_a_rest_is_tiny_where_it_asks_one_whole_unit_for_more(
    gets: object, pays: object, reason: RemovalReason
) -> None:
    assert judge(offer("DeletedNode", 7, gets, pays)).reason is reason


@pytest.mark.parametrize(
    ("gets", "pays", "unit"), [(usd("3"), mpt("1"), f"one unit of {MPT}"), (usd("3"), "1", "a drop")]
)
def test_the_evidence_of_a_tiny_rest_names_the_unit_that_it_is_not_worth(
    gets: object, pays: object, unit: str
) -> None:
    verdict = judge(offer("DeletedNode", 7, gets, pays))
    assert verdict.evidence == f"what is left, 3 of {made.USD}, is worth no more than {unit}"


def test_a_lock_is_named_as_why_there_was_nothing_to_give() -> None:
    locked = owner({**HELD, "MPTAmount": "60", "Flags": LOCKED})
    verdict = step(locked, 101, tx("OfferCreate", [removed()])).verdicts[7]
    assert verdict.evidence == f"the owner had 0 of {MPT} to give before it: the MPT was locked"


def test_a_lock_is_followed_and_ends() -> None:
    state = owner({**HELD, "MPTAmount": "60"})
    locked = mptoken("60", None, flags=LOCKED)
    locked["ModifiedNode"]["PreviousFields"] = {"Flags": 0}
    outcome = step(state, 101, tx("MPTokenIssuanceSet", [locked]))
    holding = outcome.record.holdings[MPT]
    assert (holding.balance, holding.frozen, holding.emptied_by) == (Decimal(60), True, "T1")
    assert outcome.unresolved == ()


def test_a_deleted_mptoken_holds_nothing() -> None:
    gone = {"DeletedNode": {"LedgerEntryType": "MPToken", "LedgerIndex": "M1", "FinalFields": HELD}}
    outcome = step(owner(HELD), 101, tx("MPTokenAuthorize", [gone], account=OWNER))
    assert outcome.record.holdings[MPT].balance == 0


def test_a_fill_or_kill_order_of_mpts_that_took_less_is_killed() -> None:
    nodes = [
        root(50_000_000 - 12 + 10_000_000, before=50_000_000),
        mptoken("960", "1000"),
        mptoken("40", None, account=STRANGER),
        made.met(mpt("40"), "10000000"),
    ]
    create = tx(
        "OfferCreate",
        nodes,
        account=OWNER,
        sequence=9,
        Flags=0x0002_0000,
        TakerGets=mpt("60"),
        TakerPays="15000000",
    )
    order = step(owner({**HELD, "MPTAmount": "1000"}, offers=[]), 101, create).changed[9]
    assert (order.status, order.removal_reason) == (OrderStatus.CANCELED, RemovalReason.KILLED)
