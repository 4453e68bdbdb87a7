"""What is signed: the chain as it goes on from the last checkpoint, and never another one."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from signed_log import KEYS, LOG_KEY, MADE_AT, OPERATOR_KEY, STRANGER_KEY, checkpoint_of

from audit_log import START, Failover, SigningKey, read_checkpoint, sign_act
from audit_writer.checkpoints import ChainForked, CheckpointSigner
from audit_writer.metrics import Metrics
from audit_writer.ports import (
    ChainLink,
    CheckpointsUnavailable,
    CopyFailed,
    PublishedCheckpoint,
    Rows,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class MadeStore:
    """A chain in memory, which its owner changes as he likes."""

    def __init__(self) -> None:
        self.digests: list[bytes] = []
        self.notes: list[str] = []
        self.away = False

    def grow(self, count: int, kind: str = "") -> None:
        for _ in range(count):
            self.digests.append(hashlib.sha256(f"{kind}{len(self.digests)}".encode()).digest())

    async def links(self, after: int, count: int) -> Sequence[ChainLink]:
        if self.away:
            raise StoreUnavailable("away")
        found = [*enumerate(zip([START, *self.digests], self.digests, strict=False), start=1)]
        return [
            ChainLink(position=position, previous=previous, digest=digest)
            for position, (previous, digest) in found[after : after + count]
        ]

    async def acts(self) -> Sequence[str]:
        return self.notes[::-1]

    async def write(self, rows: Rows) -> int:
        raise NotImplementedError(rows)

    async def end_reader_sessions(self) -> int:
        raise NotImplementedError


class MadeStream:
    """A stream in memory."""

    def __init__(self) -> None:
        self.published: list[PublishedCheckpoint] = []
        self.away = False

    async def last(self) -> PublishedCheckpoint | None:
        if self.away:
            raise CheckpointsUnavailable("away")
        return self.published[-1] if self.published else None

    async def publish(
        self, note: str, frontier: Sequence[bytes], *, after: PublishedCheckpoint | None
    ) -> bool:
        if (after.sequence if after else 0) != len(self.published):
            return False
        self.published.append(
            PublishedCheckpoint(sequence=len(self.published) + 1, note=note, frontier=tuple(frontier))
        )
        return True


class MadeCopy:
    def __init__(self) -> None:
        self.kept: dict[int, str] = {}
        self.full = False

    async def keep(self, position: int, note: str) -> None:
        if self.full:
            raise CopyFailed("no space")
        self.kept[position] = note


class Desk:
    """A signer with its ports."""

    def __init__(self) -> None:
        self.store, self.stream, self.copy = MadeStore(), MadeStream(), MadeCopy()
        self.metrics = Metrics()
        self.signer = self.another(LOG_KEY)

    def another(self, key: SigningKey) -> CheckpointSigner:
        return CheckpointSigner(
            store=self.store,
            published=self.stream,
            copies=[self.copy],
            key=key,
            trusted=KEYS,
            metrics=self.metrics,
            now=lambda: MADE_AT,
        )


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.store.grow(3)
    return made


async def test_the_chain_is_signed_where_something_is_new(desk: Desk) -> None:
    for more in (0, 1, 4, 13):
        desk.store.grow(more)
        made = await desk.signer.sign()
        assert made == checkpoint_of(desk.store.digests)
        assert await desk.signer.sign() is None
    notes = [one.note for one in desk.stream.published]
    assert [read_checkpoint(note, KEYS).position for note in notes] == [3, 4, 8, 21]
    assert list(desk.copy.kept.values()) == notes


async def test_an_empty_chain_is_not_signed() -> None:
    assert await Desk().signer.sign() is None


async def test_a_replica_that_was_second_signs_nothing(desk: Desk) -> None:
    before = await desk.stream.last()
    assert await desk.signer.sign() is not None
    assert await desk.stream.publish("late", [], after=before) is False
    assert await desk.another(LOG_KEY).sign() is None


async def test_a_chain_that_was_rewritten_is_never_signed(desk: Desk) -> None:
    desk.store.grow(5)
    await desk.signer.sign()
    kept = desk.store.digests.copy()
    for rewritten in (
        kept[:-1],
        [],
        [*kept[:-1], b"x" * 32],
        [*kept[:-1], b"x" * 32, b"y" * 32],
    ):
        desk.store.digests = rewritten
        with pytest.raises(ChainForked):
            await desk.signer.sign()
    assert len(desk.stream.published) == 1


async def test_without_its_frontier_the_whole_chain_is_held_against_the_checkpoint(desk: Desk) -> None:
    await desk.signer.sign()
    last = desk.stream.published[-1]
    for frontier in ((), (b"x" * 32, b"y" * 32)):
        desk.stream.published[-1] = PublishedCheckpoint(sequence=1, note=last.note, frontier=frontier)
        assert await desk.signer.sign() is None
    desk.store.digests[0] = b"x" * 32
    with pytest.raises(ChainForked, match="another"):
        await desk.signer.sign()


def failover(lost: int) -> Failover:
    return Failover(
        operator="mia",
        time=MADE_AT + timedelta(minutes=1),
        lost=lost,
        continues=2,
        digest=b"d" * 32,
        reason="the standby was promoted",
    )


async def test_only_an_operators_act_lets_another_chain_be_signed(desk: Desk) -> None:
    desk.store.grow(3)
    await desk.signer.sign()
    del desk.store.digests[2:]
    desk.store.grow(4, "after the failover")
    for note in (
        "nonsense",
        sign_act(failover(6), STRANGER_KEY),
        LOG_KEY.sign(failover(6).text),
        sign_act(failover(5), OPERATOR_KEY),
    ):
        desk.store.notes = [note]
        with pytest.raises(ChainForked):
            await desk.signer.sign()
    desk.store.notes = [sign_act(failover(6), OPERATOR_KEY)]
    assert await desk.signer.sign() == checkpoint_of(desk.store.digests)
    desk.store.grow(1)
    assert await desk.signer.sign() == checkpoint_of(desk.store.digests)


async def test_a_checkpoint_that_nobody_trusted_has_signed_is_not_gone_on_from(desk: Desk) -> None:
    forged = checkpoint_of(desk.store.digests).signed_by(STRANGER_KEY)
    await desk.stream.publish(forged, [], after=None)
    with pytest.raises(CheckpointsUnavailable, match="by a trusted key"):
        await desk.signer.sign()


async def test_a_new_key_goes_on_where_the_old_one_is_trusted(desk: Desk) -> None:
    await desk.signer.sign()
    desk.store.grow(1)
    made = await desk.another(SigningKey(LOG_KEY.name, b"n" * 32)).sign()
    assert made == checkpoint_of(desk.store.digests)


async def test_a_copy_that_fails_is_counted_and_the_checkpoint_stands(desk: Desk) -> None:
    desk.copy.full = True
    assert await desk.signer.sign() is not None
    assert desk.metrics.registry.get_sample_value("audit_writer_checkpoint_copies_failed_total") == 1


async def test_the_metrics_say_whether_the_chain_goes_on(desk: Desk) -> None:
    seen: list[tuple[float | None, bool]] = []
    changes = iter(
        (
            desk.store.digests.clear,
            lambda: (setattr(desk.store, "away", True), desk.store.grow(3)),
            lambda: setattr(desk.store, "away", False),
        )
    )

    class Stopped(Exception):
        pass

    async def pause(_: float) -> None:
        value = desk.metrics.registry.get_sample_value
        checked = value("audit_writer_chain_checked_timestamp_seconds")
        seen.append((value("audit_writer_chain_forked"), bool(checked)))
        change = next(changes, None)
        if change is None:
            raise Stopped
        change()

    with pytest.raises(Stopped):
        await desk.signer.run(1.0, pause)
    assert seen == [(0, True), (1, True), (1, True), (0, True)]
