"""`fillproof failover`: an operator's signed word that the database lost its newest batches."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from console.ending import explained
from console.errors import BadOption
from console.extras import require_extra
from console.options import Database, read_file
from console.tables import screen


def failover_command(
    *,
    database: Database,
    checkpoints: Annotated[list[str], typer.Option(metavar="SOURCE", help="As `verify` takes them.")],
    keys: Annotated[list[Path], typer.Option(help="Public keys of the log, one a line.")],
    operator_key: Annotated[
        Path, typer.Option(help="Your private key: secrets/operator_signing_key, PRIVATE+KEY+...")
    ],
    reason: Annotated[str, typer.Option(help="What happened, in one line.")],
) -> None:
    """Sign that the audit log goes on without batches that a failover or an older backup has lost.

    Checkpoints and heads of the lost batches are no sign of tampering from then
    on, and new checkpoints are signed. Then `fillproof refill` gives the store
    what those batches held.

    Exit status: 0 done; 2 bad input, or nothing is lost.

    Example: fillproof failover --database postgresql://owner:...@db/fillproof
    --checkpoints nats://operator:...@bus --keys secrets/verifier_keys
    --operator-key secrets/operator_signing_key --reason "the standby was promoted"
    """
    require_extra("database", command="failover")
    from audit_log import read_signing_key
    from console.failover import sign_failover
    from console.proof.chain import Trust
    from console.proof.checkpoint_sources import read_checkpoints, read_keys

    with explained():
        if not reason.strip():
            raise BadOption("expected what happened (--reason), found an empty one")
        trusted = read_keys(keys)
        try:
            key = read_signing_key(read_file(operator_key).decode(errors="replace"))
        except ValueError as error:
            raise BadOption(str(error)) from error
        notes = asyncio.run(read_checkpoints(checkpoints, trusted))
        act = sign_failover(database, Trust(notes=notes, keys=trusted), key, reason)
    said = f"signed by {act.operator}: batches after {act.continues} up to {act.lost} are lost"
    screen().print(f"{said}. Now: fillproof refill", soft_wrap=True)
