"""`fillproof status`: what is followed, how far, how sure, what is open, what waits for somebody."""

import asyncio

import typer

from console.ending import FAILED, explained
from console.json_lines import print_json
from console.options import DEFAULT_NATS, BusUrl, StateAsJson
from console.tables import screen


def status_command(*, nats: BusUrl = DEFAULT_NATS, as_json: StateAsJson = False) -> None:
    """Say what is followed, how far, what engines may do, what is open and what waits for you.

    Exit status: 0 every account is well; 1 one is not, or something waits;
    2 bad input, or no bus answers.

    Example: fillproof status --nats nats://127.0.0.1:4222
    """
    from console.live.read_once import bus_state
    from console.live.status import is_well, show_status

    with explained():
        state = asyncio.run(bus_state(nats))
    if as_json:
        print_json([state])
    else:
        show_status(screen(), state)
    if not is_well(state):
        raise typer.Exit(FAILED)
