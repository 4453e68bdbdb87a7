"""A supervisor to be killed by tests: starts a stack and a service, says so, and waits."""

import signal
import sys

from local_stack import LocalStack


def main() -> None:
    with LocalStack.start() as stack:
        stack.spawn("http.server", "0", "--bind", "127.0.0.1")
        sys.stdout.write(f"{stack.nats_url}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
