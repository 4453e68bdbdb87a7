"""What is recognised in a book, what is refused, and that a book is never written to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from engine_books import csv_formats, sqlite_formats
from engine_books.comparing import compared
from engine_books.truth import BookedOrder, recorded, right_book

from console.compare.books import BookStatus, read_book
from console.compare.books.reading import ReadingOptions
from console.compare.books.values import moment, number
from console.compare.comparison import Options, compare
from console.compare.comparison import read as read_options
from console.compare.errors import AmbiguousBook, BadBook, BadMapping
from console.compare.ledger.sessions import RecordedSessions
from console.errors import BadOption
from console.sessions import find_session

SESSION = "random_2"
AUTUMN = datetime(2026, 11, 22, 18, 10, 33, 8272, tzinfo=UTC)
PLACED = """
CREATE TABLE placed (ref TEXT, offer TEXT, way TEXT, drops INTEGER, limit_price TEXT, now TEXT, at TEXT)
"""
MAPPING = """
name = "ours"
kind = "sqlite"
time_zone = "UTC"
pair = "XRP/USD"
[orders]
table = "placed"
[orders.fields]
id = "ref"
side = "way"
quantity = "drops"
price = "limit_price"
status = "now"
time = "at"
[orders.patterns]
offer = '(?P<account>r\\w+)#(?P<sequence>\\d+)'
[orders.scales]
drops = "0.000001"
[statuses]
gone = "canceled"
"""


@pytest.fixture(scope="module")
def orders() -> list[BookedOrder]:
    return right_book(SESSION, seed=1, accounts=recorded(SESSION).accounts[:1])


@pytest.fixture
def generic(tmp_path: Path, orders: list[BookedOrder]) -> Path:
    [path] = csv_formats.generic_csv(tmp_path / "book.csv", orders)
    return path


def read(*paths: Path, **options: object) -> object:
    return read_book(paths, ReadingOptions(**options))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-22T18:10:33.008272+00:00", AUTUMN),
        ("2026-11-22 19:10:33.008272+01:00", AUTUMN),
        (1795371033008272000, AUTUMN),
        ("1795371033008272", AUTUMN),
        (1795371033008, AUTUMN.replace(microsecond=8000)),
        (1795371033, AUTUMN.replace(microsecond=0)),
        (1795371033.5, AUTUMN.replace(microsecond=500000)),
        (848686233, AUTUMN.replace(microsecond=0)),
    ],
)
def test_a_time_is_read_in_any_unit_since_1970_in_the_ledgers_own_and_in_iso_8601(
    written: object, meant: datetime
) -> None:
    assert moment(written, None) == meant


def test_a_local_time_without_a_zone_is_refused_until_one_is_given() -> None:
    with pytest.raises(AmbiguousBook, match="--tz"):
        moment("2026-11-22 18:10:33", None)


def test_a_float_is_read_as_the_decimal_that_an_engine_prints() -> None:
    assert number(0.1) == Decimal("0.1")
    assert number(1_500_000, Decimal("0.000001")) == Decimal("1.5")
    with pytest.raises(ValueError, match="decimal number"):
        number("nan")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"\x00\x01\x02\x00", "another kind of binary file"),
        (b"hello\n", "names its columns"),
        (b"a,a\n1,2\n", "names its columns"),
        (b"name,born\nAda,1815\n", "--mapping"),
        (b"record,account,side,base,quote,quantity\n", "no rows"),
        ("caf\xe9,b\n1,2\n".encode("latin-1"), "UTF-8"),
        (b"SQLite format 3\x00" + b"\x10\x00\x01\x01" + b"\x00" * 80, "SQLite"),
    ],
)
def test_a_file_that_is_no_book_is_refused_by_what_it_is(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "book"
    path.write_bytes(content)
    with pytest.raises(BadBook, match=said):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBook, match="found: No such file"):
        read(tmp_path / "none.csv")


def test_a_csv_that_was_cut_off_names_the_line(generic: Path) -> None:
    text = generic.read_text()
    generic.write_text(text[: len(text) - 40])
    with pytest.raises(BadBook, match=r"line \d+: expected 12 columns, found \d+: was the file cut off"):
        read(generic)


def test_a_number_that_is_none_names_the_row(generic: Path) -> None:
    lines = generic.read_text().splitlines()
    cells = lines[3].split(",")
    cells[7] = "many"
    generic.write_text("\n".join([*lines[:3], ",".join(cells), *lines[4:]]))
    with pytest.raises(BadBook, match="line 4: expected a decimal number, found 'many'"):
        read(generic)


def test_another_programs_database_is_refused_with_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE moz_places (id INTEGER, url TEXT)")
        base.commit()
    with pytest.raises(BadBook, match="moz_places"):
        read(path)


def test_a_table_of_hummingbot_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.execute('CREATE TABLE "Order" (id TEXT, symbol TEXT)')
        base.execute("CREATE TABLE TradeFill (order_id TEXT)")
        base.commit()
    with pytest.raises(BadBook, match="TradeFill"):
        read(path)


@pytest.fixture
def hummingbot(tmp_path: Path, orders: list[BookedOrder]) -> Path:
    [path] = sqlite_formats.hummingbot_sqlite(tmp_path / "book.sqlite", orders)
    return path


@pytest.fixture
def locked(hummingbot: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("console.compare.books.sources._LOCKED_SECONDS", 0.1)
    with closing(sqlite3.connect(hummingbot, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        yield hummingbot


def test_a_locked_database_is_refused_and_said_to_be_locked(locked: Path) -> None:
    with pytest.raises(BadBook, match="locked by another program"):
        read(locked)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_database_that_an_engine_is_writing_to_is_read_and_not_changed(hummingbot: Path, mode: str) -> None:
    with closing(sqlite3.connect(hummingbot, isolation_level=None)) as engine:
        engine.execute(f"PRAGMA journal_mode = {mode}")
        engine.execute("BEGIN")
        engine.execute('DELETE FROM "Order"')
        before = sha256(hummingbot.read_bytes()).hexdigest()
        book = read_book([hummingbot], ReadingOptions())
        assert book.orders  # what is not committed is not seen
        assert sha256(hummingbot.read_bytes()).hexdigest() == before
        engine.execute("ROLLBACK")


def test_reading_leaves_no_file_beside_a_book(hummingbot: Path) -> None:
    with closing(sqlite3.connect(hummingbot, isolation_level=None)) as engine:
        engine.execute("PRAGMA journal_mode = WAL")
    before = sorted(path.name for path in hummingbot.parent.iterdir())
    hummingbot.chmod(0o444)
    read(hummingbot)
    assert sorted(path.name for path in hummingbot.parent.iterdir()) == before


def test_what_was_recognised_is_described(hummingbot: Path) -> None:
    description = read_book([hummingbot], ReadingOptions()).description
    taken = {(column.table, column.column): column.taken_for for column in description.columns}
    assert description.format == "Hummingbot, SQLite"
    assert taken["Order", "exchange_order_id"] == "sequence, tx_hash"
    assert taken["TradeFill", "exchange_trade_id"] in {"trade_id", "tx_hash, sequence"}
    assert description.statuses["OrderCancelled"] == BookStatus.CANCELED
    assert any("account" in what for what in description.cannot_tell)
    assert "exchange_order_id = " in description.mapping.replace('"', "")


def test_a_mapping_file_says_what_no_name_tells(tmp_path: Path) -> None:
    path, mapping = tmp_path / "ours.db", tmp_path / "ours.toml"
    mapping.write_text(MAPPING)
    with closing(sqlite3.connect(path)) as base:
        base.execute(PLACED)
        base.execute(
            "INSERT INTO placed VALUES ('a', 'rHb9#7', 'BUY', 2500000, '0.5', 'gone', '2026-11-22 18:00:00')"
        )
        base.commit()
    [order] = read_book([path], ReadingOptions(mapping=mapping)).orders
    assert (order.account, order.sequence, order.quantity) == ("rHb9", 7, Decimal("2.5"))
    assert order.status is BookStatus.CANCELED
    assert str(order.pair) == "XRP/USD"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (MAPPING.replace('side = "way"', 'direction = "way"'), "direction"),
        (MAPPING.replace("(?P<account>", "(?P<account"), "regular expression"),
        (MAPPING.replace('"canceled"', '"vanished"'), "each word to mean one of"),
        (MAPPING.replace("[orders]", "[order]"), "mapping"),
        ("= nothing", "mapping"),
    ],
)
def test_a_mapping_file_that_is_wrong_says_where(wrong: str, said: str, tmp_path: Path) -> None:
    path, mapping = tmp_path / "ours.db", tmp_path / "wrong.toml"
    mapping.write_text(wrong)
    with closing(sqlite3.connect(path)) as base:
        base.execute(PLACED)
        base.commit()
    with pytest.raises(BadMapping, match=said):
        read(path, mapping=mapping)


def test_two_files_of_the_same_kind_are_refused(generic: Path) -> None:
    with pytest.raises(BadBook, match="the same in both"):
        read(generic, generic)


def test_a_book_that_names_no_account_asks_for_one(hummingbot: Path) -> None:
    with pytest.raises(BadOption, match="--account"):
        compared(SESSION, [hummingbot])


def test_a_book_of_an_account_that_the_ledgers_do_not_know_is_refused(hummingbot: Path) -> None:
    with pytest.raises(BadOption, match="is the account right"):
        compared(SESSION, [hummingbot], accounts=("rrrrrrrrrrrrrrrrrrrrBZbvji",))


def test_quantities_that_are_all_in_drops_are_asked_about_once(
    tmp_path: Path, orders: list[BookedOrder]
) -> None:
    for order in orders:
        order.quantity *= 1_000_000
    try:
        [path] = csv_formats.generic_csv(tmp_path / "drops.csv", orders)
    finally:
        for order in orders:
            order.quantity /= 1_000_000
    with pytest.raises(AmbiguousBook, match=r"units\? Of \d+ orders \d+ have a quantity"):
        compared(SESSION, [path])


def test_times_in_a_zone_that_was_given_wrongly_are_asked_about(
    tmp_path: Path, orders: list[BookedOrder]
) -> None:
    zone = timezone(timedelta(hours=2))
    [path] = csv_formats.hummingbot_trades(tmp_path / "trades.csv", orders, zone=zone)
    accounts = recorded(SESSION).accounts[:1]
    with pytest.raises(AmbiguousBook, match="time zone"):
        compared(SESSION, [path], accounts=accounts, zone="UTC")
    assert not compared(SESSION, [path], accounts=accounts, zone="+02:00", complete=False).judged.findings


def test_a_code_of_two_issuers_is_asked_about(tmp_path: Path) -> None:
    names = ("random_1", "random_2")
    orders = [order for name in names for order in right_book(name, seed=1)]
    paths = csv_formats.nautilus_reports(tmp_path, orders)
    record = RecordedSessions([find_session(name) for name in names])
    chosen = Options(books=tuple(paths))
    with pytest.raises(AmbiguousBook, match="--issuer"):
        compare(read_options(chosen), chosen, record, lambda *_: None)
