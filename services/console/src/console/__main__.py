"""`fillproof`, and `python -m console`: loads in here what it needs, so Ctrl-C ends it at any moment."""

import os
import signal
import sys

_KILLED_BY = 128
"""Added to the signal's number, as shells do."""


def main() -> None:
    """Run the command line."""
    try:
        from console.deployment_secrets import secret_defaults
        from console.main import COMMANDS, app

        try:
            app(default_map=secret_defaults(COMMANDS, sys.argv[1:]))
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:  # nothing has begun yet: once a command has, it ends in its own way
        raise SystemExit(_KILLED_BY + signal.SIGINT) from None
    except OSError as error:  # what is left is the output: a full disk, a pipe that nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it once more
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"fillproof: the output can't be written: {error.strerror or error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
