"""The end of `make demo`, as its own tables print it, from the pure core: it gives the same lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pictures.drawing import paper, picture

from console.replay import replay
from console.tables import order_table, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.session import Session

COLUMNS = 150


def drawn(sessions: Sequence[Session]) -> str:
    """Return the table of orders and the chip as SVG."""
    lines = [line for session in sessions for line in replay(session)]
    orders = [order for session in sessions for order in session.orders]
    console = paper(COLUMNS)
    console.print(order_table(lines, orders, COLUMNS))
    summary(console, lines, sum(line.anomaly for line in lines))
    return picture(
        console, name="demo", title="The end of make demo: what became of every order, and the chip"
    )
