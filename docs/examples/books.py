"""The engine's books: one SQLite file, in which an event and what it changes are written together."""

import sqlite3
from decimal import Decimal
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS fill (
    sequence INTEGER, gave_asset TEXT, gave TEXT, got_asset TEXT, got TEXT, quantity TEXT,
    transaction_hash TEXT
);
CREATE TABLE IF NOT EXISTS ending (
    sequence INTEGER PRIMARY KEY, status TEXT, removal_reason TEXT, resolution TEXT, filled_qty TEXT
);
CREATE TABLE IF NOT EXISTS correction (corrects TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS halt (event_id TEXT PRIMARY KEY, reason TEXT);
CREATE TABLE IF NOT EXISTS resumption (answers TEXT PRIMARY KEY);
"""
ENDED = """
INSERT INTO ending VALUES (?, ?, ?, ?, ?) ON CONFLICT (sequence) DO UPDATE
SET status = excluded.status, removal_reason = excluded.removal_reason, resolution = excluded.resolution,
    filled_qty = excluded.filled_qty
WHERE ending.resolution IS NOT 'resolved'
"""
"""A better verdict replaces one that was open; never the other way round, in whatever order they come."""
ENDS = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "REMOVED", "LOST"}


def opened(path: str) -> sqlite3.Connection:
    """Open the books, made if they are not there."""
    books = sqlite3.connect(path)
    books.executescript(TABLES)
    return books


def book(books: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Write down an event that is new; one that was seen before changes nothing.

    The id and its consequences are one transaction: a crash leaves both or neither.
    """
    with books:
        added = books.execute("INSERT OR IGNORE INTO seen VALUES (?)", (event["event_id"],))
        if added.rowcount:
            apply(books, event)


def apply(books: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Do what an event means to an engine."""
    kind = event["event_type"]
    if kind == "order.filled" and event["provenance"] != "presumed":  # a guess is no fill
        book_fill(books, event)
    if kind == "order.corrected":
        books.execute("INSERT OR IGNORE INTO correction VALUES (?)", (event["corrects"],))
        books.execute("DELETE FROM ending WHERE sequence = ?", (event["sequence"],))
    if kind == "reconciler.halted":
        books.execute("INSERT INTO halt VALUES (?, ?)", (event["event_id"], event["reason"]))
    elif kind == "reconciler.resumed":
        books.execute("INSERT OR IGNORE INTO resumption VALUES (?)", (event["answers"],))
    elif event.get("status") in ENDS and not is_corrected(books, event["event_id"]):
        names = ("sequence", "status", "removal_reason", "resolution", "filled_qty")
        books.execute(ENDED, tuple(event[name] for name in names))


def book_fill(books: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Book a trade: `gave` and `got` in drops of XRP or decimal tokens, `last_qty` in XRP."""
    gave, got = event["gave"], event["got"]
    amounts = (gave["asset"], gave["value"], got["asset"], got["value"], event["last_qty"])
    row = (event["sequence"], *amounts, event["transaction_hash"])
    books.execute("INSERT INTO fill VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def is_corrected(books: sqlite3.Connection, event_id: str) -> bool:
    """Return whether a correction of this event has come before it."""
    return bool(
        books.execute("SELECT count(*) FROM correction WHERE corrects = ?", (event_id,)).fetchone()[0]
    )


def given(books: sqlite3.Connection, sequence: int) -> Decimal:
    """Return what an order has given so far: drops of XRP, else decimal tokens."""
    rows = books.execute("SELECT gave FROM fill WHERE sequence = ?", (sequence,))
    return sum((Decimal(value) for (value,) in rows), Decimal(0))


def may_free(books: sqlite3.Connection, sequence: int) -> bool:
    """Return whether what an order reserved is free: it has ended for certain, and all its fills are booked.

    The end may come before the last fill. Freed between the two, the money would be counted twice.
    """
    end = books.execute(
        "SELECT filled_qty FROM ending WHERE sequence = ? AND status <> 'LOST'", (sequence,)
    ).fetchone()
    rows = books.execute("SELECT quantity FROM fill WHERE sequence = ?", (sequence,))
    booked = sum((Decimal(value) for (value,) in rows), Decimal(0))
    return end is not None and booked >= Decimal(end[0])


def may_quote(books: sqlite3.Connection) -> bool:
    """Return whether new orders are allowed: not while a halt is not answered by an operator."""
    open_halts = "SELECT count(*) FROM halt WHERE event_id NOT IN (SELECT answers FROM resumption)"
    return books.execute(open_halts).fetchone() == (0,)
