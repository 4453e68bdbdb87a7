"""What `run` shows: events as lines that fit, fills first, whether it follows, and the totals."""

from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from on_the_bus import EVENTS, disappearance, fill
from prometheus_client.samples import Sample

from console.live.event_feed import FillsFirst, Unreadable
from console.live.event_lines import event_line
from console.live.following import Following, FollowingWatch, status_line
from console.live.summary import Totals
from order_events import (
    Correction,
    OrderCorrected,
    OrderDisappeared,
    OrderFilled,
    OrderStatus,
    RemovalReason,
    Resolution,
    decode,
)


def filled_end(of: OrderFilled) -> OrderDisappeared:
    """Return the end that a full fill comes with: published before it, in the same transaction."""
    return msgspec.structs.replace(
        disappearance(1),
        account=of.account,
        sequence=of.sequence,
        transaction_hash=of.transaction_hash,
        status=OrderStatus.FILLED,
        removal_reason=RemovalReason.FILLED,
        filled_qty=of.filled_qty,
        remaining=Decimal(0),
        anomaly=False,
        resolution=Resolution.RESOLVED,
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_fill_is_shown_before_the_end_that_it_explains() -> None:
    order, trade = FillsFirst(Clock()), fill(1)
    end = filled_end(trade)
    assert order.pass_on(end) == []
    other = fill(2)
    assert order.pass_on(msgspec.structs.replace(other, sequence=trade.sequence + 1))
    assert order.pass_on(trade) == [trade, end]
    assert not order.holds


def test_an_end_whose_fill_does_not_come_is_shown_a_moment_later() -> None:
    clock = Clock()
    order = FillsFirst(clock)
    end = filled_end(fill(1))
    order.pass_on(end)
    assert order.overdue() == []
    clock.now = 1.0
    assert order.overdue() == [end]


def test_an_order_that_never_traded_ends_on_the_screen_at_once() -> None:
    end = msgspec.structs.replace(disappearance(1), filled_qty=Decimal(0))
    assert FillsFirst(Clock()).pass_on(end) == [end]


def test_a_fill_says_side_amount_price_total_market_and_what_is_left() -> None:
    trade = fill(1)
    line = event_line(trade, None).plain
    assert f"order {trade.sequence}" in line
    assert trade.market in line
    assert str(trade.side) in line
    for words in (" at ", "total ", " left"):
        assert words in line
    assert trade.transaction_hash is not None
    assert trade.transaction_hash in line
    assert "\n" not in line


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("event", [fill(1), disappearance(1)], ids=["fill", "end"])
def test_no_line_is_wider_than_the_terminal_and_no_amount_is_cut(
    event: OrderFilled | OrderDisappeared, width: int
) -> None:
    whole, line = event_line(event, None).plain, event_line(event, width).plain
    assert all(len(row) <= width for row in line.split("\n"))
    kept = [piece.strip() for row in line.split("\n") for piece in row.strip().split("  ")]
    assert all(piece in whole for piece in kept)
    assert f"order {event.sequence}" in kept


def test_a_message_can_not_move_the_terminal_s_cursor() -> None:
    assert "\x1b" not in event_line(Unreadable("order.filled.x", "found \x1b[2J"), None).plain


def samples(ledger: int, *, up: bool = True, lag: int = 0, requests: int = 0) -> list[Sample]:
    return [
        Sample("reconciler_validated_ledger", {}, ledger),
        Sample("reconciler_cursor_lag_ledgers", {}, lag),
        Sample("reconciler_open_orders", {}, 3),
        Sample("reconciler_server_up", {"server": "wss://one"}, float(up)),
        Sample("reconciler_request_seconds_count", {"server": "wss://one", "method": "ledger"}, requests),
    ]


def looked(*readings: tuple[float, list[Sample]]) -> Following:
    watch = FollowingWatch()
    return [watch.look(reading, now) for now, reading in readings][-1]


def test_it_follows_while_ledgers_come() -> None:
    assert looked((0, samples(10)), (14, samples(10))).follows


def test_it_follows_no_more_when_its_only_server_is_gone() -> None:
    now = looked((0, samples(10)), (2, samples(10, up=False)))
    assert not now.follows
    assert "no server answers (wss://one)" in status_line(now, 0, None).plain


def test_it_follows_no_more_when_no_ledger_has_come_for_a_while_though_the_server_answers() -> None:
    now = looked((0, samples(10)), (2, samples(11)), (17, samples(11)))
    assert "NOT FOLLOWING: no new ledger" in status_line(now, 0, None).plain


def test_it_follows_again_with_the_next_ledger() -> None:
    assert looked((0, samples(10)), (20, samples(10)), (21, samples(11))).follows


def test_what_is_to_be_read_yet_is_said() -> None:
    line = status_line(looked((0, samples(10, lag=7))), 2, None).plain
    assert "catching up" in line
    assert "lag 7" in line
    assert "2 anomalies" in line


def test_requests_are_counted_over_the_last_minute() -> None:
    now = looked((0, samples(1)), (30, samples(2, requests=90)), (90, samples(3, requests=150)))
    assert now.requests_per_minute == 60


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_status_fits_and_always_says_whether_it_follows(width: int) -> None:
    line = status_line(looked((0, samples(10))), 0, width).plain
    assert len(line) <= width
    assert line.startswith("following every ledger")


def test_the_totals_add_up_fills_by_market_and_side_and_count_ends_once() -> None:
    totals = Totals()
    trade = fill(1)
    for event in (trade, msgspec.structs.replace(trade, event_id=UUID(int=2)), filled_end(trade)):
        totals.add(event)
    first, market = (line.plain for line in totals.lines(None))
    assert "2 fills" in first
    assert "FILLED 1" in first
    assert "in 2 fills" in market
    assert trade.market in market


def test_an_anomaly_that_is_withdrawn_counts_no_more() -> None:
    totals = Totals()
    end = msgspec.structs.replace(disappearance(1), anomaly=True)
    totals.add(end)
    assert totals.anomalies == 1
    withdrawal = decode((EVENTS.parent / "v2" / "order.corrected.json").read_bytes())
    assert isinstance(withdrawal, OrderCorrected)
    totals.add(
        msgspec.structs.replace(
            withdrawal,
            corrects=end.event_id,
            correction=Correction.WITHDRAWN,
            account=end.account,
            sequence=end.sequence,
            status=OrderStatus.ACCEPTED,
        )
    )
    assert totals.anomalies == 0
    assert "REMOVED" not in totals.lines(None)[0].plain
