"""What the voyages found, as the table in docs/faults.md."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.damages import DAMAGES
from chaos.faults import FAULTS
from chaos.hostile import HOSTILE
from chaos.leg import FLOODS_APART, FOREIGN, SPOILT
from chaos.voyage import FLOOD, MORE_MEGABYTES, POSTGRES_GONE, WRITER_GONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from chaos.voyage import Calm, Log

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
ABOUT_FLOODS = (
    f"{SPOILT} messages that are no announcement and {FOREIGN:,} of an account that nobody follows, "
    f"every {FLOODS_APART} ledgers"
)
SAME = "the same"
SHOWN = 1_500
"""Characters of a difference."""
HEAD = """# Faults

Written by `make chaos`; change nothing here by hand. `make chaos SEED={seed}` draws the same faults at
the same ledgers again; within a ledger the machine decides what they hit. `make chaos ARGS=--short` is
a short form of it, which CI runs.

Recorded sessions run through the real parts: nats-server, PostgreSQL, audit writer and reconciler
processes, and two replay nodes for each session; a hostile server is named before the one honest node.
What dies is started again, as a supervisor would do.
Afterwards everything is compared with a run in which nothing went wrong:

- the events on the bus are the same, by id and by content, and none stands there twice;
- the state bucket holds the same orders, and every cursor stands at the last ledger;
- `order_event`, `fill` and `reconciler_anomaly_log` hold each row once, with the payload that is on the
  bus, and `fillproof verify` finds nothing;
- every message that is no announcement is one dead letter;
- no process logs a traceback, none takes {more} MB more than usual, the reconciler ends with status 0
  when told to.

Where a server lies, what it told stays on record beside the `order.corrected` that withdraws or amends
it; these are compared as a reader takes them who heeds every correction.

One thing may differ: the market around a disappearance, which is read at best and says why where it
could not be.

| | |
|---|---|
| when | {when:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes |
| where | {cores} cores, load {load:.1f} at the end |
| seed | {seed} |
| voyages | {voyages}, of {sessions} sessions in all |
| faults | {struck} |
| voyages with a difference | {different} |
| peak memory, undisturbed | reconciler {calm.reconciler:.0f} MB, audit writer {calm.audit_writer:.0f} MB |
| peak memory, all voyages | reconciler {worst_reconciler:.0f} MB, audit writer {worst_writer:.0f} MB |
"""
ABOUT_DAMAGES = """## What is taken away

What a disk, a restored backup or a hand takes away, once in a session of its own. An operator looks at
the alerts (the rules of `deploy/prometheus`, on what the services show) and at the events that are about no
order, and runs the commands. *Broken* is what PostgreSQL lacked, or held otherwise than in the undisturbed
run, before that. Afterwards no alert fires, `fillproof verify --nats` finds nothing, and the store holds the
same events by id.
"""
LIMITS = """
## That it can fail

Tried by hand: a reconciler that commits before it publishes, one that publishes without message ids, an
audit writer that acknowledges before it has stored. The voyages that kill these services found each of
them, with every seed that was tried.

## What this does not show

- Of two servers one is honest. What a server alone can make believe, and what a list of validators
  keeps from being committed, is measured by `tests/bench/lies.py` (docs/reading.md, "Lies").
- Clock jumps move what our Python services read from `time.time`, while they run; not the clocks of
  PostgreSQL and nats-server. Timers use the monotonic clock, which no jump moves.
- "NATS can't write" sets the server's file size limit to zero, so that every write fails as on a full
  or read-only disk. nats-server goes on failing after the limit is lifted: only its restart mends it,
  which is what the fault ends with.
- What an operator signs after a failover (`fillproof failover`) is tried in
  `tests/integration/audit_writer/test_standby.py`: the voyages sign no checkpoints.
- A damage is mended in the audit store and in the account's state. What engines had not read of a stream that
  lost messages, no command tells them again. Rows that were told while something was lost stay as they are.
- Nobody notices the end of ORDERS that was cut off before an audit writer had seen it (it looks each second),
  or announcements that were lost before a reconciler had heard them.
- After a cut `refill` names too few ledgers, for the stream's numbers are used again: `rebuild` of the time
  since then is needed beside it.
- Of the state bucket a message with an order is flipped, not the one with an account's cursor.
- A hole in history is always closed by the second server; what happens where no server has the ledgers
  is in `tests/e2e/reconciler/test_gaps.py`.
"""


def document(calm: Calm, logs: Sequence[Log], *, seed: int, when: datetime, minutes: float) -> str:
    """Return the document."""
    head = HEAD.format(
        seed=seed,
        more=MORE_MEGABYTES,
        when=when,
        minutes=minutes,
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
        voyages=len(logs),
        sessions=sum(len(log.voyage.sessions) for log in logs),
        struck=sum(len(log.struck) for log in logs),
        different=sum(bool(log.found) for log in logs),
        calm=calm.peaks,
        worst_reconciler=max(log.peaks.reconciler for log in logs),
        worst_writer=max(log.peaks.audit_writer for log in logs),
    )
    return "\n".join(
        [
            head,
            *_faults(logs),
            "",
            *_damages(logs),
            "",
            *_voyages(logs),
            *_differences(logs),
            *_said(logs),
            LIMITS.rstrip(),
            "",
        ]
    )


def _faults(logs: Sequence[Log]) -> Iterable[str]:
    yield "## The faults\n"
    yield "| fault | how | times | voyages with it | of them different |"
    yield "|---|---|--:|--:|--:|"
    times = Counter(blow.fault for log in logs for blow in log.struck)
    for name, fault in FAULTS.items():
        having = [log for log in logs if name in log.voyage.times]
        different = sum(bool(log.found) for log in having)
        yield f"| {name} | {fault.about} | {times[name]} | {len(having)} | {different} |"
    for party, about in (*HOSTILE.items(), (FLOOD, ABOUT_FLOODS)):
        having = [log for log in logs if party in {log.voyage.hostile, log.voyage.name}]
        different = sum(bool(log.found) for log in having)
        yield f"| {party} | {about} | the whole session | {len(having)} | {different} |"
    for gone in (WRITER_GONE, POSTGRES_GONE):
        having = [log for log in logs if log.voyage.gone == gone]
        different = sum(bool(log.found) for log in having)
        yield f"| {gone} | back when it has ended | {len(having)} | {len(having)} | {different} |"


def _damages(logs: Sequence[Log]) -> Iterable[str]:
    yield ABOUT_DAMAGES
    yield "| damage | how | broken in the store | told by | mended by | different afterwards |"
    yield "|---|---|---|---|---|---|"
    for log in logs:
        mended = log.mended
        if mended is not None:
            told = ", ".join(
                (*(f"`{one}`" for one in mended.told.events), *(f"*{one}*" for one in mended.told.alerts))
            )
            cells = (
                log.voyage.damage,
                DAMAGES[log.voyage.damage].about,
                mended.broken or "nothing",
                told or "nothing",
                ", ".join(mended.commands) or "nothing to do",
                mended.lasting or "nothing",
            )
            yield f"| {' | '.join(cells)} |"


def _voyages(logs: Sequence[Log]) -> Iterable[str]:
    yield "## The voyages\n"
    yield "| voyage | sessions | replicas | faults | found |"
    yield "|---|---|--:|--:|---|"
    for log in logs:
        sessions = log.voyage.sessions
        named = sessions[0] if len(sessions) == 1 else f"{len(sessions)}, strung together"
        found = SAME if not log.found else f"{len(log.found)} differences"
        yield f"| {log.voyage.name} | {named} | {log.voyage.replicas} | {len(log.struck)} | {found} |"


def _said(logs: Sequence[Log]) -> Iterable[str]:
    yield "\n## What the services warned of\n"
    yield "| voyage | in the logs |"
    yield "|---|---|"
    for log in logs:
        lines = "; ".join(f"{text} ({count})" for text, count in sorted(log.said.items())) or "nothing"
        yield f"| {log.voyage.name} | {lines} |"


def _differences(logs: Sequence[Log]) -> Iterable[str]:
    found = [(log.voyage.name, text) for log in logs for text in log.found]
    if found:
        yield "\n## What differed\n"
    for name, text in found:
        yield f"{name}:\n\n```\n{text[:SHOWN]}\n```\n"
