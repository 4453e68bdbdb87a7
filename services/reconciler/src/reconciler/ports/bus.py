"""The bus: streams ORDERS and ENGINE, the state bucket, and the replicas' leases."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from offer_lifecycle import AccountRecord
from order_events import (
    CancelRequested,
    OrderDisappeared,
    OrderEvent,
    OrdersEvent,
    OrderSubmitted,
    SessionStarted,
)

Announcement = OrderSubmitted | CancelRequested | SessionStarted


class NotOwner(Exception):
    """Another replica has committed for the account: this one must not go on with it."""


class BusAway(ConnectionError):
    """The bus does not answer, or may have given this replica's accounts to others."""


class OrdersBus(Protocol):
    """Stream ORDERS: the events of the accounts."""

    async def offer(self, events: Sequence[OrderDisappeared], within: float) -> list[OrderDisappeared]:
        """Try once to publish each event, in order; return those not acknowledged `within` seconds.

        Raises nothing when the bus fails.
        """
        ...

    async def publish(self, events: Sequence[OrdersEvent]) -> None:
        """Publish all events and return once they are stored, however long the bus is down."""
        ...


class EngineMark(msgspec.Struct, frozen=True, kw_only=True):
    """One message of stream ENGINE, as it was read: by it the stream is known again."""

    stream_created: str
    """When the stream was made (ISO 8601)."""
    sequence: int
    digest: str
    """SHA-256 of its subject and body, the first 16 hexadecimal digits."""


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The announcements of an account's engine up to a sequence of stream ENGINE."""

    announcements: tuple[Announcement, ...]
    sequence: int
    more: bool = False
    """Whether more was announced up to this moment, for the next call."""
    mark: EngineMark | None = None
    """The last message that is read, not after `sequence`; None: as before."""
    lost: str | None = None
    """What the stream holds no longer that was announced, or is another stream in; None: all is there."""


class EngineFeed(Protocol):
    """Stream ENGINE: the engines' announcements."""

    def follow(self, account: str, after: int, mark: EngineMark | None = None) -> None:
        """Collect, from now on, what the account's engine announces after that sequence.

        `mark`: the last message read when that was stored; the stream is held against it.
        """
        ...

    def forget(self, account: str) -> None:
        """Collect nothing more for an account that is no longer followed."""
        ...

    async def announced(self, account: str) -> Announced:
        """Return what the account's engine has announced up to this moment, each announcement once.

        A bounded number of announcements; where there are more, the next call goes on with them.
        """
        ...


class StoredValues(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one account in the state bucket."""

    values: Mapping[str, bytes]
    """By key, the prefix left out: `account`, and `order.<sequence>` for each order."""
    revision: int
    """Of the key `account`: the fence of the next commit; 0: the key was never written."""


class StateStore(Protocol):
    """The state bucket: what is committed of each account."""

    async def load(self, prefix: str) -> StoredValues:
        """Return the values under a prefix (`<network_id>.<account>`)."""
        ...

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        """Write all values and deletions or none, if the key `account` still has the revision `fence`.

        `values` holds the key `account`. Returns its new revision once it is stored, however long the
        bus is down.

        Raises:
            NotOwner: another replica has written the key.

        """
        ...


class Watermarks(Protocol):
    """Up to which ledger each account was followed, kept apart from its state."""

    async def read(self, prefix: str) -> AccountRecord | None:
        """Return the record of a committed ledger (`<network_id>.<account>`); None: it was never followed.

        The record may be some minutes old, and its balances are not known. Returns once the bus has answered,
        however long it is down.
        """
        ...

    async def read_last_told(self, prefix: str) -> AccountRecord | None:
        """Return a record of the ledger before the account's newest event; None: nothing was ever told of it.

        That ledger was committed: events are published before their ledger is.
        """
        ...

    async def write(self, prefix: str, record: AccountRecord) -> None:
        """Try once to write the record of a committed ledger.

        Raises nothing when the bus fails.
        """
        ...


class ToldEvents(Protocol):
    """What stream ORDERS holds of an account beyond its cursor."""

    async def read_after(self, prefix: str, ledger_index: int) -> list[OrderEvent]:
        """Return the events of the account's orders of later ledgers, oldest first.

        They were told before their ledger was committed. `prefix`: `<network_id>.<account>`. Returns once
        the bus has answered.
        """
        ...


class Witness(Protocol):
    """Up to which ledger this replica has committed each account, remembered outside of the bus."""

    def read(self, prefix: str) -> int:
        """Return the newest ledger that was committed (`<network_id>.<account>`); 0: none is known."""
        ...

    def note(self, prefix: str, ledger_index: int) -> None:
        """Note that a ledger is committed. Takes microseconds, and raises nothing."""
        ...


class Leases(Protocol):
    """The leases of all living replicas."""

    async def renew(
        self, replica: str, accounts: Sequence[str], seconds: int
    ) -> Mapping[str, frozenset[str]]:
        """Renew the replica's lease for so long from now on, and return all living replicas.

        Each replica comes with the accounts that it is configured to follow.

        Raises:
            BusAway: the lease may have been renewed, or not.

        """
        ...

    async def release(self, replica: str) -> None:
        """End the replica's lease now.

        Raises:
            BusAway: the lease ends by itself.

        """
        ...
