"""The bucket `permission`: values that the bus removes by itself (nats-py: messages with `Nats-TTL`)."""

from collections.abc import Callable, Sequence

import nats.errors
from nats.aio.client import Client

from order_events import TradingPermission, encode
from order_events.permission import PERMISSION_BUCKET, PERMISSION_SECONDS, permission_key
from reconciler.adapters.retry import BUS_ERRORS
from reconciler.ports.bus import BusAway

_HEADERS = {"Nats-TTL": f"{PERMISSION_SECONDS}s"}
_FLUSH_SECONDS = 2


class PermissionBucket:
    """Writes without waiting for each acknowledgement: what is lost is written again a moment later."""

    def __init__(self, client: Callable[[], Client]) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client

    async def write(self, permissions: Sequence[TradingPermission]) -> None:
        """Write permissions (see `PermissionBoard`)."""
        try:
            client = self._client()
            for one in permissions:
                key = permission_key(one.network_id, one.account)
                await client.publish(f"$KV.{PERMISSION_BUCKET}.{key}", encode(one), headers=_HEADERS)
            await client.flush(timeout=_FLUSH_SECONDS)
        except (*BUS_ERRORS, nats.errors.Error) as error:
            raise BusAway(repr(error)) from error
