"""Become a command that dies with its supervisor: `python leash.py SIGNAL SUPERVISOR ACCOUNT COMMAND...`.

SIGNAL is what the kernel sends when the supervisor (a process id) dies; ACCOUNT is `uid:gid`, or `-` to
stay who we are. A script of its own, because code run between fork and exec of a process with threads may
deadlock, and a change of user after asking for the signal would cancel it. Only the standard library: it
runs without site-packages.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""


def main() -> None:
    """Drop privileges, ask for the signal, become the command."""
    death_signal, supervisor, account, *command = sys.argv[1:]
    if account != "-":
        uid, gid = (int(part) for part in account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal)) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(supervisor):
        sys.exit("the supervisor ended before its child began")
    try:
        os.execv(command[0], command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
