"""The streams `validations` and `manifests` of the servers: each message is checked as it comes.

Checking a signature takes some 30 microseconds, without libsecp256k1 some 300. So messages wait in a bounded
queue, and a task of its own checks one at a time: an answer or a closed ledger waits for one at most.
"""

import asyncio
from collections import deque

import msgspec
import structlog

from ledger_proof import CheckedValidations, Unproven
from reconciler.metrics import Metrics

_log = structlog.get_logger()

_MOST_WAITING = 4096
"""Messages that wait to be checked; the oldest give way."""
_LARGEST_MESSAGE = 8192
"""Bytes; a server's message of a validation takes some 1,300."""
_KINDS = frozenset({"validationReceived", "manifestReceived"})


class _Message(msgspec.Struct):
    data: str | None = None
    manifest: str | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


class ValidationFeed:
    """Listens to all servers (see `StreamListener`) and fills `validations`."""

    streams = ("validations", "manifests")
    optional = True

    def __init__(self, validations: CheckedValidations, metrics: Metrics) -> None:
        """Fill `validations`; what is kept and refused is counted."""
        self.validations = validations
        self._metrics = metrics
        self.newest = 0
        """The newest ledger for which a validation was kept."""
        self._connections = 0
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()

    @property
    def listening(self) -> bool:
        """Whether a server gives the streams now."""
        return self._connections > 0

    def opened(self, _answer: msgspec.Raw) -> None:
        """Count a server that gives the streams."""
        self._connections += 1

    def lost(self) -> None:
        """Forget the server; what it has sent is checked all the same."""
        self._connections = max(self._connections - 1, 0)

    def heard(self, kind: str, message: bytes) -> None:
        """Put a validation or manifest into the queue; other messages are not for this part."""
        if kind in _KINDS and len(message) <= _LARGEST_MESSAGE:
            self._waiting.append(message)
            self._arrived.set()

    async def run(self) -> None:
        """Check what comes until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self.check_what_waits()

    async def check_what_waits(self) -> None:
        """Check the messages that wait; others have their turn between two of them."""
        while self._waiting:
            self._check(self._waiting.popleft())
            await asyncio.sleep(0)

    def _check(self, message: bytes) -> None:
        try:
            read = _MESSAGE.decode(message)
            kept = self._keep(read)
        except (Unproven, msgspec.DecodeError, ValueError, RecursionError) as error:
            self._metrics.validations.labels(result="refused").inc()
            _log.debug("a validation or manifest does not hold", problem=str(error))
            return
        self._metrics.validations.labels(result="kept" if kept else "passed_over").inc()

    def _keep(self, message: _Message) -> bool:
        if message.data is not None:
            validation = self.validations.add_validation(bytes.fromhex(message.data))
            self.newest = max(self.newest, 0 if validation is None else validation.ledger_index)
            return validation is not None
        if message.manifest is not None:
            return self.validations.add_manifest(bytes.fromhex(message.manifest)) is not None
        return False
