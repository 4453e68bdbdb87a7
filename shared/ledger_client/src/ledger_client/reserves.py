"""The reserves in force at each ledger, from the ledger's own FeeSettings.

Votes change them, at most once in 256 ledgers. A transaction of ledger N is held to what stands in the
state after N-1. So where both ends of a reading agree, all between them do; where they don't, the one
ledger that changed them is found by halving.
"""

from collections.abc import Iterable, Mapping

import msgspec
import structlog

from ledger_client.answers import Drops, Pinned, ask_pinned
from ledger_client.server import InvalidRequest, LedgerServer, ProtocolViolation, Refused
from ledger_client.status import ServerStatus
from ledger_client.streamed_server import stream_of
from offer_lifecycle import Reserves

_log = structlog.get_logger()

FEE_SETTINGS = "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"
"""The one entry of its type: its key is the same on every network."""


async def reserves_at(
    server: LedgerServer, status: ServerStatus, cursor: int, upto: int, ledgers: Iterable[int]
) -> Mapping[int, Reserves]:
    """Return the reserves that the transactions of some ledgers in (cursor, upto] were held to, in drops.

    They are asked for where the server's stream has not named them. Where the server doesn't show the entry,
    those that it names as the present ones are taken for all.

    Raises:
        ServerError: as every request; ProtocolViolation if the entry can't be read.

    """
    wanted = list(ledgers)
    stream = stream_of(server)
    named = {one: stream.reserves_after(one - 1) for one in wanted} if stream is not None else {}
    known = {one: reserves for one, reserves in named.items() if reserves is not None}
    if len(known) == len(wanted):
        return known
    try:
        return await reserves_between(server, cursor, upto, wanted)
    except (Refused, InvalidRequest) as refusal:
        if upto < status.validated:
            _log.warning("reserves of old ledgers not known, the present ones taken", problem=str(refusal))
        return dict.fromkeys(wanted, status.reserves)


async def reserves_between(
    server: LedgerServer, cursor: int, upto: int, ledgers: Iterable[int]
) -> Mapping[int, Reserves]:
    """Return the reserves that the transactions of some ledgers in (cursor, upto] were held to, in drops.

    Raises:
        Refused, InvalidRequest: the server doesn't show the entry.
        ServerError: as every request; ProtocolViolation if the entry can't be read.

    """
    wanted = list(ledgers)
    if not wanted:
        return {}
    first = await reserves_after(server, cursor)
    last = await reserves_after(server, upto - 1) if upto - 1 > cursor else first
    changed = upto if first == last else await _change(server, cursor, upto - 1, first)
    return {ledger: first if ledger - 1 < changed else last for ledger in wanted}


async def _change(server: LedgerServer, low: int, high: int, before: Reserves) -> int:
    """Return the first ledger after `low`, up to `high`, whose state has other reserves than `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if await reserves_after(server, middle) == before:
            low = middle
        else:
            high = middle
    return high


async def reserves_after(server: LedgerServer, ledger_index: int) -> Reserves:
    """Ask for the reserves in the state after a ledger: the next ledger's transactions are held to them.

    Raises:
        Refused, InvalidRequest: the server doesn't show the entry.
        ServerError: as every request; ProtocolViolation if the entry can't be read.

    """
    answer = await ask_pinned(
        server, "ledger_entry", _FeeSettingsAnswer, index=FEE_SETTINGS, ledger_index=ledger_index
    )
    entry = answer.node
    base = entry.base if entry.base is not None else entry.old_base
    increment = entry.increment if entry.increment is not None else entry.old_increment
    if base is None or increment is None:
        raise ProtocolViolation(server.name, f"ledger_entry: expected reserves in FeeSettings, found {entry}")
    return Reserves(base=base, increment=increment)


class _FeeSettings(msgspec.Struct):
    """Its two forms: drops in strings since the amendment XRPFees, numbers before."""

    base: Drops | None = msgspec.field(name="ReserveBaseDrops", default=None)
    increment: Drops | None = msgspec.field(name="ReserveIncrementDrops", default=None)
    old_base: Drops | None = msgspec.field(name="ReserveBase", default=None)
    old_increment: Drops | None = msgspec.field(name="ReserveIncrement", default=None)


class _FeeSettingsAnswer(Pinned, kw_only=True):
    node: _FeeSettings
