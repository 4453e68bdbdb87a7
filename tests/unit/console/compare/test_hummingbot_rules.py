"""Hummingbot's own rules, restated, run as a book: the report names exactly what they get wrong."""

from pathlib import Path

import pytest
from engine_books.comparing import compared
from engine_books.hummingbot_rules import booked_by_rules
from engine_books.sqlite_formats import hummingbot_sqlite
from engine_books.truth import recorded
from truths import RANDOM, SCRIPTED

from console.compare.findings import Kind
from order_events import OrderStatus


@pytest.mark.parametrize("session", [*SCRIPTED, *RANDOM])
def test_the_report_names_the_fills_that_the_rules_miss_and_the_orders_that_they_call_filled(
    session: str, tmp_path: Path
) -> None:
    orders = booked_by_rules(session)
    ledger = {order.key: order for order in recorded(session).reading.orders}
    for account in recorded(session).accounts:
        mine = [order for order in orders if order.account == account]
        if not mine:
            continue
        paths = hummingbot_sqlite(tmp_path / f"{account}.sqlite", mine)
        findings = compared(session, paths, accounts=(account,)).judged.findings
        missed = {
            (order.sequence, fill.transaction)
            for order in mine
            for fill in ledger[order.account, order.sequence].fills
            if fill.transaction not in {one.transaction for one in order.fills}
        }
        falsely_filled = {
            order.sequence
            for order in mine
            if order.end == "filled"
            and ledger[order.account, order.sequence].status is not OrderStatus.FILLED
        }
        told_filled = {
            one.sequence
            for one in findings
            if Kind.ENDED_OTHERWISE in {one.kind, *one.effects} and "Completed" in (one.book.status or "")
        }
        told_missed = {one.sequence for one in findings if Kind.MISSED_FILL in {one.kind, *one.effects}}
        assert told_filled == falsely_filled
        assert told_missed == {sequence for sequence, _ in missed}
