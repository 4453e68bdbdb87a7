"""`fillproof replay`: recorded sessions, folded and shown."""

from collections.abc import Iterable, Iterator, Sequence

from rich.markup import escape
from rich.progress import track

from console.ending import explained, refuse
from console.invocation import pasteable
from console.json_lines import print_json
from console.lines import OrderLine
from console.options import AsJson, Sessions
from console.replay import replay as fold_session
from console.sessions import SELECTION, Recording, find_sessions
from console.tables import screen, show_orders
from replay_node.session import RecordedLedger


def replay_command(sessions: Sessions = None, *, as_json: AsJson = False) -> None:
    """Fold recorded SESSIONs and say what became of every order: no bus, no database, no node.

    Exit status: 0 done; 1 a recording tells nothing of an order; 2 bad input.

    Example: fillproof replay cancel_race_lost
    """
    if not sessions:
        refuse(f"expected at least one SESSION, for example: {pasteable('replay', SELECTION[0])}")
    with explained():
        found = find_sessions(sessions)
        folded = (line for recording in found for line in _folded(recording))
        if as_json:
            print_json(folded)
            return
        lines = list(folded)
    show_orders(screen(), lines, found, anomalies=sum(line.anomaly for line in lines))


def _folded(recording: Recording) -> Iterator[OrderLine]:
    console = screen(stderr=True)

    def watch(ledgers: Sequence[RecordedLedger]) -> Iterable[RecordedLedger]:
        name = escape(recording.session.name)
        return track(ledgers, name, console=console, transient=True, disable=not console.is_terminal)

    return fold_session(recording.session, watch)
