"""`fillproof status` and `fillproof orders`: what the bus says of the accounts, as lines that fit."""

from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.text import Text

from console.fitting import Piece, counted, fitted, width_of
from console.invocation import pasteable
from console.live.bus_state import AccountLine, BusState
from console.tables import printable
from offer_lifecycle import Order, format_decimal
from order_events import Permission

_STYLES = {Permission.OK: "green", Permission.REDUCE_ONLY: "yellow", Permission.STOP: "bold red"}
_NOBODY = "no reconciler has said so in time"


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a person, and the command to begin with."""

    what: str
    command: str = ""


def waits(state: BusState) -> list[Waiting]:
    """Return what waits for a person."""
    waiting = [
        Waiting(
            f"{one.account} is halted: {one.halted}. Look into it, then",
            pasteable("resume", one.account, "--note", "what was found"),
        )
        for one in state.accounts
        if one.halted is not None
    ]
    if state.dead_letters:
        waiting.append(Waiting(counted(state.dead_letters, "dead letter"), pasteable("dead-letters")))
    if not state.replicas:
        waiting.append(Waiting("no reconciler runs: nothing is followed"))
    return waiting


def is_well(state: BusState) -> bool:
    """Whether every account may be traded on and nothing waits for a person."""
    return not waits(state) and all(_permission(one)[0] is Permission.OK for one in state.accounts)


def show_status(console: Console, state: BusState) -> None:
    """Print what is followed, how far, how sure, what is open, and what waits."""
    width = width_of(console)
    for line in status_lines(state, width):
        console.print(line, soft_wrap=True)


def status_lines(state: BusState, width: int | None) -> Iterator[Text]:
    """Write the status for a terminal of that width; None: whole."""
    yield fitted(
        [
            Piece(counted(len(state.accounts), "account")),
            Piece(counted(state.replicas, "reconciler")),
            Piece(counted(sum(len(one.open_orders) for one in state.accounts), "open order")),
            Piece(f"{counted(state.unwritten, 'event')} not in PostgreSQL yet", drop=1),
        ],
        width,
    )
    for one in state.accounts:
        permission, cause, reason = _permission(one)
        network = "" if not one.network_id else f"network {one.network_id}"
        yield fitted(
            [
                Piece(one.account),
                Piece(permission, style=_STYLES[permission]),
                Piece(cause if permission is not Permission.OK else "", drop=1),
                Piece(f"ledger {one.ledger_index}", drop=2),
                Piece(f"{len(one.open_orders)} open", drop=3),
                Piece(f"{one.unresolved} unresolved" if one.unresolved else "", drop=1),
                Piece(network, drop=4),
                Piece(printable(reason), drop=5),
            ],
            width,
        )
    for waiting in waits(state):
        yield fitted([Piece(f"Waits for you: {printable(waiting.what)}", style="yellow")], width)
        if waiting.command:
            yield Text(f"    {waiting.command}")


def order_line(order: Order, width: int | None) -> Text:
    """Write an open order for a terminal of that width; None: whole."""
    base = order.market.partition("/")[0].partition(".")[0]
    price = "" if order.price is None else f"at {format_decimal(order.price)}"
    return fitted(
        [
            Piece(order.account, drop=3),
            Piece(f"order {order.sequence}"),
            Piece(f"{order.side} {format_decimal(order.quantity)} {base}"),
            Piece(price),
            Piece(f"{format_decimal(order.filled_qty)} filled", drop=1),
            Piece(order.status, drop=2),
            Piece(order.market, drop=5),
            Piece("external" if order.external else printable(order.client_order_id or ""), drop=4),
        ],
        width,
    )


def _permission(one: AccountLine) -> tuple[Permission, str, str]:
    if one.permission is None:
        return Permission.STOP, "stale", _NOBODY
    try:
        return Permission(one.permission.permission), one.permission.cause, one.permission.reason
    except ValueError:
        return Permission.STOP, one.permission.cause, one.permission.reason
