"""What an engine may do: one row of the table each, and when it is written."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest

from offer_lifecycle import AccountRecord, AccountState
from order_events import Permission, TradingPermission
from order_events.permission import PERMISSION_SECONDS
from reconciler.fleet.permission_writer import Clocks, PermissionWriter
from reconciler.following.stored_account import CommittedAccount, StoredAccount
from reconciler.metrics import Metrics
from reconciler.ports.bus import BusAway
from reconciler.safety.trading_permission import AccountStanding, Decision, decide_permission

PATIENCE = 20.0
WELL = AccountStanding(followed=True, ledgers_behind=0)


def decided(
    seconds_without_ledger: float | None = 1.0, *, is_unproven: bool = False, **changed: object
) -> Decision:
    return decide_permission(
        msgspec.structs.replace(WELL, **changed),
        seconds_without_ledger=seconds_without_ledger,
        patience=PATIENCE,
        is_unproven=is_unproven,
    )


@pytest.mark.parametrize(
    ("changed", "permission", "cause"),
    [
        ({}, Permission.OK, "none"),
        ({"ledgers_behind": 2}, Permission.OK, "none"),
        ({"ledgers_behind": 3}, Permission.STOP, "behind"),
        ({"followed": False}, Permission.STOP, "not_followed"),
        ({"halted": "3 unresolved"}, Permission.STOP, "halted"),
        ({"set_aside": "ValueError: x"}, Permission.STOP, "set_aside"),
        ({"drift": "found 5 of XRP"}, Permission.STOP, "balance_drift"),
        ({"unexplained": (57,)}, Permission.REDUCE_ONLY, "unexplained"),
        ({"missing_ledgers": ("ledgers 5-9",)}, Permission.REDUCE_ONLY, "history_gap"),
        ({"missing_ledgers": ("ledgers 5-9",), "drift": "found 5 of XRP"}, Permission.STOP, "balance_drift"),
    ],
)
def test_an_engine_may_do_what_the_table_says(
    changed: Mapping[str, object], permission: Permission, cause: str
) -> None:
    decision = decided(**changed)
    assert (decision.permission, decision.cause) == (permission, cause)
    assert bool(decision.reason) == (permission is not Permission.OK)


@pytest.mark.parametrize("seconds", [None, PATIENCE + 0.1])
def test_without_a_ledger_that_closed_in_time_it_stops(seconds: float | None) -> None:
    assert decided(seconds).cause == "ledger_stale"


def test_while_nobody_confirms_the_ledgers_it_stops() -> None:
    assert decided(is_unproven=True).cause == "unproven"


class Board:
    """Keeps what is written; while `away` is set, it takes nothing."""

    def __init__(self) -> None:
        self.written: list[TradingPermission] = []
        self.away = False

    async def write(self, permissions: Sequence[TradingPermission]) -> None:
        if self.away:
            raise BusAway("expected a connection to NATS, found it lost")
        self.written += permissions


class World:
    """A scheduler with one account, the clock, and the writer that looks at them."""

    def __init__(self) -> None:
        self.board, self.seconds, self.metrics = Board(), 0.0, Metrics()
        record = AccountRecord(
            network_id=0,
            account="rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe",
            adopted_at=7,
            ledger_index=7,
            ledger_hash="0" * 64,
            transactions=(),
        )
        self.committed = CommittedAccount(
            stored=StoredAccount(record=record, engine_sequence=0), state=AccountState(record, [])
        )
        self.account = self.committed.stored.record.account
        follower = SimpleNamespace(account=self.account, committed=self.committed)
        self.scheduler = SimpleNamespace(
            followers=[follower],
            set_aside=dict,
            newest_ledger=self.committed.cursor,
            ledgers_behind=lambda _: self.scheduler.newest_ledger - self.committed.cursor,
        )
        clocks = Clocks(seconds=lambda: self.seconds, now=lambda: datetime(2026, 11, 29, tzinfo=UTC))
        self.writer = PermissionWriter(
            self.scheduler, self.board, self.metrics, clocks, patience=PATIENCE, is_unproven=bool
        )

    async def look(self, seconds: float, *, ledgers: int = 0) -> list[str]:
        """Let time pass and ledgers close; return the causes that are written then."""
        self.seconds += seconds
        self.scheduler.newest_ledger += ledgers
        before = len(self.board.written)
        await self.writer.write_due()
        return [one.cause for one in self.board.written[before:]]


async def test_the_first_ledger_that_is_seen_may_be_old_and_the_next_one_is_not() -> None:
    world = World()
    assert await world.look(0) == ["ledger_stale"]
    assert await world.look(0.5, ledgers=1) == ["none"]


async def test_what_does_not_change_is_written_again_in_time_and_not_at_every_look() -> None:
    world = World()
    await world.look(0)
    await world.look(0.5, ledgers=1)
    assert await world.look(0.5) == []
    assert await world.look(1.5) == ["none"]
    assert (world.board.written[-1].until - world.board.written[-1].decided_at).seconds == PERMISSION_SECONDS


async def test_a_cause_is_written_at_the_next_look_and_lifted_at_the_look_after_it_ends() -> None:
    world = World()
    await world.look(0)
    await world.look(0.5, ledgers=1)
    assert await world.look(0.5, ledgers=3) == ["behind"]
    world.scheduler.newest_ledger = world.committed.cursor
    assert await world.look(0.5) == ["none"]


async def test_an_account_that_is_set_aside_is_stopped_though_nobody_follows_it_then() -> None:
    world = World()
    await world.look(0)
    await world.look(0.5, ledgers=1)
    world.scheduler.followers = []
    world.scheduler.set_aside = lambda: {world.account: "ValueError: x"}
    assert await world.look(0.5) == ["set_aside"]
    assert world.board.written[-1].permission == Permission.STOP


async def test_what_the_bus_has_not_taken_is_written_at_the_next_look() -> None:
    world = World()
    world.board.away = True
    assert await world.look(0) == []
    world.board.away = False
    assert await world.look(0.5) == ["ledger_stale"]


async def test_accounts_are_counted_by_what_their_engines_may_do() -> None:
    world = World()
    await world.look(0)
    counted = {
        permission: world.metrics.registry.get_sample_value(
            "reconciler_trading_permission", {"permission": permission}
        )
        for permission in Permission
    }
    assert counted == {Permission.OK: 0, Permission.REDUCE_ONLY: 0, Permission.STOP: 1}
