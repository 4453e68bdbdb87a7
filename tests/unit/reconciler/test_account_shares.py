"""Who follows what: the shares of living replicas, and what a lease allows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory_bus import MemoryLeases

from reconciler.fleet.account_shares import Lease, share

ACCOUNTS = [f"r{number}" for number in range(60)]
names = st.text("abc-0", min_size=1, max_size=6)


def shares(replicas: set[str], accounts: list[str] = ACCOUNTS) -> dict[str, frozenset[str]]:
    living = {one: frozenset(accounts) for one in replicas}
    return {one: share(one, accounts, living) for one in replicas}


@settings(deadline=None)
@given(st.sets(names, min_size=1, max_size=6))
def test_every_account_has_exactly_one_replica(replicas: set[str]) -> None:
    found = [account for mine in shares(replicas).values() for account in mine]
    assert sorted(found) == sorted(ACCOUNTS)


@settings(deadline=None)
@given(st.sets(names, min_size=2, max_size=6), st.data())
def test_when_a_replica_goes_only_its_accounts_move(replicas: set[str], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(replicas)))
    before, after = shares(replicas), shares(replicas - {gone})
    for one, mine in after.items():
        assert before[one] <= mine
        assert mine - before[one] <= before[gone]


def test_no_replica_has_far_more_than_its_part() -> None:
    accounts = [f"r{number}" for number in range(3000)]
    sizes = [len(mine) for mine in shares({"one", "two", "three"}, accounts).values()]
    assert all(850 < size < 1150 for size in sizes)


def test_an_account_that_only_one_is_told_to_follow_is_that_one_s() -> None:
    living = {"old": frozenset({"rA", "rB"}), "new": frozenset({"rA", "rB", "rC"})}
    assert "rC" in share("new", ["rA", "rB", "rC"], living)
    both = share("old", ["rA", "rB"], living), share("new", ["rA", "rB", "rC"], living)
    assert both[0] | both[1] == {"rA", "rB", "rC"}
    assert not both[0] & both[1]


class Holder:
    """A lease on a clock that is moved by hand."""

    def __init__(self, leases: MemoryLeases, replica: str = "one") -> None:
        self.now = 100.0
        self.mine: frozenset[str] | None = None
        self.lease = Lease(leases, ACCOUNTS, replica=replica, seconds=6, clock=lambda: self.now)

    async def renew(self) -> frozenset[str] | None:
        self.mine = None
        await self.lease.renew(self._rearrange)
        return self.mine

    async def _rearrange(self, mine: frozenset[str]) -> None:
        assert self.mine is None
        self.mine = mine


@pytest.fixture
def leases() -> MemoryLeases:
    return MemoryLeases()


async def test_it_is_held_for_its_time_and_no_longer(leases: MemoryLeases) -> None:
    one = Holder(leases)
    assert not one.lease.held
    await one.renew()
    one.now += 5.9
    assert one.lease.held
    one.now += 0.1
    assert not one.lease.held


async def test_it_counts_from_before_the_bus_was_asked(leases: MemoryLeases) -> None:
    one = Holder(leases)
    renew = leases.renew

    async def slow(replica: str, accounts: list[str], seconds: int) -> dict[str, frozenset[str]]:
        one.now += 6
        return await renew(replica, accounts, seconds)

    leases.renew = slow  # type: ignore[method-assign, assignment]
    await one.renew()
    assert not one.lease.held


async def test_alone_it_has_all_at_once(leases: MemoryLeases) -> None:
    assert await Holder(leases).renew() == frozenset(ACCOUNTS)


async def test_a_newcomer_waits_until_the_others_have_seen_it(leases: MemoryLeases) -> None:
    one, two = Holder(leases), Holder(leases, "two")
    await one.renew()
    assert await two.renew() == frozenset()
    left = await one.renew()
    taken = await two.renew()
    assert left
    assert taken
    assert left | taken == frozenset(ACCOUNTS)
    assert not left & taken


async def test_one_that_slept_too_long_drops_everything_first(leases: MemoryLeases) -> None:
    one, two = Holder(leases), Holder(leases, "two")
    for _ in range(2):
        await one.renew()
        await two.renew()
    one.now += 60
    assert not one.lease.held
    assert await one.renew() == frozenset()
    assert await one.renew()


async def test_while_the_bus_is_away_nothing_is_rearranged_and_the_lease_runs_out(
    leases: MemoryLeases,
) -> None:
    one = Holder(leases)
    await one.renew()
    leases.away = True
    assert await one.renew() is None
    assert one.lease.held
    one.now += 6
    assert not one.lease.held
    await one.lease.release()


async def test_released_it_is_not_held_and_gone(leases: MemoryLeases) -> None:
    one = Holder(leases)
    await one.renew()
    await one.lease.release()
    assert not one.lease.held
    assert leases.living == {}
