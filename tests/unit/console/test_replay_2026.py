"""Sessions of the ledger of 2026 through the pure fold, against the truth and the node's own books."""

from decimal import Decimal
from itertools import chain

import pytest
from truths import FORGIVING, LIVE, SESSIONS_OF_2026

from console.lines import OrderLine
from console.replay import replay, steps
from console.sessions import find_session
from offer_lifecycle import broken_invariants, parse_amount, read_transaction
from order_events import OrderFilled, OrderStatus, RemovalReason, Resolution
from replay_node.session import Session

SCRIPTED = [name for name in SESSIONS_OF_2026 if not name.startswith("random_")]
RANDOM = [name for name in SESSIONS_OF_2026 if name.startswith("random_")]


def replayed(name: str) -> tuple[Session, list[OrderLine]]:
    session = find_session(name).session
    return session, list(replay(session))


def test_all_forty_six_sessions_are_here() -> None:
    assert (len(SCRIPTED), len(RANDOM)) == (45, 1)


@pytest.mark.parametrize("name", SCRIPTED)
def test_every_order_ends_as_its_truth_says(name: str) -> None:
    session, lines = replayed(name)
    for order, line in zip(session.orders, lines, strict=True):
        truth = order["truth"]
        if truth["fills"] is not None:
            told = [{"tx": fill.tx_hash, "gave": fill.gave, "got": fill.got} for fill in line.fills]
            assert told == [{name: fill[name] for name in ("tx", "gave", "got")} for fill in truth["fills"]]
        if truth["state"] == "by_metadata":
            continue
        statuses, reasons = FORGIVING[truth["state"]]
        assert line.status in statuses
        assert line.removal_reason in reasons
        wanted = truth.get("want")
        if wanted is not None and truth["state"] != "never_placed":
            assert str(line.removal_reason) in wanted
        if truth["state"] not in {"never_placed", "rejected"}:
            assert line.removed_by == truth["removed_by"]
        if line.removed_by is not None:
            assert line.resolution is Resolution.RESOLVED


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_session_leaves_the_books_as_the_node_had_them(name: str) -> None:
    session, lines = replayed(name)
    last = session.ledgers[-1]
    listed = {
        (session.accounts[role], offer["seq"])
        for role, account in last.after.items()
        for offer in account["offers"]
        if offer.get("expiration") is None or offer["expiration"] > last.header["close_time"]
    }
    for line in lines:
        assert (line.status in LIVE) is ((line.account, line.sequence) in listed)
        if line.status not in {*LIVE, OrderStatus.REJECTED, OrderStatus.LOST}:
            assert line.removal_reason not in {None, RemovalReason.UNEXPLAINED}
            assert line.resolution is Resolution.RESOLVED


@pytest.mark.parametrize("name", SESSIONS_OF_2026)
def test_after_every_ledger_books_and_balances_are_what_the_node_had(name: str) -> None:
    session = find_session(name).session
    roles = {address: role for role, address in session.accounts.items()}
    for step in steps(session):
        for account, state in step.states.items():
            shown = step.ledger.after.get(roles[account], {})
            if "account_data" not in shown:
                continue  # not funded yet
            book = {
                order.sequence: (order.gets_left, order.pays_left)
                for order in state.orders.values()
                if order.listed
            }
            assert book == {
                offer["seq"]: (
                    parse_amount(offer["taker_gets"]).value,
                    parse_amount(offer["taker_pays"]).value,
                )
                for offer in shown["offers"]
            }
            held = {asset: holding.balance for asset, holding in state.record.holdings.items()}
            node = {"XRP": Decimal(shown["account_data"]["Balance"])}
            node |= {f"{row['currency']}.{row['account']}": Decimal(row["balance"]) for row in shown["lines"]}
            node |= {
                entry["MPTokenIssuanceID"]: Decimal(entry.get("MPTAmount", "0"))
                for entry in shown.get("objects", [])
                if entry["LedgerEntryType"] == "MPToken"
            }
            assert {asset: held.get(asset, Decimal(0)) for asset in node} == node


@pytest.mark.parametrize("name", SESSIONS_OF_2026)
def test_no_fill_has_a_side_of_nothing(name: str) -> None:
    events = chain.from_iterable(step.events for step in steps(find_session(name).session))
    for event in events:
        if isinstance(event, OrderFilled):
            assert event.gave.value > 0
            assert event.got.value > 0


@pytest.mark.parametrize("name", SESSIONS_OF_2026)
def test_xrp_mpts_and_tokens_add_up_over_every_transaction(name: str) -> None:
    ledgers = find_session(name).session.ledgers
    transactions = [
        read_transaction(raw, ledger_index=ledger.ledger_index)
        for ledger in ledgers
        for raw in ledger.transactions
    ]
    assert transactions
    assert [found for tx in transactions for found in broken_invariants(tx)] == []
