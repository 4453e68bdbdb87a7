"""The operator's answer to a halt, read from the state bucket (plain nats-py, as the state)."""

from collections.abc import Callable

import nats.js.errors
import structlog
from nats.aio.client import Client

from order_events import Malformed, ReconcilerResumed, decode
from order_events.subjects import RESUME_KEY, STATE_BUCKET
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics

_log = structlog.get_logger()


class BucketOperator:
    """Reads the key that `fillproof resume` writes."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics

    async def read_answer(self, prefix: str) -> ReconcilerResumed | None:
        """Return the answer that lifts the account's halt (see `Operator`)."""
        key = f"{prefix}.{RESUME_KEY}"
        written = await until_done("looking for an operator's answer", lambda: self._read(key), self._metrics)
        if written is None:
            return None
        try:
            answer = decode(written)
        except Malformed as error:
            _log.warning("expected a reconciler.resumed event in the bucket", key=key, problem=str(error))
            return None
        return answer if isinstance(answer, ReconcilerResumed) else None

    async def _read(self, key: str) -> bytes | None:
        bucket = await self._client().jetstream().key_value(STATE_BUCKET)
        try:
            return (await bucket.get(key)).value
        except nats.js.errors.KeyNotFoundError:
            return None
