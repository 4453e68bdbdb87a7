"""Who PostgreSQL runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_stack.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

UNPRIVILEGED = ("nobody", "daemon", "postgres")
"""Users that a machine has; the first one found is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Ask as this user what `test(1)` answers, as `-x` (enter or run) or `-w` (write)."""
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)]
        answer = subprocess.run(  # noqa: S603 - the command is ours
            command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", check=False
        )
        return answer.returncode == 0

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        os.chown(path, self.uid, self.gid)


def postgres_account() -> Account | None:
    """Return whom PostgreSQL runs as, None for the supervisor's own user.

    Raises:
        StackError: we are root and the machine has no unprivileged user.

    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StackError(
        f"PostgreSQL can't run as root and none of the users {', '.join(UNPRIVILEGED)} exists: "
        "run this as an ordinary user"
    )
