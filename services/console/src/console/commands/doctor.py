"""`fillproof doctor`: what of a deployment works, before and after it is started."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.ending import FAILED, explained
from console.extras import require_extra
from console.options import StateAsJson
from console.tables import printable, screen

if TYPE_CHECKING:
    from rich.text import Text

    from console.doctor.diagnosis import Deployment
    from console.doctor.findings import Finding

_STYLES = {"ok": "green", "note": "yellow", "FAIL": "bold red"}


def doctor_command(  # noqa: PLR0913 - one parameter for each option
    *,
    xrpl: Annotated[
        list[str] | None,
        typer.Option(envvar="FILLPROOF_XRPL_URLS", help="A node; may be given several times."),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", envvar="FILLPROOF_ACCOUNTS", help="An account; may be given several times."
        ),
    ] = None,
    nats: Annotated[str | None, typer.Option(envvar="FILLPROOF_NATS_URL", help="The bus.")] = None,
    database: Annotated[
        str | None, typer.Option(envvar="FILLPROOF_OWNER_DATABASE_URL", help="The audit tables' database.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where data is kept: how much space is left?")] = None,
    as_json: StateAsJson = False,
) -> None:
    """Look at packages, servers, accounts, bus, streams, database, clocks and space, and say what to do.

    Name what there is; without options it looks at this machine. Nothing is
    changed. Useful before the first start and whenever something is not as
    it should be.

    Exit status: 0 all is well; 1 something is not; 2 bad input.

    Example: fillproof doctor --xrpl wss://xrplcluster.com --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    from console.doctor.diagnosis import Deployment

    if database is not None:
        require_extra("database", command="doctor --database")
    deployment = Deployment(
        xrpl_urls=_each(xrpl),
        accounts=_each(account),
        nats_url=nats,
        database=database,
        data_dir=data_dir,
    )
    with explained():
        ill = asyncio.run(_show(deployment, as_json=as_json))
    if ill:
        raise typer.Exit(FAILED)


def _each(named: Iterable[str] | None) -> list[str]:
    """Return what was named, of a setting with commas in it too."""
    return [one.strip() for several in named or () for one in several.split(",") if one.strip()]


async def _show(deployment: "Deployment", *, as_json: bool) -> bool:
    """Print each finding when it is made; return whether something is ill."""
    from console.doctor.diagnosis import diagnose
    from console.doctor.findings import Health
    from console.fitting import width_of
    from console.json_lines import print_json

    console, ill = screen(), False
    async for one in diagnose(deployment):
        ill |= one.health is Health.ILL
        if as_json:
            print_json([one])
        else:
            console.print(_line(one, width_of(console)), soft_wrap=True)
    return ill


def _line(finding: "Finding", width: int | None) -> "Text":
    """Write a finding for a terminal of that width; None: on one line."""
    from console.fitting import Piece, fitted

    pieces = [
        Piece(f"{finding.health:4}", style=_STYLES[finding.health]),
        Piece(printable(finding.part)),
        Piece(printable(finding.found)),
        Piece(f"-> {printable(finding.advice)}" if finding.advice else ""),
    ]
    return fitted(pieces, width)
