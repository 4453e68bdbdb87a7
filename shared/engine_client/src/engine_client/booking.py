"""SQLite books in which an event's id and what it changes are one transaction."""

import sqlite3
from collections.abc import Callable

from order_events import OrdersEvent

Apply = Callable[[sqlite3.Connection, OrdersEvent], None]
"""Writes into the books what an event means. It must not commit."""
_TABLE = "CREATE TABLE IF NOT EXISTS fillproof_event (event_id TEXT PRIMARY KEY) WITHOUT ROWID"
_NEW = "INSERT OR IGNORE INTO fillproof_event VALUES (?)"


class BookedOnce:
    """Calls `apply` for events that the books have not seen; a crash leaves an event whole or not at all.

    The table `fillproof_event` is made in the books. With another database do the same: insert the id with
    `ON CONFLICT DO NOTHING`, apply only where a row was inserted, commit both together.
    """

    def __init__(self, books: sqlite3.Connection, apply: Apply) -> None:
        """`books`: a connection whose transactions Python opens (`autocommit` as it is by default)."""
        self._books = books
        self._apply = apply
        with books:
            books.execute(_TABLE)

    def __call__(self, event: OrdersEvent) -> None:
        """Book an event; a second time nothing happens."""
        with self._books:
            if self._books.execute(_NEW, (str(event.event_id),)).rowcount:
                self._apply(self._books, event)
