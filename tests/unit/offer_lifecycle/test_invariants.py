"""XRP, MPTs and tokens add up over a whole transaction."""

from decimal import Decimal

import made_ledger as made
import pytest
from made_ledger import ISSUER, MPT, MPT_ISSUER, OWNER, STRANGER, line, mptoken, offer, root, tx, usd

from offer_lifecycle import InvariantBreak, MalformedTransaction, broken_invariants, read_transaction

Node = made.Raw


def broken(kind: str, *nodes: Node, **more: object) -> tuple[InvariantBreak, ...]:
    return broken_invariants(read_transaction(tx(kind, list(nodes), **more), ledger_index=101))  # type: ignore[arg-type]


def node(change: str, entry_type: str, before: Node | None = None, **fields: object) -> Node:
    body: Node = {"LedgerEntryType": entry_type, "LedgerIndex": "E1"}
    body["NewFields" if change == "CreatedNode" else "FinalFields"] = fields
    if before is not None:
        body["PreviousFields"] = before
    return {change: body}


def issuance(after: str, before: str) -> Node:
    fields = {"Issuer": MPT_ISSUER, "Sequence": 3, "OutstandingAmount": after}
    return node("ModifiedNode", "MPTokenIssuance", {"OutstandingAmount": before}, **fields)


PAYS_FEE = root(88, before=100, account=STRANGER)


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([PAYS_FEE], None),
        ([PAYS_FEE, root(10, before=5), root(95, before=100, account="rC")], None),
        ([PAYS_FEE, root(10, before=5)], -7),
        ([root(100, account=STRANGER)], 0),
        ([PAYS_FEE, node("CreatedNode", "AccountRoot", Account="rN", Balance="7"), root(3, before=10)], None),
        (
            [
                PAYS_FEE,
                node("DeletedNode", "AccountRoot", {"Balance": "7"}, Account="rN", Balance="0"),
                root(17, before=10),
            ],
            None,
        ),
        ([PAYS_FEE, node("CreatedNode", "Escrow", Amount="7"), root(3, before=10)], None),
        ([PAYS_FEE, node("CreatedNode", "Escrow", Amount=usd("7"))], None),
        ([PAYS_FEE, node("DeletedNode", "Escrow", Amount="7"), root(17, before=10)], None),
        ([PAYS_FEE, node("CreatedNode", "PayChannel", Amount="7", Balance="0"), root(3, before=10)], None),
        (
            [
                PAYS_FEE,
                node("ModifiedNode", "PayChannel", {"Balance": "1"}, Amount="7", Balance="5"),
                root(14, before=10),
            ],
            None,
        ),
        ([node("ModifiedNode", "Sponsorship", {"FeeAmount": "20"}, FeeAmount="8")], None),
        ([node("ModifiedNode", "Sponsorship", {"FeeAmount": "12"})], None),
    ],
    ids=[
        "the fee",
        "a payment",
        "minted",
        "no fee",
        "a new account",
        "a deleted one",
        "an escrow",
        "of tokens",
        "finished",
        "a channel",
        "claimed",
        "a fee in advance",
        "the last of it",
    ],
)
def test_xrp_changes_by_the_fee_alone(nodes: list[Node], found: int | None) -> None:
    breaks = broken("Payment", *nodes)
    assert [(one.asset, one.found) for one in breaks] == ([] if found is None else [("XRP", Decimal(found))])


def test_the_overflow_that_minted_xrp_is_an_alarm() -> None:
    minted = 9_000_000_000_000_000_000
    maker = offer("DeletedNode", 7, usd("0"), "0", before={"TakerGets": usd("1"), "TakerPays": str(minted)})
    nodes = [
        maker,
        root(minted + 50_000_000, before=50_000_000),
        line("999", "1000"),
        root(99_999_000, before=100_000_000, account=STRANGER),
    ]
    [found] = broken("Payment", *nodes, Destination="rDest")
    assert (found.asset, found.found, found.transaction_hash) == ("XRP", Decimal(minted - 1000), "T1")
    assert found.expected == "-12 drops, the fee that it destroys"


@pytest.mark.parametrize(
    ("nodes", "sound"),
    [
        ([mptoken("60", "100"), mptoken("40", None, account=STRANGER)], True),
        ([mptoken("60", "100"), mptoken("41", None, account=STRANGER)], False),
        ([mptoken("60", "100"), issuance("60", "100")], True),
        ([mptoken("60", "100"), issuance("61", "100")], False),
        ([mptoken("160", "100")], False),
        ([mptoken("100", None)], True),
        ([mptoken(None, "100"), mptoken("95", None, account=STRANGER), issuance("95", "100")], True),
        ([issuance("61", "60")], False),
    ],
    ids=[
        "moved",
        "one more",
        "back to the issuer",
        "not all of it",
        "minted",
        "not touched",
        "a fee",
        "owed to nobody",
    ],
)
def test_the_units_of_an_mpt_are_what_its_issuer_owes(nodes: list[Node], *, sound: bool) -> None:
    found = [one.asset for one in broken("Payment", PAYS_FEE, *nodes)]
    assert found == ([] if sound else [MPT])


def test_units_that_are_locked_in_an_escrow_are_still_held() -> None:
    fields = {"Account": OWNER, "MPTokenIssuanceID": MPT}
    locked = node(
        "ModifiedNode", "MPToken", {"MPTAmount": "100"}, **fields, MPTAmount="60", LockedAmount="40"
    )
    assert broken("EscrowCreate", PAYS_FEE, locked) == ()
    assert broken("ConfidentialMPTConvert", PAYS_FEE, mptoken("60", "100")) == ()


@pytest.mark.parametrize("party", [True, False], ids=["the issuer takes part", "the issuer takes no part"])
def test_tokens_come_only_from_an_issuer_that_takes_part(*, party: bool) -> None:
    minted = line("1010", "1000")
    found = broken("Payment", PAYS_FEE, minted, Destination=ISSUER if party else OWNER)
    assert [(one.asset, one.found) for one in found] == ([] if party else [(f"USD.{ISSUER}", Decimal(-10))])


def test_tokens_that_ripple_through_their_issuer_are_none_of_its_loss() -> None:
    assert broken("Payment", PAYS_FEE, line("1010", "1000"), line("89", "100", account=STRANGER)) == ()


def test_other_types_may_bring_tokens_into_the_world() -> None:
    assert broken("AMMDeposit", PAYS_FEE, line("1010", "1000")) == ()


@pytest.mark.parametrize("kind", ["SwapAll", "Payment"])
def test_nothing_is_said_of_what_is_not_known(kind: str) -> None:
    unknown = node("CreatedNode", "OrderPool", Amount="7")
    assert broken(kind, root(10, before=5), *([] if kind == "SwapAll" else [unknown])) == ()


def test_a_node_that_cannot_be_read_is_named() -> None:
    with pytest.raises(MalformedTransaction, match="transaction T1: AccountRoot E1"):
        broken("Payment", node("ModifiedNode", "AccountRoot", Balance="much"))
