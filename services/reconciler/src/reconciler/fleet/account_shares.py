"""Account shares: each living replica of the reconciler follows its share of the accounts.

A replica lives as long as its lease, which it renews all the time and which the bus ends by its own clock.
The living replicas alone decide which replica follows an account: no replica has to ask another. Two replicas
that see different neighbours for a moment may follow the same account; then the fence of the commit lets only
one of them go on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b

import structlog

from reconciler.ports.bus import BusAway, Leases

_log = structlog.get_logger()

RENEWALS_A_LEASE = 3
"""Two renewals may fail before the lease ends."""


def share(replica: str, accounts: Sequence[str], living: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the replica's share of the accounts.

    `living`: by living replica, the accounts that it is configured to follow, this replica among them. An
    account goes to the replica with the highest hash of replica and account (rendezvous hashing): when a
    replica comes or goes, only its own accounts move.
    """
    return frozenset(
        account
        for account in accounts
        if replica
        == max(
            (one for one, configured in living.items() if account in configured or one == replica),
            key=lambda one: (_weight(one, account), one),
        )
    )


def _weight(replica: str, account: str) -> bytes:
    return blake2b(f"{replica} {account}".encode(), digest_size=8).digest()


class Lease:
    """The lease of this replica; with each renewal the replica learns its share of the accounts."""

    def __init__(
        self,
        leases: Leases,
        accounts: Sequence[str],
        *,
        replica: str,
        seconds: int,
        clock: Callable[[], float],
    ) -> None:
        """`seconds`: how long the lease lasts without renewal; `clock`: seconds, monotonic."""
        self.replica = replica
        self.replicas = 0
        """Living replicas, this one among them, as seen at the last renewal."""
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

    async def renew(self, reassign: Callable[[frozenset[str]], Awaitable[None]]) -> None:
        """Renew the lease once; `reassign` is given the replica's share from now on.

        Nothing changes while the bus is away: the followed accounts wait for the bus as well.
        """
        begun = self._clock()
        try:
            living = await self._leases.renew(self.replica, self._accounts, self._seconds)
        except BusAway as error:
            _log.debug("lease not renewed", problem=str(error))
            return
        # Other replicas follow the accounts until they have seen this one, which takes them one renewal
        unseen = not self.held and len(living) > 1
        mine = frozenset() if unseen else share(self.replica, self._accounts, living)
        if len(living) != self.replicas:
            self.replicas = len(living)
            _log.info("replicas", living=self.replicas, replica=self.replica, accounts=len(mine))
        await reassign(mine)
        self._held_until = begun + self._seconds

    async def release(self) -> None:
        """End the lease, so that other replicas follow the accounts at once."""
        self._held_until = float("-inf")
        try:
            await self._leases.release(self.replica)
        except BusAway as error:
            _log.debug("lease not released, it ends by itself", problem=str(error))
