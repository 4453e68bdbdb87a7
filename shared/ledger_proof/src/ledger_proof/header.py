"""A ledger's header: the 118 bytes that the ledger's hash covers."""

import struct
from typing import Final

import msgspec

from ledger_proof.errors import Unproven
from ledger_proof.hashes import HEADER, half_sha512

HEADER_BYTES: Final = 118
_LAYOUT = struct.Struct(">IQ32s32s32sIIBB")


class LedgerHeader(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a header says, with the hash of the ledger that its bytes make. Times in ripple seconds."""

    ledger_index: int
    ledger_hash: bytes
    total_drops: int
    parent_hash: bytes
    transaction_root: bytes
    """The root of the tree of its transactions (transaction_hash)."""
    state_root: bytes
    """The root of the tree of its state (account_hash)."""
    parent_close_time: int
    close_time: int
    close_resolution: int
    """Seconds to which the close time is rounded."""
    close_flags: int


def read_header(header: bytes) -> LedgerHeader:
    """Read the bytes of a header (`ledger_data`).

    Raises:
        Unproven: if they are not 118.

    """
    if len(header) != HEADER_BYTES:
        raise Unproven("ledger header", expected=f"{HEADER_BYTES} bytes", found=f"{len(header)}")
    index, drops, parent, transactions, state, before, closed, resolution, flags = _LAYOUT.unpack(header)
    return LedgerHeader(
        ledger_index=index,
        ledger_hash=half_sha512(HEADER + header),
        total_drops=drops,
        parent_hash=parent,
        transaction_root=transactions,
        state_root=state,
        parent_close_time=before,
        close_time=closed,
        close_resolution=resolution,
        close_flags=flags,
    )


def write_header(header: LedgerHeader) -> bytes:
    """Return the 118 bytes of a header (its `ledger_hash` is not among them)."""
    return _LAYOUT.pack(
        header.ledger_index,
        header.total_drops,
        header.parent_hash,
        header.transaction_root,
        header.state_root,
        header.parent_close_time,
        header.close_time,
        header.close_resolution,
        header.close_flags,
    )
