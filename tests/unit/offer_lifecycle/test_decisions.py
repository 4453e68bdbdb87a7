"""Decisions of the kernel, each asked by itself: what a fold of a whole ledger would let pass unseen."""

import made_ledger as made
import pytest
from made_ledger import MPT, OWNER, STRANGER, answer, line, mpt, offer, root, tx, usd

from offer_lifecycle import (
    BalanceChange,
    OfferChange,
    StateAnswer,
    StateBefore,
    Transaction,
    balance_changes,
    decide_placement,
    explain_removals,
    offer_changes,
    read_transaction,
)
from offer_lifecycle.batches import not_applied
from offer_lifecycle.fees import fee_paid_by
from offer_lifecycle.placement import without_trade
from offer_lifecycle.unknown_parts import unknown_parts
from order_events import OrderStatus, RemovalReason

SPONSOR, POOL = "rSponsor", "rPool"
POOL_CODE = "03930D02208264E2E40EC1B0C09E4DB96EE197B1"
LOCKED, REQUIRE_AUTH, HIGH_DEEP_FREEZE, GLOBAL_FREEZE = 0x1, 0x4, 0x0400_0000, 0x0040_0000
FEE = 12
ORDER = {"TakerGets": usd("5"), "TakerPays": "10000000"}


def create(nodes: list[made.Raw], **more: object) -> Transaction:
    raw = tx("OfferCreate", nodes, account=OWNER, sequence=9, **{**ORDER, **more})  # type: ignore[arg-type]
    return read_transaction(raw, ledger_index=101)


def sponsorship(after: str | None, before: str | None) -> made.Raw:
    entry: made.Raw = {
        "LedgerEntryType": "Sponsorship",
        "LedgerIndex": "S1",
        "FinalFields": {"Owner": SPONSOR, "Sponsee": OWNER, **({"FeeAmount": after} if after else {})},
        "PreviousFields": {"FeeAmount": before} if before else {"Flags": 0},
    }
    return {"ModifiedNode": entry}


# Who paid the fee


@pytest.mark.parametrize(
    ("advance", "sponsor"),
    [
        (sponsorship("88", "100"), 0),
        (sponsorship(None, "12"), 0),
        (sponsorship("89", "100"), None),
        (sponsorship("88", None), None),
    ],
    ids=["from the advance", "the last of the advance", "less than the fee", "the advance is as it was"],
)
def test_a_fee_paid_in_advance_is_taken_from_nobodys_balance(advance: made.Raw, sponsor: int | None) -> None:
    paid = create([root(50), advance], Sponsor=SPONSOR, SponsorFlags=1)
    assert [fee_paid_by(paid, account) for account in (SPONSOR, OWNER, STRANGER)] == [sponsor, sponsor, 0]


def test_who_paid_nothing_has_paid_nothing_of_a_free_transaction() -> None:
    free = create([root(50)], Sponsor=SPONSOR, SponsorFlags=1, Fee="0")
    assert [fee_paid_by(free, account) for account in (SPONSOR, OWNER)] == [0, 0]


def test_an_entry_of_the_sponsor_that_is_no_account_shows_no_payment() -> None:
    held = line("88", "100", account=SPONSOR)
    assert fee_paid_by(create([root(50), held], Sponsor=SPONSOR, SponsorFlags=1), SPONSOR) is None


# What the ledger before is asked for


def why(*answers: StateAnswer) -> StateBefore:
    return StateBefore(OWNER, 100, answers)


def reasons(state: StateBefore) -> list[str]:
    return [question.why for question in state.questions]


def test_each_question_about_an_mpt_says_what_it_is_for() -> None:
    state = why()
    assert not state.deep_frozen(MPT)
    assert reasons(state) == ["a lock of what the offer asks"]
    state = why()
    assert not state.unauthorized(MPT)
    assert reasons(state) == ["whether the issuer authorizes its holders"]
    state = why(issuance(REQUIRE_AUTH))
    assert not state.unauthorized(MPT)
    assert reasons(state) == ["the issuer's authorization of the owner"]


def issuance(flags: int) -> StateAnswer:
    fields = {"Issuer": made.MPT_ISSUER, "Sequence": 3, "OutstandingAmount": "5", "Flags": flags}
    return answer({"mpt_issuance": MPT}, fields)


def test_what_an_issuer_owes_is_asked_of_its_issuance() -> None:
    state = StateBefore(made.MPT_ISSUER, 100, ())
    assert state.holding(MPT) is None
    assert reasons(state) == ["what the owner has issued of what the offer gives"]


def test_an_mptoken_that_is_not_there_is_not_authorized_and_one_without_a_lock_is_not_locked() -> None:
    token = {"mptoken": {"mpt_issuance_id": MPT, "account": OWNER}}
    assert why(issuance(REQUIRE_AUTH), answer(token, None)).unauthorized(MPT)
    held = {"LedgerEntryType": "MPToken", "Account": OWNER, "MPTokenIssuanceID": MPT, "Flags": 2}
    assert not why(answer(token, held)).deep_frozen(MPT)


@pytest.mark.parametrize("asset", ["USD.rIssuer", "03.rIssuer", f"01{POOL_CODE[2:]}.rIssuer", MPT])
def test_only_a_code_of_forty_digits_that_begins_with_03_may_be_a_pools(asset: str) -> None:
    state = why()
    assert state.frozen_in_pool(asset) is None
    assert reasons(state) == []


def test_of_a_pools_token_its_issuer_is_asked_for_first() -> None:
    state = why()
    assert state.frozen_in_pool(f"{POOL_CODE}.{POOL}") is None
    assert reasons(state) == ["whether the issuer is a pool's account"]


@pytest.mark.parametrize("asset", [{"currency": "USD"}, {"mpt_issuance_id": "03"}, {}])
def test_a_pool_of_what_names_no_asset_is_no_answer(asset: made.Raw) -> None:
    account = answer({"account_root": POOL}, {"Balance": "1", "OwnerCount": 0, "AMMID": "AA"})
    state = why(account, answer({"amm": "AA"}, {"Asset": asset, "Asset2": {"currency": "XRP"}}))
    assert state.frozen_in_pool(f"{POOL_CODE}.{POOL}") is None
    assert reasons(state) == ["the assets of the pool"]


# What a removal's evidence says


def evidence(node: made.Raw, *answers: StateAnswer, **more: object) -> str:
    removing = read_transaction(tx("OfferCreate", [node], **more), ledger_index=101)  # type: ignore[arg-type]
    explained = explain_removals(removing, parent_close_time=400, reserves=made.RESERVES, answers=answers)
    [(_, verdict)] = explained
    return verdict.evidence


def test_the_evidence_of_a_freeze_names_what_was_frozen_and_by_which_flag() -> None:
    trust = {"ripple_state": {"accounts": [OWNER, made.ISSUER], "currency": "USD"}}
    frozen = {"Balance": usd("5"), "LowLimit": {**usd("0"), "issuer": OWNER}, "Flags": HIGH_DEEP_FREEZE}
    asks = offer("DeletedNode", 7, "50000000", usd("5"))
    assert evidence(asks, answer(trust, frozen)).endswith(
        f"the owner's line for {made.USD} was deep-frozen: it could receive none"
    )
    gives = offer("DeletedNode", 7, usd("5"), "50000000")
    issuer = {"Account": made.ISSUER, "Balance": "9", "OwnerCount": 0, "Flags": GLOBAL_FREEZE}
    healthy = {**frozen, "Flags": 0}
    by_issuer = answer({"account_root": made.ISSUER}, issuer)
    assert evidence(gives, answer(trust, healthy), by_issuer).endswith("(lsfGlobalFreeze)")
    token = {"mptoken": {"mpt_issuance_id": MPT, "account": OWNER}}
    held = {"LedgerEntryType": "MPToken", "Account": OWNER, "MPTokenIssuanceID": MPT, "MPTAmount": "5"}
    locked = evidence(offer("DeletedNode", 7, mpt("5"), "50000000"), answer(token, held), issuance(LOCKED))
    assert locked.endswith("(lsfMPTLocked of the issuance)")


# What an offer's node shows


def changes_of(*nodes: made.Raw) -> tuple[list[OfferChange], list[str]]:
    damages: list[str] = []
    read = read_transaction(tx("OfferCreate", list(nodes)), ledger_index=101)
    return list(offer_changes(read, on_damage=lambda damage: damages.append(str(damage)))), damages


def test_an_offer_of_two_books_is_hybrid() -> None:
    books = [{"Book": {"BookDirectory": "B", "BookNode": "0"}}]
    [hybrid, plain], _ = changes_of(
        offer("CreatedNode", 7, "5", usd("5"), AdditionalBooks=books, DomainID="D"),
        offer("CreatedNode", 8, "5", usd("5")),
    )
    assert (hybrid.is_hybrid, plain.is_hybrid) == (True, False)


def test_damage_names_the_side_that_cannot_be_read() -> None:
    more = offer("ModifiedNode", 8, "5", usd("5"), before={"TakerPays": usd("4")})
    _, damages = changes_of(offer("CreatedNode", 7, "5", usd("five")), more)
    assert [damage.partition("Offer ")[2].partition(": expected")[0] for damage in damages] == [
        "O7: TakerPays",
        "O8: TakerPays",
    ]


def test_another_accounts_damaged_offer_is_not_told_to_an_account_that_it_does_not_name() -> None:
    damages: list[str] = []
    damaged = offer("CreatedNode", 7, "5", usd("five"), owner=STRANGER)
    read = read_transaction(tx("OfferCreate", [damaged]), ledger_index=101)
    for account in (OWNER, STRANGER):
        assert not list(offer_changes(read, account, lambda damage: damages.append(str(damage))))
    assert len(damages) == 1


# What is unknown, and whose


def test_every_unknown_part_is_listed() -> None:
    trust, account = line("1", "2"), root(50)
    for node in (trust, account):
        [body] = node.values()
        body["FinalFields"]["Novelty"] = 1
    ours = create([trust, account], Novelty=1, Oddity=2)
    found = unknown_parts(ours, OWNER)
    assert found.balance_fields == ("field RippleState.Novelty", "field AccountRoot.Novelty")
    assert found.about_order == "the kernel does not know field OfferCreate.Novelty, field OfferCreate.Oddity"
    assert unknown_parts(ours, STRANGER).names == ()


# What becomes of an order of which it is not known whether it traded


def placement(nodes: list[made.Raw], **more: object) -> object:
    order = create(nodes, **more)
    balances: list[BalanceChange] = list(balance_changes(order, OWNER))
    return decide_placement(order, list(offer_changes(order)), balances, made.RESERVES)


PAID = root(50_000_000 - FEE, before=50_000_000)
RESTS = offer("CreatedNode", 9, usd("5"), "10000000")


def test_it_rests_where_it_left_an_entry() -> None:
    rests = without_trade(placement([PAID, RESTS]), "odd")  # type: ignore[arg-type]
    assert (rests.status, rests.reason, rests.problem) == (OrderStatus.ACCEPTED, None, "odd")
    assert rests.evidence.endswith("CreatedNode of its offer")


def test_it_is_gone_unexplained_where_it_left_none() -> None:
    gone = without_trade(placement([PAID]), "odd")  # type: ignore[arg-type]
    assert (gone.status, gone.reason) == (OrderStatus.REMOVED, RemovalReason.UNEXPLAINED)
    assert gone.evidence == "it is not known whether it traded: odd"


def test_it_stays_refused_where_its_transaction_failed() -> None:
    refused = placement([PAID], result="tecUNFUNDED_OFFER")
    assert without_trade(refused, "odd") is refused  # type: ignore[arg-type]


# Lists, hybrids and batches


def test_every_unknown_field_of_a_removed_offer_is_listed() -> None:
    strange = offer("DeletedNode", 7, "5", usd("5"), Novelty=1, Oddity=2)
    assert evidence(strange) == "the kernel does not know Offer.Novelty, Offer.Oddity"


def test_a_hybrid_offer_is_out_of_its_domain_only_for_who_walks_that_domain() -> None:
    books = [{"Book": {"BookDirectory": "B", "BookNode": "0"}}]
    hybrid = offer("DeletedNode", 7, "50000000", usd("5"), AdditionalBooks=books, DomainID="D")
    accepted = {"AcceptedCredentials": [], "Owner": STRANGER}
    nobody = answer({"permissioned_domain": "D"}, accepted)
    assert "credential" in evidence(hybrid, nobody, DomainID="D")
    assert "credential" not in evidence(hybrid, nobody)


def test_an_inner_transaction_that_stands_in_the_ledger_was_applied() -> None:
    raw = {"TransactionType": "OfferCreate", "Account": OWNER, "Sequence": 8}
    outer = tx(
        "Batch", [root(5)], account=OWNER, sequence=7, name="B", RawTransactions=[{"RawTransaction": raw}]
    )
    batch = read_transaction(outer, ledger_index=101)
    applied = read_transaction(tx("OfferCreate", [], account=OWNER, sequence=8, name="I"), ledger_index=101)
    assert not list(not_applied(batch, [batch, applied], OWNER))
    assert [one.sequence for one in not_applied(batch, [batch], OWNER)] == [8]
