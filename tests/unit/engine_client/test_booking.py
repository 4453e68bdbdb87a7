"""Books in which every event counts once, whatever breaks in between."""

import sqlite3

import pytest
from on_the_bus import fill

from engine_client import BookedOnce
from order_events import OrdersEvent


def write_id(books: sqlite3.Connection, event: OrdersEvent) -> None:
    books.execute("INSERT INTO booked VALUES (?)", (str(event.event_id),))


@pytest.fixture
def books() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE booked (event_id TEXT)")
    return connection


def booked(books: sqlite3.Connection) -> int:
    return int(books.execute("SELECT count(*) FROM booked").fetchone()[0])


def test_an_event_that_is_handed_out_twice_is_booked_once(books: sqlite3.Connection) -> None:
    book = BookedOnce(books, write_id)
    for event in (fill(1), fill(2), fill(1)):
        book(event)
    assert booked(books) == 2


def test_an_event_whose_booking_breaks_off_is_not_in_the_books_and_is_booked_whole_the_next_time(
    books: sqlite3.Connection,
) -> None:
    def break_off(books: sqlite3.Connection, event: OrdersEvent) -> None:
        write_id(books, event)
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        BookedOnce(books, break_off)(fill(1))
    assert booked(books) == 0
    BookedOnce(books, write_id)(fill(1))
    assert booked(books) == 1
