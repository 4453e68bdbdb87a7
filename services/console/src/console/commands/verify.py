"""`fillproof verify`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from console.ending import FAILED, explained, refuse
from console.errors import BadOption
from console.extras import require_extra
from console.options import (
    Bus,
    Checkpoints,
    Database,
    Heads,
    Held,
    Keys,
    ListPublishers,
    NodeUrl,
    Output,
    Proofs,
    Row,
    Sample,
    read_file,
)
from console.tables import screen

if TYPE_CHECKING:
    from console.proof.chain import Trust


def verify_command(  # noqa: PLR0913 - one parameter for each option
    *,
    database: Database,
    checkpoints: Checkpoints = None,
    keys: Keys = None,
    head: Heads = None,
    nats: Bus = None,
    xrpl: NodeUrl = None,
    sample: Sample = 100,
    proofs: Proofs = False,
    publisher: ListPublishers = None,
    row: Row = None,
    output: Output = None,
    held: Held = None,
) -> None:
    """Hold every stored row against the chain of digests and signed checkpoints, and say which differ.

    Exit status: 0 all are as they were stored; 1 some are not; 2 bad input.
    Without --checkpoints (or a --head that you noted) nobody notices a chain
    that the database's owner has written anew. --xrpl holds rows against a
    node's ledgers, --proofs against the kept proofs, with no server; --nats
    tells of events that the bus has, or had, and the store has not.

    Example: fillproof verify --database postgresql://owner:...@db/fillproof
    --checkpoints nats://operator:...@bus --keys secrets/verifier_keys
    """
    require_extra("database", command="verify")
    from msgspec.structs import replace

    from console.check import read_policy
    from console.proof.chain import Trust, parse_head
    from console.proof.checkpoint_sources import read_checkpoints, read_keys
    from console.verify import compare_with_bus, show, verify

    if (row is None) != (output is None):
        refuse("expected --row EVENT_ID and -o FILE together, found one of them")
    with explained():
        trusted = read_keys(keys or ())
        try:
            heads = [parse_head(written) for written in head or ()]
        except ValueError as error:
            raise BadOption(str(error)) from error
        signed = asyncio.run(read_checkpoints(checkpoints or (), trusted))
        trust = Trust(heads=heads, notes=signed, keys=trusted)
        if row is not None and output is not None:
            _write_row(database, row, trust, held or (), output)
            return
        policy = read_policy(publisher or []) if proofs else None
        report = verify(database, trust, xrpl, sample, screen(stderr=True), proofs=policy)
        if nats is not None:
            lost = compare_with_bus(database, nats)
            report = replace(report, findings=[*report.findings, *lost])
    show(report, screen())
    if report.findings:
        raise typer.Exit(FAILED)


def _write_row(database: str, row: str, trust: "Trust", held: Sequence[Path], output: Path) -> None:
    from console.row import prove_row

    try:
        event_id = UUID(row)
    except ValueError:
        raise BadOption(f"expected an event's id, found {row!r}") from None
    notes = [read_file(path).decode(errors="replace") for path in held]
    document = prove_row(database, event_id, trust, notes)
    try:
        output.write_bytes(document)
    except OSError as error:
        raise BadOption(
            f"expected a file that can be written at {output}, found: {error.strerror}"
        ) from error
    screen().print(f"{output}: the row, its batch and the path to a signed checkpoint, {len(document)} bytes")
