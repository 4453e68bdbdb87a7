"""What proves the ledgers is published beside the events, and its loss costs none of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import nats
import pytest
from following import environment, following, lines, until_followed
from kept_proofs import PUBLISHER, published_list, stored_proofs
from on_the_bus import stored_events
from replaying import recorded, serving
from waiting import until_found

from ledger_proof import LedgerHeader, confirm_ledger, read_header, read_trust, read_validation
from ledger_proof.base58 import account_bytes
from ledger_proof.life_document import read_path, to_base64
from ledger_proof.transaction_tree import leaf, root_of_path
from order_events.subjects import PROOFS_STREAM
from replay_node.pace import Pace

if TYPE_CHECKING:
    from pathlib import Path

    from nats.js import JetStreamContext

    from order_events import LedgerProof, OrderEvent

pytestmark = pytest.mark.stack

SESSION = recorded("partial_then_full")


def trusting(tmp_path: Path, **more: object) -> dict[str, object]:
    return {"VALIDATOR_LISTS": published_list(tmp_path), "LIST_PUBLISHERS": PUBLISHER, **more}


async def followed_with_proofs(
    nats_url: str, settings: dict[str, object], *, expected: int
) -> tuple[list[LedgerProof], list[OrderEvent]]:
    """Follow the session to its end, and until so many ledgers have proofs; return these and the events."""
    client = await nats.connect(nats_url)
    jetstream = client.jetstream()
    async with (
        serving(SESSION.name, pace=Pace(on_read=True)) as node,
        following(environment(nats_url, node.url, SESSION, **settings)),
    ):
        await until_followed(client, SESSION)
        await until_found(lambda: _has_proofs(jetstream, expected))
    found = await stored_proofs(jetstream), await stored_events(jetstream)
    await client.close()
    return found


async def _has_proofs(jetstream: JetStreamContext, count: int) -> bool:
    return (await jetstream.stream_info(PROOFS_STREAM)).state.messages >= count


def check_proof_of_ledger(proof: LedgerProof) -> LedgerHeader:
    """Check that headers are a chain, and each transaction is in the first one's tree; return the last."""
    headers = [read_header(one) for one in proof.headers]
    assert headers[0].ledger_hash.hex().upper() == proof.ledger_hash
    assert all(one.parent_hash == before.ledger_hash for before, one in pairwise(headers))
    for one in proof.transactions:
        name, own = leaf(one.transaction, one.metadata)
        assert name.hex().upper() == one.transaction_hash
        path = read_path(to_base64(one.path), name, own)
        assert root_of_path(path, name, own) == headers[0].transaction_root
        assert all(account_bytes(order.account) in one.metadata for order in one.orders)
    return headers[-1]


async def test_every_event_s_transaction_is_proven_and_its_ledger_confirmed(
    provisioned_nats_url: str, tmp_path: Path
) -> None:
    proofs, events = await followed_with_proofs(provisioned_nats_url, trusting(tmp_path), expected=3)
    document = published_list(tmp_path).read_bytes()
    [listed] = read_trust(publishers=[PUBLISHER], list_documents=[document]).lists
    assert [[one.blob for one in proof.lists] for proof in proofs] == [[listed.published.blob], [], []]
    told = {(one.transaction_hash, one.account, one.sequence) for one in events if one.transaction_hash}
    proven = {
        (one.transaction_hash, order.account, order.sequence)
        for proof in proofs
        for one in proof.transactions
        for order in one.orders
    }
    assert told <= proven
    for proof in proofs:
        votes = [read_validation(one) for one in proof.validations]
        assert proof.confirmed
        assert confirm_ledger(check_proof_of_ledger(proof), votes, listed).confirmed


async def test_a_bus_without_the_stream_costs_the_proofs_and_no_event(
    provisioned_nats_url: str, tmp_path: Path
) -> None:
    client = await nats.connect(provisioned_nats_url)
    await client.jetstream().delete_stream(PROOFS_STREAM)
    async with (
        serving(SESSION.name, pace=Pace(on_read=True)) as node,
        following(environment(provisioned_nats_url, node.url, SESSION, **trusting(tmp_path))),
    ):
        await until_followed(client, SESSION)
        found = await lines(client.jetstream(), SESSION)
    assert [line.status for line in found] == ["FILLED"]
    await client.close()
