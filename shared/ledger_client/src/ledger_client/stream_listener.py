"""What listens to a server's streams: it names those that it needs, and hears their messages as they come."""

from typing import Protocol

import msgspec


class StreamListener(Protocol):
    """A part that a WebSocket connection subscribes for, on each of its connections anew."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to subscribe to, as `ledger` and `transactions`."""
        ...

    @property
    def optional(self) -> bool:
        """Whether a server that refuses these streams is used all the same."""
        ...

    def opened(self, answer: msgspec.Raw) -> None:
        """Begin anew with the answer to `subscribe`: whatever was heard before was on another connection."""
        ...

    def heard(self, kind: str, message: bytes) -> None:
        """Receive a message of any stream; `kind`: its `type`, as `ledgerClosed`.

        It is called between the answers that others wait for, so it takes microseconds, and raises nothing.
        """
        ...

    def lost(self) -> None:
        """Learn that the connection is lost."""
        ...
