"""LP tokens count as nothing while one of their pool's assets is frozen for the owner."""

import made_ledger as made
import pytest
from made_ledger import ISSUER, MPT, OWNER, answer, eur, offer, tx

from offer_lifecycle import StateAnswer, Verdict, explain_removals, read_transaction
from order_events import RemovalReason

LP = "03" + 38 * "A"
POOL = "rPool"
TOKENS = {"currency": LP, "issuer": POOL, "value": "10"}
HELD = {"ripple_state": {"accounts": [OWNER, POOL], "currency": LP}}
LINE = {"ripple_state": {"accounts": [OWNER, ISSUER], "currency": "USD"}}
ROOT, POOL_ROOT, AMM = {"account_root": ISSUER}, {"account_root": POOL}, {"amm": "AB"}
LOW_FREEZE, HIGH_FREEZE, GLOBAL_FREEZE = 0x0040_0000, 0x0080_0000, 0x0040_0000


def judge(*answers: StateAnswer, gives: object = TOKENS, before: made.Raw | None = None) -> Verdict:
    raw = tx("OfferCreate", [offer("DeletedNode", 7, gives, "50000000", before=before)])
    read = read_transaction(raw, ledger_index=101)
    [(_, verdict)] = explain_removals(read, parent_close_time=400, reserves=made.RESERVES, answers=answers)
    return verdict


def line(currency: str, peer: str, entry: made.Raw, flags: int = 0) -> StateAnswer:
    """A trust line in which the owner, its low side, holds 10."""
    fields = {
        "Balance": {"currency": currency, "issuer": made.ZERO_ACCOUNT, "value": "10"},
        "LowLimit": {"currency": currency, "issuer": OWNER, "value": "0"},
        "HighLimit": {"currency": currency, "issuer": peer, "value": "0"},
        "Flags": flags,
    }
    return answer(entry, fields)


def root(entry: made.Raw, **more: object) -> StateAnswer:
    return answer(entry, {"Account": "r", "Balance": "1", "OwnerCount": 0, **more})


HOLDS = line(LP, POOL, HELD)
IS_POOL = root(POOL_ROOT, AMMID="AB")
USD_POOL = answer(AMM, {"Asset": {"currency": "XRP"}, "Asset2": {"currency": "USD", "issuer": ISSUER}})
MPT_POOL = answer(AMM, {"Asset": {"currency": "XRP"}, "Asset2": {"mpt_issuance_id": MPT}})


@pytest.mark.parametrize(
    ("answers", "asset"),
    [
        ([USD_POOL, line("USD", ISSUER, LINE, HIGH_FREEZE), root(ROOT)], f"USD.{ISSUER}"),
        ([USD_POOL, line("USD", ISSUER, LINE), root(ROOT, Flags=GLOBAL_FREEZE)], f"USD.{ISSUER}"),
        ([USD_POOL, line("USD", ISSUER, LINE, LOW_FREEZE), root(ROOT)], None),
        ([USD_POOL, line("USD", ISSUER, LINE), root(ROOT)], None),
        (
            [
                MPT_POOL,
                answer(
                    {"mptoken": {"mpt_issuance_id": MPT, "account": OWNER}},
                    {"Account": OWNER, "MPTokenIssuanceID": MPT, "MPTAmount": "5", "Flags": 1},
                ),
            ],
            MPT,
        ),
    ],
    ids=[
        "its line is frozen",
        "all of it is frozen",
        "the owner's own freeze",
        "nothing is frozen",
        "an MPT",
    ],
)
def test_a_frozen_asset_of_the_pool_freezes_its_tokens(answers: list[StateAnswer], asset: str | None) -> None:
    verdict = judge(HOLDS, IS_POOL, *answers)
    if asset is None:
        assert verdict.reason is RemovalReason.UNEXPLAINED
        assert verdict.questions == ()
        return
    assert (verdict.reason, verdict.rule) == (RemovalReason.UNFUNDED, "pool_frozen")
    what = f"LP tokens of a pool count as nothing while its {asset} is frozen"
    assert verdict.evidence == f"at the ledger before, {what}"


def test_the_pool_and_its_assets_are_asked_for_one_after_the_other() -> None:
    asked = [(question.entry, question.why) for question in judge(HOLDS).questions]
    assert asked == [(POOL_ROOT, "a global freeze by the issuer")]
    assert [question.entry for question in judge(HOLDS, IS_POOL).questions] == [AMM]
    assert [question.why for question in judge(HOLDS, IS_POOL).questions] == ["the assets of the pool"]
    assert [question.entry for question in judge(HOLDS, IS_POOL, USD_POOL).questions] == [LINE, ROOT]


@pytest.mark.parametrize(
    "gives",
    [eur("10"), {**TOKENS, "currency": "02" + 38 * "A"}, {**TOKENS, "currency": "03A"}],
    ids=["a currency of three letters", "another code", "a short code"],
)
def test_no_pool_is_asked_for_other_tokens(gives: object) -> None:
    assert not [question for question in judge(gives=gives).questions if "amm" in question.entry]


def test_a_token_whose_issuer_is_no_pool_is_frozen_by_its_own_issuer_alone() -> None:
    assert judge(HOLDS, root(POOL_ROOT)).questions == ()


def test_an_offer_that_traded_could_give_its_pools_tokens_whatever_was_frozen_in_the_ledger_before() -> None:
    frozen = line("USD", ISSUER, LINE, HIGH_FREEZE)
    before = {"TakerGets": {**TOKENS, "value": "20"}, "TakerPays": "100000000"}
    verdict = judge(HOLDS, IS_POOL, USD_POOL, frozen, root(ROOT), before=before)
    assert (verdict.reason, verdict.questions) == (RemovalReason.UNEXPLAINED, ())
