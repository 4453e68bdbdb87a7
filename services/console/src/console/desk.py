"""Commands by which a person says what was seen to."""

from typing import Annotated

import typer

from console.ending import explained
from console.extras import require_extra
from console.operator_name import operator_name
from console.tables import screen

AuditDatabase = Annotated[
    str,
    typer.Option(
        envvar=["FILLPROOF_OPERATOR_DATABASE_URL", "FILLPROOF_OWNER_DATABASE_URL"],
        help="As a member of fillproof_operator, or the owner: postgresql://role:password@host:port/database.",
    ),
]


def ack_command(
    anomaly: Annotated[list[str], typer.Argument(help="Its event_id, as the dashboard shows it.")],
    *,
    note: Annotated[str, typer.Option(help="Why it needs no more.")],
    database: AuditDatabase,
    by: Annotated[str, typer.Option(help="Who says so; by default the user of the machine.")] = "",
) -> None:
    """Acknowledge ANOMALYs: the chip counts them no more, and who, when and why stay on record.

    Of one that was acknowledged before the first word stays. An unknown id is
    refused, and nothing is acknowledged then.

    Exit status: 0 they are acknowledged; 2 bad input.

    Example: fillproof ack 4d644ed4-3a8e-537a-8850-16716405bdc1 --note "canceled by hand"
    """
    require_extra("database", command="ack")
    from console.acknowledge import acknowledge, show

    with explained():
        acknowledged = acknowledge(database, anomaly, by=by or operator_name(), note=note)
    show(screen(), acknowledged)
