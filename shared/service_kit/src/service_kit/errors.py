"""Errors by who is at fault."""

FAILURE_STATUS = 1
"""The exit status of a process that could not start, or that lost what it needs."""


class Unavailable(Exception):
    """Infrastructure that a service needs does not answer or refuses; the text says which, where and why.

    Raised while a service starts, it ends it with one line on standard error and status 1.
    """
