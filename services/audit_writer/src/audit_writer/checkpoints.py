"""Signed checkpoints of the chain, made once a minute and given out of the database's reach.

1. A checkpoint goes on from the last one on the bus: the tree's frontier stands beside it, and the chain must
   still have the batch that it signs. A chain that has not is never signed again by itself.
2. Only an operator's signed act of failover has it begin anew, over the whole chain as it is then.
3. Replicas that sign at once are kept apart by the stream: it takes a checkpoint after the last one alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import NoReturn

import structlog

from audit_log import (
    Checkpoint,
    Failover,
    Frontier,
    Refused,
    SigningKey,
    VerifierKey,
    read_act,
    read_checkpoint,
)
from audit_writer.metrics import Metrics
from audit_writer.ports import (
    ChainLink,
    CheckpointCopy,
    Checkpoints,
    CheckpointsUnavailable,
    CopyFailed,
    PublishedCheckpoint,
    Store,
    StoreUnavailable,
)

LINKS_AT_ONCE = 5_000

log = structlog.stdlib.get_logger("audit_writer.checkpoints")


class ChainForked(Exception):
    """The chain does not contain the last checkpoint: it was rewritten, or its end was lost in a failover."""


class CheckpointSigner:
    """Signs what the chain is, for as long as it goes on from what was signed before."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        *,
        store: Store,
        published: Checkpoints,
        copies: Sequence[CheckpointCopy],
        key: SigningKey,
        trusted: Sequence[VerifierKey],
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Know the ports.

        Args:
            store: where the chain is.
            published: where checkpoints go that the database's owner can't write to.
            copies: where each goes besides.
            key: its name is the log's.
            trusted: earlier keys of the log, and those of operators who may sign a failover.
            metrics: what is counted.
            now: the time, UTC.

        """
        self._store = store
        self._published = published
        self._copies = copies
        self._key = key
        self._trusted = [key.verifier, *trusted]
        self._metrics = metrics
        self._now = now

    async def run(self, every: float, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> NoReturn:
        """Sign for ever, with so many seconds between; what is away is asked again next time."""
        while True:
            try:
                await self.sign()
            except ChainForked as error:
                self._metrics.chain_forked.set(1)
                log.error("the chain is not the one that was signed", found=str(error))  # noqa: TRY400
            except (StoreUnavailable, CheckpointsUnavailable) as error:
                log.warning("no checkpoint is signed now", error=str(error))
            else:
                self._metrics.chain_forked.set(0)
                self._metrics.chain_checked.set_to_current_time()
            await pause(every)

    async def sign(self) -> Checkpoint | None:
        """Sign the chain as it is; returns None where nothing is new or another replica was first.

        Raises:
            ChainForked: the chain does not contain the last checkpoint.
            StoreUnavailable: the database does not answer.
            CheckpointsUnavailable: the bus does not answer.

        """
        last = await self._published.last()
        tree, head = await self._grown(last)
        signed = None if last is None else self._read(last)
        if head is None or (signed is not None and (signed.position, signed.head) == (tree.size, head)):
            return None
        made = Checkpoint(
            origin=self._key.name, position=tree.size, root=tree.root, head=head, time=self._now()
        )
        note = made.signed_by(self._key)
        if not await self._published.publish(note, tree.hashes, after=last):
            return None
        self._metrics.checkpoint_position.set(made.position)
        for copy in self._copies:
            try:
                await copy.keep(made.position, note)
            except CopyFailed as error:
                self._metrics.checkpoint_copies_failed.inc()
                log.warning("a copy of a checkpoint was not kept", position=made.position, error=str(error))
        return made

    async def _grown(self, last: PublishedCheckpoint | None) -> tuple[Frontier, bytes | None]:
        """Return the tree over the whole chain, and the last batch's digest."""
        if last is None:
            return await self._follow(Frontier(), None)
        signed = self._read(last)
        frontier = _frontier(signed, last)
        try:
            return await self._follow(frontier, signed)
        except ChainForked:
            if not await self._failed_over(signed):
                raise
            log.warning("an operator has signed a failover: the chain is signed anew", lost=signed.position)
            return await self._follow(Frontier(), None)

    async def _follow(self, tree: Frontier, signed: Checkpoint | None) -> tuple[Frontier, bytes | None]:
        """Let the tree grow over the batches after it; the chain must have the batch that was signed."""
        head = None
        if signed is not None and tree.size == signed.position:
            head = signed.head
            if [link.digest async for link in self._links(signed.position - 1, signed.position)] != [head]:
                raise ChainForked(
                    f"expected batch {signed.position} with {head.hex()}, found none or another"
                )
        async for link in self._links(tree.size, None):
            if link.position != tree.size + 1 or (head is not None and link.previous != head):
                raise ChainForked(f"expected batch {tree.size + 1} to follow from {tree.size}, found another")
            tree.append(link.digest)
            head = link.digest
            if signed is not None and tree.size == signed.position and tree.root != signed.root:
                raise ChainForked(f"expected the root that was signed at {signed.position}, found another")
        if signed is not None and tree.size < signed.position:
            raise ChainForked(f"expected {signed.position} batches, as was signed, found {tree.size}")
        return tree, head

    async def _links(self, after: int, upto: int | None) -> AsyncIterator[ChainLink]:
        while links := await self._store.links(after, LINKS_AT_ONCE if upto is None else upto - after):
            for link in links:
                yield link
            after = links[-1].position
            if upto is not None:
                return

    async def _failed_over(self, signed: Checkpoint) -> bool:
        operators = [key for key in self._trusted if key.name != self._key.name]
        for note in await self._store.acts():
            try:
                act = read_act(note, operators)
            except Refused:
                continue
            if isinstance(act, Failover) and act.excuses(signed.position, signed.time):
                return True
        return False

    def _read(self, last: PublishedCheckpoint) -> Checkpoint:
        try:
            return read_checkpoint(last.note, self._trusted)
        except Refused as error:
            raise CheckpointsUnavailable(f"the last checkpoint on the bus: {error}") from error


def _frontier(signed: Checkpoint, last: PublishedCheckpoint) -> Frontier:
    """Return the tree that a checkpoint signs; an empty one where what stands beside it is not that."""
    try:
        tree = Frontier(signed.position, last.frontier)
    except ValueError:
        return Frontier()
    return tree if tree.root == signed.root else Frontier()
