"""The example: a book that comes with the command, of a recorded session's engine, with faults in it."""

from pathlib import Path

from console.compare.comparison import Options

EXAMPLE_SESSIONS = ("random_1",)
EXAMPLE_OPTIONS = Options(books=(Path(__file__).parent / "example.csv",), complete=True)
