"""Stream PROOFS, and where the published lists of validators are."""

from typing import Protocol

from order_events import LedgerProof


class ProofRefused(Exception):
    """The bus refuses a proof, and would again: there is no stream PROOFS, or it is too large."""


class ProofsBus(Protocol):
    """Stream PROOFS: what proves the ledgers."""

    async def publish(self, proof: LedgerProof) -> bool:
        """Try once to publish a proof; False: the bus did not take it now.

        Raises:
            ProofRefused: it never will.

        """
        ...


class ListSource(Protocol):
    """Where a publisher's list of validators is: a file, or a site."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    async def read(self) -> bytes:
        """Return the published document.

        Raises:
            OSError: it can't be read now.

        """
        ...
