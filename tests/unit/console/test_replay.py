"""Recorded sessions through the pure fold, held against what was written down when they were made."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from globally_frozen import globally_frozen
from truths import ENDS, LIVE, RANDOM, SCRIPTED

from console.lines import MissingOrder, OrderLine, order_lines
from console.replay import replay, steps
from console.sessions import find_session
from offer_lifecycle import parse_amount
from order_events import OrderStatus, RemovalReason, Resolution
from replay_node.session import BadSession, Session

ANOMALIES = {"unfunded", "self_crossed", "never_placed", "account_deleted"}


def replayed(name: str) -> tuple[Session, list[OrderLine]]:
    session = find_session(name).session
    return session, list(replay(session))


def test_all_forty_four_scripted_sessions_are_here() -> None:
    assert len(SCRIPTED) == 44


@pytest.mark.parametrize("name", SCRIPTED)
def test_every_order_of_a_scripted_session_ends_as_its_truth_says(name: str) -> None:
    session, lines = replayed(name)
    for order, line in zip(session.orders, lines, strict=True):
        truth = order["truth"]
        if truth["state"] == "by_metadata":
            continue
        statuses, reasons = ENDS[truth["state"]]
        assert line.status in statuses
        assert line.removal_reason in reasons
        assert line.removed_by == truth["removed_by"]
        if truth["fills"] is not None:
            told = [{"tx": fill.tx_hash, "gave": fill.gave, "got": fill.got} for fill in line.fills]
            assert told == truth["fills"]


@pytest.mark.parametrize("name", SCRIPTED)
def test_an_order_is_an_anomaly_where_the_engine_neither_asked_for_its_end_nor_planned_it(name: str) -> None:
    session, lines = replayed(name)
    for order, line in zip(session.orders, lines, strict=True):
        state = order["truth"]["state"]
        foreign = state == "canceled" and order["cancel_tx"] is None and order["flags"] == 0
        assert line.anomaly == (state in ANOMALIES or foreign)


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_session_leaves_the_books_as_the_node_had_them(name: str) -> None:
    session, lines = replayed(name)
    last = session.ledgers[-1]
    listed = {
        (session.accounts[role], offer["seq"]): offer.get("expiration")
        for role, account in last.after.items()
        for offer in account["offers"]
    }
    for line in lines:
        if (line.account, line.sequence) not in listed:
            assert line.status not in LIVE
            continue
        expiration = listed[line.account, line.sequence]
        dead = expiration is not None and expiration <= last.header["close_time"]
        assert (line.status in LIVE) is not dead
        assert line.removed_by is None


@pytest.mark.parametrize("name", RANDOM)
def test_no_order_of_a_random_session_ends_without_a_reason(name: str) -> None:
    _, lines = replayed(name)
    ended = [line for line in lines if line.status not in {*LIVE, OrderStatus.REJECTED}]
    assert ended
    assert all(line.removal_reason not in {None, RemovalReason.UNEXPLAINED} for line in ended)
    assert all(line.resolution is Resolution.RESOLVED for line in ended)


@pytest.mark.parametrize("name", [*SCRIPTED, *RANDOM])
def test_after_every_ledger_books_and_balances_are_what_the_node_had(name: str) -> None:
    session = find_session(name).session
    roles = {address: role for role, address in session.accounts.items()}
    compared = 0
    for step in steps(session):
        for account, state in step.states.items():
            shown = step.ledger.after.get(roles[account], {})
            if "account_data" not in shown:
                continue  # not funded yet, or deleted
            compared += 1
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
            holdings = {asset: holding.balance for asset, holding in state.record.holdings.items()}
            assert holdings.pop("XRP") == Decimal(shown["account_data"]["Balance"])
            lines = {f"{row['currency']}.{row['account']}": Decimal(row["balance"]) for row in shown["lines"]}
            assert {asset: holdings.get(asset) for asset in lines} == lines
    assert compared >= len(session.ledgers) - 3


def test_what_metadata_leaves_open_is_looked_up_in_the_recording() -> None:
    [line] = replay(msgspec.convert(globally_frozen(), Session))
    assert (line.removal_reason, line.resolution) == (RemovalReason.UNFUNDED, Resolution.RESOLVED)


def test_what_the_recording_does_not_hold_stays_unexplained() -> None:
    session = globally_frozen()
    removed = next(
        place
        for place, ledger in enumerate(session["ledgers"])
        for tx in ledger["transactions"]
        if tx["hash"] == session["orders"][0]["truth"]["removed_by"]
    )
    del session["ledgers"][removed - 1]
    [line] = replay(msgspec.convert(session, Session))
    assert (line.removal_reason, line.resolution) == (RemovalReason.UNEXPLAINED, Resolution.UNRESOLVED)


def test_a_subscriber_that_came_late_changes_no_line() -> None:
    session, lines = replayed("reserve_unfunded")
    late = [msgspec.structs.replace(ledger, stream=()) for ledger in session.ledgers]
    assert list(replay(msgspec.structs.replace(session, ledgers=tuple(late)))) == lines


def test_a_random_market_has_every_common_end() -> None:
    reasons = {line.removal_reason for line in replayed("random_crowd_5")[1]}
    assert reasons >= {
        RemovalReason.FILLED,
        RemovalReason.CANCELED,
        RemovalReason.REPLACED,
        RemovalReason.EXPIRED,
        RemovalReason.UNFUNDED,
        RemovalReason.SELF_CROSSED,
    }


def test_an_order_that_no_event_tells_of_is_an_error_that_names_it() -> None:
    with pytest.raises(MissingOrder, match="order 7 of rA"):
        list(order_lines("s", [{"account": "rA", "sequence": 7}], []))


def test_a_name_that_is_no_recording_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadSession, match=r"found 'nonsense'.*full_fill"):
        find_session("nonsense")


def test_a_file_that_is_no_session_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"name": "x"}')
    with pytest.raises(BadSession, match=r"x\.json: expected a recorded session"):
        find_session(str(file))
