"""The tree of RFC 6962: roots, and paths that hold for their own leaf and tree alone."""

import hashlib

import pytest

from audit_log.merkle_tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_spans,
    hashes_of,
    inclusion_spans,
    is_consistent,
    root_by_inclusion,
)

LEAVES = [bytes([number]) for number in range(20)]
RFC_9162_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
"""The test vectors of Certificate Transparency implementations."""
RFC_9162_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def tree(leaves: list[bytes]) -> Frontier:
    grown = Frontier()
    for leaf in leaves:
        grown.append(leaf)
    return grown


def defined_root(leaves: list[bytes]) -> bytes:
    """Return the root by the recursive definition of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    below = defined_root(leaves[:middle]) + defined_root(leaves[middle:])
    return hashlib.sha256(b"\x01" + below).digest()


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_root_is_that_of_the_definition(size: int) -> None:
    assert tree(LEAVES[:size]).root == defined_root(LEAVES[:size])


def test_roots_are_those_that_other_implementations_have() -> None:
    leaves = [bytes.fromhex(leaf) for leaf in RFC_9162_LEAVES]
    assert {size: tree(leaves[:size]).root.hex() for size in RFC_9162_ROOTS} == RFC_9162_ROOTS
    assert Frontier().root == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, len(LEAVES)))
def test_a_frontier_is_all_that_is_needed_to_go_on(size: int) -> None:
    half = tree(LEAVES[:size])
    resumed = Frontier(half.size, half.hashes)
    for leaf in LEAVES[size:]:
        resumed.append(leaf)
    assert resumed.root == tree(LEAVES).root
    with pytest.raises(ValueError, match=f"a tree of {size} leaves"):
        Frontier(size, [*half.hashes, b"x"])


def test_a_path_leads_from_its_own_leaf_to_the_root_and_from_no_other() -> None:
    for size in range(1, len(LEAVES)):
        root = tree(LEAVES[:size]).root
        for index in range(size):
            path = hashes_of(inclusion_spans(index, size), LEAVES[:size])
            assert root_by_inclusion(LEAVES[index], index, size, path) == root
            others = [other for other in range(size) if other != index]
            assert all(root_by_inclusion(LEAVES[index], other, size, path) != root for other in others)
            assert root_by_inclusion(b"other", index, size, path) != root
            assert root_by_inclusion(LEAVES[index], index, size, [*path, root]) is None


def test_consistency_holds_for_the_beginning_of_the_same_tree_alone() -> None:
    for size in range(1, len(LEAVES)):
        later = (size, tree(LEAVES[:size]).root)
        for earlier in range(1, size + 1):
            path = hashes_of(consistency_spans(earlier, size), LEAVES[:size])
            begun = tree(LEAVES[:earlier]).root
            assert is_consistent((earlier, begun), later, path)
            rewritten = [b"other", *LEAVES[1:earlier]]
            assert not is_consistent((earlier, tree(rewritten).root), later, path)
            assert not is_consistent((earlier, begun), (size, b"x" * 32), path)
            assert not is_consistent((earlier, begun), later, [*path, begun])
            if path:
                assert not is_consistent((earlier, begun), later, path[:-1])
    assert not is_consistent((0, EMPTY_ROOT), (1, tree(LEAVES[:1]).root), [])
    assert not is_consistent((2, begun), (1, begun), [])
