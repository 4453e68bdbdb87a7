"""`fillproof`: what happened to every order, with proof."""

import contextlib
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.markup import escape
from rich.progress import track
from rich.text import Text

from console.errors import BadOption, NotFinished
from console.lines import MissingOrder, OrderLine
from console.replay import replay as fold_session
from console.sessions import SELECTION, Recording, find_session
from console.tables import order_table, screen, summary
from local_stack import ChildFailed, Interrupted, StackError
from replay_node.session import BadSession, RecordedLedger

BAD_INPUT = 2
"""Exit status for what the user can mend: a wrong file, address, URL, port or directory."""
FAILED = 1
KILLED_BY = 128
"""Added to the signal's number, as shells do."""

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SESSION",
        help="A recorded session: the path of a .json or .json.gz file, or a name in tests/data/ledgers.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON line an order and nothing else on standard output."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Keep NATS's and PostgreSQL's data there; by default it is temporary and removed."),
]
NatsPort = Annotated[int, typer.Option(help="NATS's port on the loopback interface; 0: any free one.")]
PostgresPort = Annotated[
    int, typer.Option(help="PostgreSQL's port on the loopback interface; 0: any free one.")
]


@app.command("replay")
def replay_command(sessions: Sessions = None, *, as_json: AsJson = False) -> None:
    """Fold recorded SESSIONs and say what became of every order: no bus, no database, no node.

    Example: fillproof replay cancel_race_lost
    """
    if not sessions:
        _refuse(f"expected at least one SESSION, for example: fillproof replay {SELECTION[0]}")
    found = _find(sessions)
    if as_json:
        for recording in found:
            _print_json(_folded(recording))
        return
    lines = [line for recording in found for line in _folded(recording)]
    _show(lines, found, anomalies=sum(line.anomaly for line in lines))


@app.command("demo")
def demo_command(  # noqa: PLR0913 - one parameter for each option
    sessions: Sessions = None,
    *,
    as_json: AsJson = False,
    pace: Annotated[
        float, typer.Option(min=0, help="Seconds between two ledgers; 0: as fast as they are read.")
    ] = 0,
    hold: Annotated[
        bool, typer.Option(help="Keep everything running at the end, to look at the data; Ctrl-C ends it.")
    ] = False,
    nats_port: NatsPort = 0,
    postgres_port: PostgresPort = 0,
) -> None:
    """Run the whole stack on recorded real ledgers: NATS, PostgreSQL, node, reconciler, audit writer.

    Without a SESSION it plays a selection: fills, cancels, races, expiry, foreign cancels, lost orders.

    Example: fillproof demo canceled_elsewhere unfunded_removed
    """
    from console.demo import Options, demo
    from console.stack import wait_for_interrupt

    found = _find(sessions or SELECTION)
    console = screen(stderr=as_json)
    options = Options(pace=pace, nats_port=nats_port, postgres_port=postgres_port)
    with _explained(), contextlib.closing(demo(found, options, console)) as results:
        for result in results:
            if as_json:
                _print_json(result.lines)
                continue
            _show(result.lines, found, anomalies=result.anomalies)
            if hold:
                console.print("Everything is still running. Ctrl-C ends it.")
                with _ended_by_ctrl_c():
                    wait_for_interrupt()


@app.command("run")
def run_command(
    *,
    xrpl: Annotated[
        list[str], typer.Option(help="A node: http(s)://... or ws(s)://...; may be given several times.")
    ],
    account: Annotated[
        list[str], typer.Option(help="An account to follow (classic address); may be given several times.")
    ],
    data_dir: DataDir = None,
    nats_port: NatsPort = 0,
    postgres_port: PostgresPort = 0,
) -> None:
    """Follow real accounts: the same stack as the demo against a real node, until Ctrl-C.

    Example: fillproof run --xrpl https://xrplcluster.com --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    from console.run import Options, run

    options = Options(data_dir=data_dir, nats_port=nats_port, postgres_port=postgres_port)
    with _explained(), _ended_by_ctrl_c():
        run(xrpl, account, options, screen())


@app.command("verify")
def verify_command(
    *,
    database: Annotated[
        str,
        typer.Option(
            envvar="FILLPROOF_OWNER_DATABASE_URL",
            help="The audit tables' owner: postgresql://owner:password@host:port/database.",
        ),
    ],
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POSITION:DIGEST", help="A head printed earlier, which the chain must still hold."
        ),
    ] = None,
    xrpl: Annotated[
        str | None, typer.Option(help="A node, to hold rows against the ledger: http(s)://... or ws(s)://...")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many rows are held against the ledger.")] = 100,
) -> None:
    """Recompute the chain of digests and say which rows are not as they were stored.

    Exit status: 0 everything is as it was stored, 1 something is not, 2 bad input. Note the head somewhere
    else: rows and digests cut off the chain's end together are missed only by who knows an earlier head.

    Example: fillproof verify --head 1027:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    from console.proof.chain import parse_head
    from console.verify import show, verify

    try:
        noted = [parse_head(written) for written in head or ()]
    except ValueError as error:
        _refuse(str(error))
    with _explained():
        report = verify(database, noted, xrpl, sample, screen(stderr=True))
    show(report, screen())
    if report.findings:
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what can go wrong into one clear message and an exit status of its own."""
    try:
        yield
    except (ChildFailed, NotFinished, MissingOrder) as error:
        _refuse(str(error), status=FAILED)
    except (BadOption, StackError) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(KILLED_BY + signal.SIGINT) from None
    except Interrupted as interrupt:
        raise typer.Exit(KILLED_BY + interrupt.number) from None


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Take Ctrl-C for the end that was asked for: exit status 0."""
    try:
        yield
    except Interrupted as interrupt:
        if interrupt.number != signal.SIGINT:
            raise


def _folded(recording: Recording) -> Iterator[OrderLine]:
    console = screen(stderr=True)

    def watch(ledgers: Sequence[RecordedLedger]) -> Iterable[RecordedLedger]:
        name = escape(recording.session.name)
        return track(ledgers, name, console=console, transient=True, disable=not console.is_terminal)

    return fold_session(recording.session, watch)


def _find(wanted: Iterable[str]) -> list[Recording]:
    try:
        return [find_session(name) for name in dict.fromkeys(wanted)]
    except BadSession as error:
        _refuse(str(error))


def _show(lines: list[OrderLine], recordings: list[Recording], *, anomalies: int) -> None:
    console = screen()
    orders = [order for recording in recordings for order in recording.session.orders]
    console.print(order_table(lines, orders, console.width))
    summary(console, lines, anomalies)


def _print_json(lines: Iterable[OrderLine]) -> None:
    for line in lines:
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _refuse(message: str, *, status: int = BAD_INPUT) -> NoReturn:
    told = Text.assemble(("fillproof: ", "bold red"), message)
    screen(stderr=True).print(told, soft_wrap=True)
    raise typer.Exit(status)


def main() -> None:
    """Run the command line."""
    app()
