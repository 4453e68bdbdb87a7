"""What becomes of the proofs of stream PROOFS: stored, or left out and said. They never hold up events.

They have a consumer, a pull loop and connections of their own. While the database is away they go back to the
stream, which keeps them for days; what can't be read or is refused is not delivered again.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from audit_writer.metrics import MALFORMED, REFUSED, STORED, Metrics
from audit_writer.ports import Delivery, ProofStore, RowsRefused, StoreUnavailable
from order_events import LedgerProof, Malformed, decode

log = structlog.stdlib.get_logger("audit_writer.proofs")

_EVENT_TYPE = "proof.ledger"
_PAUSE_SECONDS = 5.0
"""Before proofs go back to the stream that the database did not take now."""


class ProofWriter:
    """Handles batches of proofs."""

    def __init__(self, *, store: ProofStore, metrics: Metrics, stopping: asyncio.Event) -> None:
        """Store in `store`; once `stopping` is set, nothing is waited for."""
        self._store = store
        self._metrics = metrics
        self._stopping = stopping

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Store and acknowledge a batch; where the store refuses, halve it until the bad ones stand alone."""
        readable = [delivery for delivery in batch if await self._is_readable(delivery)]
        try:
            await self._store_all(readable)
        except StoreUnavailable as error:
            self._metrics.store_failures.inc()
            log.warning("proofs go back to the stream", count=len(readable), error=str(error))
            await self._pause()
            for delivery in readable:
                await delivery.give_back()

    async def _is_readable(self, delivery: Delivery) -> bool:
        try:
            event = decode(delivery.payload)
            if not isinstance(event, LedgerProof):
                raise Malformed(f"expected {_EVENT_TYPE}, found {event.__struct_config__.tag}")
            delivery.payload.decode()
        except ValueError as error:
            await self._leave_out(delivery, str(error), MALFORMED)
            return False
        return True

    async def _store_all(self, batch: Sequence[Delivery]) -> None:
        if not batch:
            return
        try:
            new = await self._store.write_proofs([delivery.payload.decode() for delivery in batch])
        except RowsRefused as refusal:
            if len(batch) == 1:
                await self._leave_out(batch[0], str(refusal), REFUSED)
                return
            half = len(batch) // 2
            await self._store_all(batch[:half])
            await self._store_all(batch[half:])
            return
        for delivery in batch:
            await delivery.acknowledge()
        self._metrics.events.labels(_EVENT_TYPE, STORED).inc(len(batch))
        self._metrics.duplicates.inc(len(batch) - new)

    async def _leave_out(self, delivery: Delivery, reason: str, result: str) -> None:
        log.warning("a proof can't be stored", **delivery.origin, reason=reason)
        self._metrics.events.labels(_EVENT_TYPE, result).inc()
        await delivery.terminate()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._stopping.wait()
