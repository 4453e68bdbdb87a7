"""A listener to the streams of one server, over WebSocket."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class StreamListener(Protocol):
    """Is given every message of the streams that it names, on each connection anew."""

    @property
    def streams(self) -> Sequence[str]:
        """The names of the streams, as the method `subscribe` has them."""
        ...

    def opened(self, answer: msgspec.Raw) -> None:
        """Begin on a connection that is open; `answer` is the result of `subscribe`."""
        ...

    def heard(self, kind: str, message: bytes) -> None:
        """Take a message; `kind` is its `type`. Messages of other streams come as well."""
        ...

    def lost(self) -> None:
        """Note that the connection is lost."""
        ...
