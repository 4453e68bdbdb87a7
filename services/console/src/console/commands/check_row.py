"""`fillproof check-row`."""

from pathlib import Path
from typing import Annotated

import typer

from console.ending import FAILED, explained, refuse
from console.fitting import print_sentence
from console.options import Held, read_file
from console.tables import screen


def check_row_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `verify --row` writes it.")],
    *,
    keys: Annotated[list[Path], typer.Option(help="Public keys of the log, one a line.")],
    held: Held = None,
) -> None:
    """Check offline that a row is in the audit log; `python -m audit_log check` is the same alone.

    Exit status: 0 it is; 1 refused; 2 bad input.

    Example: fillproof check-row row.proof --keys verifier_keys --held my.checkpoint
    """
    from audit_log import Refused, check_row, row_lines
    from console.proof.checkpoint_sources import read_keys

    with explained():
        trusted = read_keys(keys)
        document, notes = read_file(file), [read_file(path).decode(errors="replace") for path in held or ()]
    try:
        row = check_row(document, trusted, notes)
    except Refused as error:
        refuse(str(error), status=FAILED)
    for line in row_lines(row):
        print_sentence(screen(), line)
