"""The keeper of proofs: of every committed ledger that changed orders, what proves it goes to stream PROOFS.

It begins when a ledger's events are published and committed, in a task of its own: no fill waits for it, and
what it can't get is left out, counted and said. For each ledger it

1. reads the ledger whole, as blobs, and takes out the transactions that changed orders, with their paths;
2. waits some seconds for the ledger's validations;
3. where they are too few, goes on header by header to the first later ledger that has enough;
4. publishes.

One ledger in so many is kept also where nothing changed: an anchor, with the lists in force.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from offer_lifecycle import Header
from order_events import OrderEvent, OrdersEvent, ProvenTransaction
from reconciler.metrics import Metrics
from reconciler.ports.proofs import ProofRefused, ProofsBus
from reconciler.proofs.blob_reader import BlobReader, ProvenHeader
from reconciler.proofs.ledger_evidence import OrderKey, changed_orders
from reconciler.proofs.proof_messages import proof_messages
from reconciler.proofs.validation_feed import ValidationFeed

_log = structlog.get_logger()

_PAUSE = 0.5
"""Seconds between two looks at what waits."""
_LONGEST_PAUSE = 60.0
"""Seconds without a reading, after several that failed."""
_VOTE_SECONDS = 12.0
"""So long the validations of a ledger are waited for, before later ledgers are looked at."""
_UNCONFIRMED_SECONDS = 120.0
"""After so long a ledger is published with the validations that have come, if any."""
_LOST_SECONDS = 600.0
"""After so long without a server that has the ledger, or without the bus, its proof is lost."""
_NEAR = 32
"""Ledgers: the validations of one that is older have passed. So long is a chain of headers at most."""
_MOST_BYTES = 64_000_000
"""Of the transactions of all ledgers that wait; of more the oldest are lost."""
MOST_WAITING = 512
"""Ledgers that wait for votes, for a server or for the bus."""


class WaitingLedger:
    """A committed ledger whose proof is not published yet."""

    def __init__(self, network_id: int, header: Header, noted_at: float) -> None:
        self.network_id = network_id
        self.header = header
        self.noted_at = noted_at
        self.told: dict[str, set[OrderKey]] = {}
        """By transaction hash, the orders of which its events told something; none: an anchor."""
        self.is_anchor = False
        self.headers: list[ProvenHeader] = []
        """Its own, and those after it that were read; empty: nothing of it is read yet."""
        self.transactions: Sequence[ProvenTransaction] = ()

    @property
    def size(self) -> int:
        """Bytes of its transactions."""
        return sum(len(one.transaction) + len(one.metadata) + len(one.path) for one in self.transactions)


class ProofKeeper:
    """Keeps the proofs of the ledgers that are noted."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        *,
        reader: BlobReader,
        accounts: Callable[[], Sequence[str]],
        feed: ValidationFeed,
        bus: ProofsBus,
        metrics: Metrics,
        clock: Callable[[], float],
        anchor_ledgers: int,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`accounts`: those that are followed; `clock`: seconds, monotonic.

        `anchor_ledgers`: ledgers from an anchor to the next; 0: there are none. `most_waiting`: ledgers; of
        more the oldest are lost.
        """
        self._reader = reader
        self._accounts = accounts
        self._feed = feed
        self._bus = bus
        self._metrics = metrics
        self._clock = clock
        self._anchor_ledgers = anchor_ledgers
        self._most_waiting = most_waiting
        self._anchored = -1
        self._waiting: dict[int, WaitingLedger] = {}
        self._newest = 0
        """The newest ledger that was noted: no header after it is asked for."""
        self._failed_readings = 0
        self._read_from = 0.0
        """No ledger is read before: the last reading failed, and the next would most likely too."""
        self._noted = asyncio.Event()

    def note_committed(self, network_id: int, header: Header, events: Sequence[OrdersEvent]) -> None:
        """Note a ledger that is committed for an account, with the events that were published of it."""
        told = [
            (event.transaction_hash, (event.account, event.sequence))
            for event in events
            if isinstance(event, OrderEvent)
            and event.transaction_hash is not None
            and event.ledger_index == header.ledger_index
        ]
        self._newest = max(self._newest, header.ledger_index)
        is_anchor = self._anchor_is_due(header.ledger_index)
        if not told and not is_anchor:
            return
        waiting = self._waiting.setdefault(
            header.ledger_index, WaitingLedger(network_id, header, self._clock())
        )
        waiting.is_anchor |= is_anchor
        for name, order in told:
            waiting.told.setdefault(name, set()).add(order)
            waiting.headers.clear()  # of another account: the ledger is read again
        while len(self._waiting) > self._most_waiting:
            self._lose(self._waiting[min(self._waiting)], "too many ledgers wait")
        self._noted.set()

    async def run(self) -> None:
        """Keep proofs until cancelled; a fault in keeping one loses that one alone."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            while self._waiting:
                await self.publish_what_is_ready()
                if self._waiting:
                    await asyncio.sleep(_PAUSE)

    @property
    def waiting(self) -> int:
        """How many ledgers wait."""
        return len(self._waiting)

    async def publish_what_is_ready(self) -> None:
        """Look at every ledger that waits, and publish the proofs for which nothing more is waited."""
        for waiting in list(self._waiting.values()):
            await self._go_on(waiting)
        self._metrics.proofs_waiting.set(len(self._waiting))

    async def _go_on(self, waiting: WaitingLedger) -> None:
        try:
            is_read = bool(waiting.headers) or await self._read_unless_it_just_failed(waiting)
            if is_read and await self._is_confirmed_or_late(waiting) and await self._publish(waiting):
                self._waiting.pop(waiting.header.ledger_index, None)
            elif self._age(waiting) > _LOST_SECONDS:
                self._lose(waiting, "no server had the ledger, or the bus did not take it")
        except ProofRefused as refusal:
            self._lose(waiting, str(refusal))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other ledgers are kept
            _log.exception("an unexpected exception loses a proof")
            self._lose(waiting, repr(fault))

    async def _read_unless_it_just_failed(self, waiting: WaitingLedger) -> bool:
        """Read the ledger; after a failure no other one is read for some seconds, more after each."""
        if self._clock() < self._read_from:
            return False
        if await self._read(waiting):
            self._failed_readings = 0
            return True
        self._failed_readings += 1
        self._read_from = self._clock() + min(2.0**self._failed_readings, _LONGEST_PAUSE)
        return False

    async def _read(self, waiting: WaitingLedger) -> bool:
        """Read the ledger and what changed in it; False: no server could show it now."""
        index, ledger_hash = waiting.header.ledger_index, bytes.fromhex(waiting.header.ledger_hash)
        if not waiting.told:
            header = await self._reader.read_header(index, ledger_hash=ledger_hash)
            waiting.headers = [] if header is None else [header]
            return header is not None
        told = {name: set(orders) for name, orders in waiting.told.items()}
        found = await self._reader.read_ledger(index, ledger_hash)
        if found is None or told != waiting.told:
            return False
        accounts = {*self._accounts(), *(account for orders in told.values() for account, _ in orders)}
        waiting.transactions = await asyncio.to_thread(changed_orders, found[1], sorted(accounts), told)
        waiting.headers = [found[0]]
        while sum(one.size for one in self._waiting.values()) > _MOST_BYTES and len(self._waiting) > 1:
            self._lose(self._waiting[min(self._waiting)], "the ledgers that wait take too much memory")
        return True

    async def _is_confirmed_or_late(self, waiting: WaitingLedger) -> bool:
        """Whether to publish: the headers end at a confirmed ledger, or none is to be expected any more."""
        if self._confirms(waiting.headers[-1]):
            return True
        age = self._age(waiting)
        is_old = self._feed.newest > waiting.header.ledger_index + _NEAR
        if is_old or not self._feed.listening or age > _UNCONFIRMED_SECONDS:
            return True
        return age > _VOTE_SECONDS and await self._lead_to_a_confirmed_ledger(waiting)

    async def _lead_to_a_confirmed_ledger(self, waiting: WaitingLedger) -> bool:
        """Add headers up to a confirmed ledger; False: it has not closed yet, or can't be read now."""
        while self._feed.validations.lists and len(waiting.headers) <= _NEAR:
            last = waiting.headers[-1].header
            if last.ledger_index >= self._newest:
                return False
            header = await self._reader.read_header(last.ledger_index + 1, parent_hash=last.ledger_hash)
            if header is None:
                return False
            waiting.headers.append(header)
            if self._confirms(header):
                return True
        return True

    async def _publish(self, waiting: WaitingLedger) -> bool:
        confirmed = self._confirms(waiting.headers[-1])
        messages = proof_messages(
            waiting.network_id,
            waiting.headers if confirmed else waiting.headers[:1],
            waiting.transactions,
            self._feed.validations,
            with_lists=waiting.is_anchor,
        )
        for message in messages:
            if not await self._bus.publish(message):
                return False
        self._metrics.proofs.labels(result="confirmed" if confirmed else "unconfirmed").inc()
        return True

    def _confirms(self, one: ProvenHeader) -> bool:
        return self._feed.validations.confirms(one.header.ledger_hash, one.header.close_time)

    def _anchor_is_due(self, ledger_index: int) -> bool:
        """Whether this is the first committed one of the next so many ledgers."""
        if not self._anchor_ledgers or ledger_index // self._anchor_ledgers <= self._anchored:
            return False
        self._anchored = ledger_index // self._anchor_ledgers
        return True

    def _age(self, waiting: WaitingLedger) -> float:
        return self._clock() - waiting.noted_at

    def _lose(self, waiting: WaitingLedger, why: str) -> None:
        self._waiting.pop(waiting.header.ledger_index, None)
        self._metrics.proofs.labels(result="lost").inc()
        _log.warning("the proof of a ledger is lost", ledger_index=waiting.header.ledger_index, problem=why)
