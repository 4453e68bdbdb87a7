"""Reading the books of trading engines: which file is in which format, and what its columns mean."""

from console.compare.books.book import Book, BookFill, BookOrder, BookStatus, Row
from console.compare.books.reading import read_book

__all__ = ["Book", "BookFill", "BookOrder", "BookStatus", "Row", "read_book"]
