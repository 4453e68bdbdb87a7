"""`fillproof dead-letters`: messages that were set aside, listed, mended, or sent again."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.ending import FAILED, explained, refuse
from console.errors import BadOption
from console.extras import require_extra
from console.operator_name import operator_name
from console.options import (
    DEFAULT_NATS,
    EveryLetter,
    LetterIds,
    LettersAsJson,
    NatsUrl,
    Resend,
    read_file,
)
from console.tables import printable, screen

if TYPE_CHECKING:
    from console.dead_letters import Letter

STANDARD = Path("-")
"""For a file: standard input or output."""
Save = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the message of one letter to FILE, or to - .")
]
Mend = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Send the event in FILE, or from - , in the place of one letter."),
]
Note = Annotated[str, typer.Option(help="With --mend: why; it stays on record.")]
By = Annotated[str, typer.Option(help="With --mend: who; by default the user of the machine.")]
AuditDatabase = Annotated[
    str | None,
    typer.Option(
        envvar=["FILLPROOF_OPERATOR_DATABASE_URL", "FILLPROOF_OWNER_DATABASE_URL"],
        help="With --mend: where that is put on record, as a member of fillproof_operator or the owner.",
    ),
]


def dead_letters_command(  # noqa: PLR0913 - one parameter for each option
    ids: LetterIds = None,
    *,
    nats: NatsUrl = DEFAULT_NATS,
    resend: Resend = False,
    every: EveryLetter = False,
    save: Save = None,
    mend: Mend = None,
    note: Note = "",
    by: By = "",
    database: AuditDatabase = None,
    as_json: LettersAsJson = False,
) -> None:
    """List the messages that were set aside, or give those of the audit writer to it again after a fix.

    A message that is broken itself: --save it, mend the file, and --mend the
    letter with it. The event keeps its id; what came and what was sent stay on
    record in the database.

    Exit status: 0 done; 1 something sent again was refused again or is not
    taken yet; 2 bad input, no bus, or no such letter.

    Example: fillproof dead-letters --resend 3 4
    """
    from console.dead_letters import find, resendable, send_again, show

    wanted = ids or []
    _require_meaning(wanted, resend=resend, every=every, save=save, mend=mend)
    with explained():
        letters = find(nats, wanted)
        if save is not None:
            _save(letters[0], save)
        elif mend is not None:
            letters = [_mended(letters[0], mend, database, by=by or operator_name(), note=note)]
        elif resend:
            letters = resendable(letters, wanted)
        else:
            show(letters, as_json=as_json)
        if (resend or mend is not None) and not send_again(nats, letters, as_json=as_json):
            raise typer.Exit(FAILED)


def _require_meaning(
    ids: Sequence[int], *, resend: bool, every: bool, save: Path | None, mend: Path | None
) -> None:
    """Refuse options that can't be meant together."""
    if sum((resend, save is not None, mend is not None)) > 1:
        refuse("expected one of --resend, --save and --mend, found several")
    if (save is not None or mend is not None) and len(ids) != 1:
        refuse(f"expected one ID with --save or --mend, found {len(ids)}")
    if resend and bool(ids) == every:
        refuse("expected what to send again: --resend ID..., or --resend --all")
    if every and not resend:
        refuse("expected --all with --resend: without it, all are listed")


def _save(letter: "Letter", path: Path) -> None:
    if path == STANDARD:
        sys.stdout.buffer.write(letter.payload)
        return
    try:
        path.write_bytes(letter.payload)
    except OSError as error:
        raise BadOption(f"expected a file that can be written at {path}, found: {error.strerror}") from error
    screen().print(f"{path}: the message of letter {letter.id}, {printable(letter.reason)}", soft_wrap=True)


def _mended(letter: "Letter", path: Path, database: str | None, *, by: str, note: str) -> "Letter":
    """Put the mending on record and return the letter with the mended message."""
    require_extra("database", command="dead-letters --mend")
    from console.mending import changed_fields, note_mending

    if database is None:
        raise BadOption("expected --database, where it is put on record what was mended, found none")
    # an editor ends a file with a line end, which is none of the message
    payload = (sys.stdin.buffer.read() if path == STANDARD else read_file(path)).strip()
    mended = note_mending(database, letter, payload, by=by, note=note)
    for line in changed_fields(letter, payload):
        screen(stderr=True).print(printable(line), soft_wrap=True)
    return mended
