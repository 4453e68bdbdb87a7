"""The whole way, live: announce, fill, keep the proofs, lose every server, prove from the database, check."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import asyncpg
import nats
import pytest
from fillproof_command import fillproof
from following import announce, environment, following, until_followed
from kept_proofs import PUBLISHER, published_list
from on_the_bus import stored
from replaying import recorded, serving
from waiting import until_found

from ledger_proof import ProofEnd, TrustPolicy, check_proof
from order_events.subjects import AUDIT_CONSUMER, PROOFS_STREAM
from replay_node.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Dsn
    from nats.js import JetStreamContext

    from local_stack import Child, LocalStack

pytestmark = pytest.mark.stack

SESSION = recorded("partial_then_full")
ORDER = SESSION.orders[0]
WHICH = (ORDER["account"], ORDER["sequence"])
CHANGE_A_PRICE = """
    ALTER TABLE order_event DISABLE TRIGGER ALL;
    UPDATE order_event
    SET payload = regexp_replace(payload::text, '"last_px":"[0-9.]+"', '"last_px":"0.7"')::json
    WHERE event_type = 'order.filled'
"""
CHANGES = 3
"""Ledgers in which the order was placed, partly and wholly filled."""


@pytest.fixture
def writer(
    stack: LocalStack, postgres_dsn: Dsn, provisioned_nats_url: str, tmp_path: Path
) -> Iterator[Child]:
    env = {"FILLPROOF_NATS_URL": provisioned_nats_url, "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer")}
    child = stack.spawn("audit_writer", env=env, log_path=tmp_path / "writer.log")
    child.wait_ready()
    yield child
    child.kill()


async def written(jetstream: JetStreamContext) -> bool:
    """Say whether the writer is done with the proofs of all changes."""
    consumer = await jetstream.consumer_info(PROOFS_STREAM, AUDIT_CONSUMER)
    return bool(consumer.ack_floor and consumer.ack_floor.stream_seq >= CHANGES)


async def follow_and_keep(nats_url: str, settings: dict[str, object]) -> None:
    """Follow the session to its end on a live node, until the writer has all of its proofs; the node ends."""
    client = await nats.connect(nats_url)
    jetstream = client.jetstream()
    await announce(jetstream, SESSION)
    async with (
        serving(SESSION.name, pace=Pace(on_read=True)) as node,
        following(environment(nats_url, node.url, SESSION, **settings)),
    ):
        await until_followed(client, SESSION)
        await until_found(lambda: written(jetstream))
    await client.close()


async def command(*arguments: object) -> tuple[int, str, str]:
    ended = await asyncio.to_thread(fillproof, *arguments)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.usefixtures("writer")
async def test_an_order_is_proved_from_the_database_when_no_server_is_left(
    provisioned_nats_url: str, postgres_dsn: Dsn, tmp_path: Path
) -> None:
    settings = {"VALIDATOR_LISTS": published_list(tmp_path), "LIST_PUBLISHERS": PUBLISHER}
    await follow_and_keep(provisioned_nats_url, settings)
    file = tmp_path / "order.proof"
    status, said, _ = await command("prove", *WHICH, "--database", postgres_dsn(), "-o", file)
    assert (status, "PROVED CLOSED" in said) == (0, True)
    status, said, _ = await command("check", file, "--publisher", PUBLISHER, "--json")
    told = json.loads(said)
    assert (status, told["end"], told["order"]["status"]) == (0, "proved_closed", "FILLED")
    assert {(one["votes"], one["quorum"], one["entries"]) for one in told["votes"]} == {(4, 4, 5)}
    # Whoever does not trust these validators is told so
    assert check_proof(file.read_bytes()).chain[-1].expected == "a publisher that the reader trusts"
    # Each transaction as an XLS-41 file too, by its own ledger's votes
    status, said, _ = await command(
        "prove", *WHICH, "--database", postgres_dsn(), "--xpop", "-o", tmp_path / "xpop"
    )
    assert status == 0
    files = sorted((tmp_path / "xpop").iterdir())
    checks = [check_proof(one.read_bytes(), TrustPolicy(publishers=[PUBLISHER])) for one in files]
    assert [found.end for found in checks] == [ProofEnd.PROVED_TRANSACTION] * CHANGES
    # Every field of the stored events is derived again from the proofs, and a changed one is found
    wanted = ("verify", "--database", postgres_dsn(), "--proofs", "--publisher", PUBLISHER)
    status, said, _ = await command(*wanted)
    assert (status, "1 orders derived again from kept proofs" in said) == (0, True)
    connection = await asyncpg.connect(postgres_dsn())
    await connection.execute(CHANGE_A_PRICE)
    status, said, _ = await command(*wanted)
    assert (status, "last_px: stored 0.7, the proven bytes say" in " ".join(said.split())) == (1, True)
    # Delivered again, nothing is kept twice
    [before] = await connection.fetch("SELECT count(*) FROM ledger_proof")
    client = await nats.connect(provisioned_nats_url)
    for payload in await stored(client.jetstream(), PROOFS_STREAM):
        await client.jetstream().publish("proof.1", payload)
    await until_found(lambda: connection.fetchval("SELECT count(*) >= $1 FROM ledger_proof", before["count"]))
    assert await connection.fetch("SELECT count(*) FROM ledger_proof") == [before]
    await connection.close()
    await client.close()


@pytest.mark.usefixtures("writer")
async def test_what_was_kept_without_a_list_is_proved_with_the_reader_s_own(
    provisioned_nats_url: str, postgres_dsn: Dsn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.proofs.proof_keeper._VOTE_SECONDS", 0.5)
    await follow_and_keep(provisioned_nats_url, {})
    file = tmp_path / "order.proof"
    status, said, _ = await command("prove", *WHICH, "--database", postgres_dsn(), "-o", file)
    assert (status, "ALL HANGS ON A LEDGER HASH" in said) == (0, True)
    with_list = ("--validators", published_list(tmp_path))
    status, said, _ = await command("prove", *WHICH, "--database", postgres_dsn(), *with_list, "-o", file)
    assert (status, "PROVED CLOSED" in said) == (0, True)
    status, _, _ = await command("check", file, "--publisher", PUBLISHER)
    assert status == 0


async def test_what_the_database_has_not_kept_is_said(postgres_dsn: Dsn, tmp_path: Path) -> None:
    wanted = ("prove", *WHICH, "-o", tmp_path / "unwritten")
    status, _, said = await command(*wanted, "--database", postgres_dsn())
    assert (status, "expected kept proofs" in said) == (5, True)
    status, _, said = await command(*wanted, "--database", postgres_dsn("grafana_reader"))
    assert (status, "expected the owner of migrated audit tables" in said) == (2, True)
    status, _, said = await command(*wanted, "--database", postgres_dsn(), "--session", SESSION.name)
    assert (status, "expected --database alone" in said) == (2, True)
    assert not (tmp_path / "unwritten").exists()


@pytest.mark.usefixtures("writer")
async def test_rebuild_fetches_the_proofs_that_a_server_still_has(
    provisioned_nats_url: str, postgres_dsn: Dsn, tmp_path: Path
) -> None:
    first, last = SESSION.ledgers[1].ledger_index, SESSION.ledgers[-1].ledger_index
    async with serving(SESSION.name) as node:
        node.close_all()
        wanted = ("--account", ORDER["account"], "--from", first, "--to", last, "--xrpl", node.url)
        status, _, said = await command("rebuild", *wanted, "--nats", provisioned_nats_url)
    assert status == 0, said
    client = await nats.connect(provisioned_nats_url)
    await until_found(lambda: written(client.jetstream()))
    await client.close()
    file = tmp_path / "order.proof"
    status, said, _ = await command("prove", *WHICH, "--database", postgres_dsn(), "-o", file)
    assert (status, "ALL HANGS ON A LEDGER HASH" in said) == (0, True)
