"""Runs in which a server lies about the ledger, and what each lie did to events and committed states."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from true_outcome import Truth, books_of, is_true, truth_of

from order_events import OrderCorrected, OrderEvent, Permission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from lying_world import LyingWorld

    from ledger_client import LedgerServer

LEDGERS_AFTER_THE_END = 4
"""For which the account is followed when the recording has ended, and nothing closes any more."""
TURNS_UNTIL_TOLD = 200
"""Of the event loop; what is told needs no answer of a server."""
READINGS_A_LEDGER = 3
"""Looks at each ledger; on a live network they are 20 ms and more apart."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The effects of a lie on one run: false events, false states, servers put aside."""

    ledgers: int
    """Of the truth that are committed at the end, after the first one."""
    told: int
    """Events that are not so, or not like this."""
    standing: int
    """Of those, the ones that no order.corrected withdraws or amends."""
    missing: int
    """Events of the committed ledgers that were not told, though they are so."""
    committed: int
    """Ledgers after which another state or another hash was committed than the true one."""
    wrong_at_the_end: int
    """Orders that are committed otherwise than they are when the run ends."""
    confirmed: int
    """Of the ledgers committed wrongly, those that were called confirmed."""
    aside: Mapping[str, tuple[str, ...]]
    """The servers that were put aside, with the kinds of what was found."""
    stopped: bool
    """Whether an engine was told to stop."""
    ledgers_to_withdrawal: int | None
    """Ledgers that closed between the first telling of a lie and its correction, at most; None: none was."""


async def run_with_lie(world: LyingWorld, faults: Mapping[str, object], *, after: int) -> Outcome:
    """Follow the session to its end; the liar begins to lie after so many ledgers."""
    truth = await truth_of(world.session, world.role)
    record = _Record(world, truth)
    ledgers = world.session.ledgers

    def begin(closed: int) -> None:
        if closed == after:
            since = {"forge_from": ledgers[closed].ledger_index} if "forge" in faults else {}
            world.liar.node.faults.change({**faults, **since})

    world.on_close = begin
    await world.look()
    while world.closed < len(ledgers) - 1 + LEDGERS_AFTER_THE_END:
        await world.until_next_close()
        for _ in range(READINGS_A_LEDGER):
            await world.look()
            record.look()
    return record.outcome()


async def crash_after_lie(world: LyingWorld, faults: Mapping[str, object]) -> list[OrderEvent]:
    """Follow up to the first ledger about which a false event is published; end the process before that.

    Returns the events about that ledger.
    """
    truth = await truth_of(world.session, world.role)
    await world.look()
    while True:
        before, held = len(world.memory.stream), world.session.ledgers[world.closed + 1].ledger_index
        world.liar.node.faults.change({**faults, "forge_from": held})
        world.liar.answers.clear()
        await world.until_next_close()
        advancing = asyncio.create_task(world.look())
        for _ in range(TURNS_UNTIL_TOLD):
            await asyncio.sleep(0)
        told = [event for event in world.memory.stream[before:] if isinstance(event, OrderEvent)]
        if any(not is_true(truth, event) for event in told):
            advancing.cancel()
            await asyncio.wait([advancing])
            return told
        world.liar.answers.set()
        await advancing


class _Record:
    """The false events and false states that are seen while a run goes on."""

    def __init__(self, world: LyingWorld, truth: Truth) -> None:
        self._world, self._truth = world, truth
        self._wrong: set[int] = set()
        self._confirmed: set[int] = set()
        self._stopped = False
        self._seen = 0
        self._told_at: dict[UUID, int] = {}
        self._waited: list[int] = []
        self._aside: dict[str, set[str]] = {}
        failed = world.servers.failed

        def note(server: LedgerServer, error: Exception) -> None:
            self._aside.setdefault(server.name, set()).add(error.kind)
            failed(server, error)

        world.servers.failed = note  # type: ignore[method-assign]

    def look(self) -> None:
        """Note the events published and the state committed since the last look."""
        world, truth = self._world, self._truth
        record = world.one.committed.stored.record if world.one.committed else None
        closed = world.session.ledgers[0].ledger_index
        if record is not None and record.ledger_index > closed:
            index = record.ledger_index
            true = truth.hashes.get(index) == record.ledger_hash and truth.books.get(index) == books_of(
                world.one
            )
            if not true:
                self._wrong.add(index)
                if world.metrics.registry.get_sample_value("reconciler_confirmed_ledger") == index:
                    self._confirmed.add(index)
        self._stopped |= world.permission() is Permission.STOP
        now = max(node.newest for node in world.nodes)
        for event in world.memory.stream[self._seen :]:
            if isinstance(event, OrderCorrected):
                if event.corrects in self._told_at:
                    self._waited.append(now - self._told_at[event.corrects])
            elif isinstance(event, OrderEvent) and not is_true(truth, event):
                self._told_at[event.event_id] = now
        self._seen = len(world.memory.stream)

    def outcome(self) -> Outcome:
        """Return the counts of the whole run."""
        world, truth = self._world, self._truth
        events = [one for one in world.memory.stream if isinstance(one, OrderEvent)]
        corrected = {one.corrects for one in events if isinstance(one, OrderCorrected)}
        lies = [one for one in events if not isinstance(one, OrderCorrected) and not is_true(truth, one)]
        told = {one.event_id for one in events}
        missing = [
            one
            for one in truth.events.values()
            if one.event_id not in told and one.ledger_index is not None and one.ledger_index <= world.cursor
        ]
        cursor = min(world.cursor, max(truth.books))
        true, found = truth.books.get(cursor, {}), books_of(world.one)
        return Outcome(
            ledgers=len([one for one in truth.books if one <= world.cursor]) - 1,
            told=len(lies),
            standing=len([one for one in lies if one.event_id not in corrected]),
            missing=len(missing),
            committed=len(self._wrong),
            wrong_at_the_end=sum(true.get(one) != found.get(one) for one in true.keys() | found.keys()),
            confirmed=len(self._confirmed),
            aside={name: tuple(sorted(kinds)) for name, kinds in sorted(self._aside.items())},
            stopped=self._stopped,
            ledgers_to_withdrawal=max(self._waited, default=None),
        )
