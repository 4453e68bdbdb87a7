"""`fillproof refill`: what the audit store lacks, from the bus and from the ledger."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from console.ending import FAILED, explained
from console.extras import require_extra
from console.invocation import pasteable
from console.options import Database, NatsUrl
from console.tables import screen

if TYPE_CHECKING:
    from console.refill import Gone

Nodes = Annotated[
    list[str] | None,
    typer.Option(help="Servers to read from the ledger what the bus has lost: http(s)://... or ws(s)://..."),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(metavar="ADDRESS", help="An account that has no event in the store; several times."),
]


def refill_command(
    *, database: Database, nats: NatsUrl, xrpl: Nodes = None, account: Accounts = None
) -> None:
    """Give the audit store what it lacks: events on the bus, and with --xrpl those that the bus has lost.

    Exit status: 0 nothing is missing now; 1 something is, see the output;
    2 bad input. It may be run at any time, and again.

    Example: fillproof refill --database postgresql://owner:...@db/fillproof
    --nats nats://operator:...@bus --xrpl https://xrplcluster.com
    """
    require_extra("database", command="refill")
    from console.refill import note_rebuilt, refill

    console = screen()
    with explained():
        done = refill(database, nats)
        console.print(f"{done.sent} events that were on the bus alone were sent again, {done.waiting} wait")
        if done.waiting:
            console.print("No audit writer takes them: they are stored when one runs")
        accounts = tuple(dict.fromkeys((*done.accounts, *(account or ()))))
        rebuilt = [one for one in done.gone if _rebuilt(one, accounts, xrpl or (), nats)]
        note_rebuilt(database, rebuilt)
        for one in done.gone:
            console.print(_said(one, accounts, mended=one in rebuilt), soft_wrap=True)
    if done.waiting or len(rebuilt) < len(done.gone):
        raise typer.Exit(FAILED)


def _rebuilt(gone: "Gone", accounts: Sequence[str], xrpl: Sequence[str], nats: str) -> bool:
    """Read the ledgers of what is gone again, where that can be done; returns whether it was."""
    from console.asking import server_at
    from console.rebuild import Options, rebuild
    from ledger_client import server_status

    if not xrpl or not accounts or gone.first_ledger is None:
        return False

    async def newest() -> int:
        server = server_at(xrpl[0])
        try:
            return (await server_status(server)).validated
        finally:
            await server.close()

    last = gone.last_ledger if gone.last_ledger is not None else asyncio.run(newest())
    rebuild(
        Options(
            accounts=tuple(accounts), first=gone.first_ledger, last=last, xrpl_urls=tuple(xrpl), nats_url=nats
        )
    )
    return True


def _said(gone: "Gone", accounts: Sequence[str], *, mended: bool) -> str:
    what = f"messages {gone.first_sequence} to {gone.last_sequence} of stream ORDERS are gone"
    first = gone.first_ledger if gone.first_ledger is not None else "FIRST"
    last = gone.last_ledger if gone.last_ledger is not None else "NEWEST"
    if mended:
        return f"{what}: the events of ledgers {first} to {last} were read again"
    options = (option for one in accounts or ("ADDRESS",) for option in ("--account", one))
    again = pasteable("rebuild", *options, "--from", first, "--to", last, "--xrpl", "URL", "--nats", "URL")
    return f"{what}: their events are of ledgers {first} to {last}; give --xrpl, or: {again}"
