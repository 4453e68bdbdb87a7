"""Finding recorded sessions: by path, or by the name of one that comes with the replay node."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from replay_node.recordings import session_path
from replay_node.session import Session, read_session

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
    path = session_path(wanted)
    return Recording(path=path, session=read_session(path))


def find_sessions(wanted: Iterable[str]) -> list[Recording]:
    """Read each session that was named, once.

    Raises:
        BadSession: as `find_session`.

    """
    return [find_session(name) for name in dict.fromkeys(wanted)]
