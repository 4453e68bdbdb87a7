"""Samples of the ledgers that a stream shows quiet, held against their bytes; no server knows which."""

from hashlib import blake2b

LEDGERS_A_SAMPLE = 4
"""One in so many is a sample."""


class QuietSamples:
    """The choice of one reconciler, the same for all of its accounts."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 16 bytes that nobody else knows: seen samples tell a server nothing of the next ones."""
        self._secret = secret

    def include(self, ledger_index: int) -> bool:
        """Whether this ledger is a sample."""
        drawn = blake2b(ledger_index.to_bytes(8, "big"), key=self._secret, digest_size=1).digest()
        return drawn[0] % LEDGERS_A_SAMPLE == 0
