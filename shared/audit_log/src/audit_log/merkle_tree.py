"""The Merkle tree of RFC 6962 over the digests of the chain's batches, computed in one pass over them.

The leaf of position N is the digest of batch N. A `Frontier` has the roots of the complete subtrees from left
to right: it is all that is needed to go on, and it proves itself, as the tree's root is made of it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

EMPTY_ROOT = hashlib.sha256().digest()


class Span(NamedTuple):
    """A subtree: the leaves from `first` (counted from 0) up to and without `end`."""

    first: int
    end: int


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows to the right."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Go on with a tree of `size` leaves.

        Raises:
            ValueError: there are not as many hashes as a tree of that size has complete subtrees.

        """
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves: expected {size.bit_count()} hashes, found {len(self.hashes)}"
            )

    def append(self, data: bytes) -> None:
        """Add one leaf."""
        self.hashes.append(leaf_hash(data))
        self.size += 1
        complete = self.size
        while complete & 1 == 0:
            right = self.hashes.pop()
            self.hashes[-1] = node_hash(self.hashes[-1], right)
            complete >>= 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the subtrees whose hashes lead from the leaf `index` to the root, the lowest first."""
    spans: list[Span] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _left_size(end - first)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(first, middle))
            first = middle
    return spans[::-1]


def consistency_spans(earlier: int, size: int) -> list[Span]:
    """Return the subtrees that show that a tree of `size` begins with one of `earlier` leaves."""
    if not 0 < earlier < size:
        return []
    spans: list[Span] = []
    first, end = 0, size
    while end != earlier:
        middle = first + _left_size(end - first)
        if earlier <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(first, middle))
            first = middle
    if first:  # the earlier tree's own root is known to whoever holds it
        spans.append(Span(first, end))
    return spans[::-1]


def hashes_of(spans: Sequence[Span], leaves: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of disjoint subtrees, in their order, from one pass over all leaves."""
    found: dict[Span, Frontier] = {span: Frontier() for span in spans}
    ordered = iter(sorted(spans))
    current = next(ordered, None)
    for index, data in enumerate(leaves):
        if current is not None and index == current.end:
            current = next(ordered, None)
        if current is None:
            break
        if index >= current.first:
            found[current].append(data)
    return [found[span].root for span in spans]


def root_by_inclusion(data: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that the path leads to from a leaf; None: the path is not one of that tree."""
    spans = inclusion_spans(index, size) if 0 <= index < size else None
    if spans is None or len(spans) != len(path):
        return None
    found = leaf_hash(data)
    for span, other in zip(spans, path, strict=True):
        found = node_hash(found, other) if span.first > index else node_hash(other, found)
    return found


def is_consistent(earlier: tuple[int, bytes], later: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the path shows that the earlier tree (size, root) is the beginning of the later one."""
    spans = consistency_spans(earlier[0], later[0])
    if earlier[0] == later[0]:
        return earlier[1] == later[1] and not path
    if not 0 < earlier[0] < later[0] or len(spans) != len(path):
        return False
    return (_folded(earlier, spans, path, upto=earlier[0]), _folded(earlier, spans, path, upto=later[0])) == (
        earlier[1],
        later[1],
    )


def _folded(earlier: tuple[int, bytes], spans: Sequence[Span], path: Sequence[bytes], *, upto: int) -> bytes:
    """Return the root over the first `upto` leaves, from the hashes of subtrees."""
    parts: Iterator[tuple[Span, bytes]] = zip(spans, path, strict=True)
    # where nothing stands on the left, the earlier tree is itself a subtree of the later one
    begins_left = any(span.first < earlier[0] for span in spans)
    found = next(parts)[1] if begins_left else earlier[1]
    for span, other in parts:
        if span.first >= upto:
            continue
        found = node_hash(other, found) if span.first < earlier[0] else node_hash(found, other)
    return found


def _left_size(size: int) -> int:
    """Return the size of the left subtree: the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
