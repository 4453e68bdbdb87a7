"""Options that a deployment keeps as secrets, in files: they stand in no environment and no command line."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

_DIRECTORY = Path("/run/secrets")
"""Where Docker mounts them."""
_BUS = "fillproof_nats_url"
_OWNER = "fillproof_owner_database_url"
_CONTENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "": {"nats": (_BUS,), "database": (_OWNER,)},
    "ack": {"database": ("fillproof_operator_database_url", _OWNER)},
    "verify": {"checkpoints": (_BUS,)},
    "failover": {"checkpoints": (_BUS,)},
}
"""By command ("": each) and option, the files that may hold its value; the first that is there counts."""
_PATHS: dict[str, dict[str, str]] = {
    "verify": {"keys": "verifier_keys"},
    "failover": {"keys": "verifier_keys", "operator_key": "fillproof_operator_signing_key"},
}
"""By command and option, the file that is its value."""
_LISTS = {"checkpoints", "keys"}
"""Options that may be given several times."""
_INSTEAD_OF_DATABASE = {
    "prove": {"--xrpl", "--session"},
    "compare": {"--xrpl", "--session", "--example"},
}
"""By command, the options that name another source than the database."""

Defaults = dict[str, dict[str, Callable[[], object]]]


def secret_defaults(
    commands: Iterable[str], arguments: Collection[str] = (), directory: Path = _DIRECTORY
) -> Defaults:
    """Return defaults by command and option, as functions: `--help` shows the value of none.

    Args:
        commands: the names of all commands.
        arguments: of this call; one that names another source leaves `--database` without a default.
        directory: where the files are.

    """
    if not directory.is_dir():
        return {}
    named = {argument.partition("=")[0] for argument in arguments}
    defaults = {command: _defaults_of(command, directory) for command in commands}
    for command, sources in _INSTEAD_OF_DATABASE.items():
        if named & sources and command in defaults:
            defaults[command].pop("database", None)
    return defaults


def _defaults_of(command: str, directory: Path) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    for option, names in (_CONTENTS[""] | _CONTENTS.get(command, {})).items():
        path = next((directory / name for name in names if (directory / name).is_file()), None)
        if path is not None:
            found[option] = partial(_value, option, partial(_first_line, path))
    for option, name in _PATHS.get(command, {}).items():
        if (directory / name).is_file():
            found[option] = partial(_value, option, partial(str, directory / name))
    return found


def _value(option: str, read: Callable[[], str]) -> object:
    return [read()] if option in _LISTS else read()


def _first_line(path: Path) -> str:
    return path.read_text().strip()
