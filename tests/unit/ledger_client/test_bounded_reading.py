"""A reading of one server ends where another could do it sooner, and after its longest time in any case."""

import asyncio

import msgspec
import pytest
from waiting import limit

from ledger_client import BoundedReading, Patience, TooSlow, account_history, bounded_reading


class Hanging:
    """A server that answers book_offers, and nothing else in its lifetime."""

    name = "node://hanging"

    async def request(self, method: str, /, **_params: object) -> msgspec.Raw:
        if method != "book_offers":
            await asyncio.sleep(3600)
        return msgspec.Raw(b"{}")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_reading_is_given_up_once_another_server_can_do_it() -> None:
    better = False

    async def ask() -> None:
        with BoundedReading(Hanging(), patience=0.01, elsewhere=lambda: better) as reading:
            await reading.request("server_info")

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    assert not asking.done()
    better = True
    with pytest.raises(TooSlow, match="node://hanging: server_info"):
        await asyncio.wait_for(asking, limit())


async def test_every_way_of_asking_is_bounded_and_what_was_given_up_asks_nothing_more() -> None:
    with BoundedReading(Hanging(), patience=0.0, elsewhere=lambda: True) as reading:
        for ask in (
            reading.request("ledger"),
            reading.status(),
            account_history(reading, "rOwner", 1, 2),
        ):
            with pytest.raises(TooSlow):
                await asyncio.wait_for(ask, limit())


async def test_where_no_other_server_could_do_it_the_reading_ends_after_its_longest_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_reading, "LONGEST_READING", 0.05)
    with (
        BoundedReading(Hanging(), patience=3600, elsewhere=lambda: False) as reading,
        pytest.raises(TooSlow),
    ):
        await asyncio.wait_for(reading.request("ledger"), limit())


async def test_the_market_is_described_also_when_the_reading_has_ended() -> None:
    with BoundedReading(Hanging(), patience=0.0, elsewhere=lambda: True) as reading:
        assert bytes(await reading.request("book_offers")) == b"{}"


def test_patience_grows_where_no_server_is_fast_enough_and_shrinks_again_slowly() -> None:
    now = 1000.0
    patience = Patience(clock=lambda: now)
    lengths = []
    for _ in range(8):
        patience.lengthen()
        patience.lengthen()  # another account's reading, given up at the same moment
        lengths.append(patience.seconds)
        now += patience.seconds
    assert lengths == [1, 2, 4, 8, 16, 16, 16, 16]
    patience.ease(15.0)
    assert patience.seconds == 16
    now += 60
    patience.ease(15.0)
    assert patience.seconds == 16
    for expected in (8, 4, 2, 1, 0.5, 0.5):
        patience.ease(0.1)
        patience.ease(0.1)
        assert patience.seconds == expected
        now += 60
