"""Facts have names: an event's id derives from the fact, never from a clock or from chance."""

from collections.abc import Iterable
from hashlib import sha1
from uuid import UUID

_NAMESPACE = UUID("6f1a4c0e-5c1d-5a0e-9f1e-0f111b00f111").bytes
_KEPT = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_5 = 0x5000 << 64 | 0x8000 << 48
"""Version and variant of a UUID that is derived from a name by SHA-1 (RFC 9562)."""


def event_id(
    *, network_id: int, kind: str, account: str, sequence: int, transaction_hash: str | None
) -> UUID:
    """Name one fact about one order.

    The offer entry is named by its key, (account, sequence), which is what its ledger index is the
    hash of. `transaction_hash` is None for what no transaction did: an Expiration that passed, an
    order that reached no ledger, an acceptance (an entry is created once, so its key says it all).
    Of what we ourselves could not tell, or told wrongly, it names the ledgers or the event instead.
    """
    return _uuid5(f"{network_id}|{kind}|{account}|{sequence}|{transaction_hash or ''}")


def proof_id(*, network_id: int, ledger_hash: str, confirmed: bool, transactions: Iterable[str]) -> UUID:
    """Name the proof of a ledger by what it proves; `transactions`: their hashes."""
    named = "|".join(sorted(transactions))
    return _uuid5(f"{network_id}|proof.ledger|{ledger_hash}|{confirmed}|{named}")


def reconciler_event_id(*, network_id: int, kind: str, account: str, about: tuple[object, ...]) -> UUID:
    """Name one fact about an account: `about` tells it from the account's others of that kind."""
    named = "|".join(str(part) for part in about)
    return _uuid5(f"{network_id}|{kind}|{account}|{named}")


def _uuid5(name: str) -> UUID:
    """Return what `uuid.uuid5` does, in half its time: every event is named by one."""
    digest = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16]) & _KEPT | _VERSION_5)
