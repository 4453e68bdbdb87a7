"""Signs of recorded trust lines: one build of a node showed each balance from the other side.

`account_lines` shows what the account holds as a balance above zero, and what it owes below. In some
recordings every balance has the opposite sign: an account that set a limit for a peer which set none seems
to owe to that peer. Such a recording is turned round as a whole, since its lines come from one node.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replay_node.session import Json


def are_turned(lines: Iterable[Json]) -> bool:
    """Return whether most of the lines that can tell show their balance from the other side."""
    told = [_holds_as_told(line) for line in lines]
    return told.count(False) > told.count(True)


def turned(line: Json) -> Json:
    """Return the line with its balance as documented."""
    return line | {"balance": f"{Decimal(line['balance']).copy_negate() + 0:f}"}


def _holds_as_told(line: Json) -> bool | None:
    """Return whether the side that trusts is the one that holds; None where both trust, or none does."""
    balance, limit, peers = (Decimal(line[name]) for name in ("balance", "limit", "limit_peer"))
    if not balance or bool(limit) == bool(peers):
        return None
    return (balance > 0) == bool(limit)
