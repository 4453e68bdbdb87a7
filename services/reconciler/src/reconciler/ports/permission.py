"""The bucket in which engines read what they may do."""

from collections.abc import Sequence
from typing import Protocol

from order_events import TradingPermission


class PermissionBoard(Protocol):
    """Where permissions are written; each ends by itself (`PERMISSION_SECONDS`)."""

    async def write(self, permissions: Sequence[TradingPermission]) -> None:
        """Write permissions, each over the account's last one.

        Raises:
            BusAway: they may not have been written; what was written before ends by itself.

        """
        ...
