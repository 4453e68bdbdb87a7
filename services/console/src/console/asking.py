"""What a person names on the command line: accounts and ledger servers, checked before anything is asked."""

import asyncio
import random
from pathlib import Path

from console.errors import BadOption
from console.sessions import find_session
from ledger_client import LedgerServer, PatientServer, classic_address, connect, read_server_url

ANSWER_SECONDS = 20.0
"""For an answer: a person waits for it, and has no other server to ask."""


def checked_address(text: str) -> str:
    """Return the classic address of the account that was named, in either form.

    Raises:
        BadOption: it is no address.

    """
    try:
        return classic_address(text)
    except ValueError as error:
        raise BadOption(str(error)) from error


def checked_url(named: str) -> str:
    """Return the URL of a server that was named, itself or by @ and a file that holds it.

    A URL that holds a password or a token is better named by a file: the list of processes shows arguments.

    Raises:
        BadOption: it is no URL of a server, or there is no such file.

    """
    try:
        url = Path(named[1:]).read_text().strip() if named.startswith("@") else named
        read_server_url(url)
    except OSError as error:
        raise BadOption(f"expected a file with a URL, found none at {named[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise BadOption(str(error)) from error
    return url


def server_at(url: str) -> LedgerServer:
    """Return the server that was named; while it is overloaded it is asked again.

    Raises:
        BadOption: it is no URL of one.

    """
    server = connect(checked_url(url), timeout=ANSWER_SECONDS)
    return PatientServer(server, chance=random.random, pause=asyncio.sleep)


def named_server(url: str | None, session: str | None) -> LedgerServer:
    """Return the one source that was named: a live server, or a recorded session with all ledgers closed.

    Raises:
        BadOption: both were named, or neither, or it is no URL of a server.
        BadSession: there is no such session.

    """
    from console.recorded_server import closed_session  # noqa: PLC0415 - `resume` plays nothing

    if url is not None and session is None:
        return server_at(url)
    if session is not None and url is None:
        return closed_session(find_session(session).session)
    raise BadOption("expected one source: --xrpl URL for a live node, or --session NAME for a recorded one")
