"""`fillproof`, and `python -m console`: loads in here what it needs, so Ctrl-C ends it at any moment."""

import signal

_KILLED_BY = 128
"""Added to the signal's number, as shells do."""


def main() -> None:
    """Run the command line."""
    try:
        from console.main import app

        app()
    except KeyboardInterrupt:  # nothing has begun yet: once a command has, it ends in its own way
        raise SystemExit(_KILLED_BY + signal.SIGINT) from None


if __name__ == "__main__":
    main()
