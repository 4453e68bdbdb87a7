"""How a command that runs the local stack ends: also by a signal, or because a part of the stack failed."""

import contextlib
import signal
from collections.abc import Iterator

import typer

from console.ending import FAILED, KILLED_BY, explained, refuse
from local_stack import ChildFailed, Interrupted, StackError


@contextlib.contextmanager
def stack_explained() -> Iterator[None]:
    """Turn what can go wrong into one clear message and an exit status of its own."""
    with explained():
        try:
            yield
        except ChildFailed as error:
            refuse(str(error), status=FAILED)
        except StackError as error:
            refuse(str(error))
        except Interrupted as interrupt:
            raise typer.Exit(KILLED_BY + interrupt.number) from None


@contextlib.contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Take Ctrl-C for the end that was asked for: exit status 0."""
    try:
        yield
    except Interrupted as interrupt:
        if interrupt.number != signal.SIGINT:
            raise
