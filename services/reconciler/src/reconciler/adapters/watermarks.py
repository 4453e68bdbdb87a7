"""Watermarks: which account was followed up to which ledger, in a bucket beside the state's.

Plain nats-py: one key is written and read.
"""

from collections.abc import Callable

import msgspec
import nats.js.errors
import structlog
from nats.aio.client import Client

from offer_lifecycle import AccountRecord
from order_events import Malformed, OrderEvent, ReconcilerEvent, decode
from order_events.subjects import ORDERS_STREAM, WATERMARK_BUCKET, account_events
from reconciler.adapters.atomic_batch import ANSWER_SECONDS
from reconciler.adapters.retry import BUS_ERRORS, until_done
from reconciler.metrics import Metrics

_log = structlog.get_logger()

_STREAM = f"KV_{WATERMARK_BUCKET}"
_decoder = msgspec.json.Decoder(AccountRecord)
_encoder = msgspec.json.Encoder(order="deterministic")


class BucketWatermarks:
    """One key for each account."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics

    async def read(self, prefix: str) -> AccountRecord | None:
        """Return up to where the account was followed (see `Watermarks`)."""
        return await until_done("reading a watermark", lambda: self._read(prefix), self._metrics)

    async def read_last_told(self, prefix: str) -> AccountRecord | None:
        """Return what stream ORDERS knows of the account (see `Watermarks`)."""
        return await until_done("reading the last event", lambda: self._last_told(prefix), self._metrics)

    async def write(self, prefix: str, record: AccountRecord) -> None:
        """Write the watermark once; without it the one before stands (see `Watermarks`)."""
        jetstream = self._client().jetstream(timeout=ANSWER_SECONDS)
        try:
            await jetstream.publish(_subject(prefix), _encoder.encode(record), stream=_STREAM)
        except BUS_ERRORS as error:
            _log.debug("watermark not written", key=prefix, problem=repr(error))

    async def _read(self, prefix: str) -> AccountRecord | None:
        context = self._client().jetstream(timeout=ANSWER_SECONDS)
        try:
            found = await context.get_last_msg(_STREAM, _subject(prefix))
        except nats.js.errors.NotFoundError:
            return None
        try:
            return _decoder.decode(found.data or b"")
        except msgspec.DecodeError as error:
            _log.error("expected a watermark, found something else", key=prefix, problem=str(error))
            return None

    async def _last_told(self, prefix: str) -> AccountRecord | None:
        network_id, account = prefix.split(".")
        context = self._client().jetstream(timeout=ANSWER_SECONDS)
        try:
            found = await context.get_last_msg(ORDERS_STREAM, account_events(account))
            event = decode(found.data or b"")
        except (nats.js.errors.NotFoundError, Malformed):
            return None
        if not isinstance(event, OrderEvent | ReconcilerEvent) or event.ledger_index is None:
            return None
        if event.network_id != int(network_id):
            return None
        return AccountRecord(
            network_id=event.network_id,
            account=account,
            adopted_at=event.ledger_index - 1,
            ledger_index=event.ledger_index - 1,
            ledger_hash="",
            holdings_known=False,
            session_id=event.session_id,
        )


def _subject(prefix: str) -> str:
    return f"$KV.{WATERMARK_BUCKET}.{prefix}"
