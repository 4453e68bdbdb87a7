"""The example: a book that comes with the command, of the engine of a recorded session, with a few faults in it."""

from pathlib import Path

from console.compare.comparison import Options

EXAMPLE_SESSIONS = ("random_1",)
EXAMPLE_OPTIONS = Options(books=(Path(__file__).parent / "example.csv",), complete=True)
