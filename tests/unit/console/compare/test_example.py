"""The book that comes with the command."""

from pathlib import Path

from engine_books.comparing import compared, found_in, put_into
from engine_books.csv_formats import generic_csv
from engine_books.example import example_book

from console.compare.example import EXAMPLE_OPTIONS, EXAMPLE_SESSIONS

[SESSION] = EXAMPLE_SESSIONS
[BOOK] = EXAMPLE_OPTIONS.books


def test_the_example_is_the_made_book_of_its_session(tmp_path: Path) -> None:
    """Where this fails because the makers have changed: `PYTHONPATH=tests python -m engine_books.example`."""
    [path] = generic_csv(tmp_path / "book.csv", example_book().orders)
    assert BOOK.read_text() == path.read_text()


def test_what_is_found_in_the_example_is_what_was_put_in() -> None:
    assert found_in(compared(SESSION, [BOOK])) == put_into(example_book())
