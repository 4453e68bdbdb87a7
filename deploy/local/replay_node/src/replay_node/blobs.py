"""The binary forms of headers and transactions: what the ledger's hashes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay_node.keys import half_sha512

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replay_node.session import Json

_NOTHING = "0" * 64
"""The hash below an inner node where nothing is, and the root of a tree without transactions."""
_LONGEST_AFTER_ONE_BYTE = 192
_LONGEST_AFTER_TWO_BYTES = 12_480
_NAMED_ANEW = frozenset({"DeliverMax"})
"""Fields that servers add beside the ledger's own: here a Payment's Amount by its later name."""


def header_blob(header: Json) -> str:
    """Return a header as `ledger_data` gives it, in hexadecimal."""
    close_times = [(int(header["parent_close_time"]), 4), (int(header["close_time"]), 4)]
    rounding = [(int(header["close_time_resolution"]), 1), (int(header["close_flags"]), 1)]
    hashes = "".join(header[name] for name in ("parent_hash", "transaction_hash", "account_hash"))
    return (
        _hex((int(header["ledger_index"]), 4), (int(header["total_coins"]), 8))
        + hashes
        + _hex(*close_times, *rounding)
    )


def transaction_blobs(raw: Json) -> Json:
    """Return a transaction and its metadata as an expanded binary ledger gives them."""
    # xrpl-py takes a second to import, and a node that is asked for JSON alone needs none of it.
    from xrpl.core.binarycodec import encode  # noqa: PLC0415

    return {"tx_blob": encode(_own(raw)), "meta_blob": encode(_own(raw["metaData"]))}


def transaction_tree_root(rows: Sequence[Json]) -> str:
    """Return the root of the tree of transactions and their metadata, in hexadecimal.

    A transaction that is there twice stands in the tree once, as no tree can hold it twice.
    """
    leaves = {}
    for row in rows:
        transaction, metadata = bytes.fromhex(row["tx_blob"]), bytes.fromhex(row["meta_blob"])
        name = transaction_hash(row["tx_blob"])
        content = _with_length(transaction) + _with_length(metadata) + bytes.fromhex(name)
        leaves[name] = half_sha512(b"SND\0" + content)
    return _inner_node(leaves, 0) if leaves else _NOTHING


def transaction_hash(tx_blob: str) -> str:
    """Return the hash that names a transaction; both in hexadecimal."""
    return half_sha512(b"TXN\0" + bytes.fromhex(tx_blob))


def _inner_node(leaves: Mapping[str, str], depth: int) -> str:
    below = []
    for digit in "0123456789ABCDEF":
        branch = {name: leaf for name, leaf in leaves.items() if name[depth] == digit}
        leaf = next(iter(branch.values()), _NOTHING)
        below.append(leaf if len(branch) <= 1 else _inner_node(branch, depth + 1))
    return half_sha512(b"MIN\0" + bytes.fromhex("".join(below)))


def _with_length(blob: bytes) -> bytes:
    """Return bytes after their length, as the binary format writes it."""
    length = len(blob)
    if length <= _LONGEST_AFTER_ONE_BYTE:
        return bytes([length]) + blob
    if length <= _LONGEST_AFTER_TWO_BYTES:
        return (193 * 2**8 + length - 193).to_bytes(2, "big") + blob
    return (241 * 2**16 + length - 12_481).to_bytes(3, "big") + blob


def _own(fields: Json) -> Json:
    """Return the ledger's own fields, which begin with a capital letter; servers add others in JSON."""
    return {name: value for name, value in fields.items() if name[0].isupper() and name not in _NAMED_ANEW}


def _hex(*numbers: tuple[int, int]) -> str:
    return "".join(number.to_bytes(size, "big").hex().upper() for number, size in numbers)
