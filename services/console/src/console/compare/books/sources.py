"""The files of a book: SQLite databases and CSV files, opened to be read alone."""

import csv
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol, TextIO

import msgspec

from console.compare.books.layout import TableLayout
from console.compare.errors import BadBook

_SQLITE_MAGIC = b"SQLite format 3\0"
_WAL = 2
"""In byte 18 of an SQLite file: it is written by way of a log beside it."""
_LOCKED_SECONDS = 5.0
_SHOWN = 8


Values = tuple[int, Sequence[object]]
"""A row's number, and what its columns hold."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one kind."""

    name: str
    columns: tuple[str, ...]
    rows: Iterator[Values]
    """To be read once, in order, while the source is open."""


class Source(Protocol):
    """One file of a book."""

    path: Path
    kind: str
    """`sqlite` or `csv`."""

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Its tables and their columns; a CSV has one, of its header."""

    def opened(self, wanted: Sequence[TableLayout]) -> AbstractContextManager[list[Table]]:
        """Open the rows of each layout, all as of one moment.

        Raises:
            BadBook: naming the row or the column that can't be read.

        """


def open_source(path: Path) -> Source:
    """Open a file of a book to be read.

    Raises:
        BadBook: there is none, it is empty, or it is neither SQLite nor CSV.

    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise BadBook(
            f"{path}: expected a book (an SQLite database or a CSV file), found: {error.strerror}"
        ) from error
    if not start:
        raise BadBook(f"{path}: expected a book, found an empty file")
    if start.startswith(_SQLITE_MAGIC):
        return SqliteSource(path, uses_log=start[18] == _WAL)
    if b"\0" in start:
        raise BadBook(f"{path}: expected an SQLite database or a CSV file, found another kind of binary file")
    return CsvSource(path)


def digest_of(paths: Sequence[Path]) -> str:
    """Return the SHA-256 over the files as they are now."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


class SqliteSource:
    """An SQLite database, possibly one that an engine is writing to."""

    kind = "sqlite"

    def __init__(self, path: Path, *, uses_log: bool) -> None:
        """Read the names of its tables and columns. `uses_log`: it is written by way of a write-ahead log."""
        self.path = path
        # Where a log is used and none is there, nobody has the database open, and a reader would make one
        idle = uses_log and not path.with_name(path.name + "-wal").exists()
        self._uri = f"{path.resolve().as_uri()}?mode=ro" + ("&immutable=1" if idle else "")
        self._tables = self._read_tables()

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Its tables and their columns."""
        return self._tables

    @contextmanager
    def opened(self, wanted: Sequence[TableLayout]) -> Iterator[list[Table]]:
        """Open the rows of each layout in one transaction, so that orders and fills fit each other."""
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                yield [self._table(connection, layout) for layout in wanted]
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._uri, uri=True, timeout=_LOCKED_SECONDS, isolation_level=None)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def _read_tables(self) -> dict[str, tuple[str, ...]]:
        names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        columns = "SELECT name FROM pragma_table_info(?)"
        try:
            with closing(self._connect()) as connection:
                tables = [name for (name,) in connection.execute(names).fetchall()]
                return {
                    name: tuple(column for (column,) in connection.execute(columns, (name,)))
                    for name in tables
                }
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _table(self, connection: sqlite3.Connection, layout: TableLayout) -> Table:
        name = layout.table or "query"
        query = layout.query or f"SELECT * FROM {_quoted(name)}"  # noqa: S608 - the name is quoted
        cursor = connection.execute(query)
        columns = tuple(column[0] for column in cursor.description)
        where = [(columns.index(key), word) for key, word in layout.where.items() if key in columns]
        rows = (
            (number, values)
            for number, values in enumerate(cursor, 1)
            if all(str(values[at]) == word for at, word in where)
        )
        return Table(name=f"{name} row", columns=columns, rows=rows)

    def _unreadable(self, error: sqlite3.Error) -> BadBook:
        text = str(error)
        if "locked" in text or "busy" in text:
            return BadBook(
                f"{self.path}: expected a database that can be read, found it locked by another program for "
                f"{_LOCKED_SECONDS:g} s: try again, or compare a copy"
            )
        return BadBook(f"{self.path}: expected an SQLite database that can be read, found: {text}")


class CsvSource:
    """A CSV file with one header."""

    kind = "csv"

    def __init__(self, path: Path) -> None:
        """Read the header."""
        self.path = path
        with self._file() as file:
            first = file.readline()
        self._delimiter = max(",;\t", key=first.count)
        self._columns = tuple(
            name.strip() for name in next(csv.reader([first], delimiter=self._delimiter), [])
        )
        if len(self._columns) < 2 or len(set(self._columns)) < len(self._columns):  # noqa: PLR2004 - a table
            raise BadBook(
                f"{path}: expected a CSV file whose first line names its columns, found {first[:80]!r}"
            )

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the header."""
        return {self.path.name: self._columns}

    @contextmanager
    def opened(self, wanted: Sequence[TableLayout]) -> Iterator[list[Table]]:
        """Open the rows of each layout."""
        yield [Table(name="line", columns=self._columns, rows=self._rows(layout)) for layout in wanted]

    def _rows(self, layout: TableLayout) -> Iterator[Values]:
        where = [(self._columns.index(name), word) for name, word in layout.where.items()]
        with self._file() as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            next(reader)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(self._columns):
                    raise BadBook(
                        f"{self.path}: line {reader.line_num}: expected {len(self._columns)} columns, found "
                        f"{len(cells)}: was the file cut off?"
                    )
                if all(cells[at].strip().lower() == word for at, word in where):
                    yield reader.line_num, cells

    @contextmanager
    def _file(self) -> Iterator[TextIO]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield file
        except UnicodeDecodeError as error:
            raise BadBook(f"{self.path}: expected a CSV file in UTF-8, found: {error}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def shown_tables(source: Source) -> str:
    """Say which tables a file has, for a message."""
    shown = [f"{name} ({', '.join(columns[:_SHOWN])})" for name, columns in source.tables.items()]
    return "; ".join(shown[:_SHOWN]) or "none"
