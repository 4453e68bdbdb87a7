"""The stack without Docker: real NATS, real PostgreSQL and our own services as child processes.

Nothing outlives the supervisor (the process that called :meth:`LocalStack.start`), however it ends:

1. Every child is on a *leash*: the kernel signals it when the supervisor dies (`leash.py`).
2. Every child inherits the write end of one pipe. The *janitor* (`janitor.py`) reads its other end; end
   of file means that supervisor and children are gone, and only then is the run directory removed.
3. Every child has its own session: Ctrl-C reaches the supervisor alone, which stops the others in order;
   it does all its work within `noted_interrupts()` (`interrupts.py`).

All of it is synchronous, and children are started from the main thread: the kernel ties a leash to the
thread that started the child. Waiting may be done in any thread.
"""

from local_stack.child import Child, ChildFailed
from local_stack.errors import StackError
from local_stack.interrupts import Interrupted, check_interrupts, noted_interrupts
from local_stack.patience import PATIENCE, STOP, patience
from local_stack.stack import LocalStack, Role

__all__ = [
    "PATIENCE",
    "STOP",
    "Child",
    "ChildFailed",
    "Interrupted",
    "LocalStack",
    "Role",
    "StackError",
    "check_interrupts",
    "noted_interrupts",
    "patience",
]
