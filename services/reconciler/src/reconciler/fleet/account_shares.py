"""Sharing the accounts out: each living replica of the reconciler follows its part of them.

A replica lives as long as its lease, which it renews all the time and which the bus ends by its own
clock. Whose an account is follows from who lives: no replica has to ask another. Two that see different
neighbours for a moment may follow the same account; then the fence of the commit lets one of them go on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b

import structlog

from reconciler.ports.bus import BusAway, Leases

_log = structlog.get_logger()

RENEWALS_A_LEASE = 3
"""Two may fail before the lease ends."""


def share(replica: str, accounts: Sequence[str], living: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return which of the accounts are this replica's.

    `living`: the accounts that each living replica is told to follow, its own among them. An account goes
    to the one with the highest hash of both (rendezvous hashing): when a replica comes or goes, no other
    account moves than those that it gets or had.
    """
    return frozenset(
        account
        for account in accounts
        if replica
        == max(
            (one for one, told in living.items() if account in told or one == replica),
            key=lambda one: (_weight(one, account), one),
        )
    )


def _weight(replica: str, account: str) -> bytes:
    return blake2b(f"{replica} {account}".encode(), digest_size=8).digest()


class Lease:
    """What a replica holds as long as it lives, and its part of the accounts."""

    def __init__(
        self,
        leases: Leases,
        accounts: Sequence[str],
        *,
        replica: str,
        seconds: int,
        clock: Callable[[], float],
    ) -> None:
        """`seconds`: how long it lasts without renewal; `clock`: seconds, monotonic."""
        self.replica = replica
        self.replicas = 0
        """Living ones, this one among them, as seen at the last renewal."""
        self.pause = seconds / RENEWALS_A_LEASE
        """Seconds between two renewals."""
        self._leases = leases
        self._accounts = tuple(accounts)
        self._seconds = seconds
        self._clock = clock
        self._held_until = float("-inf")

    @property
    def held(self) -> bool:
        """Whether this replica may act: the bus can't have ended its lease."""
        return self._clock() < self._held_until

    async def renew(self, rearrange: Callable[[frozenset[str]], Awaitable[None]]) -> None:
        """Renew it once; `rearrange` is given the accounts that are this replica's from now on.

        Nothing changes while the bus is away: what was followed waits for the bus as well.
        """
        begun = self._clock()
        try:
            living = await self._leases.renew(self.replica, self._accounts, self._seconds)
        except BusAway as error:
            _log.debug("lease not renewed", problem=str(error))
            return
        # Others go on with the accounts until they have seen this replica, which takes them one renewal
        unseen = not self.held and len(living) > 1
        mine = frozenset() if unseen else share(self.replica, self._accounts, living)
        if len(living) != self.replicas:
            self.replicas = len(living)
            _log.info("replicas", living=self.replicas, replica=self.replica, accounts=len(mine))
        await rearrange(mine)
        self._held_until = begun + self._seconds

    async def release(self) -> None:
        """Let the others have the accounts at once."""
        self._held_until = float("-inf")
        try:
            await self._leases.release(self.replica)
        except BusAway as error:
            _log.debug("lease not released, it ends by itself", problem=str(error))
