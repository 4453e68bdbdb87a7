"""The engine's books: one SQLite file, in which an event and what it changes are written together."""

import sqlite3
from decimal import Decimal
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS fill (
    sequence INTEGER, gave_asset TEXT, gave TEXT, got_asset TEXT, got TEXT, transaction_hash TEXT
);
CREATE TABLE IF NOT EXISTS ending (
    sequence INTEGER PRIMARY KEY, status TEXT, removal_reason TEXT, resolution TEXT
);
CREATE TABLE IF NOT EXISTS halt (event_id TEXT PRIMARY KEY, reason TEXT);
"""
ENDED = """
INSERT INTO ending VALUES (?, ?, ?, ?) ON CONFLICT (sequence) DO UPDATE
SET status = excluded.status, removal_reason = excluded.removal_reason, resolution = excluded.resolution
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
        gave, got = event["gave"], event["got"]
        books.execute(
            "INSERT INTO fill VALUES (?, ?, ?, ?, ?, ?)",
            (
                event["sequence"],
                gave["asset"],
                gave["value"],
                got["asset"],
                got["value"],
                event["transaction_hash"],
            ),
        )
    if kind == "reconciler.halted":
        books.execute("INSERT INTO halt VALUES (?, ?)", (event["event_id"], event["reason"]))
    elif kind == "reconciler.resumed":
        books.execute("DELETE FROM halt")
    elif event.get("status") in ENDS:
        books.execute(
            ENDED, (event["sequence"], event["status"], event["removal_reason"], event["resolution"])
        )


def given(books: sqlite3.Connection, sequence: int) -> Decimal:
    """Return what an order has given so far: drops of XRP, else decimal tokens."""
    rows = books.execute("SELECT gave FROM fill WHERE sequence = ?", (sequence,))
    return sum((Decimal(value) for (value,) in rows), Decimal(0))


def may_quote(books: sqlite3.Connection) -> bool:
    """Return whether new orders are allowed: not while Fillproof is halted and nobody has looked."""
    return books.execute("SELECT count(*) FROM halt").fetchone() == (0,)
