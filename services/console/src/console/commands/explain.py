"""`fillproof explain`: what happened to one order."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from console.asking import checked_address, named_server
from console.ending import explained, refuse
from console.errors import HistoryMissing
from console.explain.answer import Explanation
from console.explain.inquiry import explain
from console.explain.page import Progress, show
from console.json_lines import print_json
from console.options import Address, OrderSequence
from console.tables import screen
from ledger_client import LedgerServer

LAST_SEQUENCE = 2**32 - 1


def explain_command(
    address: Address,
    sequence: OrderSequence,
    *,
    xrpl: Annotated[
        str | None, typer.Option(help="A node: http(s)://..., ws(s)://... or @FILE with one")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="A recorded session instead: a path or a name, as `replay` takes.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
    ] = False,
) -> None:
    """Say what happened to the order SEQUENCE of ADDRESS, with the proof: no bus, no database.

    Exit status: 0 it is explained; 1 the node can't be used; 2 bad input, or
    no node answers; 3 the order was never placed; 4 there is no such account;
    5 the node lacks history that it takes.

    Example: fillproof explain rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6 55 --session canceled_elsewhere
    """
    with explained():
        account = checked_address(address)
    if not 1 <= sequence <= LAST_SEQUENCE:
        refuse(f"expected a sequence of 1 to {LAST_SEQUENCE}, found {sequence}")
    with explained():
        server = named_server(xrpl, session)
        told = asyncio.run(_explain(server, account, sequence, Progress(screen(stderr=True))))
    if as_json:
        print_json([told])
    else:
        show(screen(), told)
    if told.missing_transactions:
        raise typer.Exit(HistoryMissing.status)


async def _explain(
    server: LedgerServer, account: str, sequence: int, watch: Callable[[int, int], None]
) -> Explanation:
    try:
        return await explain(server, account, sequence, watch)
    finally:
        await server.close()
