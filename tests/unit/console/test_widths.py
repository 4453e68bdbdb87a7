"""Output at every terminal width: words stay whole, and a pipe gets whole lines without colour."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from on_the_bus import EVENTS
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from console import acknowledge, dead_letters, rebuild, verify
from console.fitted_tables import print_table
from console.live.bus_state import AccountLine, BusState
from console.live.event_feed import Told, Unreadable
from console.live.event_lines import event_line
from console.live.following import FollowingWatch, status_line
from console.live.status import order_line, status_lines
from console.live.summary import Totals
from console.main import app
from console.proof.chain import Break, Finding, Head
from console.proof.tables import Counts
from offer_lifecycle import Order
from order_events import Amount, OrdersEvent, OrderStatus, decode

ACCOUNT = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
USD, XRP = "USD.rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq", Amount("XRP", Decimal(97_662_841))
WIDTHS = (60, 80, 120)
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
PASTED = ("-m console", "fillproof ")
"""A command is one line, which the terminal wraps: broken it could not be pasted."""
PROGRAMS = {
    "replay": ["replay", "unfunded_removed"],
    "explain": ["explain", "rpPFd8h59jHYfZxAPsfzJKykX7TnBwcVuK", "229", "--session", "unfunded_removed"],
    "compare": ["compare", "--example"],
    "prove": ["prove", "rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6", "55", "--session", "canceled_elsewhere"],
    "doctor": ["doctor", "--xrpl", "ws://[::1", "--account", ACCOUNT],
}


def nothing_cut(narrow: str, whole: str, width: int) -> None:
    """Assert that the rows fit, and that each word is one of the whole output's."""
    assert "…" not in narrow
    for row in narrow.splitlines():
        alone = len(row.split()) == 1  # a hash of 64 digits fits no terminal of 60 columns
        assert len(row.rstrip()) <= width or alone or any(one in row for one in PASTED), row
    words = set(whole.split())
    lost = [word for word in narrow.split() if word not in words and set(word) != {"─"}]
    assert [word for word in lost if not word.isdigit()] == []  # the megabytes that are free change


def printed(arguments: list[str], width: int | None) -> str:
    """Return what the command prints on a terminal of that width; None: into a pipe."""
    terminal = {"COLUMNS": str(width), "FORCE_COLOR": "1"}
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": None} if width is None else terminal)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.stdout


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_command_fits_the_terminal_and_cuts_no_word(command: str, tmp_path: Path) -> None:
    arguments = [*PROGRAMS[command], *(["-o", str(tmp_path / "o.proof")] if command == "prove" else [])]
    piped = printed(arguments, None)
    assert "\x1b" not in piped
    for width in WIDTHS:
        # a bar that shows progress draws itself over its own line
        shown = TERMINAL.sub("", printed(arguments, width)).split("\r")[-1]
        nothing_cut(shown, piped, width)


def sentences_and_tables() -> Iterator[tuple[str, Callable[[Console], None]]]:
    event_id = "5b0ec0d1-9d3b-5b0c-8a3e-000000000001"
    reason = "expected drops of 0 to 10^17, found 100000000000000001 in field gave of order.filled"
    letter = dead_letters.Letter(
        id=7, time=datetime(2026, 11, 22, tzinfo=UTC), stream="ORDERS", stream_sequence="123456",
        subject=f"order.filled.{ACCOUNT}", reason=reason, payload=b'{"event_type": "order.filled"}',
    )  # fmt: skip
    columns, rows = dead_letters.COLUMNS, dead_letters.rows([letter])
    yield "dead-letters", lambda console: print_table(console, "Dead letters", columns, rows)
    known = acknowledge.Acknowledged(
        event_id=event_id, cause="UNFUNDED", account=ACCOUNT, sequence=229, by="desk",
        at="2026-11-22 17:56:45", note="the quote wallet was moved on purpose",
    )  # fmt: skip
    yield "ack", lambda console: acknowledge.show(console, [known])
    events = {"order.accepted": 12, "order.filled": 34, "order.disappeared": 5, "order.canceled": 6}
    built = rebuild.Rebuilt(account=ACCOUNT, begun_at=95_000_001, ledgers=12_345, events=events)
    yield "rebuild", lambda console: rebuild.show(console, [built])
    where = {"table": "order_event", "batch": 12, "ledger_index": 95_000_001}
    broken = Finding(what=Break.MISSING, event_id=event_id, detail=reason, **where)
    report = verify.Report(
        findings=[broken],
        counts=Counts(batches=3, events=400, fills=12, anomalies=1),
        head=Head(12, b"\x01" * 32),
        on_ledger=None,
    )
    yield "verify", lambda console: verify.show(report, console)


@pytest.mark.parametrize(("name", "show"), [pytest.param(*one, id=one[0]) for one in sentences_and_tables()])
def test_what_needs_a_database_or_a_bus_fits_too(name: str, show: Callable[[Console], None]) -> None:
    def shown(width: int | None) -> str:
        file = io.StringIO()
        show(Console(file=file, width=width or 10_000, force_terminal=width is not None, color_system=None))
        return TERMINAL.sub("", file.getvalue())

    whole = shown(None)
    assert ACCOUNT in whole or name == "verify"
    for width in WIDTHS:
        nothing_cut(shown(width), whole, width)


def told() -> Iterator[Told]:
    for sample in EVENTS.iterdir():
        if not sample.name.startswith(("proof.", "engine.")):
            event = decode(sample.read_bytes())
            assert isinstance(event, OrdersEvent)
            yield event
    yield Unreadable("order.filled.x", "expected an object, found a list")


def lines(width: int | None) -> Iterator[Text]:
    """Yield what `run`, `tail`, `status` and `orders` print."""
    totals = Totals()
    for event in told():
        totals.add(event)
        yield event_line(event, width)
    yield from totals.lines(width)
    yield status_line(FollowingWatch().look([], 0.0), 2, width)
    order = Order(
        account=ACCOUNT,
        sequence=229,
        gets=Amount(USD, Decimal("50.00000001")),
        pays=XRP,
        status=OrderStatus.ACCEPTED,
        price=Decimal("0.5119656253923846153846153846153846"),
        expiration=None,
        gets_left=Decimal("50.00000001"),
        pays_left=XRP.value,
        client_order_id="grid-7/ask-03",
        external=False,
    )
    yield order_line(order, width)
    account = AccountLine(
        network_id=1, account=ACCOUNT, ledger_index=95_000_001, open_orders=(order,), permission=None,
        halted="3 disappearances that nothing explains", unresolved=3, missing_ledgers=("5-9",),
    )  # fmt: skip
    yield from status_lines(BusState(accounts=(account,), replicas=1, unwritten=2, dead_letters=3), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_line_of_run_tail_status_and_orders_fits_and_cuts_no_word(width: int) -> None:
    whole = "\n".join(line.plain for line in lines(None))
    narrow = "\n".join(line.plain for line in lines(width))
    assert ACCOUNT in narrow
    nothing_cut(narrow, whole, width)
