"""The newcomers' walks: `make walks` prints what each step took, and ends with 1 at the first wrong turn."""

import signal
import sys
import tempfile
from pathlib import Path

from walks import engine_developer, operator, trader
from walks.following_stack import followed_account
from walks.walk import WrongTurn


def main() -> int:
    """Go all three, and return the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C
    try:
        with tempfile.TemporaryDirectory(prefix="fillproof-walks-") as temporary:
            place = Path(temporary)
            place.chmod(0o755)  # PostgreSQL runs as another user where we are root
            print(trader.walk(place).table(), flush=True)  # noqa: T201 - what it is for
            with followed_account() as followed:
                print(engine_developer.walk(place, followed).table(), flush=True)  # noqa: T201
                print(operator.walk(place, followed).table(), flush=True)  # noqa: T201
    except (WrongTurn, TimeoutError) as error:
        sys.stderr.write(f"walks: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
