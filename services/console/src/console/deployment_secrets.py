"""Options that a deployment keeps as secrets, in files: they stand in no environment and no command line."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

_DIRECTORY = Path("/run/secrets")
"""Where Docker mounts them."""
_FILES: dict[str, tuple[str, ...]] = {
    "nats": ("fillproof_nats_url",),
    "database": ("fillproof_owner_database_url",),
}
"""By the option's name, the files that may hold its value; the first that is there counts."""
_FILES_OF_ACK: dict[str, tuple[str, ...]] = {
    "database": ("fillproof_operator_database_url", "fillproof_owner_database_url")
}

Defaults = dict[str, dict[str, Callable[[], str]]]


def secret_defaults(commands: Iterable[str], directory: Path = _DIRECTORY) -> Defaults:
    """Return defaults by command and option, as functions: `--help` shows the value of none."""
    if not directory.is_dir():
        return {}
    return {
        command: _defaults(_FILES | (_FILES_OF_ACK if command == "ack" else {}), directory)
        for command in commands
    }


def _defaults(files: dict[str, tuple[str, ...]], directory: Path) -> dict[str, Callable[[], str]]:
    found: dict[str, Callable[[], str]] = {}
    for option, names in files.items():
        path = next((directory / name for name in names if (directory / name).is_file()), None)
        if path is not None:
            found[option] = partial(_first_line, path)
    return found


def _first_line(path: Path) -> str:
    return path.read_text().strip()
