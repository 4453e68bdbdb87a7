"""An account's balances held against the server's: over whole sessions, with answers that fail or lie."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import follower, to_the_end
from replaying import recorded
from structlog.testing import capture_logs

from console.sessions import RECORDINGS
from order_events import BalanceDrift, ReconcilerHalted
from reconciler.ports.ledger import Overloaded, Refused, ServerError, Unreachable
from reconciler.service import balances
from reconciler.service.guard import Guards
from reconciler.service.policy import Policy
from replay_node.session import Session

NAMES = sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("*.json.gz"))
CHECKED_METHODS = ("account_info", "account_lines")

Json = dict[str, Any]
Spoil = Callable[[Json], Json]


def drifts(memory: Memory) -> list[BalanceDrift]:
    return [event for event in memory.stream if isinstance(event, BalanceDrift)]


async def one_by_one(memory: Memory, server: InProcessServer, role: str, guards: Guards) -> None:
    """Look, and check, after every ledger."""
    one = follower(memory, server.session, role, guards=guards)
    chain = server.node.chain
    await one.advance(server)
    while one.cursor != chain.last_index:
        server.close_ledgers(1)
        await one.advance(server)


@pytest.mark.parametrize("name", NAMES)
async def test_no_account_of_a_recorded_session_drifts_at_any_ledger(name: str) -> None:
    session = recorded(name)
    for role in session.ledgers[0].after:
        memory, server = Memory(), InProcessServer(session)
        with capture_logs() as logs:
            await one_by_one(memory, server, role, Guards(check_ledgers=1))
        assert drifts(memory) == []
        assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []
        checked = [params["ledger_index"] for method, params in server.asked if method == "account_info"]
        assert checked == [ledger.ledger_index for ledger in session.ledgers]
