"""`fillproof tail`: events as they are published."""

import asyncio
from typing import Annotated

import typer

from console.ending import explained
from console.options import DEFAULT_NATS, BusUrl, OneAccount, StateAsJson
from console.tables import screen


def tail_command(
    *,
    nats: BusUrl = DEFAULT_NATS,
    account: OneAccount = None,
    last: Annotated[int, typer.Option(min=0, help="Begin so many stored messages before the end.")] = 10,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C; else end with the last one.")] = True,
    as_json: StateAsJson = False,
) -> None:
    """Show the last events of all accounts, or of one, and those that come, each once.

    Exit status: 0 ended with the last event; 2 bad input, or no bus answers;
    130 Ctrl-C.

    Example: fillproof tail --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe --last 100 --no-follow
    """
    from console.asking import checked_address
    from console.live.tail import Wanted, tail

    with explained():
        wanted = Wanted(
            account=None if account is None else checked_address(account),
            last=last,
            follow=follow,
            as_json=as_json,
        )
        asyncio.run(tail(nats, wanted, screen()))
