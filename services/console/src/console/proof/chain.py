"""The chain of batch digests: where it breaks, and where it is not what a checkpoint says. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from audit_log import (
    START,
    Act,
    Batch,
    Checkpoint,
    Failover,
    Frontier,
    Moment,
    Refused,
    Retention,
    VerifierKey,
    digest_of,
    read_act,
    written_time,
)

_DIGEST_BYTES = 32
_CLOCKS_DIFFER = timedelta(hours=1)
"""By so much an operator's clock may be ahead of the audit writer's."""


class Break(StrEnum):
    """What was done to a row, or to the chain."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    UNSIGNED = "unsigned"
    DAMAGED = "damaged"
    UNLIKE_LEDGER = "unlike the ledger"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the tables are not what was stored."""

    what: Break
    table: str
    batch: int | None = None
    """Position of the batch that the row came with, where the chain knows it."""
    ledger_index: int | None = None
    event_id: str | None = None
    detail: str = ""


class Head(msgspec.Struct, frozen=True):
    """The end of a chain; written `POSITION:DIGEST`, the digest in hex."""

    position: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"


class Link(Batch, frozen=True, kw_only=True):
    """One row of `batch_digest`, with the ledgers that its events are of."""

    first_ledger: int | None
    last_ledger: int | None


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What is known from outside of the database: heads, signed checkpoints, and whose signatures count."""

    heads: Sequence[Head] = ()
    notes: Mapping[str, Checkpoint] = {}
    """Checkpoints by the signed notes that they were read from."""
    keys: Sequence[VerifierKey] = ()

    @property
    def checkpoints(self) -> Collection[Checkpoint]:
        """The signed checkpoints."""
        return self.notes.values()

    def read_act(self, note: str) -> Act:
        """Read an act that an operator has signed; raises Refused where none has."""
        origins = {one.origin for one in self.checkpoints}
        keys = [key for key in self.keys if key.name not in origins]
        return read_act(note, keys)


class Acts:
    """The acts of operators in the chain, by the position at which they stand."""

    def __init__(self, notes: Iterable[tuple[int, str]], trust: Trust) -> None:
        """Read the signed notes of the chain."""
        self.refused: dict[int, str] = {}
        """Why one counts for nothing, by its position."""
        self._retentions: list[tuple[int, Retention]] = []
        self.failovers: list[tuple[int, Failover]] = []
        following_part: dict[str, int] = {}
        retentions: list[tuple[int, Retention]] = []
        for position, note in notes:
            try:
                act = trust.read_act(note)
            except Refused as error:
                self.refused[position] = str(error)
                continue
            # a long act stands in several batches, one after the other
            if following_part.setdefault(note, position) != position:
                self.refused[position] = (
                    f"expected an act once, found that of batch {following_part[note] - 1} again"
                )
                continue
            following_part[note] = position + 1
            if isinstance(act, Failover):
                self.failovers.append((position, act))
            else:
                retentions.append((position, act))
        for position, retention in retentions:
            covered = self._signed_after(position, trust)
            if covered is not None and retention.time > covered + _CLOCKS_DIFFER:
                found = f"expected an act of before {written_time(covered)}, found a later one"
                self.refused[position] = found
            else:
                self._retentions.append((position, retention))

    def _signed_after(self, position: int, trust: Trust) -> datetime | None:
        """Return when the first checkpoint that covers a batch was made; None: none does."""
        covering = (one for one in trust.checkpoints if one.position >= position)
        return min((one.time for one in covering if not self.lost(one.position, one.time)), default=None)

    def dropped(self, position: int, moment: Moment) -> bool:
        """Whether retention dropped an event of that moment after the batch at that position was stored."""
        if isinstance(moment, int):  # of no month
            return False
        return any(at > position and act.covers(moment) for at, act in self._retentions)

    def lost(self, position: int, made: datetime | None) -> bool:
        """Whether a head or checkpoint (`made`: when) is of a tail that was lost in a failover."""
        return any(act.excuses(position, made) for _, act in self.failovers)


def written_moment(moment: Moment) -> str:
    """Return a moment for people; what Python's calendar does not have, in microseconds since 2000."""
    return f"2000-01-01 and {moment} µs" if isinstance(moment, int) else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def parse_head(written: str) -> Head:
    """Read `POSITION:DIGEST`; raises ValueError with what was expected and what was found."""
    position, _, digest = written.partition(":")
    try:
        head = Head(int(position), bytes.fromhex(digest))
    except ValueError:
        head = Head(0, b"")
    if head.position < 1 or len(head.digest) != _DIGEST_BYTES:
        raise ValueError(
            f"expected a head as verify prints it, POSITION:DIGEST with 64 hex digits, found {written!r}"
        )
    return head


class Chain:
    """Follows the links in the order of their positions."""

    def __init__(self, trust: Trust, acts: Acts) -> None:
        """Take what is known from outside, and the acts in the chain."""
        self.head = Head(0, START)
        self.held = 0
        """Checkpoints that the chain still contains."""
        self.lost: list[Checkpoint] = []
        """Checkpoints of a tail that was lost in a failover."""
        self._acts = acts
        self._tree = Frontier()
        self._unlike = False
        """A checkpoint has another root: so have all later ones, and the first tells where."""
        self._noted = {head.position: head for head in trust.heads}
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        for one in trust.checkpoints:
            self._checkpoints.setdefault(one.position, []).append(one)
        self._failovers = {act.continues: (at, act) for at, act in acts.failovers}

    def follow(self, link: Link) -> Iterator[Finding]:
        """Take the next link and tell what is wrong with it."""
        expected = self.head.position + 1
        if link.position != expected:
            gone = f"batches {expected} to {link.position - 1} are not in the chain"
            yield _broken(Break.MISSING, expected, gone)
        elif link.previous != self.head.digest:
            yield _broken(Break.CHANGED, link.position, "does not follow from the batch before it")
        if len({len(link.event_ids), len(link.occurred_at), len(link.payload_digests)}) != 1:
            yield _broken(Break.CHANGED, link.position, "its lists are not of one length")
        elif digest_of(link) != link.digest:
            yield _broken(Break.CHANGED, link.position, "its digest is not that of what it lists")
        if link.position in self._acts.refused:
            yield _broken(Break.UNSIGNED, link.position, self._acts.refused[link.position])
        elif link.dropped is not None and not self._acts.dropped(link.position, link.dropped[0]):
            month = written_moment(link.dropped[0])[: len("2026-11")]
            unsigned = f"{month} was dropped, and no operator has signed it"
            yield _broken(Break.UNSIGNED, link.position, unsigned)
        self.head = Head(link.position, link.digest)
        self._tree.append(link.digest)
        yield from self._compare_with_outside(link)

    def end(self, written: Head | None) -> Iterator[Finding]:
        """Tell what is missing at the end; `written`: the head that the database keeps (None: none)."""
        if written != self.head:
            yield Finding(
                what=Break.MISSING if written and written.position > self.head.position else Break.CHANGED,
                table="chain_head",
                batch=self.head.position,
                detail=f"expected {self.head} after the last batch, found {written}",
            )
        for noted in self._noted.values():
            if not self._acts.lost(noted.position, None):
                gone = f"the noted head is {noted}, the chain ends at {self.head.position}"
                yield _broken(Break.MISSING, noted.position, gone)
        beyond = [one for ones in self._checkpoints.values() for one in ones]
        self.lost += [one for one in beyond if self._acts.lost(one.position, one.time)]
        missing = [one for one in beyond if not self._acts.lost(one.position, one.time)]
        if missing:
            newest = max(missing, key=lambda one: one.position)
            gone = f"{_said(newest)}, the chain ends at {self.head.position}"
            yield _broken(Break.MISSING, newest.position, gone)

    def _compare_with_outside(self, link: Link) -> Iterator[Finding]:
        noted = self._noted.pop(link.position, None)
        if noted is not None and noted.digest != link.digest and not self._acts.lost(link.position, None):
            detail = f"the noted head is {noted}, found {link.digest.hex()}"
            yield _broken(Break.CHANGED, link.position, detail)
        for one in self._checkpoints.pop(link.position, ()):
            if (one.head, one.root) == (link.digest, self._tree.root):
                self.held += 1
            elif self._acts.lost(one.position, one.time):
                self.lost.append(one)
            elif not self._unlike:
                self._unlike = True
                detail = f"{_said(one)} with another root: the batches up to it are not those that it signs"
                yield _broken(Break.CHANGED, link.position, detail)
        at, failover = self._failovers.get(link.position, (0, None))
        if failover is not None and failover.digest != link.digest:
            yield _broken(Break.CHANGED, at, f"its failover continues another batch {link.position}")


def _said(one: Checkpoint) -> str:
    return f"a checkpoint of position {one.position} was signed at {written_time(one.time)}"


def _broken(what: Break, position: int, detail: str) -> Finding:
    return Finding(what=what, table="batch_digest", batch=position, detail=detail)
