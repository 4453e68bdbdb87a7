"""A supervisor to be killed by tests: starts a stack and a service, says so, and waits."""

import sys
import time

from local_stack import Interrupted, LocalStack, check_interrupts, noted_interrupts


def supervise() -> None:
    with noted_interrupts(), LocalStack.start() as stack:
        stack.spawn("http.server", "0", "--bind", "127.0.0.1")
        sys.stdout.write(f"{stack.nats_url}\n")
        sys.stdout.flush()
        while True:
            check_interrupts()
            time.sleep(0.01)


def main() -> None:
    try:
        supervise()
    except Interrupted as interrupt:
        sys.exit(128 + interrupt.number)


if __name__ == "__main__":
    main()
