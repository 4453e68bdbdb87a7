"""The answer in words, in a table and in evidence, as a person sees it."""

import asyncio
import io
import json
from typing import Any

import pytest
from asking import MadeUp, spoiled, without
from made_ledger import OWNER, offer, root, tx
from replaying import recorded
from rich.console import Console

from console.explain.inquiry import explain
from console.explain.page import Progress, show
from console.recorded_server import closed_session
from ledger_client import LedgerServer


def shown(server: LedgerServer, account: str, sequence: int, width: int = 200) -> str:
    written = io.StringIO()
    console = Console(file=written, width=width, markup=False, highlight=False)
    show(console, asyncio.run(explain(server, account, sequence, lambda *_: None)))
    return written.getvalue()


def page(session: str, width: int = 200) -> str:
    order = recorded(session).orders[0]
    return shown(closed_session(recorded(session)), order["account"], order["sequence"], width)


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ("full_fill", "The last of it was taken: in ledger"),
        ("filled_at_once", "The last of it was taken by the same transaction."),
        ("canceled", "It was canceled with its owner's key: in ledger"),
        ("replaced", "Its owner replaced it with another order: in ledger"),
        (
            "expired_swept",
            "and could never trade again.\nIts entry was swept off the book after that: in ledger",
        ),
        ("expired_lingering", "its dead entry is still on the book, with 100 XRP left for 50 USD."),
        ("unfunded_removed", "It was removed because its owner had no USD left to give: in ledger"),
        ("unfunded_removed", "Its owner had had none since Payment 4978B470"),
        ("self_crossed", "It was removed because its owner placed an order that would have crossed it: in"),
        ("ioc_partial", "The rest was dropped, as its flags let none of it rest, by the same transaction."),
        ("killed", "It neither rested nor traded: OfferCreate 830BFADF"),
        ("account_deleted", "It was removed with its account, which its owner deleted: in ledger"),
        ("unfunded_lingering", "it is on the book, with 50 USD left for 100 XRP."),
        (
            "partial_then_full",
            "It traded 2 times: it gave 100 XRP and got 50 USD, 0.5 USD per XRP on average.",
        ),
        ("partial_then_canceled", "It traded once: it gave"),
        ("canceled", "None of it traded."),
    ],
)
def test_the_words_say_how_it_ended_and_what_it_traded(session: str, said: str) -> None:
    assert said in page(session)


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ("canceled", "None of it traded in the history that was read."),
        ("partial_then_full", "It traded 2 times in the history that was read: it gave 100 XRP"),
    ],
)
def test_where_history_is_missing_no_trade_is_denied(session: str, said: str) -> None:
    order = recorded(session).orders[0]
    node = spoiled(session, account_tx=without(order["placed_tx"]))
    assert said in shown(node, order["account"], order["sequence"])


def test_the_table_has_a_row_for_each_transaction() -> None:
    taker = recorded("full_fill").accounts["taker"]
    ended = recorded("full_fill").orders[0]["truth"]["removed_by"][:8]
    [line] = [line for line in page("full_fill").splitlines() if f" {ended} " in line]
    cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
    assert cells[3:] == [ended, "OfferCreate", taker, "filled", taker, "100 XRP", "50 USD"]


def test_the_evidence_names_rule_node_and_fields() -> None:
    text = page("full_fill")
    assert "rule filled: PreviousFields show a trade" in text
    assert "DeletedNode Offer " in text
    assert "PreviousFields: TakerGets 100000000, TakerPays 50 USD." in text


def test_what_could_not_be_proven_stands_at_the_end() -> None:
    def unknown(_: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error", "error": "entryNotFound"}

    order = recorded("reserve_unfunded").orders[0]
    node = spoiled("reserve_unfunded", ledger_entry=unknown)
    text = shown(node, order["account"], order["sequence"], width=200)
    assert "What could not be proven\n  - The reserve of that time" in text
    assert "What could not be proven" not in page("reserve_unfunded")
    assert "What could not be proven" not in page("full_fill")


def test_a_delegate_is_named() -> None:
    order = recorded("canceled").orders[0]

    def signed(page: dict[str, Any]) -> dict[str, Any]:
        return json.loads(
            json.dumps(page).replace('"OfferSequence"', '"Delegate": "rSigner", "OfferSequence"')
        )

    text = shown(spoiled("canceled", account_tx=signed), order["account"], order["sequence"], width=400)
    assert f"of {order['account']}, signed by rSigner." in text


def test_foreign_texts_are_shown_as_they_are_and_obeyed_by_no_terminal() -> None:
    odd = {"currency": "[b]\x1b[2J", "issuer": "rIssuer", "value": "5"}
    placed = offer("CreatedNode", 7, odd, "10000000")
    nodes = [placed, root(49_999_988, before=50_000_000)]
    made = MadeUp(
        {101: tx("OfferCreate", nodes, account=OWNER, sequence=7, TakerGets=odd, TakerPays="10000000")}
    )
    text = shown(made, OWNER, 7)
    assert "\x1b" not in text
    assert "5 [b]?[2J" in text


def test_progress_is_told_every_two_seconds_and_not_before() -> None:
    written = io.StringIO()
    times = iter([0.0, 1.9, 2.1, 2.1, 3.0, 4.2, 4.2])
    progress = Progress(Console(file=written, width=100), clock=lambda: next(times))
    for count in range(1, 5):
        progress(200 * count, 1000 - count)
    assert written.getvalue().splitlines() == [
        "400 transactions read, back to ledger 998 ...",
        "800 transactions read, back to ledger 996 ...",
    ]
