"""A standby that is promoted amid a session: nothing is lost, or what is lost is named and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from audit_tables import fetch, verified
from fillproof_command import fillproof
from postgres_pair import postgres_pair
from sample_events import event
from signed_log import KEYS, LOG_KEY, OPERATOR_KEY, ORIGIN

from audit_log import write_signing_key
from console.errors import BadOption
from console.proof.chain import Trust
from console.proof.checkpoint_sources import read_checkpoints
from console.verify import compare_with_bus
from order_events import encode

from .conftest import eventually
from .test_lost_messages import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Dsn

    from audit_log import Checkpoint
    from local_stack import Child, LocalStack

    from .conftest import Bus

pytestmark = pytest.mark.stack

EVENTS = [event("order.filled", number, ledger_index=100 + number) for number in range(1, 41)]
PAYLOADS = [encode(one) for one in EVENTS]
SEEDS = {LOG_KEY: b"l" * 32, OPERATOR_KEY: b"o" * 32}
IDS = "SELECT event_id::text FROM order_event ORDER BY 1"
ALL = sorted((str(one.event_id),) for one in EVENTS)


async def test_a_synchronous_standby_that_is_promoted_has_all_that_was_acknowledged(
    stack: LocalStack, start: Callable[..., Child], bus: Bus, postgres_dsn: Dsn
) -> None:
    database = postgres_dsn().rpartition("/")[2]
    with postgres_pair(stack, synchronous=True) as pair:
        # an address that names both servers and wants the one that can be written to
        writer = start(
            FILLPROOF_DATABASE_URL=pair.both_addresses("audit_writer", database), FILLPROOF_BATCH_SIZE="1"
        )
        writer.wait_ready()
        await bus.publish(*PAYLOADS[:20])
        await asyncio.to_thread(pair.fail_over)
        await bus.publish(*PAYLOADS[20:])
        await bus.all_acknowledged()
        assert await fetch(postgres_dsn(), IDS) == ALL
        assert (await verified(postgres_dsn())).findings == []


async def checkpoints_of(copies: Path, count: int) -> dict[str, Checkpoint]:
    """Return the copies of checkpoints once there is one of so many batches."""
    found: dict[str, Checkpoint] = {}

    async def signed() -> bool:
        nonlocal found
        with contextlib.suppress(BadOption):  # there is none yet
            found = await read_checkpoints([str(copies)], KEYS)
        return any(one.position >= count for one in found.values())

    await eventually(signed, f"a checkpoint of {count} batches is signed")
    return found


async def test_what_an_asynchronous_standby_had_not_is_named_and_comes_back(  # noqa: PLR0913, PLR0917 - its parts
    stack: LocalStack,
    start: Callable[..., Child],
    bus: Bus,
    postgres_dsn: Dsn,
    provisioned_nats_url: str,
    tmp_path: Path,
) -> None:
    owner, copies = postgres_dsn(), tmp_path / "checkpoints"
    copies.mkdir()
    (tmp_path / "keys").write_text("\n".join(map(str, KEYS)))
    (tmp_path / "mia").write_text(write_signing_key("mia", SEEDS[OPERATOR_KEY]))
    with postgres_pair(stack, synchronous=False) as pair:
        writer = start(
            FILLPROOF_BATCH_SIZE="5",
            FILLPROOF_CHECKPOINT_SIGNING_KEY=write_signing_key(ORIGIN, SEEDS[LOG_KEY]),
            FILLPROOF_VERIFIER_KEYS=" ".join(map(str, KEYS)),
            FILLPROOF_CHECKPOINT_SECONDS="1",
            FILLPROOF_CHECKPOINT_DIRECTORY=str(copies),
        )
        url = writer.wait_ready()
        await bus.publish(*PAYLOADS[:20])
        await bus.all_acknowledged()
        await asyncio.to_thread(pair.fall_behind)
        await bus.publish(*PAYLOADS[20:30])
        await bus.all_acknowledged()
        noted = (await verified(owner)).head
        signed = await checkpoints_of(copies, noted.position)

        await asyncio.to_thread(pair.fail_over)
        await bus.publish(*PAYLOADS[30:])
        await bus.all_acknowledged()
        await told(url, 10)
        lost = await asyncio.to_thread(compare_with_bus, owner, provisioned_nats_url)
        assert {one.event_id for one in lost if one.table == "order_event"} == {
            str(one.event_id) for one in EVENTS[20:30]
        }
        trust = Trust(heads=[noted], notes=signed, keys=KEYS)
        assert (await verified(owner, trust=trust)).findings != []

        said = await asyncio.to_thread(
            fillproof, "failover", "--database", owner, "--checkpoints", copies, "--keys", tmp_path / "keys",
            "--operator-key", tmp_path / "mia", "--reason", "the standby was promoted",
        )  # fmt: skip
        assert (said.returncode, "signed by mia" in said.stdout) == (0, True), said.stderr
        refilled = await asyncio.to_thread(
            fillproof, "refill", "--database", owner, "--nats", provisioned_nats_url
        )
        assert refilled.returncode == 0, refilled.stdout + refilled.stderr
        assert refilled.stdout.startswith("10 events that were on the bus alone were sent again")
        assert await fetch(owner, IDS) == ALL
        report = await verified(owner, trust=trust)
        assert (report.findings, report.lost_checkpoints > 0) == ([], True)
        await told(url, 0)
        # and the writer signs on from there
        newest = await checkpoints_of(copies, report.head.position)
        assert (await verified(owner, trust=Trust(heads=[noted], notes=newest, keys=KEYS))).findings == []
