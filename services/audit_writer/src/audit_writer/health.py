"""Whether batches keep coming: the durable consumer's lag, for the metrics and for readiness."""

import asyncio
from typing import NoReturn

import nats.errors
import nats.js.errors
from faststream.nats import NatsBroker
from nats.js.api import ConsumerInfo

from audit_writer.metrics import Metrics
from order_events.subjects import AUDIT_CONSUMER, ORDERS_STREAM, REDELIVERY_STREAM
from service_kit import Progress, Unavailable

LOOK_SECONDS = 2.0
SILENCE_SECONDS = 30.0
"""So long may messages wait with no batch handled before the service counts as stuck."""


class ConsumerWatch:
    """Looks at the consumer every two seconds; being asked (:meth:`check`) tells whether batches go on."""

    def __init__(self, broker: NatsBroker, metrics: Metrics) -> None:
        self._broker = broker
        self._metrics = metrics
        self._progress = Progress(silence=SILENCE_SECONDS)
        self.check = self._progress.check

    def batch_done(self) -> None:
        """Say that a batch was handled."""
        self._progress.advance()

    async def look(self) -> None:
        """Update the metrics; with nothing to do the loop is well.

        Raises:
            Unavailable: the consumer does not exist. FastStream would make one with other settings, and its
                loop would spin on one that was deleted.

        """
        try:
            await self._info(REDELIVERY_STREAM)
            info = await self._info(ORDERS_STREAM)
        except nats.errors.Error:
            return  # NATS is away, which readiness says; the lag is told when it is back
        self._tell(info)

    async def run(self) -> NoReturn:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _info(self, stream: str) -> ConsumerInfo:
        try:
            info: ConsumerInfo = await self._broker.connection.jetstream().consumer_info(
                stream, AUDIT_CONSUMER
            )
        except nats.js.errors.NotFoundError as error:
            raise Unavailable(
                f"the stream {stream} has no consumer {AUDIT_CONSUMER!r}: provision the streams first"
            ) from error
        return info

    def _tell(self, info: ConsumerInfo) -> None:
        waiting = info.num_pending or 0
        self._metrics.pending.set(waiting)
        self._metrics.ack_pending.set(info.num_ack_pending or 0)
        self._metrics.redelivered.set(info.num_redelivered or 0)
        if waiting == 0 and not info.num_ack_pending:
            self._progress.advance()
