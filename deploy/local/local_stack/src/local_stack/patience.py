"""How long the local stack waits for its parts: settings, since machines differ."""

import math
import os

from local_stack.errors import StackError

PATIENCE = "FILLPROOF_STACK_PATIENCE"
"""Environment variable: seconds that a part may take to start, to answer or to go on."""
STOP = "FILLPROOF_STACK_STOP_SECONDS"
"""Environment variable: seconds that parts may take to end before they are killed."""
_DEFAULTS = {PATIENCE: 300.0, STOP: 30.0}


def patience() -> float:
    """Return `FILLPROOF_STACK_PATIENCE`, by default 300 s; a part that dies ends the waiting at once.

    Raises:
        StackError: it is no number of seconds above zero.

    """
    return _seconds(PATIENCE)


def stop_seconds() -> float:
    """Return `FILLPROOF_STACK_STOP_SECONDS`, by default 30 s.

    Raises:
        StackError: it is no number of seconds above zero.

    """
    return _seconds(STOP)


def _seconds(variable: str) -> float:
    text = os.environ.get(variable)
    if text is None:
        return _DEFAULTS[variable]
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise StackError(f"expected {variable} to be seconds above zero, found {text!r}")
    return seconds
