"""The search for followed accounts in the bytes of transactions.

An account stands in metadata by its 20 bytes wherever its entries are touched. The same bytes may also
stand in a memo, or as an issuer's: so the search selects the transactions that are worth decoding, and
never decides anything.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

try:
    import hyperscan
except ImportError:  # there is no build for this machine: the search is plain
    _COMPILES = False
else:
    _COMPILES = True

ACCOUNT_BYTES = 20
_MANY = 4
"""Accounts from which on compiling them into one search pays."""

Occurrences = Callable[[bytes], Iterable[int]]
"""Takes bytes, and returns the last byte of each occurrence of an account in them."""


class OwnerSearch:
    """A search for some accounts, made once and used for every ledger."""

    def __init__(self, accounts: Iterable[bytes], *, plain: bool = False) -> None:
        """`accounts`: each one's 20 bytes; `plain`: do without hyperscan where it is installed."""
        wanted = sorted(set(accounts))
        compiled = _COMPILES and not plain and len(wanted) >= _MANY
        self._occurrences = _hyperscan(wanted) if compiled else _find(wanted)

    def matching(self, blobs: Sequence[bytes]) -> list[int]:
        """Return the places of the blobs that hold one of the accounts' bytes."""
        lasts = list(self._occurrences(b"".join(blobs)))
        if not lasts:
            return []
        ends = list(accumulate(map(len, blobs)))
        return sorted({bisect_right(ends, last) for last in lasts})


def _find(accounts: Sequence[bytes]) -> Occurrences:
    def occurrences(joined: bytes) -> Iterable[int]:
        for account in accounts:
            at = joined.find(account)
            while at >= 0:
                yield at + ACCOUNT_BYTES - 1
                at = joined.find(account, at + ACCOUNT_BYTES)

    return occurrences


def _hyperscan(accounts: Sequence[bytes]) -> Occurrences:
    database = hyperscan.Database()
    # Written as escapes: in a plain literal a byte of zero would end it
    expressions = ["".join(f"\\x{byte:02x}" for byte in account).encode() for account in accounts]
    database.compile(expressions=expressions, elements=len(expressions))
    scratch = hyperscan.Scratch(database)
    database.scratch = scratch

    def occurrences(joined: bytes) -> Iterable[int]:
        lasts: list[int] = []

        def found(_: int, __: int, end: int, ___: int, ____: object) -> None:
            lasts.append(end - 1)

        database.scan(joined, match_event_handler=found)
        return lasts

    return occurrences
