"""The command by which an operator answers a halt."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from console.ending import explained
from console.operator_name import operator_name
from console.options import DEFAULT_NATS
from console.tables import screen


def resume_command(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its classic address.")],
    *,
    note: Annotated[str, typer.Option(help="What was found: it stays on record.")],
    by: Annotated[str, typer.Option(help="Who says so; by default the user of the machine.")] = "",
    nats: Annotated[
        str, typer.Option(envvar="FILLPROOF_NATS_URL", help="The reconciler's bus: nats://HOST:PORT")
    ] = DEFAULT_NATS,
) -> None:
    """Have a halted ACCOUNT acted upon again, once somebody has looked into it.

    Exit status: 0 the reconciler goes on; 1 none has taken it up yet; 2 bad
    input, the account is not halted, or no bus answers.

    Example: fillproof resume rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe --note "order 57 was never signed"
    """
    from console.resume import Answer, resume  # noqa: PLC0415 - `replay` starts without a bus's client

    console = screen()
    answer = Answer(account=account, resumed_by=by or operator_name(), note=note, at=datetime.now(UTC))
    with explained():
        resume(nats, answer, console)
    console.print(f"Resumed by {answer.resumed_by}.")
