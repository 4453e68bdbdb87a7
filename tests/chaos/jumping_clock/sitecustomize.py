"""Moves a child's wall clock: Python imports this file first where its directory is on PYTHONPATH.

The file that `CHAOS_CLOCK` names holds the seconds by which the clock is off, and may change at any moment.
Covered is what Python code asks of `time.time` and `time.time_ns`. Not covered are `datetime.now` (a type
that msgspec and asyncpg know by identity; only log lines ask it), timers (they run on the monotonic clock,
which no jump moves), and the clocks of PostgreSQL and nats-server.
"""

import os
import time
from pathlib import Path

_OFFSET = Path(os.environ["CHAOS_CLOCK"])
_true_time = time.time


def _time() -> float:
    return _true_time() + float(_OFFSET.read_text() or 0)


time.time = _time
time.time_ns = lambda: int(_time() * 1e9)
