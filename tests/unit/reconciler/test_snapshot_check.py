"""The snapshot check: what is on the book against what the history left there."""

from decimal import Decimal
from typing import Any

import pytest
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import committed_in, follower
from replaying import recorded
from structlog.testing import capture_logs

from ledger_client import ProtocolViolation, Refused
from offer_lifecycle import Order
from order_events import OrderStatus, Resolution
from reconciler.following.stored_account import cursor_of
from reconciler.safety.snapshot_check import OfferDifference, SnapshotDiffers, differences

SESSION = recorded("grid_swept")
FIRST = SESSION.ledgers[0].ledger_index

A, B = (Decimal(5), Decimal(7)), (Decimal(4), Decimal(7))


def test_an_offer_must_be_on_both_sides_with_the_same_rest() -> None:
    assert differences({1: A, 2: A, 3: A}, {1: A, 2: B, 4: A}) == [
        OfferDifference(2, A, B),
        OfferDifference(3, A, None),
        OfferDifference(4, None, A),
    ]
    assert str(OfferDifference(3, A, None)) == "offer 3: expected 5 for 7, found none"


class Followed:
    """An account followed to a ledger where it has offers on the book."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.server = InProcessServer(SESSION)
        self.follower = follower(self.memory, SESSION)

    async def until_offers_rest(self) -> None:
        while not self.listed():
            self.server.close_ledgers(1)
            await self.follower.advance(self.server)

    def listed(self) -> list[int]:
        return [one.sequence for one in orders(self.memory) if one.listed]

    def asked(self) -> int:
        return sum(method == "account_offers" for method, _ in self.server.asked)

    async def doubted(self) -> dict[int, tuple[str, ...]]:
        """What is missing by order, as committed with the next ledger."""
        self.server.spoil.clear()
        self.server.close_ledgers(1)
        await self.follower.advance(self.server)
        return {one.sequence: one.missing for one in orders(self.memory) if one.missing}


def orders(memory: Memory) -> list[Order]:
    """Return the orders as they were committed."""
    return list(committed_in(memory).state.orders.values()) if memory.values else []


@pytest.fixture
async def followed() -> Followed:
    one = Followed()
    await one.until_offers_rest()
    return one


async def test_the_book_is_checked_at_the_first_pause_and_then_every_so_many_ledgers(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = followed.asked()
    for _ in range(3):
        await followed.follower.advance(followed.server)
    assert followed.asked() == before + 1
    monkeypatch.setattr("reconciler.safety.snapshot_check.LEDGERS_BETWEEN", 1)
    restarted = follower(followed.memory, SESSION)
    for _ in range(3):
        await restarted.advance(followed.server)
    assert followed.asked() == before + 2
    followed.server.close_ledgers(1)
    for _ in range(3):
        await restarted.advance(followed.server)
    assert followed.asked() == before + 3


async def test_every_recorded_book_is_what_the_history_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.safety.snapshot_check.LEDGERS_BETWEEN", 1)
    for name in ("random_crowd_4", "expired_lingering", "unfunded_lingering", "partial_then_full"):
        session, memory = recorded(name), Memory()
        server, one = InProcessServer(session), follower(memory, session)
        for _ in session.ledgers:
            await one.advance(server)
            await one.advance(server)
            server.close_ledgers(1)


def without_the_first(answer: dict[str, Any]) -> dict[str, Any]:
    offers = sorted(answer["offers"], key=lambda row: int(row["seq"]))
    return {**answer, "offers": offers[1:]}


async def test_a_server_whose_snapshot_is_wrong_is_named_and_another_one_clears_the_order(
    followed: Followed,
) -> None:
    followed.server.spoil["account_offers"] = without_the_first
    first = min(followed.listed())
    with pytest.raises(SnapshotDiffers, match=f"node://one: .*offer {first}: expected .* found none"):
        await followed.follower.advance(followed.server)
    good = InProcessServer(SESSION, "node://good")
    good.close_ledgers(followed.server.node.chain.validated.ledger_index - FIRST)
    await followed.follower.advance(good)
    assert await followed.doubted() == {}


async def test_a_difference_that_shows_again_marks_the_order_and_never_ends_it(followed: Followed) -> None:
    followed.server.spoil["account_offers"] = without_the_first
    first, cursor = min(followed.listed()), cursor_of(followed.follower.committed)
    with pytest.raises(SnapshotDiffers):
        await followed.follower.advance(followed.server)
    with capture_logs() as logs:
        await followed.follower.advance(followed.server)
    assert [line["log_level"] for line in logs] == ["error"]
    assert f"offer {first}:" in logs[0]["offers"]
    assert await followed.doubted() == {first: (f"up to ledger {cursor}",)}
    assert first in followed.listed()


async def test_an_order_whose_history_is_known_to_be_incomplete_is_not_told_again(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.safety.snapshot_check.LEDGERS_BETWEEN", 1)
    first = min(followed.listed())

    def with_less_left(answer: dict[str, Any]) -> dict[str, Any]:
        rows = [{**row, "taker_gets": "1"} if row["seq"] == first else row for row in answer["offers"]]
        return {**answer, "offers": rows}

    followed.server.spoil["account_offers"] = with_less_left
    with pytest.raises(SnapshotDiffers, match=f"offer {first}: expected"):
        await followed.follower.advance(followed.server)
    for _ in range(2):
        await followed.follower.advance(followed.server)
        followed.server.close_ledgers(1)
        await followed.follower.advance(followed.server)
    assert [len(one.missing) for one in orders(followed.memory) if one.sequence == first] == [1]


async def test_an_offer_that_the_history_never_showed_is_told_and_nothing_is_made_up(
    followed: Followed,
) -> None:
    def with_one_more(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "offers": [*answer["offers"], {**answer["offers"][0], "seq": 4_000_000}]}

    followed.server.spoil["account_offers"] = with_one_more
    with pytest.raises(SnapshotDiffers, match="offer 4000000: expected none, found"):
        await followed.follower.advance(followed.server)
    await followed.follower.advance(followed.server)
    assert await followed.doubted() == {}
    assert 4_000_000 not in followed.listed()


async def test_without_a_snapshot_the_following_goes_on(followed: Followed) -> None:
    followed.server.trouble = lambda method: (
        Refused("node://one", "lgrNotFound", "pruned") if method == "account_offers" else None
    )
    await followed.follower.advance(followed.server)
    assert await followed.doubted() == {}


async def test_a_snapshot_that_lists_no_offers_at_all_is_no_answer(followed: Followed) -> None:
    followed.server.spoil["account_offers"] = lambda answer: {**answer, "offers": [{"seq": 1}]}
    with pytest.raises(ProtocolViolation, match="expected offers"):
        await followed.follower.advance(followed.server)


async def test_a_fill_that_a_server_leaves_out_shows_and_the_order_ends_unresolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.safety.snapshot_check.LEDGERS_BETWEEN", 1)
    session, memory = recorded("partial_then_canceled"), Memory()
    placed, filled, ended = (ledger.ledger_index for ledger in session.ledgers[1:4])
    fill = session.ledgers[2].transactions[0]["hash"]
    server, one = InProcessServer(session), follower(memory, session)
    server.spoil["account_tx"] = lambda page: {
        **page,
        "transactions": [row for row in page["transactions"] if row["hash"] != fill],
    }
    differed = []
    for ledger in (placed, filled, ended):
        server.close_ledgers(1)
        for _ in range(3):
            try:
                await one.advance(server)
            except SnapshotDiffers:
                differed.append(ledger)
    (order,) = orders(memory)
    assert differed == [filled]
    assert order.missing == (f"up to ledger {filled}", fill)
    assert (order.status, order.resolution) == (OrderStatus.CANCELED, Resolution.UNRESOLVED)
