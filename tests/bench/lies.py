"""A table of what a server's lies do: `make bench`. Counts over some recorded sessions; no time is measured.

A server lies from some ledger on until the session has ended. What is told, committed and called confirmed is
compared with a run on an honest server, ledger by ledger.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec
import structlog
from lying import Outcome, run_with_lie
from lying_world import LyingWorld
from replaying import recorded
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replay_node.session import Session

SESSIONS = ("grid_swept", "random_1", "random_2")
MOST_LEDGERS = 32
"""Of a session."""
AFTER = 2
"""Ledgers of each session that close before the server begins to lie."""
LIES: Mapping[str, Mapping[str, object]] = {
    "amounts forged": {"forge": "amounts"},
    "amounts forged, hashed anew": {"forge": "amounts", "rehash": True},
    "transactions hidden": {"forge": "hidden"},
    "transactions hidden, hashed anew": {"forge": "hidden", "rehash": True},
    "transactions added": {"forge": "added"},
    "transactions added, hashed anew": {"forge": "added", "rehash": True},
    "transactions doubled": {"forge": "doubled"},
    "ledgers invented": {"invent": 3},
    "wrong chain": {"other_chain": True},
    "stale answers": {"stale": 3},
    "an old index": {"lag": 3},
}
CONFIGURATIONS: Mapping[str, Mapping[str, object]] = {
    "the liar, an honest server": {"servers": 2, "liar": 0},
    "an honest server, the liar": {"servers": 2, "liar": 1},
    "one server, list of validators": {"validators": True},
    "one server, account mode": {},
    "one server, whole ledgers": {"whole": True},
}


async def measure(lie: Mapping[str, object], world: Mapping[str, object]) -> list[Outcome]:
    """Return what came of a lie in each session."""
    return [await _run_session(name, lie, world) for name in SESSIONS]


async def _run_session(name: str, lie: Mapping[str, object], world: Mapping[str, object]) -> Outcome:
    made = LyingWorld(_cut(recorded(name)), **world)  # type: ignore[arg-type] - passed on
    return await run_with_lie(made, lie, after=AFTER)


def _cut(session: Session) -> Session:
    return msgspec.structs.replace(session, ledgers=session.ledgers[:MOST_LEDGERS])


def row(found: Sequence[Outcome]) -> list[str]:
    """Return the cells about the sessions together."""
    kinds = sorted(
        {kind for one in found for name, all_ in one.aside.items() for kind in all_ if "liar" in name}
    )
    waited = [one.ledgers_to_withdrawal for one in found if one.ledgers_to_withdrawal is not None]
    counts = (
        sum(one.told for one in found),
        sum(one.told - one.standing for one in found),
        sum(one.ledgers for one in found),
        sum(one.committed for one in found),
        sum(one.wrong_at_the_end + one.missing for one in found),
        sum(one.confirmed for one in found),
    )
    stops = sum(one.stopped for one in found)
    most = str(max(waited)) if waited else "-"
    return [*map(str, counts), ", ".join(kinds) or "-", f"{stops} of {len(found)}", most]


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    table = Table(title="Lies of one server, and what came of them", title_justify="left")
    for heading in (
        "lie", "servers", "told", "withdrawn\nor amended", "committed\nledgers", "of them\nwrongly",
        "wrong at\nthe end", "called\nconfirmed", "the liar put aside for", "told to\nstop",
        "ledgers until\nwithdrawn",
    ):  # fmt: skip
        table.add_column(heading, no_wrap=True)
    for lie, faults in LIES.items():
        for configuration, world in CONFIGURATIONS.items():
            table.add_row(lie, configuration, *row(asyncio.run(measure(faults, world))))
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
