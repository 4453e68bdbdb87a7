"""`fillproof`: what happened to every order, with proof."""

import asyncio
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.markup import escape
from rich.progress import track

from console.asking import checked_address, named_server
from console.audit import check_row_command, verify_command
from console.check import check_command
from console.compare.command import compare_command
from console.desk import ack_command
from console.ending import FAILED, explained, refuse
from console.errors import HistoryMissing
from console.extras import require_extra
from console.invocation import PROGRAM, pasteable
from console.lines import OrderLine
from console.options import (
    DEFAULT_NATS,
    Accounts,
    Address,
    AsJson,
    DataDir,
    EveryLetter,
    FirstLedger,
    LastLedger,
    LetterIds,
    LettersAsJson,
    NatsPort,
    NatsUrl,
    Nodes,
    OrderSequence,
    PostgresPort,
    Resend,
    Sessions,
)
from console.prove import prove_command
from console.record import record_command
from console.replay import replay as fold_session
from console.resuming import resume_command
from console.sessions import SELECTION, Recording, find_session
from console.tables import screen, show_orders
from replay_node.session import BadSession, RecordedLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.explain.answer import Explanation
    from ledger_client import LedgerServer

LAST_SEQUENCE = 2**32 - 1

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(help=__doc__)
def main_options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False
) -> None:
    """Take the options that stand before a command."""
    if version:
        typer.echo(f"{PROGRAM} {installed_version('fillproof-console')}")
        raise typer.Exit


@app.command("replay")
def replay_command(sessions: Sessions = None, *, as_json: AsJson = False) -> None:
    """Fold recorded SESSIONs and say what became of every order: no bus, no database, no node.

    Exit status: 0 done; 1 a recording tells nothing of an order; 2 bad input.

    Example: fillproof replay cancel_race_lost
    """
    if not sessions:
        refuse(f"expected at least one SESSION, for example: {pasteable('replay', SELECTION[0])}")
    found = _find(sessions)
    with explained():
        folded = (line for recording in found for line in _folded(recording))
        if as_json:
            _print_json(folded)
            return
        lines = list(folded)
    show_orders(screen(), lines, found, anomalies=sum(line.anomaly for line in lines))


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

    Exit status: 0 done; 1 a part failed; 2 bad input, or a port is taken;
    130 Ctrl-C; 143 TERM. Nothing stays behind in any case.

    Example: fillproof demo canceled_elsewhere unfunded_removed
    """
    require_extra("local", command="demo")
    from console.demo import Options, demo
    from console.stack import wait_for_interrupt
    from console.stack_ending import ended_by_ctrl_c, stack_explained

    found = _find(sessions or SELECTION)
    console = screen(stderr=as_json)
    options = Options(pace=pace, nats_port=nats_port, postgres_port=postgres_port)
    with stack_explained(), contextlib.closing(demo(found, options, console)) as results:
        for result in results:
            if as_json:
                _print_json(result.lines)
                continue
            show_orders(screen(), result.lines, found, anomalies=result.anomalies)
            console.print(f"Your engine's own books against the ledger: {pasteable('compare', '--example')}")
            if hold:
                console.print("Everything is still running. Ctrl-C ends it.")
                with ended_by_ctrl_c():
                    wait_for_interrupt()


@app.command("run")
def run_command(
    *,
    xrpl: Nodes,
    account: Accounts,
    data_dir: DataDir = None,
    nats_port: NatsPort = 0,
    postgres_port: PostgresPort = 0,
) -> None:
    """Follow real accounts: the same stack as the demo against a real node, until Ctrl-C.

    Exit status: 0 ended by Ctrl-C; 1 a part failed; 2 bad input, no node
    answers, or a port is taken; 143 TERM.

    Example: fillproof run --xrpl https://xrplcluster.com --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    require_extra("local", command="run")
    from console.run import Options, run
    from console.stack_ending import ended_by_ctrl_c, stack_explained

    options = Options(data_dir=data_dir, nats_port=nats_port, postgres_port=postgres_port)
    with stack_explained(), ended_by_ctrl_c():
        run(xrpl, account, options, screen())


@app.command("rebuild")
def rebuild_command(
    *, account: Accounts, first: FirstLedger, last: LastLedger, xrpl: Nodes, nats: NatsUrl
) -> None:
    """Give the audit store the events of a range of ledgers again; engines are told nothing.

    Example: fillproof rebuild --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe --from 90000000 --to 90000999
    --xrpl https://xrplcluster.com --nats nats://127.0.0.1:4222
    """
    from console.rebuild import Options, rebuild, show

    options = Options(accounts=tuple(account), first=first, last=last, xrpl_urls=tuple(xrpl), nats_url=nats)
    with explained():
        found = rebuild(options)
    show(screen(), found)


@app.command("dead-letters")
def dead_letters_command(
    ids: LetterIds = None,
    *,
    nats: NatsUrl = DEFAULT_NATS,
    resend: Resend = False,
    every: EveryLetter = False,
    as_json: LettersAsJson = False,
) -> None:
    """List the messages that were set aside, or give those of the audit writer to it again after a fix.

    Exit status: 0 done; 1 something sent again was refused again or is not
    taken yet; 2 bad input, no bus, or no such letter.

    Example: fillproof dead-letters --resend 3 4
    """
    from console.dead_letters import find, resendable, send_again, show

    wanted = ids or []
    if resend and bool(wanted) == every:
        refuse("expected what to send again: --resend ID..., or --resend --all")
    if every and not resend:
        refuse("expected --all with --resend: without it, all are listed")
    with explained():
        letters = find(nats, wanted)
        if not resend:
            show(letters, as_json=as_json)
        elif not send_again(nats, resendable(letters, wanted), as_json=as_json):
            raise typer.Exit(FAILED)


@app.command("explain")
def explain_command(
    address: Address,
    sequence: OrderSequence,
    *,
    xrpl: Annotated[str | None, typer.Option(help="A node: http(s)://... or ws(s)://...")] = None,
    session: Annotated[
        str | None, typer.Option(help="A recorded session instead: a path or a name, as `replay` takes.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
    ] = False,
) -> None:
    """Say what happened to the order SEQUENCE of ADDRESS, with the proof: no bus, no database.

    Exit status: 0 it is explained; 1 the node can't be used; 2 bad input, or
    no node answers; 3 the order was never placed; 4 there is no such account;
    5 the node lacks history that it takes.

    Example: fillproof explain rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6 55 --session canceled_elsewhere
    """
    from console.explain.page import Progress, show

    with explained():
        account = checked_address(address)
    if not 1 <= sequence <= LAST_SEQUENCE:
        refuse(f"expected a sequence of 1 to {LAST_SEQUENCE}, found {sequence}")
    with explained():
        server = named_server(xrpl, session)
        told = asyncio.run(_explain(server, account, sequence, Progress(screen(stderr=True))))
    if as_json:
        _print_json([told])
    else:
        show(screen(), told)
    if told.missing_transactions:
        raise typer.Exit(HistoryMissing.status)


async def _explain(
    server: "LedgerServer", account: str, sequence: int, watch: "Callable[[int, int], None]"
) -> "Explanation":
    from console.explain.inquiry import explain

    try:
        return await explain(server, account, sequence, watch)
    finally:
        await server.close()


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
        refuse(str(error))


def _print_json(lines: Iterable[msgspec.Struct]) -> None:
    for line in lines:
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


app.command("compare")(compare_command)
app.command("verify")(verify_command)
app.command("check-row")(check_row_command)
app.command("resume")(resume_command)
app.command("ack")(ack_command)
app.command("record")(record_command)
app.command("prove")(prove_command)
app.command("check")(check_command)
