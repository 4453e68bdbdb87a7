"""Stopping when told to, even if a library has lost the message."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise the cancellation that the running task was asked for and that somebody swallowed.

    `asyncio.wait_for` before Python 3.12, on which every request of nats-py rests, returns the answer
    and forgets a cancellation that arrives together with it. A loop that goes on after such a call must
    look for itself.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
