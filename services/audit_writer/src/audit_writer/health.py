"""Whether batches keep coming: the durable consumer's lag, for the metrics and for readiness."""

import asyncio
from typing import NoReturn

import nats.errors
import nats.js.errors
import structlog
from faststream.nats import NatsBroker
from nats.js.api import ConsumerInfo

from audit_writer.metrics import Metrics
from audit_writer.ports import StreamState
from order_events.subjects import AUDIT_CONSUMER
from service_kit import Progress, Unavailable

LOOK_SECONDS = 2.0
SILENCE_SECONDS = 30.0
"""So long may messages wait with no batch handled before the service counts as stuck."""
UNKNOWN = float("nan")

log = structlog.stdlib.get_logger("audit_writer.health")


class ConsumerWatch:
    """Looks at the consumer of one stream every two seconds and remembers what it saw."""

    def __init__(self, broker: NatsBroker, metrics: Metrics, stream: str) -> None:
        self._broker = broker
        self._metrics = metrics
        self.stream = stream
        self._missing = f"the stream {stream} has no consumer {AUDIT_CONSUMER!r}: provision the streams"
        self._found = True
        self._state = StreamState(stream=stream, identity="", acknowledged=0, last_sequence=0)
        self._progress = Progress(silence=SILENCE_SECONDS)

    def batch_done(self) -> None:
        """Say that a batch was handled."""
        self._progress.advance()

    def identity(self) -> str:
        """Return when the stream was created."""
        return self._state.identity

    async def stream_state(self) -> StreamState | None:
        """Look at the stream and its consumer now; None: NATS or one of them is away."""
        await self.look()
        return self._state if self._found and self._state.identity else None

    async def check(self) -> str | None:
        """Be a check of readiness: the consumer exists, and what waits there is handled."""
        return await self._progress.check() if self._found else self._missing

    async def require(self) -> None:
        """Look once before the service starts.

        Raises:
            Unavailable: the consumer does not exist. FastStream would make one with other settings.

        """
        await self.look()
        if not self._found:
            raise Unavailable(self._missing)

    async def run(self) -> NoReturn:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Update the metrics; says in the log when the consumer is gone and when it is back."""
        jetstream = self._broker.connection.jetstream()
        try:
            info = await jetstream.consumer_info(self.stream, AUDIT_CONSUMER)
            stream = await jetstream.stream_info(self.stream)
            self._tell(info)
            self._state = StreamState(
                stream=self.stream,
                identity=stream.created.isoformat() if stream.created else "",
                acknowledged=info.ack_floor.stream_seq if info.ack_floor else 0,
                last_sequence=stream.state.last_seq,
            )
        except nats.js.errors.NotFoundError:
            self._tell(None)
        except (
            nats.errors.Error,
            TimeoutError,
        ) as error:  # NATS is away, which readiness says; the lag is told later
            log.debug("the consumer's lag is not known", stream=self.stream, error=repr(error))

    def _tell(self, info: ConsumerInfo | None) -> None:
        self._note(found=info is not None)
        lag = (UNKNOWN,) * 3
        if info is not None:
            lag = (info.num_pending or 0, info.num_ack_pending or 0, info.num_redelivered or 0)
        gauges = (self._metrics.pending, self._metrics.unacknowledged, self._metrics.redelivered)
        for gauge, count in zip(gauges, lag, strict=True):
            gauge.labels(self.stream).set(count)
        if lag[:2] == (0, 0):
            self._progress.advance()  # with nothing to do all is well

    def _note(self, *, found: bool) -> None:
        if found and not self._found:
            log.warning("the consumer is back", stream=self.stream)
        elif self._found and not found:
            log.error(self._missing)
        self._found = found
