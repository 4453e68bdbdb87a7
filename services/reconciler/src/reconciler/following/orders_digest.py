"""The digest of an account's stored orders: none can be lost, added or go back to an earlier value unseen."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

_MODULUS = 2**128


class OrdersDigest(msgspec.Struct, frozen=True, kw_only=True):
    """The number of an account's stored orders, and the sum of their values' digests."""

    count: int = 0
    digest: str = f"{0:032x}"
    """Modulo 2^128, in hexadecimal: the sum does not depend on the order of its parts."""


class StoredOrders:
    """The digests of an account's orders as they are stored."""

    def __init__(self, values: Mapping[str, bytes]) -> None:
        """`values`: the orders' values by key."""
        self._digests = {key: _digest_of(value) for key, value in values.items()}
        self._sum = sum(self._digests.values()) % _MODULUS

    @property
    def digest(self) -> OrdersDigest:
        """What the orders add up to."""
        return OrdersDigest(count=len(self._digests), digest=f"{self._sum:032x}")

    def after(self, values: Mapping[str, bytes], deleted: Iterable[str]) -> OrdersDigest:
        """Return what the orders add up to once these are written and those are deleted."""
        known = self._digests
        gone = {key for key in deleted if key in known and key not in values}
        added = sum(_digest_of(value) - known.get(key, 0) for key, value in values.items())
        total = (self._sum + added - sum(known[key] for key in gone)) % _MODULUS
        count = len(known) + len(values.keys() - known.keys()) - len(gone)
        return OrdersDigest(count=count, digest=f"{total:032x}")

    def update(self, values: Mapping[str, bytes], deleted: Iterable[str]) -> None:
        """Note that these are written and those are deleted."""
        self._sum = int(self.after(values, deleted).digest, 16)
        for key in deleted:
            self._digests.pop(key, None)
        self._digests.update({key: _digest_of(value) for key, value in values.items()})


def _digest_of(value: bytes) -> int:
    return int.from_bytes(sha256(value).digest()[:16])
