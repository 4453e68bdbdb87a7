"""The programs of docs/examples: where they are, one as a module, and the books that the engines keep."""

import contextlib
import importlib.util
import sqlite3
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def load_example(name: str) -> ModuleType:
    """Import one of the examples, which are no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_books(books: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query; none while the engine has not made its books yet."""
    if not books.exists():
        return []
    with contextlib.closing(sqlite3.connect(books)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # it has made the file and not the tables yet
