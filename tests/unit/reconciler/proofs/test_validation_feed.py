"""The feed of validations: what it keeps, refuses and passes over, and that no message ends it."""

from __future__ import annotations

import msgspec
import pytest
from made_validators import MadeNetwork

from ledger_proof import CheckedValidations, LedgerHeader, check_list
from reconciler.metrics import Metrics
from reconciler.proofs.validation_feed import ValidationFeed

NETWORK = MadeNetwork()
LEDGER = LedgerHeader(
    ledger_index=100,
    ledger_hash=b"\7" * 32,
    total_drops=0,
    parent_hash=bytes(32),
    transaction_root=bytes(32),
    state_root=bytes(32),
    parent_close_time=0,
    close_time=1_000,
    close_resolution=10,
    close_flags=0,
)


def message(**fields: object) -> bytes:
    return msgspec.json.encode(fields)


@pytest.mark.parametrize(
    ("payload", "result"),
    [
        (message(data=NETWORK.validation(LEDGER, 0).hex()), "kept"),
        (message(data=MadeNetwork(name="outsiders").validation(LEDGER, 0).hex()), "passed_over"),
        (message(validated_hash="of an old server without data"), "passed_over"),
        (message(data=NETWORK.validation(LEDGER, 0, high_s=True).hex()), "refused"),
        (message(data="no hexadecimal"), "refused"),
        (message(data=7), "refused"),
        (message(manifest="2400"), "refused"),
        (b"[" * 5_000, "refused"),
        (b"\xff", "refused"),
    ],
)
async def test_every_message_is_counted_by_what_became_of_it(payload: bytes, result: str) -> None:
    metrics = Metrics()
    feed = ValidationFeed(CheckedValidations([check_list(NETWORK.list)]), metrics)
    feed.heard("validationReceived", payload)
    await feed.check_what_waits()
    found = {
        sample.labels["result"]: sample.value
        for sample in next(iter(metrics.validations.collect())).samples
        if sample.name.endswith("_total")
    }
    assert found == {result: 1}


async def test_other_streams_and_huge_messages_are_not_looked_at() -> None:
    feed = ValidationFeed(CheckedValidations(), Metrics())
    feed.heard("ledgerClosed", message(data=NETWORK.validation(LEDGER, 0).hex()))
    feed.heard("validationReceived", message(data=NETWORK.validation(LEDGER, 0).hex(), more="x" * 8192))
    await feed.check_what_waits()
    assert (feed.newest, feed.validations.of_ledger(LEDGER.ledger_hash)) == (0, [])


async def test_a_flood_pushes_out_the_oldest_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.proofs.validation_feed._MOST_WAITING", 2)
    feed = ValidationFeed(CheckedValidations(), Metrics())
    for number in range(3):
        feed.heard("validationReceived", message(data=NETWORK.validation(LEDGER, number).hex()))
    await feed.check_what_waits()
    kept = [one.signing_key for one in feed.validations.of_ledger(LEDGER.ledger_hash)]
    assert kept == [NETWORK.signing(number).public for number in (1, 2)]


def test_it_listens_as_long_as_one_server_gives_the_streams() -> None:
    feed = ValidationFeed(CheckedValidations(), Metrics())
    seen = [feed.listening]
    for step in (feed.opened, feed.opened):
        step(msgspec.Raw())
        seen.append(feed.listening)
    for _ in range(3):
        feed.lost()
        seen.append(feed.listening)
    assert seen == [False, True, True, True, False, False]
