"""What the commands have in common: their arguments and options, with the help that users read."""

from pathlib import Path
from typing import Annotated

import typer

from console.errors import BadOption

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SESSION",
        help="A recorded session: the path of a .json or .json.gz file, or the name of a recorded one.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON line an order and nothing else on standard output."),
]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The order's account (classic address).")]
OrderSequence = Annotated[
    int, typer.Argument(metavar="SEQUENCE", help="Its Sequence, or its ticket's number.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Keep NATS's and PostgreSQL's data there; by default it is temporary and removed."),
]
NatsPort = Annotated[int, typer.Option(help="NATS's port on the loopback interface; 0: any free one.")]
PostgresPort = Annotated[
    int, typer.Option(help="PostgreSQL's port on the loopback interface; 0: any free one.")
]
Database = Annotated[
    str,
    typer.Option(
        envvar="FILLPROOF_OWNER_DATABASE_URL",
        help="The audit tables' owner: postgresql://owner:password@host:port/database.",
    ),
]
Heads = Annotated[
    list[str] | None,
    typer.Option(metavar="POSITION:DIGEST", help="A head printed earlier, which the chain must still hold."),
]
Checkpoints = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="Signed checkpoints: nats://... (the bus's operator), a directory of copies, or a file.",
    ),
]
Keys = Annotated[
    list[Path] | None,
    typer.Option(help="Public keys of the log and of operators, one a line; secrets/verifier_keys."),
]
Row = Annotated[
    str | None, typer.Option(metavar="EVENT_ID", help="Write the proof that this event is in the log.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where the proof of --row goes.")]
Held = Annotated[
    list[Path] | None,
    typer.Option(help="A checkpoint that the reader of the proof has; may be given several times."),
]
Bus = Annotated[
    str | None,
    typer.Option(help="The bus as its operator, nats://...: events of stream ORDERS that are not stored."),
]
NodeUrl = Annotated[
    str | None,
    typer.Option(
        help="A node, to hold rows against the ledger: http(s)://..., ws(s)://... or @FILE with one"
    ),
]
Sample = Annotated[
    int, typer.Option(min=1, help="How many rows are held against the ledger, or orders against proofs.")
]
Proofs = Annotated[
    bool, typer.Option("--proofs", help="Derive orders' events again from the kept proofs, field by field.")
]
ListPublishers = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="With --proofs: a list publisher's master key, in hexadecimal."),
]
Accounts = Annotated[
    list[str],
    typer.Option(metavar="ADDRESS", help="An account's classic address; may be given several times."),
]
FirstLedger = Annotated[
    int, typer.Option("--from", metavar="LEDGER", min=2, help="The first ledger whose events are wanted.")
]
LastLedger = Annotated[int, typer.Option("--to", metavar="LEDGER", min=2, help="The last one.")]
Nodes = Annotated[
    list[str],
    typer.Option(help="A node: http(s)://..., ws(s)://... or @FILE with one; may be given several times."),
]
NatsUrl = Annotated[
    str,
    typer.Option(
        envvar="FILLPROOF_NATS_URL",
        help="The bus that the audit writer listens to: nats://HOST:PORT; of a cluster, comma separated",
    ),
]
DEFAULT_NATS = "nats://127.0.0.1:4222"
BusUrl = Annotated[
    str, typer.Option(envvar="FILLPROOF_NATS_URL", help="The deployment's bus: nats://HOST:PORT")
]
OneAccount = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Only this account; by default all of them.")
]
StateAsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, one object a line, and nothing else on standard output.")
]
LetterIds = Annotated[
    list[int] | None, typer.Argument(metavar="ID", min=1, help="Only these letters; by default all.")
]
Resend = Annotated[bool, typer.Option("--resend", help="Send them to the audit writer again.")]
EveryLetter = Annotated[bool, typer.Option("--all", help="With --resend: every letter.")]
LettersAsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line and nothing else on standard output.")
]


def read_file(path: Path) -> bytes:
    """Read a file that was named.

    Raises:
        BadOption: it can't be read.

    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadOption(f"expected a file that can be read at {path}, found: {error.strerror}") from error
