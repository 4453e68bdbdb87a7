"""The cap on requests: never exceeded, and shared fairly."""

import asyncio

import msgspec
import pytest

from ledger_client import BudgetedServer, LedgerServer, RequestBudget, ask_for


class Time:
    """A clock that goes on whenever somebody pauses."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


class Noting:
    """A server that notes when it is asked, and for which account."""

    name = "noting"

    def __init__(self, time: Time) -> None:
        self._time = time
        self.asked: list[tuple[float, str]] = []

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        assert params == {}
        self.asked.append((self._time.now, method))
        return msgspec.Raw(b"{}")

    async def close(self) -> None:
        """Nothing is open."""


async def ask_often(server: LedgerServer, account: str, times: int) -> None:
    ask_for(account)
    await asyncio.gather(*(server.request(account) for _ in range(times)))


@pytest.mark.parametrize("cap", [10, 60, 200])
async def test_in_no_minute_more_is_asked_than_the_cap_allows(cap: int) -> None:
    time = Time()
    noting = Noting(time)
    budget = RequestBudget(cap, clock=time, pause=time.pause)
    await ask_often(BudgetedServer(noting, budget), "one", 3 * cap)
    moments = [moment for moment, _ in noting.asked]
    assert len(moments) == 3 * cap
    for first, begun in enumerate(moments):
        assert sum(moment < begun + 60 for moment in moments[first:]) <= cap
    assert moments[-1] < 3 * 60 * 1.3  # and little less than it allows


async def test_a_neighbour_that_asks_much_delays_no_account_s_next_question() -> None:
    time = Time()
    noting = Noting(time)
    server = BudgetedServer(noting, RequestBudget(60, clock=time, pause=time.pause))
    flood = asyncio.create_task(ask_often(server, "flood", 100))
    await asyncio.sleep(0)
    await asyncio.gather(*(asyncio.create_task(ask_often(server, f"quiet {n}", 2)) for n in range(5)))
    assert not flood.done()
    places = [place for place, (_, account) in enumerate(noting.asked) if account != "flood"]
    assert len(places) == 5 * 2
    assert places[-1] - places[0] < 2 * (5 + 1)  # two rounds, in which the flood has a turn as well
    flood.cancel()
    await asyncio.wait([flood])


async def test_a_question_that_is_given_up_takes_no_token() -> None:
    time = Time()
    noting = Noting(time)
    budget = RequestBudget(10, clock=time, pause=time.pause)
    server = BudgetedServer(noting, budget)
    await server.request("first")
    given_up = asyncio.create_task(ask_often(server, "given up", 50))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    await server.request("last")
    assert [method for _, method in noting.asked] == ["first", "last"]
    assert budget.waiting == 0


async def test_the_subscriptions_of_a_new_connection_count() -> None:
    time = Time()
    noting = Noting(time)
    budget = RequestBudget(10, clock=time, pause=time.pause)
    budget.lost()
    await BudgetedServer(noting, budget).request("later")
    assert noting.asked[0][0] > 0


def test_a_cap_that_leaves_nothing_for_a_burst_is_refused() -> None:
    time = Time()
    with pytest.raises(ValueError, match="at least 10 requests a minute, found 3"):
        RequestBudget(3, clock=time, pause=time.pause)
