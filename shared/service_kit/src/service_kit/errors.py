"""Errors by who is at fault, and their reasons in words."""

import os
import re
import ssl

_ERRNO = re.compile(r"\[Errno (\d+)\]")
"""As in asyncio's text of several failed attempts."""

FAILURE_STATUS = 1
"""The exit status of a process that could not start, or that lost what it needs."""


class Unavailable(Exception):
    """Infrastructure that a service needs does not answer or refuses; the text says which, where and why.

    Raised while a service starts, it ends it with one line on standard error and status 1.
    """


def reason_of(error: BaseException) -> str:
    """Return why something failed in words for people: no class name, no notation of Python."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        numbered = _ERRNO.search(str(error))
        number = error.errno or (int(numbered[1]) if numbered else None)
        if number is not None and number > 0:
            return os.strerror(number)
    if str(error):
        return str(error)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return "no answer in time" if isinstance(error, TimeoutError) else words
