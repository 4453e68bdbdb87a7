from __future__ import annotations

import random

import pytest

from ledger_proof.errors import MalformedBlob, Unproven
from ledger_proof.hashes import INNER_NODE, half_sha512, length_prefix
from ledger_proof.transaction_tree import (
    EMPTY,
    Leaf,
    in_tree_order,
    inclusion_path,
    leaf,
    root_of_path,
    tree_root,
)


def made(count: int, seed: int = 1) -> list[Leaf]:
    chance = random.Random(seed)  # noqa: S311 - made test data
    return [(chance.randbytes(32), chance.randbytes(32)) for _ in range(count)]


def test_a_ledger_without_transactions_has_the_empty_root() -> None:
    assert tree_root([]) == bytes(32)


def test_the_root_over_one_transaction_is_still_an_inner_node() -> None:
    name, own = made(1)[0]
    branches = [EMPTY] * 16
    branches[name[0] >> 4] = own
    assert tree_root([(name, own)]) == half_sha512(INNER_NODE + b"".join(branches))


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 90, 200])
def test_every_transactions_path_leads_to_the_root(count: int) -> None:
    leaves = made(count)
    ordered, root = in_tree_order(leaves), tree_root(leaves)
    for name, own in leaves:
        assert root_of_path(inclusion_path(ordered, name), name, own) == root


def test_hashes_that_begin_alike_go_deep_and_are_found_all_the_same() -> None:
    alike = [(bytes(20) + bytes([number]) * 12, bytes([number]) * 32) for number in range(1, 5)]
    ordered, root = in_tree_order(alike), tree_root(alike)
    path = inclusion_path(ordered, alike[2][0])
    assert len(path) == 42
    assert root_of_path(path, *alike[2]) == root


def test_the_root_does_not_hang_on_the_order_of_the_rows() -> None:
    leaves = made(50)
    assert tree_root(leaves[::-1]) == tree_root(leaves)


def test_a_transaction_missing_added_or_changed_gives_another_root() -> None:
    leaves = made(30)
    changed = [(leaves[0][0], leaves[1][1]), *leaves[1:]]
    assert len({tree_root(some) for some in (leaves, leaves[1:], [*leaves, *made(1, seed=2)], changed)}) == 4


def test_a_doubled_transaction_is_refused_by_name() -> None:
    leaves = made(5)
    with pytest.raises(Unproven, match="each of them once, found one of them twice"):
        tree_root([*leaves, leaves[3]])


def test_a_leaf_that_stands_at_another_branch_is_not_on_the_path() -> None:
    (name, own), *_ = leaves = made(1)
    path = inclusion_path(in_tree_order(leaves), name)
    moved = list(path[0])
    moved[(name[0] >> 4) ^ 1], moved[name[0] >> 4] = own, EMPTY
    with pytest.raises(Unproven, match="path at depth 0"):
        root_of_path([moved], name, own)


def test_a_path_without_nodes_or_with_a_short_one_is_refused() -> None:
    (name, own), *_ = made(1)
    with pytest.raises(Unproven, match="1 to 64 inner nodes, found 0"):
        root_of_path([], name, own)
    with pytest.raises(Unproven, match="16 branches at depth 0, found 3"):
        root_of_path([[EMPTY] * 3], name, own)
    with pytest.raises(Unproven, match="1 to 64 inner nodes, found 65"):
        root_of_path([[EMPTY] * 16] * 65, name, own)


def test_the_length_before_a_blob_takes_one_two_or_three_bytes() -> None:
    assert [length_prefix(n).hex() for n in (0, 192, 193, 12_480, 12_481, 918_744)] == [
        "00", "c0", "c100", "f0ff", "f10000", "fed417",
    ]  # fmt: skip
    with pytest.raises(MalformedBlob, match="918,744 bytes"):
        leaf(bytes(918_745), b"")
