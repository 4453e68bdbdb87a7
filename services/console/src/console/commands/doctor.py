"""`fillproof doctor`: what of a deployment works, before and after it is started."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.ending import FAILED, explained, refuse
from console.options import StateAsJson
from console.tables import printable, screen

if TYPE_CHECKING:
    from console.live.diagnosis import Deployment

_STYLES = {"ok": "green", "note": "yellow", "FAIL": "bold red"}


def doctor_command(  # noqa: PLR0913 - one parameter for each option
    *,
    xrpl: Annotated[list[str] | None, typer.Option(help="A node; may be given several times.")] = None,
    account: Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Each account.")] = None,
    nats: Annotated[str | None, typer.Option(envvar="FILLPROOF_NATS_URL", help="The bus.")] = None,
    database: Annotated[
        str | None, typer.Option(envvar="FILLPROOF_OWNER_DATABASE_URL", help="The audit tables' database.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where data is kept: how much space is left?")] = None,
    as_json: StateAsJson = False,
) -> None:
    """Look at servers, accounts, bus, streams, database, clocks and space, and say what to do.

    Name what there is; nothing is changed. Useful before the first start and
    whenever something is not as it should be.

    Exit status: 0 all is well; 1 something is not; 2 bad input.

    Example: fillproof doctor --xrpl wss://xrplcluster.com --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    from console.live.diagnosis import Deployment

    if not any((xrpl, account, nats, database, data_dir)):
        refuse("expected something to look at: --xrpl, --account, --nats, --database or --data-dir")
    deployment = Deployment(
        xrpl_urls=xrpl or (), accounts=account or (), nats_url=nats, database=database, data_dir=data_dir
    )
    with explained():
        ill = asyncio.run(_show(deployment, as_json=as_json))
    if ill:
        raise typer.Exit(FAILED)


async def _show(deployment: "Deployment", *, as_json: bool) -> bool:
    """Print each finding when it is made; return whether something is ill."""
    from console.fitting import Piece, fitted, width_of
    from console.json_lines import print_json
    from console.live.diagnosis import Health, diagnose

    console, ill = screen(), False
    async for one in diagnose(deployment):
        ill |= one.health is Health.ILL
        if as_json:
            print_json([one])
            continue
        pieces = [
            Piece(f"{one.health:4}", style=_STYLES[one.health]),
            Piece(printable(one.part)),
            Piece(printable(one.found)),
            Piece(f"-> {one.advice}" if one.advice else ""),
        ]
        console.print(fitted(pieces, width_of(console)), soft_wrap=True)
    return ill
