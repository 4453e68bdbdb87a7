"""The recorded sessions that come with this package, by name."""

from pathlib import Path

from replay_node.session import BadSession

RECORDINGS = Path(__file__).with_name("sessions")
FOLDERS = (RECORDINGS, RECORDINGS / "2026")
"""Sessions of an earlier node, and sessions of the ledger of 2026."""
_SUFFIX = ".json.gz"


def recording_names() -> list[str]:
    """Return the names of the sessions that come with this package, in alphabetical order."""
    return sorted(
        file.name.removesuffix(_SUFFIX) for folder in FOLDERS for file in folder.glob(f"*{_SUFFIX}")
    )


def session_path(wanted: str) -> Path:
    """Return the path that is `wanted`, or that of the recorded session of this name.

    Raises:
        BadSession: there is no such file and no such name; the text lists the names.

    """
    path = Path(wanted)
    if path.suffix in {".json", ".gz"} or path.exists():
        return path
    found = [recorded for folder in FOLDERS if (recorded := folder / f"{wanted}{_SUFFIX}").exists()]
    if not found:
        raise BadSession(
            "expected the path of a .json or .json.gz session or the name of a recorded one, "
            f"found {wanted!r}. Recorded ones: {', '.join(recording_names())}"
        )
    return found[0]
