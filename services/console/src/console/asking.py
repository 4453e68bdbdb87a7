"""What a person names on the command line: accounts and ledger servers, checked before anything is asked."""

import asyncio
import random

from console.errors import BadOption
from ledger_client import LedgerServer, PatientServer, classic_address, connect

_SECONDS = 20.0
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


def server_at(url: str) -> LedgerServer:
    """Return the server that was named; while it is overloaded it is asked again.

    Raises:
        BadOption: it is no URL of one.

    """
    try:
        server = connect(url, timeout=_SECONDS)
    except ValueError as error:
        raise BadOption(str(error)) from error
    return PatientServer(server, chance=random.random, pause=asyncio.sleep)
