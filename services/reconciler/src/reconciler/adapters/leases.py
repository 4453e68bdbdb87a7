"""The replicas' leases, in the state bucket: keys that the server removes when they are not renewed in time.

`replica.<id>` exists as long as the lease; its value names the list of accounts that the replica is
configured to follow, which is stored once under `accounts.<digest>`: replicas of two deployments can run side
by side.

Plain nats-py: a lease is a message with `Nats-TTL`. FastStream's part in a key-value bucket is to watch it
and to hand out nats-py's own object.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version

import msgspec
from nats.aio.client import Client

from order_events.subjects import REPLICA_VERSION, STATE_BUCKET
from reconciler.adapters.atomic_batch import ANSWER_SECONDS
from reconciler.adapters.last_values import last_values
from reconciler.adapters.retry import BUS_ERRORS
from reconciler.ports.bus import BusAway

_STREAM = f"KV_{STATE_BUCKET}"
_REPLICAS = "replica"
_ACCOUNTS = "accounts"
_LIFE = "Nats-TTL"
"""Seconds (nats-server 2.11 and later)."""
_SHORTEST_LIFE = 1
_VERSION = version("fillproof-reconciler")


class BucketLeases:
    """The leases on NATS; nats-py, because FastStream sets no time to live on a key."""

    def __init__(self, client: Callable[[], Client]) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._lists: dict[str, frozenset[str]] = {}
        """Accounts by their digest."""

    async def renew(self, replica: str, accounts: Sequence[str], seconds: int) -> dict[str, frozenset[str]]:
        """Write the lease and read all leases (see `Leases`)."""
        try:
            digest = await self._store_list(accounts)
            marks = {_LIFE: f"{seconds}s", REPLICA_VERSION: _VERSION}
            await self._put(f"{_REPLICAS}.{replica}", digest.encode(), marks)
            (found,) = await last_values(self._client(), [f"{_subject(_REPLICAS)}."])
            living = {one.key: await self._accounts(one.value.decode()) for one in found if one.value}
        except BUS_ERRORS as error:
            raise BusAway(repr(error)) from error
        return {**living, replica: frozenset(accounts)}

    async def release(self, replica: str) -> None:
        """Let the lease end within a second (see `Leases`)."""
        try:
            await self._put(f"{_REPLICAS}.{replica}", b"", {_LIFE: f"{_SHORTEST_LIFE}s"})
        except BUS_ERRORS as error:
            raise BusAway(repr(error)) from error

    async def _store_list(self, accounts: Sequence[str]) -> str:
        value = msgspec.json.encode(sorted(accounts))
        digest = sha256(value).hexdigest()[:16]
        if digest not in self._lists:
            await self._put(f"{_ACCOUNTS}.{digest}", value, {})
            self._lists[digest] = frozenset(accounts)
        return digest

    async def _accounts(self, digest: str) -> frozenset[str]:
        if digest not in self._lists:
            found = await self._client().jetstream().get_last_msg(_STREAM, _subject(f"{_ACCOUNTS}.{digest}"))
            self._lists[digest] = msgspec.json.decode(found.data or b"[]", type=frozenset[str])
        return self._lists[digest]

    async def _put(self, key: str, value: bytes, headers: dict[str, str]) -> None:
        await (
            self._client()
            .jetstream()
            .publish(_subject(key), value, timeout=ANSWER_SECONDS, stream=_STREAM, headers=headers)
        )


def _subject(key: str) -> str:
    return f"$KV.{STATE_BUCKET}.{key}"
