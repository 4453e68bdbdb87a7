"""What becomes of proofs in the audit writer: stored, given back or left out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest
from on_the_bus import EVENTS

from audit_writer.metrics import Metrics
from audit_writer.ports import RowsRefused, StoreUnavailable
from audit_writer.proofs import ProofWriter
from order_events import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROOF = (EVENTS / "proof.ledger.json").read_bytes()
BAD = PROOF.replace(b"AAAA", b"BAD!", 1)
"""A proof that the store refuses, as PostgreSQL refuses what is no Base64."""


@dataclass
class Delivered:
    payload: bytes
    answers: list[str] = field(default_factory=list)
    position: str = "PROOFS.1"

    @property
    def origin(self) -> Mapping[str, str]:
        return {}

    async def acknowledge(self) -> None:
        self.answers.append("acknowledged")

    async def terminate(self) -> None:
        self.answers.append("left out")

    async def hold(self) -> None:
        raise AssertionError("nothing here takes long")

    async def give_back(self) -> None:
        self.answers.append("given back")


@dataclass
class MemoryProofs:
    stored: list[str] = field(default_factory=list)
    is_away: bool = False

    async def write_proofs(self, proofs: Sequence[str]) -> int:
        if self.is_away:
            raise StoreUnavailable("away")
        if any("BAD!" in proof for proof in proofs):
            raise RowsRefused("no Base64")
        self.stored += proofs
        return len(proofs)


@pytest.fixture
def stopping() -> asyncio.Event:
    """A service that stops waits for nothing."""
    event = asyncio.Event()
    event.set()
    return event


async def answers(store: MemoryProofs, stopping: asyncio.Event, *payloads: bytes) -> list[list[str]]:
    batch = [Delivered(payload) for payload in payloads]
    await ProofWriter(store=store, metrics=Metrics(), stopping=stopping).handle(batch)
    return [delivered.answers for delivered in batch]


async def test_proofs_are_stored_as_published_and_acknowledged(stopping: asyncio.Event) -> None:
    store = MemoryProofs()
    assert await answers(store, stopping, PROOF, PROOF) == [["acknowledged"]] * 2
    assert store.stored == [PROOF.decode()] * 2


async def test_what_is_no_proof_or_refused_is_left_out_and_its_neighbours_are_stored(
    stopping: asyncio.Event,
) -> None:
    store = MemoryProofs()
    fill = encode(decode((EVENTS / "order.filled.json").read_bytes()))
    later = msgspec.json.encode(msgspec.json.decode(PROOF) | {"version": 2})
    strange = PROOF.replace(b'"version"', b'"more":"\xff","version"')
    batch = [PROOF, b"\xff", fill, later, strange, BAD, PROOF, PROOF]
    kept, left = ["acknowledged"], ["left out"]
    assert await answers(store, stopping, *batch) == [kept, left, left, left, left, left, kept, kept]
    assert len(store.stored) == 3


async def test_while_the_store_is_away_proofs_go_back_to_the_stream(stopping: asyncio.Event) -> None:
    store = MemoryProofs(is_away=True)
    assert await answers(store, stopping, PROOF, b"no proof") == [["given back"], ["left out"]]
