"""Write the book of `fillproof compare --example` again."""

from console.compare.example import EXAMPLE_OPTIONS, EXAMPLE_SESSIONS
from engine_books.csv_formats import generic_csv
from engine_books.faults import FaultyBook, faulty_book
from engine_books.truth import recorded


def example_book() -> FaultyBook:
    """Return the example: one account's orders, one fault of each kind."""
    [session] = EXAMPLE_SESSIONS
    return faulty_book(session, seed=7, each=1, accounts=recorded(session).accounts[:1])


if __name__ == "__main__":
    generic_csv(EXAMPLE_OPTIONS.books[0], example_book().orders)
