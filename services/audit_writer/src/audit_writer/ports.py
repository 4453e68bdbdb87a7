"""What the audit writer needs of the outside: deliveries, a store, a place for what can't be stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class RowsRefused(Exception):
    """The store refuses these rows for what is in them, and would again; nothing of them was written."""


class StoreUnavailable(Exception):
    """The store does not answer or can't write now: the same rows may be written later, or already are."""


class LetterUndelivered(Exception):
    """The bus did not confirm a dead letter; it may have arrived all the same."""


class CheckpointsUnavailable(Exception):
    """The bus does not answer, or does not have what checkpoints need."""


class CopyFailed(Exception):
    """A copy of a checkpoint was not kept; the checkpoint itself was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a message stands in a stream whose messages are counted."""

    stream: str
    identity: str
    """When the stream was created, as ISO 8601 has it: another stream of that name has another."""
    sequence: int


class Delivery(Protocol):
    """One message of the bus, handed to us until it is acknowledged. Its methods never raise.

    An answer that is lost on the way only means that the message is delivered once more.
    """

    @property
    def payload(self) -> bytes:
        """What was published."""

    @property
    def position(self) -> str:
        """Where it stands on the bus; no other message has the same."""

    @property
    def source(self) -> Source | None:
        """The stream and sequence that count as stored with it; None: nobody counts those of its stream."""

    @property
    def origin(self) -> Mapping[str, str]:
        """Where it first stood on the bus: stream, sequence and subject, by header name."""

    async def acknowledge(self) -> None:
        """Say that it is done with."""

    async def terminate(self) -> None:
        """Say that it must not be delivered again."""

    async def hold(self) -> None:
        """Ask for more time."""

    async def give_back(self) -> None:
        """Have it delivered again at once, to whoever asks; nothing happens if it was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One row of the chain, without what it lists."""

    position: int
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCheckpoint:
    """A signed checkpoint on the bus."""

    sequence: int
    """Where it stands in its stream."""
    note: str
    frontier: tuple[bytes, ...]
    """The hashes that its tree goes on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Messages of one stream that need not come again, and the ledgers that their events are of."""

    stream: str
    identity: str
    sequences: tuple[int, ...]
    """Ascending, each once."""
    first_ledger: int | None
    last_ledger: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What a stream and its consumer are now."""

    stream: str
    identity: str
    acknowledged: int
    """Up to this sequence the consumer is done."""
    last_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMessages:
    """Messages of a stream that are gone and not stored."""

    first_sequence: int
    last_sequence: int
    first_ledger: int | None
    """Their events are of ledgers from here; None: from the first."""
    last_ledger: int | None
    """And up to here; None: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The payloads of one batch by the table that they go to, each a JSON object."""

    events: tuple[str, ...]
    fills: tuple[str, ...]
    anomalies: tuple[str, ...]
    taken: tuple[Taken, ...] = ()
    """The messages that are stored with them, or were set apart."""


class Store(Protocol):
    """Where events are kept."""

    async def write(self, rows: Rows) -> int:
        """Write all or nothing, and return how many events were new; what is there already stays as it is.

        Raises:
            RowsRefused: something in the rows can't be stored.
            StoreUnavailable: not now.

        """

    async def watch(self, state: StreamState) -> Sequence[MissingMessages]:
        """Take what a stream is now, and return what is missing of it; raises StoreUnavailable."""

    async def links(self, after: int, count: int) -> Sequence[ChainLink]:
        """Return at most so many rows of the chain after a position; raises StoreUnavailable."""

    async def acts(self) -> Sequence[str]:
        """Return the signed acts of operators in the chain, the newest first; raises StoreUnavailable."""

    async def end_reader_sessions(self) -> int:
        """End sessions of the reader that hold others up, and return how many; raises StoreUnavailable."""


class Checkpoints(Protocol):
    """Where signed checkpoints go, out of reach of the database's owner."""

    async def last(self) -> PublishedCheckpoint | None:
        """Return the newest checkpoint; raises CheckpointsUnavailable."""

    async def publish(
        self, note: str, frontier: Sequence[bytes], *, after: PublishedCheckpoint | None
    ) -> bool:
        """Add a checkpoint, unless another came after `after`; raises CheckpointsUnavailable."""


class CheckpointCopy(Protocol):
    """Where a copy of each checkpoint goes besides."""

    async def keep(self, position: int, note: str) -> None:
        """Keep a copy; raises CopyFailed."""


class ProofStore(Protocol):
    """Where proofs are kept."""

    async def write_proofs(self, proofs: Sequence[str]) -> int:
        """Write all of these `proof.ledger` events or none, and return how many were new.

        Raises:
            RowsRefused: something in them can't be stored.
            StoreUnavailable: not now.

        """


class DeadLetters(Protocol):
    """Where messages go that can't be stored."""

    async def publish(self, delivery: Delivery, reason: str) -> None:
        """Keep the message with the reason; raises LetterUndelivered."""
