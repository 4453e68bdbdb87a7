"""What stream PROOFS holds, and a published list for the reconciler to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from on_the_bus import stored

from order_events import LedgerProof, decode
from order_events.subjects import PROOFS_STREAM
from replay_node.validators import MadeValidators

if TYPE_CHECKING:
    from pathlib import Path

    from nats.js import JetStreamContext

PUBLISHER = MadeValidators(1).publisher


async def stored_proofs(jetstream: JetStreamContext) -> list[LedgerProof]:
    """Return what stream PROOFS holds, in order."""
    events = [decode(payload) for payload in await stored(jetstream, PROOFS_STREAM)]
    assert all(isinstance(event, LedgerProof) for event in events)
    return events  # type: ignore[return-value]


def published_list(directory: Path, validators: int = 5) -> Path:
    """Write the replay node's list of so many validators to a file."""
    path = directory / "validators.json"
    path.write_bytes(msgspec.json.encode(MadeValidators(validators).document))
    return path
