"""Ports on the loopback interface."""

import errno
import socket

from local_stack.errors import StackError

LOOPBACK = "127.0.0.1"
HIGHEST = 65_535


def require_free(port: int, *, server: str) -> None:
    """Check that `server` can have `port`; 0 stands for any.

    Raises:
        StackError: it is taken, not allowed or not a port.

    """
    if not 0 <= port <= HIGHEST:
        raise StackError(f"{port} is not a port for {server}: expected 0 (any free one) to {HIGHEST}")
    try:
        _bind(port)
    except OSError as error:
        found = "is taken" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        raise StackError(
            f"port {port} for {server} {found}: choose another one, or 0 for any free one"
        ) from error


def any_free() -> int:
    """Return a port that was free a moment ago; somebody else may still be quicker."""
    return _bind(0)


def _bind(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        return int(probe.getsockname()[1])
