"""The bus: where events go, where the engine's announcements come from, where the state is kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from order_events import CancelRequested, OrderDisappeared, OrdersEvent, OrderSubmitted, SessionStarted

Announcement = OrderSubmitted | CancelRequested | SessionStarted


class NotOwner(Exception):
    """Another replica has committed for the account: this one must not go on with it."""


class BusAway(Exception):
    """The bus does not answer."""


class OrdersBus(Protocol):
    """Stream ORDERS."""

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:
        """Try once to publish each one, in order; return those not acknowledged `within` seconds.

        Never raises for the bus's sake.
        """
        ...

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        """Publish all of them and return once they are stored, however long the bus is down."""
        ...


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What an account's engine announced up to a sequence of stream ENGINE."""

    announcements: tuple[Announcement, ...]
    sequence: int


class EngineFeed(Protocol):
    """Stream ENGINE."""

    def follow(self, account: str, after: int) -> None:
        """Keep what the account's engine announces after that sequence, from now on."""
        ...

    def forget(self, account: str) -> None:
        """Keep nothing more of an account that is not followed any longer."""
        ...

    async def announced(self, account: str) -> Announced:
        """Return what the account's engine has announced up to this moment and was not returned before."""
        ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the bucket holds of one account."""

    values: Mapping[str, bytes]
    """By key, the prefix left out: `account`, and `order.<sequence>` for each order."""
    revision: int
    """Of the key `account`, the fence of the next commit; 0: there is none."""


class StateStore(Protocol):
    """The key-value bucket."""

    async def load(self, prefix: str) -> Kept:
        """Return what is kept under a prefix (`<network_id>.<account>`)."""
        ...

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        """Write all of it or nothing, if the key `account` still has the revision `fence`.

        `values` holds the key `account`. Returns its new revision once it is stored, however long the
        bus is down.

        Raises:
            NotOwner: if somebody else has written the key.

        """
        ...


class Leases(Protocol):
    """Who lives."""

    async def renew(
        self, replica: str, accounts: Sequence[str], seconds: int
    ) -> Mapping[str, frozenset[str]]:
        """Have the replica live for so long from now on, and return all that do.

        Each with the accounts that it is told to follow.

        Raises:
            BusAway: it may have been renewed, or not.

        """
        ...

    async def release(self, replica: str) -> None:
        """Have its lease end now.

        Raises:
            BusAway: it ends by itself.

        """
        ...
