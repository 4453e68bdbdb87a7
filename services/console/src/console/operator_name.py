"""The name under which an operator's word goes on record, where none is given."""

import getpass
import os


def operator_name() -> str:
    """Return the machine's user; in a container, whose user has no name, `uid 10001`."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # until Python 3.12, and from 3.13 on
        return f"uid {os.getuid()}"
