"""The ledger before, where the metadata leaves the cause open: what is asked, and what the answers prove."""

import made_ledger as made
import pytest
from ledger_before import (
    GLOBAL_FREEZE,
    HIGH_AUTH,
    HIGH_DEEP_FREEZE,
    HIGH_FREEZE,
    ISSUER_ROOT,
    LINE,
    LOW_AUTH,
    LOW_DEEP_FREEZE,
    LOW_FREEZE,
    OWN_ROOT,
    REQUIRE_AUTH,
    asked,
    judge,
    of_issuer,
    of_line,
    of_owner,
    sells_usd,
    sells_xrp,
)
from made_ledger import ISSUER, OWNER, answer, line, offer, root, step, tx, unknown, usd

from offer_lifecycle import StateAnswer
from order_events import OrderDisappeared, RemovalReason, Resolution


def test_of_a_token_that_it_gives_the_owners_line_and_its_issuer_are_asked_for() -> None:
    verdict = judge(sells_usd())
    assert verdict.reason is RemovalReason.UNEXPLAINED
    assert asked(verdict) == [LINE, ISSUER_ROOT]
    assert {question.ledger_index for question in verdict.questions} == {100}


def test_of_xrp_that_it_gives_the_owners_root_is_asked_for_and_what_it_asks_may_be_forbidden() -> None:
    assert asked(judge(sells_xrp())) == [LINE, OWN_ROOT, ISSUER_ROOT]


def test_every_question_says_what_it_is_for() -> None:
    assert [question.why for question in judge(sells_usd()).questions] == [
        "the owner's balance of what the offer gives",
        "a global freeze by the issuer",
    ]
    assert [question.why for question in judge(sells_xrp()).questions] == [
        "a deep freeze of what the offer asks",
        "the owner's XRP and reserve",
        "whether the issuer authorizes its holders",
    ]


@pytest.mark.parametrize(
    "node",
    [
        sells_usd(before={"TakerGets": usd("6"), "TakerPays": "12000000"}),
        sells_usd(owner=ISSUER),
        offer("DeletedNode", 7, made.mpt("5"), "10000000"),
    ],
    ids=["it traded", "its owner issues what it gives", "an MPT"],
)
def test_nothing_is_asked_that_could_not_decide(node: made.Raw) -> None:
    assert not [entry for entry in asked(judge(node)) if "ripple_state" in entry]


def test_nothing_is_asked_where_the_metadata_decides() -> None:
    own_order = {"account": OWNER, "TakerGets": "10000000", "TakerPays": usd("5")}
    assert judge(sells_usd(), **own_order).reason is RemovalReason.SELF_CROSSED
    assert judge(sells_usd(), **own_order).questions == ()


def test_an_owner_found_with_nothing_to_give_is_unfunded() -> None:
    verdict = judge(sells_usd(), of_line("0"), of_issuer())
    assert (verdict.reason, verdict.rule) == (
        RemovalReason.UNFUNDED,
        "unfunded_in_ledger_before",
    )
    assert verdict.evidence == f"at the ledger before, the owner had 0 of {made.USD} to give"
    assert verdict.questions == ()


def test_an_owner_without_the_line_or_without_a_root_has_nothing_to_give() -> None:
    assert judge(sells_usd(), answer(LINE, None)).reason is RemovalReason.UNFUNDED
    assert judge(sells_xrp(), answer(OWN_ROOT, None)).reason is RemovalReason.UNFUNDED


@pytest.mark.parametrize("owner_is_low", [True, False])
def test_a_balance_is_read_from_the_owners_side_of_the_line(owner_is_low: bool) -> None:  # noqa: FBT001
    funded = judge(sells_usd(), of_line("5", owner_is_low=owner_is_low), of_issuer())
    assert (funded.reason, funded.questions) == (RemovalReason.UNEXPLAINED, ())
    owing = judge(sells_usd(), of_line("-5", owner_is_low=owner_is_low), of_issuer())
    assert owing.reason is RemovalReason.UNFUNDED


@pytest.mark.parametrize(
    ("owner_is_low", "flags", "expected"),
    [
        (True, HIGH_FREEZE, RemovalReason.UNFUNDED),
        (True, LOW_FREEZE, RemovalReason.UNEXPLAINED),
        (False, LOW_FREEZE, RemovalReason.UNFUNDED),
        (False, HIGH_FREEZE, RemovalReason.UNEXPLAINED),
    ],
)
def test_only_the_issuers_freeze_of_the_line_takes_the_funds_away(
    owner_is_low: bool,  # noqa: FBT001
    flags: int,
    expected: RemovalReason,
) -> None:
    verdict = judge(sells_usd(), of_line("5", flags, owner_is_low=owner_is_low), of_issuer())
    assert verdict.reason is expected


@pytest.mark.parametrize(
    ("drops", "owners", "expected"),
    [
        (1_400_000, 2, RemovalReason.UNFUNDED),
        (1_400_001, 2, RemovalReason.UNEXPLAINED),
        (1_400_001, 3, RemovalReason.UNFUNDED),
    ],
    ids=["on the reserve", "a drop above it", "the reserve of one more object"],
)
def test_xrp_is_held_against_the_reserve(drops: int, owners: int, expected: RemovalReason) -> None:
    verdict = judge(sells_xrp(), of_line("1"), of_issuer(), of_owner(drops, owners))
    assert verdict.reason is expected


def test_a_balance_that_is_known_is_not_asked_for() -> None:
    followed = made.state(offers=[made.listed(7, usd("5"), "10000000")])
    outcome = step(followed, 101, tx("OfferCreate", [sells_usd()]))
    assert [question.entry for question in outcome.questions] == [ISSUER_ROOT]


def test_a_known_balance_says_nothing_of_the_issuers_authorization() -> None:
    followed = made.state(offers=[made.listed(7, usd("5"), "10000000")])
    answers = (of_issuer(REQUIRE_AUTH),)
    [question] = step(followed, 101, tx("OfferCreate", [sells_usd()]), answers=answers).questions
    assert (question.entry, question.why) == (LINE, "the issuer's authorization of the owner")


def test_a_global_freeze_takes_the_funds_away() -> None:
    verdict = judge(sells_usd(), of_line("5"), of_issuer(GLOBAL_FREEZE))
    assert (verdict.reason, verdict.rule) == (RemovalReason.UNFUNDED, "globally_frozen")
    assert "lsfGlobalFreeze" in verdict.evidence


def test_a_global_freeze_of_what_it_asks_keeps_nobody_from_receiving_it() -> None:
    frozen = judge(sells_xrp(), of_line("5"), of_owner(50_000_000, 1), of_issuer(GLOBAL_FREEZE))
    assert frozen.reason is RemovalReason.UNEXPLAINED


@pytest.mark.parametrize("flags", [LOW_DEEP_FREEZE, HIGH_DEEP_FREEZE])
def test_who_may_not_receive_what_the_offer_asks_is_deep_frozen(flags: int) -> None:
    verdict = judge(sells_xrp(), of_line("5", flags))
    assert (verdict.reason, verdict.rule) == (RemovalReason.FROZEN, "deep_frozen")
    assert made.USD in verdict.evidence
    assert judge(sells_usd(), of_line("5", flags)).reason is RemovalReason.UNEXPLAINED


@pytest.mark.parametrize(
    ("owner_is_low", "flags", "expected"),
    [
        (True, LOW_AUTH, RemovalReason.UNAUTHORIZED),
        (True, HIGH_AUTH, RemovalReason.UNEXPLAINED),
        (False, HIGH_AUTH, RemovalReason.UNAUTHORIZED),
        (False, LOW_AUTH, RemovalReason.UNEXPLAINED),
    ],
)
@pytest.mark.parametrize("node", [sells_usd(), sells_xrp()], ids=["gives it", "asks it"])
def test_the_issuers_side_of_the_line_says_whether_the_owner_is_authorized(
    node: made.Raw,
    owner_is_low: bool,  # noqa: FBT001
    flags: int,
    expected: RemovalReason,
) -> None:
    authorizes = of_issuer(REQUIRE_AUTH)
    known = (of_line("5", flags, owner_is_low=owner_is_low), of_owner(50_000_000, 1))
    assert judge(node, authorizes, *known).reason is expected
    assert judge(node, of_issuer(), *known).reason is RemovalReason.UNEXPLAINED


def test_who_has_no_line_at_all_is_not_authorized_to_receive() -> None:
    no_line = (answer(LINE, None), of_owner(50_000_000, 1))
    verdict = judge(sells_xrp(), of_issuer(REQUIRE_AUTH), *no_line)
    assert (verdict.reason, verdict.rule) == (RemovalReason.UNAUTHORIZED, "unauthorized")
    assert judge(sells_xrp(), of_issuer(), *no_line).reason is RemovalReason.UNEXPLAINED


def test_an_authorization_that_is_not_known_is_asked_for_and_proves_nothing() -> None:
    verdict = judge(sells_xrp(), of_issuer(REQUIRE_AUTH), of_owner(50_000_000, 1))
    assert (verdict.reason, asked(verdict)) == (RemovalReason.UNEXPLAINED, [LINE])


@pytest.mark.parametrize(
    ("node", "answered"),
    [
        (sells_usd(), answer(LINE, {})),
        (sells_usd(), of_line("five")),
        (sells_usd(), of_line("NaN")),
        (sells_usd(), answer(LINE, {"Balance": usd("0"), "Flags": 0})),
        (sells_usd(), answer(LINE, {"Balance": "0", "LowLimit": usd("0")})),
        (sells_usd(), answer(LINE, None, ledger_index=99)),
        (sells_xrp(), answer(OWN_ROOT, {"Balance": "drops", "OwnerCount": 1})),
        (sells_xrp(), answer(OWN_ROOT, {"Balance": "0", "OwnerCount": "none"})),
        (sells_xrp(), answer(OWN_ROOT, {"OwnerCount": 1})),
    ],
    ids=[
        "a line of nothing",
        "a line with no number",
        "a line with less than a number",
        "a line with no sides",
        "a line of drops",
        "a line of another ledger",
        "a root with no drops",
        "a root with no number of objects",
        "a root without a balance",
    ],
)
def test_what_is_no_answer_leaves_the_question_and_proves_nothing(
    node: made.Raw, answered: StateAnswer
) -> None:
    verdict = judge(node, answered, of_issuer())
    assert verdict.reason is RemovalReason.UNEXPLAINED
    assert answered.request.entry in asked(verdict)


def test_folding_the_same_ledger_again_with_the_answers_explains_the_end() -> None:
    removal = tx("OfferCreate", [sells_usd()])
    open_end = step(unknown(), 101, removal)
    [event] = open_end.events
    assert (event.removal_reason, event.resolution) == (RemovalReason.UNEXPLAINED, Resolution.UNRESOLVED)
    answers = tuple(answer(question.entry, None) for question in open_end.questions)
    explained = step(unknown(), 101, removal, answers=answers)
    [event] = explained.events
    assert isinstance(event, OrderDisappeared)
    assert event.removal_reason is RemovalReason.UNFUNDED
    assert event.evidence.startswith("rule unfunded_in_ledger_before: at the ledger before, ")
    assert explained.questions == ()


def test_an_own_balance_in_the_removing_transaction_is_not_asked_for() -> None:
    removal = tx("OfferCreate", [sells_usd(), line("4", "5"), root(49_000_000)])
    assert [question.entry for question in step(unknown(), 101, removal).questions] == [ISSUER_ROOT]
