"""Keys and checkpoints of a made audit log, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_log import Checkpoint, Frontier, SigningKey

if TYPE_CHECKING:
    from collections.abc import Sequence

ORIGIN = "fillproof/test"
LOG_KEY = SigningKey(ORIGIN, b"l" * 32)
OPERATOR_KEY = SigningKey("mia", b"o" * 32)
STRANGER_KEY = SigningKey("mia", b"s" * 32)
"""Somebody who calls himself like the operator."""
KEYS = [LOG_KEY.verifier, OPERATOR_KEY.verifier]
MADE_AT = datetime(2026, 11, 29, 18, tzinfo=UTC)


def checkpoint_of(digests: Sequence[bytes], made: datetime = MADE_AT) -> Checkpoint:
    """Return the checkpoint of a chain with these digests."""
    tree = Frontier()
    for digest in digests:
        tree.append(digest)
    return Checkpoint(origin=ORIGIN, position=tree.size, root=tree.root, head=digests[-1], time=made)
