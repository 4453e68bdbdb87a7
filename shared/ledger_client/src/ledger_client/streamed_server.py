"""A server with a stream of its ledgers, and what is asked of the stream in place of the server."""

from typing import Protocol, TypeGuard

from ledger_client.ledger_stream import LedgerStream
from ledger_client.server import LedgerServer
from offer_lifecycle import Header


class StreamedServer(Protocol):
    """A server with a stream of its ledgers."""

    @property
    def stream(self) -> LedgerStream | None:
        """Its stream; None: it has none."""
        ...

    @property
    def reads_only_whole(self) -> bool:
        """Whether nothing but whole ledgers is believed of it: so many at a time as are read at once."""
        ...

    def reads_whole(self, ledger_index: int) -> bool:
        """Whether the ledger is read anyway, so that its being quiet need not be known from the stream."""
        ...


def has_stream(server: LedgerServer) -> TypeGuard[StreamedServer]:
    """Whether it is a `StreamedServer`: every followed account looks at each ledger."""
    return hasattr(server, "reads_only_whole")


def stream_of(server: LedgerServer) -> LedgerStream | None:
    """Return the stream of a server; None: it has none."""
    return server.stream if has_stream(server) else None


async def untouched_ledgers(
    server: LedgerServer, account: str, parent_hash: str, first: int, last: int
) -> list[Header] | None:
    """Return the headers of the ledgers from `first` to `last`, if the stream shows that they are quiet.

    None: the ledgers have to be read (see `LedgerStream.untouched`).
    """
    if not has_stream(server) or server.stream is None:
        return None
    if any(map(server.reads_whole, range(first, last + 1))):
        return None
    return await server.stream.untouched(account, parent_hash, first, last)
