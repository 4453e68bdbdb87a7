"""`make chaos`: every fault at random moments, and whether anything came out differently."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from datetime import UTC, datetime
from random import Random

from chaos.itinerary import SHORT, STRING, short, voyages
from chaos.mending import mended_by
from chaos.report import DOCUMENT, SAME, document
from chaos.voyage import Calm, Log, Voyage, sail, undisturbed
from rich.console import Console

from local_stack import Interrupted, noted_interrupts

DIFFERENT_STATUS = 1
INTERRUPTED_STATUS = 130


def main() -> int:
    """Make the voyages; 0 where all came out the same, 1 where one did not."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of an earlier run")
    parser.add_argument(
        "--only", metavar="WORD", default="", help="voyages with this in their name; no document"
    )
    parser.add_argument("--short", action="store_true", help="one voyage, half of the faults; no document")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    chance = Random(options.seed)  # noqa: S311 - draws faults, no secret
    drawn = [short(chance)] if options.short else voyages(chance)
    chosen = [one for one in drawn if options.only in one.name]
    if not chosen:
        parser.error(f"expected a part of a voyage's name after --only, found {options.only!r}")
    try:
        with noted_interrupts():
            return _run(chosen, options.seed, console, write=not (options.only or options.short))
    except Interrupted:
        return INTERRUPTED_STATUS


def _run(chosen: list[Voyage], seed: int, console: Console, *, write: bool) -> int:
    console.print(f"seed {seed}; {len(chosen)} voyages, after one in which nothing goes wrong ...")
    began = time.monotonic()
    calm = undisturbed([one for one in STRING if any(one in voyage.sessions for voyage in chosen)])
    logs: list[Log] = []
    for number, voyage in enumerate(chosen, start=1):
        logs.append(_told(voyage, number, seed, calm, console))
    minutes = (time.monotonic() - began) / 60
    if write:
        DOCUMENT.write_text(document(calm, logs, seed=seed, when=datetime.now(UTC), minutes=minutes))
    different = sum(bool(log.found) for log in logs)
    faults = sum(len(log.struck) for log in logs)
    console.print(f"{faults} faults in {minutes:.0f} minutes; {different or 'no'} voyages with a difference")
    return DIFFERENT_STATUS if different else 0


def _told(voyage: Voyage, number: int, seed: int, calm: Calm, console: Console) -> Log:
    began = time.monotonic()
    # each has a chance of its own: --only makes the very same voyage again
    log = sail(voyage, Random(f"{seed} {voyage.name}"), calm)  # noqa: S311
    if voyage.name == SHORT:  # of the others the document says how often each fault struck
        missed = set(voyage.times) - {blow.fault for blow in log.struck}
        log.found.extend(f"expected the fault to strike: {fault}" for fault in sorted(missed))
    found = SAME if not log.found else f"{len(log.found)} differences"
    seconds = f"{time.monotonic() - began:4.0f} s"
    console.print(f"{number:3}  {voyage.name:60} {len(log.struck):4} faults  {seconds}  {found}")
    if log.mended is not None:
        console.print(f"     {mended_by(log.mended)}", markup=False, highlight=False)
    for text in log.found:
        console.print(text, markup=False, highlight=False)
    return log


if __name__ == "__main__":
    sys.exit(main())
