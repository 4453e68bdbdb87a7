"""How a command ends: one clear message on standard error, and an exit status that scripts can go by."""

import contextlib
import signal
from collections.abc import Iterator
from typing import NoReturn

import typer
from rich.text import Text

from console.errors import BadOption, NotFinished, NothingToExplain
from console.lines import MissingOrder
from console.tables import printable, screen
from ledger_client import Overloaded, ServerError, Unreachable
from offer_lifecycle import MalformedTransaction
from replay_node.session import BadSession

BAD_INPUT = 2
"""Exit status for what the user can mend: a wrong file, address, URL, port or directory."""
FAILED = 1
KILLED_BY = 128
"""Added to the signal's number, as shells do."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what can go wrong into one clear message and an exit status of its own."""
    try:
        yield
    except NothingToExplain as error:
        refuse(str(error), status=error.status)
    except (Unreachable, Overloaded) as error:
        refuse(f"expected an XRP Ledger node that answers, found none at {error.server} ({error.problem})")
    except (ServerError, NotFinished, MissingOrder) as error:
        refuse(str(error), status=FAILED)
    except (BadOption, BadSession, MalformedTransaction) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(KILLED_BY + signal.SIGINT) from None


def refuse(message: str, *, status: int = BAD_INPUT) -> NoReturn:
    """Print the message on standard error and end the command with that status."""
    shown = "\n".join(printable(line) for line in message.split("\n"))
    told = Text.assemble(("fillproof: ", "bold red"), shown)
    screen(stderr=True).print(told, soft_wrap=True)
    raise typer.Exit(status)
