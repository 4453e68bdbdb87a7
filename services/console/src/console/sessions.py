"""Finding recorded sessions: by path, or by name in `tests/data/ledgers`."""

from pathlib import Path

import msgspec

from replay_node.session import BadSession, Session, read_session

RECORDINGS = Path(__file__).parents[4] / "tests" / "data" / "ledgers"

SELECTION = (
    "full_fill",
    "partial_then_full",
    "canceled",
    "cancel_race_lost",
    "cancel_race_same_ledger",
    "replaced",
    "expired_swept",
    "expired_lingering",
    "canceled_elsewhere",
    "unfunded_removed",
    "self_crossed",
    "never_placed",
)
"""What `demo` plays when it is not told: fills, cancels, races, expiry, and what goes wrong."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A session and the file it came from."""

    path: Path
    session: Session


def find_session(wanted: str) -> Recording:
    """Read the session at a path, or the recorded one of that name.

    Raises:
        BadSession: there is no such file or name, or the file is no session.

    """
    path = Path(wanted)
    if path.suffix in {".json", ".gz"} or path.exists():
        return Recording(path=path, session=read_session(path))
    recorded = RECORDINGS / f"{wanted}.json.gz"
    if not recorded.exists():
        names = ", ".join(sorted(file.name.removesuffix(".json.gz") for file in RECORDINGS.glob("*.json.gz")))
        raise BadSession(
            "expected the path of a .json or .json.gz session or the name of a recorded one, "
            f"found {wanted!r}. Recorded ones: {names}"
        )
    return Recording(path=recorded, session=read_session(recorded))
