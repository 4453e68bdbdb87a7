"""The bucket `permission`: values that the bus removes by itself (nats-py: messages with `Nats-TTL`)."""

from collections.abc import Callable, Sequence

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client

from order_events import TradingPermission, encode
from order_events.permission import PERMISSION_BUCKET, PERMISSION_SECONDS, permission_key
from reconciler.adapters.retry import BUS_ERRORS
from reconciler.ports.bus import BusAway
from service_kit import permission_stream

_log = structlog.get_logger()

_HEADERS = {"Nats-TTL": f"{PERMISSION_SECONDS}s"}
_ANSWER_SECONDS = 2.0


class PermissionBucket:
    """Waits for the last acknowledgement alone: what else is lost is written again a moment later."""

    def __init__(self, client: Callable[[], Client]) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client

    async def write(self, permissions: Sequence[TradingPermission]) -> None:
        """Write permissions (see `PermissionBoard`)."""
        if not permissions:
            return
        try:
            client = self._client()
            *others, last = permissions
            for one in others:
                await client.publish(_subject(one), encode(one), headers=_HEADERS)
            await self._write_acknowledged(client, last)
        except (*BUS_ERRORS, nats.errors.Error) as error:
            raise BusAway(repr(error)) from error

    async def _write_acknowledged(self, client: Client, one: TradingPermission) -> None:
        jetstream = client.jetstream()
        try:
            await jetstream.publish(_subject(one), encode(one), timeout=_ANSWER_SECONDS, headers=_HEADERS)
        except nats.js.errors.NoStreamResponseError:  # a server that starts again has lost what lay in memory
            await jetstream.add_stream(permission_stream(replicas=1))
            _log.warning("bucket made again", bucket=PERMISSION_BUCKET)
            raise


def _subject(one: TradingPermission) -> str:
    return f"$KV.{PERMISSION_BUCKET}.{permission_key(one.network_id, one.account)}"
