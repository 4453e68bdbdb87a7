"""`make fuzz`: hostile announcements, messages and answers, in numbers, on the real parts."""

import argparse
import asyncio
import logging
import secrets
import sys
from random import Random

import structlog
from fuzz.announcements import fuzz_announcements
from fuzz.answers import fuzz_answers
from fuzz.messages import fuzz_messages
from nats import connect

from local_stack import LocalStack
from service_kit import StreamSettings, provision

ANNOUNCEMENTS, MESSAGES, ANSWERS = 20_000, 6_000, 5_000
DIFFERENT_STATUS = 1


def main() -> int:
    """Fuzz each part; 0 where nothing was wrong."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of an earlier run")
    parser.add_argument("--share", type=float, default=1.0, help="of the full numbers")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"seed {options.seed}", flush=True)  # noqa: T201 - what the command is for
    with LocalStack.start() as stack:
        stack.migrate()
        wrong = asyncio.run(_fuzz(stack, options.seed, options.share))
    return DIFFERENT_STATUS if wrong else 0


async def _fuzz(stack: LocalStack, seed: int, share: float) -> int:
    connection = await connect(stack.nats_url)
    await provision(connection.jetstream(), StreamSettings())
    await connection.close()
    wrong = 0
    for part in (
        # each has a chance of its own: one that is mended does not change what the others try
        fuzz_answers(_chance(seed, "answers"), int(ANSWERS * share)),
        fuzz_messages(stack.postgres_dsn, _chance(seed, "messages"), int(MESSAGES * share)),
        fuzz_announcements(stack.nats_url, _chance(seed, "announcements"), int(ANNOUNCEMENTS * share)),
    ):
        found = await part
        print(found, flush=True)  # noqa: T201 - what the command is for
        wrong += len(found.problems)
    return wrong


def _chance(seed: int, part: str) -> Random:
    return Random(f"{seed} {part}")  # noqa: S311 - draws inputs, no secret


if __name__ == "__main__":
    sys.exit(main())
