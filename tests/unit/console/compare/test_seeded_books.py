"""Books of every format over all recorded sessions, with seeded faults: what is found is what was put in."""

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from engine_books import csv_formats, sqlite_formats
from engine_books.comparing import compared, found_in, put_into
from engine_books.faults import FAULTS, faulty_book, inferred
from engine_books.truth import BookedOrder, recorded, right_book
from truths import RANDOM, SCRIPTED, SESSIONS_OF_2026

Write = Callable[[Path, Sequence[BookedOrder]], list[Path]]

MANY_ACCOUNTS: dict[str, Write] = {
    "generic": lambda folder, orders: csv_formats.generic_csv(folder / "book.csv", orders),
    "generic with quote quantities": lambda folder, orders: csv_formats.generic_csv(
        folder / "book.csv", orders, quote_quantity=True
    ),
    "generic without hashes": lambda folder, orders: csv_formats.generic_csv(
        folder / "book.csv", orders, hashes=False
    ),
    "nautilus, address and sequence": csv_formats.nautilus_reports,
    "nautilus, sequence": lambda folder, orders: csv_formats.nautilus_reports(
        folder, orders, form="sequence"
    ),
    "nautilus, hash": lambda folder, orders: csv_formats.nautilus_reports(folder, orders, form="hash"),
}
ONE_ACCOUNT: dict[str, Write] = {
    "hummingbot": lambda folder, orders: sqlite_formats.hummingbot_sqlite(folder / "book.sqlite", orders),
    "hummingbot, floats": lambda folder, orders: sqlite_formats.hummingbot_sqlite(
        folder / "book.sqlite", orders, floats=True
    ),
}
LARGE = sorted(RANDOM)


@pytest.mark.parametrize("form", MANY_ACCOUNTS)
@pytest.mark.parametrize("session", LARGE)
def test_what_is_found_in_a_large_book_is_what_was_put_in(session: str, form: str, tmp_path: Path) -> None:
    book = faulty_book(session, seed=1, each=3)
    comparison = compared(session, MANY_ACCOUNTS[form](tmp_path, book.orders))
    assert len(book.injected) > 40
    assert found_in(comparison) == put_into(book, sequences=form != "nautilus, hash")
    assert not comparison.judged.not_checked


@pytest.mark.parametrize("form", ONE_ACCOUNT)
@pytest.mark.parametrize("session", LARGE)
def test_what_is_found_in_a_book_of_one_account_is_what_was_put_in(
    session: str, form: str, tmp_path: Path
) -> None:
    account = recorded(session).accounts[0]
    book = faulty_book(session, seed=2, each=2, accounts=(account,))
    comparison = compared(session, ONE_ACCOUNT[form](tmp_path, book.orders), accounts=(account,))
    assert found_in(comparison) == put_into(book)


@pytest.mark.parametrize("session", LARGE)
def test_a_book_of_one_pair_that_names_neither_account_nor_pair_is_read_with_both(
    session: str, tmp_path: Path
) -> None:
    account = recorded(session).accounts[0]
    book = faulty_book(session, seed=3, each=1, accounts=(account,), pair=("XRP", "USD"))
    list(inferred(book, share=0.15, seed=3))
    paths = sqlite_formats.inhouse_sqlite(tmp_path / "book.db", book.orders)
    comparison = compared(session, paths, accounts=(account,), pairs=("XRP/USD",))
    assert found_in(comparison) == put_into(book)


@pytest.mark.parametrize("session", [*SCRIPTED, *SESSIONS_OF_2026])
def test_what_is_found_in_a_small_book_is_what_was_put_in(session: str, tmp_path: Path) -> None:
    for number, form in enumerate(("generic", "generic without hashes")):
        book = faulty_book(session, seed=number, each=1)
        if book.orders:
            comparison = compared(session, MANY_ACCOUNTS[form](tmp_path, book.orders))
            assert found_in(comparison) == put_into(book)


@pytest.mark.parametrize("session", [*SCRIPTED, *LARGE])
def test_a_right_book_agrees_in_every_format(session: str, tmp_path: Path) -> None:
    account = recorded(session).accounts[0]
    orders = right_book(session, seed=4)
    for form, write in MANY_ACCOUNTS.items():
        if orders and form in {"generic", "generic without hashes", "nautilus, sequence"}:
            comparison = compared(session, write(tmp_path, orders))
            assert not comparison.judged.findings
            assert not comparison.judged.not_checked
    mine = [order for order in orders if order.account == account and order.end != "rejected"]
    if mine:
        paths = sqlite_formats.hummingbot_sqlite(tmp_path / "right.sqlite", mine)
        assert not compared(session, paths, accounts=(account,)).judged.findings


def test_the_large_books_have_faults_of_every_kind_and_more_than_a_thousand() -> None:
    books = [faulty_book(session, seed=1, each=3) for session in LARGE]
    injected = [one for book in books for one in book.injected]
    assert len(injected) * len(MANY_ACCOUNTS) > 1000
    assert {one.fault.partition(" ")[0] for one in injected} == set(FAULTS)


@pytest.mark.parametrize("session", LARGE[:2])
def test_a_book_without_a_row_a_fill_is_judged_by_its_sums(session: str, tmp_path: Path) -> None:
    unseen = {
        "fill_on_wrong_order", "fill_booked_late", "fill_booked_early", "double_booking", "amount_truncated",
        "wrong_account", "missed_partial_fill", "amount_off",
    }  # fmt: skip
    book = faulty_book(session, seed=5, each=2, without=unseen)
    comparison = compared(session, sqlite_formats.freqtrade_sqlite(tmp_path / "trades.sqlite", book.orders))
    found = found_in(comparison)
    wanted = put_into(book)
    assert {order for _, order in found} == {order for _, order in wanted}
    assert found.total() == wanted.total()


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_a_book_of_fills_alone_shows_the_fills_that_are_wrong(zone: timezone, tmp_path: Path) -> None:
    session = "random_2"
    account = recorded(session).accounts[0]
    seen = {"missed_partial_fill", "amount_off", "fill_booked_late"}
    book = faulty_book(session, seed=6, each=3, accounts=(account,), without=set(FAULTS) - seen)
    paths = csv_formats.hummingbot_trades(tmp_path / "trades.csv", book.orders, zone=zone)
    text = "UTC" if zone is UTC else "+05:30"
    comparison = compared(session, paths, accounts=(account,), zone=text)
    assert {order for _, order in found_in(comparison)} == {order for _, order in put_into(book)}
