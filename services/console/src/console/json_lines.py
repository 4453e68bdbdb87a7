"""Output for scripts: one JSON object a line, and nothing else on standard output."""

import sys
from collections.abc import Iterable

import msgspec


def print_json(lines: Iterable[msgspec.Struct]) -> None:
    """Write each line as a JSON object."""
    for line in lines:
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
