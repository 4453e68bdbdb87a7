"""The recorded sessions that come with this package, by name."""

from pathlib import Path

from replay_node.session import BadSession

RECORDINGS = Path(__file__).with_name("sessions")
_SUFFIX = ".json.gz"


def recording_names() -> list[str]:
    """Return the names of the sessions that come with this package, in alphabetical order."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in RECORDINGS.glob(f"*{_SUFFIX}"))


def session_path(wanted: str) -> Path:
    """Return the path that is `wanted`, or that of the recorded session of this name.

    Raises:
        BadSession: there is no such file and no such name; the text lists the names.

    """
    path = Path(wanted)
    if path.suffix in {".json", ".gz"} or path.exists():
        return path
    recorded = RECORDINGS / f"{wanted}{_SUFFIX}"
    if not recorded.exists():
        raise BadSession(
            "expected the path of a .json or .json.gz session or the name of a recorded one, "
            f"found {wanted!r}. Recorded ones: {', '.join(recording_names())}"
        )
    return recorded
