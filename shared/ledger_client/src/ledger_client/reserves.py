"""The reserves in force at each ledger, from the ledger's own FeeSettings.

Votes change them, at most once in 256 ledgers. A transaction of ledger N is held to what stands in the
state after N-1. So where both ends of a reading agree, all between them do; where they don't, the one
ledger that changed them is found by halving.
"""

from collections.abc import Iterable, Mapping

import structlog

from ledger_client.questions import ServerStatus, check_pinned, typed
from ledger_client.server import InvalidRequest, LedgerServer, ProtocolViolation, Refused
from offer_lifecycle import Reserves

_log = structlog.get_logger()

FEE_SETTINGS = "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"
"""The one entry of its type: its key is the same on every network."""


async def reserves_at(
    server: LedgerServer, status: ServerStatus, cursor: int, upto: int, ledgers: Iterable[int]
) -> Mapping[int, Reserves]:
    """Return the reserves that the transactions of some ledgers in (cursor, upto] were held to, in drops.

    Where the server doesn't show the entry, those that it names as the present ones are taken for all.

    Raises:
        ServerError: as every request; ProtocolViolation if the entry can't be read.

    """
    wanted = list(ledgers)
    if not wanted:
        return {}
    try:
        first = await _after(server, cursor)
        last = await _after(server, upto - 1) if upto - 1 > cursor else first
        changed = upto if first == last else await _change(server, cursor, upto - 1, first)
    except (Refused, InvalidRequest) as refusal:
        if upto < status.validated:
            _log.warning("reserves of old ledgers not known, the present ones taken", problem=str(refusal))
        return dict.fromkeys(wanted, status.reserves)
    return {ledger: first if ledger - 1 < changed else last for ledger in wanted}


async def _change(server: LedgerServer, low: int, high: int, before: Reserves) -> int:
    """Return the first ledger after `low`, up to `high`, whose state has other reserves than `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if await _after(server, middle) == before:
            low = middle
        else:
            high = middle
    return high


async def _after(server: LedgerServer, ledger_index: int) -> Reserves:
    """Ask for the reserves in the state after a ledger."""
    answer = await server.request("ledger_entry", index=FEE_SETTINGS, ledger_index=ledger_index)
    check_pinned(server, "ledger_entry", answer, ledger_index)
    entry = typed(server, "ledger_entry", answer.get("node"), dict[str, object])
    # The amendment XRPFees gave them new names
    base = entry.get("ReserveBaseDrops", entry.get("ReserveBase"))
    increment = entry.get("ReserveIncrementDrops", entry.get("ReserveIncrement"))
    try:
        return Reserves(base=int(str(base)), increment=int(str(increment)))
    except ValueError as error:
        raise ProtocolViolation(
            server.name, f"ledger_entry: expected reserves in FeeSettings, found {entry}"
        ) from error
