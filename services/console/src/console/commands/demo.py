"""`fillproof demo`: the whole stack on recorded ledgers."""

import contextlib
from typing import Annotated

import typer

from console.ending import explained
from console.extras import require_extra
from console.invocation import pasteable
from console.json_lines import print_json
from console.options import AsJson, NatsPort, PostgresPort, Sessions
from console.sessions import SELECTION, find_sessions
from console.tables import screen, show_orders


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

    with explained():
        found = find_sessions(sessions or SELECTION)
    console = screen(stderr=as_json)
    options = Options(pace=pace, nats_port=nats_port, postgres_port=postgres_port)
    with stack_explained(), contextlib.closing(demo(found, options, console)) as results:
        for result in results:
            if as_json:
                print_json(result.lines)
                continue
            show_orders(screen(), result.lines, found, anomalies=result.anomalies)
            console.print(f"Your engine's own books against the ledger: {pasteable('compare', '--example')}")
            if hold:
                console.print("Everything is still running. Ctrl-C ends it.")
                with ended_by_ctrl_c():
                    wait_for_interrupt()
