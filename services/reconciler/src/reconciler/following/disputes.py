"""Disputes: another server, which agreed with us up to the cursor, names another hash for a ledger.

A hash that is only named disputes nothing: the server must still have the cursor's ledger, and show the bytes
of the one that it names.
"""

from ledger_client import (
    Disputed,
    InvalidRequest,
    LedgerServer,
    Refused,
    ServerError,
    ledger_header,
    read_whole,
    stream_of,
)
from offer_lifecycle import AccountRecord, Header


async def check_dispute(
    server: LedgerServer, other: LedgerServer, record: AccountRecord, header: Header
) -> None:
    """Compare a ledger of two servers: the one at `header`, or the newest that `other` has shown before it.

    `record`: the account's, up to its cursor, as `server` continues it.

    Raises:
        Disputed: both show the bytes of different ledgers, after a cursor on which they agree.
        NotProven: one of them shows no bytes of the ledger that it names, and is named.

    """
    index = _newest_common(other, record, header)
    named = await asked_hash(other, index) or told_hash(other, index)
    ours = header.ledger_hash if index == header.ledger_index else await asked_hash(server, index)
    if named is None or ours is None or named == ours:
        return
    if await asked_hash(other, record.ledger_index) != record.ledger_hash:
        return  # it was on another chain before
    await _check_bytes(other, index, named)
    await _check_bytes(server, index, ours)
    raise Disputed(
        server.name,
        f"ledger: expected hash {named} of ledger {index}, as {other.name} has it, found {ours}: one of them "
        "lies, and nothing is committed; add a third server, or a list of validators",
    )


def told_hash(server: LedgerServer, ledger_index: int) -> str | None:
    """Return the hash that the server's stream has named for a ledger; None: it has not, or there is none."""
    stream = stream_of(server)
    return None if stream is None else stream.hash_of(ledger_index)


async def asked_hash(server: LedgerServer, ledger_index: int) -> str | None:
    """Ask for a ledger's hash; None: the server does not have it, or does not answer."""
    try:
        return (await ledger_header(server, ledger_index)).ledger_hash
    except ServerError:
        return None


def _newest_common(other: LedgerServer, record: AccountRecord, header: Header) -> int:
    """Return the newest ledger after the cursor that both have shown, else the one at `header`."""
    stream = stream_of(other)
    newest = 0 if stream is None else stream.newest
    return min(newest, header.ledger_index) if newest > record.ledger_index else header.ledger_index


async def _check_bytes(server: LedgerServer, ledger_index: int, ledger_hash: str) -> None:
    """Raise NotProven if the server's bytes are not those of the ledger that it names."""
    try:
        await read_whole(server, ledger_index, ledger_hash=ledger_hash)
    except (Refused, InvalidRequest):
        return  # a server without whole ledgers proves nothing, and contradicts nothing
