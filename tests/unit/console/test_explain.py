"""`explain` reads only what a node shows, and never says otherwise than `replay`, which knows everything."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from asking import MadeUp, spoiled, without
from made_ledger import ISSUER, OWNER, offer, root, tx, usd
from replaying import recorded
from truths import ENDS, RANDOM, SCRIPTED

from console.errors import HistoryMissing, NeverPlaced, NoSuchAccount
from console.explain.answer import Explanation, Step
from console.explain.inquiry import explain
from console.explain.parties import Party
from console.lines import OrderLine
from console.recorded_server import closed_session
from console.replay import replay
from ledger_client import FEE_SETTINGS, LedgerServer, ProtocolViolation
from order_events import OrderStatus, RemovalReason, Resolution

GLOBAL_FREEZE = 0x0040_0000
OF_EACH_END = 2
NOBODY = "rrrrrrrrrrrrrrrrrrrrBZbvji"


def told(server: LedgerServer, account: str, sequence: int) -> Explanation:
    return asyncio.run(explain(server, account, sequence, lambda *_: None))


def told_of(session: str, place: int = 0) -> Explanation:
    """Explain one of a session's orders, by its place among them."""
    order = recorded(session).orders[place]
    return told(closed_session(recorded(session)), order["account"], order["sequence"])


def step(explanation: Explanation, effect: str) -> Step:
    return next(one for one in explanation.transactions if one.effect == effect)


def same(explanation: Explanation, line: OrderLine) -> bool:
    fills = [
        (one.hash, one.gave, one.got)
        for one in explanation.transactions
        if one.effect != "none" and (one.gave, one.got) != ("0", "0")
    ]
    assert fills == [(fill.tx_hash, fill.gave, fill.got) for fill in line.fills]
    facts = ("status", "removal_reason", "removed_by", "resolution")
    assert [getattr(explanation, fact) for fact in facts] == [getattr(line, fact) for fact in facts]
    return True


def of_every_end(lines: Iterable[OrderLine]) -> Iterator[OrderLine]:
    """Yield a few orders for each kind of end: to explain one, all of its account's history is read."""
    by_end: dict[object, list[OrderLine]] = {}
    for line in lines:
        end = (line.status, line.removal_reason, line.resolution, bool(line.fills))
        by_end.setdefault(end, []).append(line)
    for alike in by_end.values():
        yield from alike[:: -(-len(alike) // OF_EACH_END)]


@pytest.mark.parametrize("name", SCRIPTED)
def test_every_order_of_a_scripted_session_is_explained_by_its_truth(name: str) -> None:
    session = recorded(name)
    for order, line in zip(session.orders, replay(session), strict=True):
        if order["truth"]["state"] == "never_placed":
            with pytest.raises(NeverPlaced):
                told(closed_session(session), line.account, line.sequence)
            continue
        explanation = told(closed_session(session), line.account, line.sequence)
        assert same(explanation, line)
        if order["truth"]["state"] != "by_metadata":
            assert explanation.removal_reason in ENDS[order["truth"]["state"]][1]
            assert explanation.removed_by == order["truth"]["removed_by"]
        assert explanation.transactions[0].hash == order["placed_tx"]


@pytest.mark.parametrize("name", RANDOM)
def test_the_orders_of_a_random_session_are_explained_as_replay_tells_them(name: str) -> None:
    session = recorded(name)
    node = closed_session(session)
    assert all(same(told(node, line.account, line.sequence), line) for line in of_every_end(replay(session)))


def test_an_unfunded_order_names_what_left_its_owner_nothing_and_the_balance_that_shows_it() -> None:
    explanation = told_of("unfunded_removed")
    since = explanation.unfunded_since
    assert since is not None
    assert (since.type, since.ledger_index) == ("Payment", 234)
    [balance] = [node for node in explanation.evidence_nodes if node.transaction == since.hash]
    assert (balance.entry_type, balance.fields["Balance"]["value"]) == ("RippleState", "0")
    assert balance.previous_fields["Balance"]["value"] == "10000"


def test_the_order_s_own_node_is_the_evidence_of_its_end() -> None:
    explanation = told_of("full_fill")
    [node] = explanation.evidence_nodes
    assert (node.transaction, node.kind, node.entry_type) == (explanation.removed_by, "DeletedNode", "Offer")
    assert node.fields["TakerGets"] == "0"
    assert node.previous_fields["TakerGets"] == "100000000"
    assert explanation.rule == "filled"


def test_who_took_a_resting_order_is_its_counterparty() -> None:
    ended = step(told_of("full_fill"), "ended")
    assert ended.counterparties == (Party(account=ended.by, role="taker"),)


def test_of_a_payment_both_ends_are_counterparties() -> None:
    traded = step(told_of("consumed_by_payment"), "traded")
    assert [party.role for party in traded.counterparties] == ["sender", "destination"]
    assert traded.counterparties[0].account == traded.by


def test_the_offers_that_an_order_took_at_once_are_its_counterparties() -> None:
    explanation = told_of("filled_at_once")
    [party] = step(explanation, "placed").counterparties
    assert party.role == "offer"
    assert party.sequence is not None
    assert party.account in set(recorded("filled_at_once").accounts.values()) - {explanation.account}


def test_on_a_bridge_the_offer_next_to_the_order_is_a_counterparty_too() -> None:
    [first, second] = recorded("autobridged").orders
    parties = step(told_of("autobridged"), "ended").counterparties
    assert [(party.role, party.sequence) for party in parties] == [
        ("taker", None),
        ("offer", second["sequence"]),
    ]
    assert first["account"] == second["account"] == parties[1].account


def test_a_pool_that_gave_an_order_what_it_asked_is_a_counterparty() -> None:
    session = recorded("random_amm_3")
    node = closed_session(session)
    assert any(
        party.role == "amm"
        for order in session.orders
        for one in told(node, order["account"], order["sequence"]).transactions
        for party in one.counterparties
    )


def test_a_cancel_that_came_too_late_is_listed_and_has_no_effect() -> None:
    explanation = told_of("cancel_race_lost")
    late = step(explanation, "none")
    assert (late.type, late.result, late.status) == ("OfferCancel", "tesSUCCESS", None)
    assert explanation.removal_reason is RemovalReason.FILLED


def test_an_expired_order_may_still_be_listed() -> None:
    explanation = told_of("expired_lingering")
    assert (explanation.status, explanation.listed) == (OrderStatus.EXPIRED, True)
    assert explanation.removed_by is None


def test_a_sequence_that_the_account_has_not_reached_is_no_order() -> None:
    with pytest.raises(NeverPlaced, match=r"order 458 .* the account's next sequence is 451"):
        told_of("never_placed")


def test_a_sequence_that_another_transaction_used_is_no_order() -> None:
    order = recorded("canceled").orders[0]
    with pytest.raises(NeverPlaced, match=f"used by OfferCancel {order['truth']['removed_by']} in ledger 52"):
        told(closed_session(recorded("canceled")), order["account"], order["sequence"] + 1)


def test_a_ticket_that_is_not_used_yet_is_no_order() -> None:
    made = MadeUp({}, entries={"ticket": {"TicketSequence": 7}})
    with pytest.raises(NeverPlaced, match="number of a ticket that is not used yet"):
        told(made, OWNER, 7)
    assert "account_tx" not in [method for method, _ in made.asked]


def test_a_sequence_that_no_transaction_since_the_account_s_creation_used_is_no_order() -> None:
    created = {
        "CreatedNode": {
            "LedgerEntryType": "AccountRoot",
            "LedgerIndex": "A",
            "NewFields": {"Account": OWNER, "Balance": "100", "Sequence": 40},
        }
    }
    made = MadeUp({40: tx("Payment", [created])})
    with pytest.raises(NeverPlaced, match="since its creation in ledger 40"):
        told(made, OWNER, 7)


def test_an_account_that_no_ledger_knows_is_said_to_be_none() -> None:
    with pytest.raises(NoSuchAccount, match=f"found none at {NOBODY} in ledgers 50-53"):
        told(closed_session(recorded("canceled")), NOBODY, 1)


def test_an_order_of_an_account_that_was_deleted_is_explained() -> None:
    explanation = told_of("account_deleted")
    assert explanation.removal_reason is RemovalReason.ACCOUNT_DELETED


def test_a_history_that_begins_after_the_order_says_what_can_not_be_proven() -> None:
    account = recorded("canceled").orders[0]["account"]
    with pytest.raises(HistoryMissing, match=r"ledgers 50-53, .*not on the book.*ledgers before 50"):
        told(closed_session(recorded("canceled")), account, 3)


def test_an_end_is_explained_where_the_placement_is_not_in_the_history() -> None:
    order = recorded("partial_then_full").orders[0]
    node = spoiled("partial_then_full", account_tx=without(order["placed_tx"]))
    explanation = told(node, order["account"], order["sequence"])
    assert (explanation.status, explanation.resolution) == (OrderStatus.FILLED, Resolution.UNRESOLVED)
    assert explanation.missing_transactions == (order["placed_tx"],)
    assert "has no ledger before 23" in explanation.unproven[0]
    assert explanation.price is None


def test_a_trade_that_the_node_does_not_show_is_named() -> None:
    order = recorded("partial_then_full").orders[0]
    first = order["truth"]["fills"][0]["tx"]
    explanation = told(
        spoiled("partial_then_full", account_tx=without(first)), order["account"], order["sequence"]
    )
    assert explanation.missing_transactions == (first,)
    assert explanation.resolution is Resolution.UNRESOLVED
    assert any(first in doubt for doubt in explanation.unproven)


def test_a_book_that_contradicts_the_history_is_told() -> None:
    order = recorded("canceled").orders[0]
    node = spoiled("canceled", account_tx=without(order["truth"]["removed_by"]))
    explanation = told(node, order["account"], order["sequence"])
    assert explanation.status is OrderStatus.ACCEPTED
    assert any("at ledger 53 it is not on the book" in doubt for doubt in explanation.unproven)


def resting_then_removed() -> dict[int, dict[str, Any]]:
    """An order that a stranger's transaction removes without a trace of why."""
    placed = offer("CreatedNode", 7, usd("5"), "10000000")
    gone = offer("DeletedNode", 7, usd("5"), "10000000", previous="PLACED")
    return {
        101: tx(
            "OfferCreate", [placed, root(49_999_988, before=50_000_000)], account=OWNER, sequence=7,
            name="PLACED", TakerGets=usd("5"), TakerPays="10000000",
        ),
        105: tx("OfferCreate", [gone], name="SWEPT"),
    }  # fmt: skip


def test_what_the_metadata_leaves_open_is_asked_of_the_ledger_before() -> None:
    frozen = {"Account": ISSUER, "Balance": "1", "OwnerCount": 0, "Flags": GLOBAL_FREEZE}
    line = {"Balance": usd("5"), "LowLimit": {**usd("0"), "issuer": OWNER}, "HighLimit": usd("0"), "Flags": 0}
    made = MadeUp(resting_then_removed(), entries={"account_root": frozen, "ripple_state": line})
    explanation = told(made, OWNER, 7)
    assert (explanation.removal_reason, explanation.rule) == (RemovalReason.UNFUNDED, "globally_frozen")
    assert {state.ledger_index for state in explanation.evidence_state} == {104}
    assert frozen in [state.fields for state in explanation.evidence_state]


def test_what_no_rule_proves_stays_unexplained_and_the_node_s_refusal_is_told() -> None:
    made = MadeUp(
        resting_then_removed(), entries={"account_root": "lgrNotFound", "ripple_state": "lgrNotFound"}
    )
    explanation = told(made, OWNER, 7)
    assert (explanation.removal_reason, explanation.resolution) == (
        RemovalReason.UNEXPLAINED,
        Resolution.UNRESOLVED,
    )
    assert explanation.unproven[0] == "Why the transaction removed it: no rule proves a cause."
    assert any("at ledger 104 (made up: ledger_entry: lgrNotFound" in doubt for doubt in explanation.unproven)


def sold_down_to_the_reserve() -> dict[int, dict[str, Any]]:
    """An XRP order whose owner ends with 20 XRP: all reserve before 2021, spendable today."""
    placed = offer("CreatedNode", 7, "30000000", usd("15"))
    gone = offer(
        "DeletedNode", 7, "10000000", usd("5"), previous="PLACED",
        before={"TakerGets": "30000000", "TakerPays": usd("15")},
    )  # fmt: skip
    return {
        101: tx(
            "OfferCreate", [placed, root(45_000_000, before=45_000_012)],
            account=OWNER, sequence=7, name="PLACED", TakerGets="30000000", TakerPays=usd("15"),
        ),
        105: tx("OfferCreate", [gone, root(25_000_000, before=45_000_000, owners=1)], name="TOOK"),
    }  # fmt: skip


def test_the_reserve_is_that_of_the_ledger_in_which_the_order_ended() -> None:
    then = {"ReserveBase": 20_000_000, "ReserveIncrement": 5_000_000}
    explanation = told(MadeUp(sold_down_to_the_reserve(), entries={"index": then}), OWNER, 7)
    assert explanation.removal_reason is RemovalReason.UNFUNDED
    assert explanation.unproven == ()


def test_where_the_node_does_not_show_the_reserve_of_then_it_is_told() -> None:
    explanation = told(MadeUp(sold_down_to_the_reserve()), OWNER, 7)
    assert explanation.removal_reason is RemovalReason.UNEXPLAINED
    assert any("taken as today's, 1 XRP and 0.2 XRP" in doubt for doubt in explanation.unproven)


@pytest.mark.parametrize("name", ["reserve_unfunded", "unfunded_removed", "underfunded_partial"])
def test_a_vote_in_the_very_ledger_that_touched_an_order_changes_nothing_of_its_end(name: str) -> None:
    order = recorded(name).orders[0]
    before = told(closed_session(recorded(name)), order["account"], order["sequence"])
    voted_in = before.transactions[-1].ledger_index

    def a_thousandth_from_then_on(answer: dict[str, Any]) -> dict[str, Any]:
        node = answer["node"]
        if node["LedgerEntryType"] != "FeeSettings" or answer["ledger_index"] < voted_in:
            return answer
        lowered = {
            field: str(int(node[field]) // 1000) for field in ("ReserveBaseDrops", "ReserveIncrementDrops")
        }
        return {**answer, "node": {**node, **lowered}}

    server = spoiled(name, ledger_entry=a_thousandth_from_then_on)
    after = told(server, order["account"], order["sequence"])
    assert (after.status, after.removal_reason) == (before.status, before.removal_reason)
    asked = [params["ledger_index"] for _, params in server.asked if params.get("index") == FEE_SETTINGS]
    assert max(asked) == voted_in - 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda page: {**page, "ledger_index_max": 52}, "found it up to 52"),
        (
            lambda page: {**page, "marker": {"ledger": 1, "seq": 1}, "transactions": []},
            "expected a new, short marker",
        ),
        (
            lambda page: {
                **page,
                "transactions": [{**row, "validated": False} for row in page["transactions"]],
            },
            "validated False",
        ),
        (lambda page: {**page, "transactions": [{"hash": "X"}]}, "transaction X: expected a validated"),
    ],
)
def test_a_history_that_can_not_be_right_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], found: str
) -> None:
    order = recorded("canceled").orders[0]
    with pytest.raises(ProtocolViolation, match=found):
        told(spoiled("canceled", account_tx=change), order["account"], order["sequence"])


def test_other_ledgers_than_those_asked_for_are_refused() -> None:
    order = recorded("canceled").orders[0]
    node = spoiled("canceled", ledger=lambda answer: {**answer, "ledger_index": 1})
    with pytest.raises(ProtocolViolation, match="ledger: expected validated ledger 51, found ledger 1"):
        told(node, order["account"], order["sequence"])
